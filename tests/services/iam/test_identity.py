from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Callable
from typing import Any, cast

import pytest
from msgspec.structs import replace

from cloche.core.errors import AccessDenied, AccessDeniedException
from cloche.core.operations import Call, Server
from cloche.core.principals import ANONYMOUS, Principal
from cloche.services.iam import entities
from cloche.services.iam.accounts import (
    AccountExists,
    AccountKey,
    create_account,
    ensure_root,
    list_accounts,
)
from cloche.services.iam.identifiers import access_key_id, account_of_access_key
from cloche.services.iam.identity import (
    create_session_for_service,
    find_credential,
    policies_of,
    record_use,
)
from cloche.services.iam.pass_role import check_pass_role
from tests.services.iam.conftest import Parts
from tests.services.iam.expectations import ACCOUNT, document, refused, trust

Clients = Callable[..., Any]
SAGEMAKER = "sagemaker.amazonaws.com"


def test_the_root_key_is_made_once_and_kept_for_the_owner(parts: Parts) -> None:
    first = ensure_root(parts.documents, parts.settings, parts.clock)
    file = parts.settings.data_directory / "credentials.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    written = json.loads(file.read_text())
    assert written["access_key_id"] == first.access_key_id
    assert written["secret_access_key"] == first.secret_access_key
    assert written["account_id"] == ACCOUNT
    file.unlink()
    assert ensure_root(parts.documents, parts.settings, parts.clock) == first
    assert json.loads(file.read_text()) == written
    assert not list(file.parent.glob("credentials.json?*"))


def test_the_root_key_can_be_given(parts: Parts) -> None:
    made = ensure_root(parts.documents, parts.settings, parts.clock)
    given = ensure_root(
        parts.documents,
        parts.settings,
        parts.clock,
        access_key_id="AKIAIOSFODNN7EXAMPLE",
        secret_access_key="secret",
    )
    assert (given.access_key_id, given.secret_access_key) == ("AKIAIOSFODNN7EXAMPLE", "secret")
    assert find_credential(parts.documents, made.access_key_id) is None
    credential = find_credential(parts.documents, "AKIAIOSFODNN7EXAMPLE")
    assert credential is not None
    assert (credential.secret_access_key, credential.session_token) == ("secret", None)
    assert credential.principal.is_root
    assert ensure_root(parts.documents, parts.settings, parts.clock) == given


def test_accounts_are_separate(parts: Parts, root_key: AccountKey, aws: Clients) -> None:
    other = create_account(parts.documents, parts.clock, "other", account_id="111122223333")
    aws("iam").create_user(UserName="jane")
    theirs = aws("iam", {"AccessKeyId": other.access_key_id})
    assert theirs.list_users()["Users"] == []
    assert theirs.get_user()["User"]["Arn"] == "arn:aws:iam::111122223333:root"
    third = create_account(parts.documents, parts.clock, "third")
    assert len(third.account_id) == 12
    for name, account_id in (("other", None), ("fourth", "111122223333")):
        with pytest.raises(AccountExists):
            create_account(parts.documents, parts.clock, name, account_id=account_id)
    with pytest.raises(AccountExists):
        create_account(parts.documents, parts.clock, "x", access_key_id=other.access_key_id)
    with pytest.raises(ValueError, match="twelve digits"):
        create_account(parts.documents, parts.clock, "x", account_id="1")
    listed = {one.name: one for one in list_accounts(parts.documents)}
    assert listed == {"default": root_key, "other": other, "third": third}


def test_policies_of_another_account_are_out_of_reach(parts: Parts, aws: Clients) -> None:
    other = create_account(parts.documents, parts.clock, "other")
    arn = aws("iam").create_policy(PolicyName="p", PolicyDocument=document())["Policy"]["Arn"]
    refused(
        "AccessDenied", aws("iam", {"AccessKeyId": other.access_key_id}).get_policy, PolicyArn=arn
    )


def test_access_key_ids_tell_the_account() -> None:
    for account_id in ("000000000000", "111122223333", "999999999999"):
        key_id = access_key_id("AKIA", account_id)
        assert len(key_id) == 20
        assert account_of_access_key(key_id) == account_id
    assert account_of_access_key("AKIA") is None
    assert account_of_access_key("AKIA1111111111111111") is None


def test_credentials_that_are_not_there(parts: Parts) -> None:
    for key_id in ("", "AKIANONE", "ASIANONE", "x" * 5000, "\0"):
        assert find_credential(parts.documents, key_id) is None


def session_for(parts: Parts, role_arn: str, service: str = SAGEMAKER, **more: Any) -> Any:
    return create_session_for_service(
        cast("Server", parts), role_arn, service, "job-1", 3600, **more
    )


