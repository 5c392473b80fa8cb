"""What a permission is checked on: the one ARN of a thing, and of all that a call touches."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cloche.services.iam.accounts import create_account
from tests.services.iam.conftest import Parts
from tests.services.iam.expectations import ACCOUNT, document, refused, trust

Clients = Callable[..., Any]


def user_with(aws: Clients, *statements: dict[str, Any], name: str = "jane") -> Any:
    """IAM as a user with a policy of these statements sees it."""
    iam = aws("iam")
    iam.create_user(UserName=name)
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=text)
    return aws("iam", iam.create_access_key(UserName=name)["AccessKey"])


def allow(action: str, *resources: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resources or "*"}


def deny(action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource}


@pytest.mark.parametrize(
    "alias", ["/Guard", "//Guard", "GUARD", "x/Guard", "Guard/", "Guard/Guard"]
)
def test_a_deny_on_a_policy_cannot_be_evaded(aws: Clients, alias: str) -> None:
    arn = aws("iam").create_policy(PolicyName="Guard", PolicyDocument=document())["Policy"]["Arn"]
    jane = user_with(aws, allow("iam:*"), deny("iam:*", arn))
    prefix = arn.removesuffix("Guard")
    with pytest.raises(jane.exceptions.ClientError) as caught:
        jane.create_policy_version(
            PolicyArn=prefix + alias, PolicyDocument=document("ec2:*"), SetAsDefault=True
        )
    assert caught.value.response["Error"]["Code"] in ("InvalidInput", "NoSuchEntity")
    [version] = aws("iam").list_policy_versions(PolicyArn=arn)["Versions"]
    assert version["VersionId"] == "v1"


def test_malformed_policy_arns_are_named(aws: Clients) -> None:
    for text in ("policy//Guard", "policy/Guard/", "policy/", "user/Guard"):
        arn = f"arn:aws:iam::{ACCOUNT}:{text}"
        message = refused("InvalidInput", aws("iam").get_policy, PolicyArn=arn)
        assert message == f"ARN {arn} is not valid."


@pytest.mark.parametrize("alias", ["x/Guard", "GUARD"])
def test_session_policies_are_found_by_their_own_arn(aws: Clients, alias: str) -> None:
    iam = aws("iam")
    arn = iam.create_policy(PolicyName="Guard", PolicyDocument=document())["Policy"]["Arn"]
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    refused(
        "ValidationError",
        aws("sts").assume_role,
        RoleArn=role,
        RoleSessionName="s1",
        PolicyArns=[{"arn": arn.removesuffix("Guard") + alias}],
    )


@pytest.mark.parametrize("kind", ["user", "role", "group"])
def test_a_deny_on_a_principal_holds_for_the_simulator(aws: Clients, kind: str) -> None:
    iam = aws("iam")
    iam.create_user(UserName="boss")
    iam.create_group(GroupName="boss")
    iam.create_role(RoleName="boss", AssumeRolePolicyDocument=trust())
    arn = f"arn:aws:iam::{ACCOUNT}:{kind}/boss"
    jane = user_with(aws, allow("iam:*"), deny("iam:*", arn))
    for alias in (
        arn.replace("/boss", "//boss"),
        arn.replace("/boss", "/x/boss"),
        arn.replace("boss", "BOSS"),
        arn.replace("arn:aws:", "arn:aws-cn:"),
        arn.replace(":iam:", ":sts:"),
    ):
        with pytest.raises(jane.exceptions.ClientError):
            jane.get_context_keys_for_principal_policy(PolicySourceArn=alias)
        with pytest.raises(jane.exceptions.ClientError):
            jane.simulate_principal_policy(PolicySourceArn=alias, ActionNames=["s3:GetObject"])
    iam.get_context_keys_for_principal_policy(PolicySourceArn=arn)


def test_service_linked_roles_are_checked_by_their_name(aws: Clients) -> None:
    path = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/"
    jane = user_with(
        aws,
        allow("iam:CreateServiceLinkedRole", path + "AWSServiceRoleForAutoScaling*"),
        deny("iam:CreateServiceLinkedRole", path + "AWSServiceRoleForAutoScaling_two"),
    )
    create = jane.create_service_linked_role
    refused("AccessDenied", create, AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="two")
    create(AWSServiceName="autoscaling.amazonaws.com")


@pytest.mark.parametrize("kind", ["User", "Group"])
def test_a_new_name_or_path_needs_permission_too(aws: Clients, kind: str) -> None:
    iam = aws("iam")
    arn = f"arn:aws:iam::{ACCOUNT}:{kind.lower()}"
    jane = user_with(aws, allow(f"iam:Update{kind}", f"{arn}/dev-*", f"{arn}/dev/dev-*"))
    getattr(iam, f"create_{kind.lower()}")(**{f"{kind}Name": "dev-1"})
    update = getattr(jane, f"update_{kind.lower()}")
    old, new = f"{kind}Name", f"New{kind}Name"
    message = refused("AccessDenied", update, **{old: "dev-1", new: "boss"})
    assert f"on resource: {arn}/boss " in message
    refused("AccessDenied", update, **{old: "dev-1", "NewPath": "/admin/"})
    refused("AccessDenied", update, **{old: "dev-1", new: "dev-2", "NewPath": "/admin/"})
    update(**{old: "dev-1", new: "dev-2", "NewPath": "/dev/"})
    assert getattr(iam, f"get_{kind.lower()}")(**{old: "dev-2"})[kind]["Arn"] == f"{arn}/dev/dev-2"


def test_a_role_is_passed_to_an_instance_profile(aws: Clients) -> None:
    iam = aws("iam")
    role = iam.create_role(RoleName="admin", AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    iam.create_instance_profile(InstanceProfileName="p")
    jane = user_with(aws, allow("iam:AddRoleToInstanceProfile"))
    request = {"InstanceProfileName": "p", "RoleName": "admin"}
    message = refused("AccessDenied", jane.add_role_to_instance_profile, **request)
    assert f"is not authorized to perform: iam:PassRole on resource: {role}" in message
    iam.put_user_policy(
        UserName="jane",
        PolicyName="pass",
        PolicyDocument=document(
            "iam:PassRole",
            role,
            Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
        ),
    )
    jane.add_role_to_instance_profile(**request)


def test_policies_of_other_accounts_bind_nobody_here(parts: Parts, aws: Clients) -> None:
    arn = aws("iam").create_policy(PolicyName="p", PolicyDocument=document())["Policy"]["Arn"]
    other = create_account(parts.documents, parts.clock, "other")
    iam = aws("iam", {"AccessKeyId": other.access_key_id})
    iam.create_user(UserName="u")
    iam.create_group(GroupName="g")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust({"AWS": other.account_id}))
    for kind, name in (("User", "u"), ("Group", "g"), ("Role", "r")):
        attach = getattr(iam, f"attach_{kind.lower()}_policy")
        message = refused("NoSuchEntity", attach, **{f"{kind}Name": name}, PolicyArn=arn)
        assert message == f"Policy {arn} does not exist or is not attachable."
    for refusing, request in (
        (iam.put_user_permissions_boundary, {"UserName": "u"}),
        (iam.put_role_permissions_boundary, {"RoleName": "r"}),
        (iam.create_user, {"UserName": "v"}),
        (iam.create_role, {"RoleName": "s", "AssumeRolePolicyDocument": trust()}),
    ):
        message = refused("NoSuchEntity", refusing, **request, PermissionsBoundary=arn)
        assert message == f"Scope ARN: {arn} does not exist or is not attachable."
