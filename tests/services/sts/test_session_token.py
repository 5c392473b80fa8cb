from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.services.iam.expectations import ACCOUNT, document, refused, trust

Clients = Callable[..., Any]


def make_user(iam: Any, allowed: str) -> Any:
    iam.create_user(UserName="jane")
    iam.put_user_policy(UserName="jane", PolicyName="p", PolicyDocument=document(allowed))
    return iam.create_access_key(UserName="jane")["AccessKey"]


def test_who_calls(aws: Clients) -> None:
    identity = aws("sts").get_caller_identity()
    assert identity["Account"] == identity["UserId"] == ACCOUNT
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_everyone_may_ask_who_they_are(aws: Clients) -> None:
    iam = aws("iam")
    key = make_user(iam, "s3:*")
    iam.put_user_policy(
        UserName="jane", PolicyName="no", PolicyDocument=document("*", effect="Deny")
    )
    assert aws("sts", key).get_caller_identity()["UserId"].startswith("AIDA")


def test_session_tokens(aws: Clients) -> None:
    iam = aws("iam")
    key = make_user(iam, "*")
    credentials = aws("sts", key).get_session_token(DurationSeconds=900)["Credentials"]
    session = aws("sts", credentials)
    assert session.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/jane"
    message = refused("AccessDenied", session.get_session_token)
    assert message == "Cannot call GetSessionToken with session credentials"
    refused("InvalidClientTokenId", aws("iam", credentials).list_users)
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    assumed = session.assume_role(RoleArn=role, RoleSessionName="s1")["Credentials"]
    refused("AccessDenied", aws("sts", assumed).get_session_token)
    refused("AccessDenied", aws("sts", key).get_session_token, TokenCode="123456")


def test_root_gets_an_hour_at_most(aws: Clients) -> None:
    sts = aws("sts")
    long, short = (
        sts.get_session_token(DurationSeconds=seconds)["Credentials"]["Expiration"]
        for seconds in (43200, 3600)
    )
    assert abs((long - short).total_seconds()) < 60


def test_federated_users(aws: Clients) -> None:
    iam = aws("iam")
    key = make_user(iam, "sts:GetFederationToken")
    answer = aws("sts", key).get_federation_token(Name="bob", Policy=document("sts:*"))
    arn = f"arn:aws:sts::{ACCOUNT}:federated-user/bob"
    assert answer["FederatedUser"] == {"FederatedUserId": f"{ACCOUNT}:bob", "Arn": arn}
    federated = aws("sts", answer["Credentials"])
    assert federated.get_caller_identity()["Arn"] == arn
    refused("AccessDenied", federated.get_federation_token, Name="ann")
    refused("InvalidClientTokenId", aws("iam", answer["Credentials"]).list_users)
    message = refused("AccessDenied", federated.get_access_key_info, AccessKeyId=key["AccessKeyId"])
    assert message.endswith(
        "because no identity-based policy allows the sts:GetAccessKeyInfo action"
    )


def test_a_federated_user_has_nothing_without_session_policies(aws: Clients) -> None:
    iam, sts = aws("iam"), aws("sts")
    for token, expected in (
        (sts.get_federation_token(Name="bob"), "no session policy allows"),
        (sts.get_federation_token(Name="bob", Policy=document("s3:*")), "no session policy"),
    ):
        message = refused(
            "AccessDenied",
            aws("sts", token["Credentials"]).get_access_key_info,
            AccessKeyId="AKIA0000000000000000",
        )
        assert expected in message
    whole = sts.get_federation_token(Name="bob", Policy=document("sts:*"))["Credentials"]
    iam.create_user(UserName="u")
    key_id = iam.create_access_key(UserName="u")["AccessKey"]["AccessKeyId"]
    info = aws("sts", whole).get_access_key_info(AccessKeyId=key_id)
    assert info == {"Account": ACCOUNT} or info["Account"] == ACCOUNT


def test_whose_a_key_is(aws: Clients) -> None:
    sts = aws("sts")
    key = make_user(aws("iam"), "s3:*")["AccessKeyId"]
    assert sts.get_access_key_info(AccessKeyId=key)["Account"] == ACCOUNT
    aws("iam").delete_access_key(UserName="jane", AccessKeyId=key)
    assert sts.get_access_key_info(AccessKeyId=key)["Account"] == ACCOUNT
    refused("AccessDenied", sts.get_access_key_info, AccessKeyId="0123456789abcdef")