def test_services_take_on_roles_that_trust_them(parts: Parts, aws: Clients) -> None:
    iam = aws("iam")
    role = iam.create_role(
        RoleName="r",
        Path="/x/",
        AssumeRolePolicyDocument=trust({"Service": SAGEMAKER}),
        Tags=[{"Key": "a", "Value": "b"}],
    )["Role"]
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document("iam:*"))
    session = session_for(parts, role["Arn"])
    assert session.id.startswith("ASIA")
    credential = find_credential(parts.documents, session.id)
    assert credential is not None
    assert credential.session_token == session.token
    assert credential.expires_at == session.expires_at
    principal = credential.principal
    assert principal.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/r/job-1"
    assert (principal.role_arn, principal.tags) == (role["Arn"], (("a", "b"),))
    keys = {
        "AccessKeyId": session.id,
        "SecretAccessKey": session.secret,
        "SessionToken": session.token,
    }
    assert aws("iam", keys).list_users()["Users"] == []

    for arn, service in (
        (role["Arn"], "glue.amazonaws.com"),
        (role["Arn"].replace("/x/", "/y/"), SAGEMAKER),
        (role["Arn"] + "x", SAGEMAKER),
        ("nonsense", SAGEMAKER),
    ):
        with pytest.raises(AccessDenied):
            session_for(parts, arn, service)


def test_conditions_on_the_source_of_a_service(parts: Parts, aws: Clients) -> None:
    arn = "arn:aws:sagemaker:us-east-1:000000000000:training-job/one"
    only = {"ArnEquals": {"aws:SourceArn": arn}, "StringEquals": {"aws:SourceAccount": ACCOUNT}}
    role = aws("iam").create_role(
        RoleName="r", AssumeRolePolicyDocument=trust({"Service": SAGEMAKER}, Condition=only)
    )["Role"]["Arn"]
    assert session_for(parts, role, source_arn=arn)
    with pytest.raises(AccessDenied):
        session_for(parts, role, source_arn=arn + "x")


def test_sessions_end_with_their_role(parts: Parts, aws: Clients) -> None:
    iam = aws("iam")
    given = {"RoleName": "r", "AssumeRolePolicyDocument": trust({"Service": SAGEMAKER})}
    role = iam.create_role(**given)["Role"]["Arn"]
    session = session_for(parts, role)
    iam.delete_role(RoleName="r")
    assert find_credential(parts.documents, session.id) is None
    iam.create_role(**given)
    assert find_credential(parts.documents, session.id) is None


def test_policies_of_nobody(parts: Parts) -> None:
    for principal in (
        ANONYMOUS,
        Principal("IAMUser", ACCOUNT, "arn", "AIDA", name="nobody"),
        Principal("AssumedRole", ACCOUNT, "arn", "AROA:s", role_arn="arn:aws:iam::1:role/none"),
        Principal("FederatedUser", ACCOUNT, "arn", "x", access_key_id="ASIANONE"),
    ):
        assert policies_of(parts.documents, principal) == ((), None)


def test_uses_of_keys_and_roles(parts: Parts, aws: Clients) -> None:
    iam = aws("iam")
    iam.create_user(UserName="jane")
    key_id = iam.create_access_key(UserName="jane")["AccessKey"]["AccessKeyId"]
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust({"Service": SAGEMAKER}))[
        "Role"
    ]["Arn"]
    session = session_for(parts, role)

    def use(access_key: str, service: str) -> None:
        credential = find_credential(parts.documents, access_key)
        assert credential is not None
        now = parts.clock.now()
        asyncio.run(record_use(parts.documents, credential.principal, service, "eu-west-1", now))

    def used() -> Any:
        return iam.get_access_key_last_used(AccessKeyId=key_id)["AccessKeyLastUsed"]

    use(key_id, "s3")
    first = used()
    assert (first["ServiceName"], first["Region"]) == ("s3", "eu-west-1")
    parts.clock.advance(30)
    use(key_id, "s3")
    assert used() == first
    use(key_id, "glue")
    assert used()["ServiceName"] == "glue"
    parts.clock.advance(61)
    use(key_id, "glue")
    assert (used()["LastUsedDate"] - first["LastUsedDate"]).total_seconds() >= 90
    use(session.id, "s3")
    assert iam.get_role(RoleName="r")["Role"]["RoleLastUsed"]["Region"] == "eu-west-1"
    iam.delete_access_key(UserName="jane", AccessKeyId=key_id)
    assert parts.documents.get(entities.access_key_uses, "", "", key_id) is None


def test_pass_role(parts: Parts, aws: Clients) -> None:
    iam = aws("iam")
    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    iam.create_user(UserName="jane")
    key_id = iam.create_access_key(UserName="jane")["AccessKey"]["AccessKeyId"]

    def call_of(access_key: str) -> Call:
        credential = find_credential(parts.documents, access_key)
        assert credential is not None
        principal = credential.principal
        server = cast("Server", parts)
        return Call(server, "sagemaker", "CreateTrainingJob", principal, "us-east-1", "id")

    jane = call_of(key_id)
    with pytest.raises(AccessDeniedException, match="iam:PassRole on resource: " + role):
        check_pass_role(jane, role, SAGEMAKER)
    only = {"StringEquals": {"iam:PassedToService": SAGEMAKER}}
    iam.put_user_policy(
        UserName="jane",
        PolicyName="p",
        PolicyDocument=document("iam:PassRole", role, Condition=only),
    )
    check_pass_role(jane, role, SAGEMAKER)
    with pytest.raises(AccessDeniedException):
        check_pass_role(jane, role, "glue.amazonaws.com")
    root = replace(jane, principal=Principal("Root", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", ""))
    check_pass_role(root, role, SAGEMAKER)
    with pytest.raises(AccessDeniedException):
        check_pass_role(root, "arn:aws:iam::111122223333:role/r", SAGEMAKER)
