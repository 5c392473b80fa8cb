from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.services.iam.expectations import ACCOUNT, document, refused, trust

Clients = Callable[..., Any]


def make_role(iam: Any, name: str = "r", text: str | None = None, **more: Any) -> str:
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=text or trust(), **more)
    return made["Role"]["Arn"]


def make_user(iam: Any, name: str = "jane", allowed: str | None = "sts:*") -> Any:
    iam.create_user(UserName=name)
    if allowed:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(allowed))
    return iam.create_access_key(UserName=name)["AccessKey"]


def test_a_session_of_a_role(aws: Clients) -> None:
    iam = aws("iam")
    role = make_role(iam, Path="/x/")
    iam.put_role_policy(
        RoleName="r", PolicyName="p", PolicyDocument=document(["iam:List*", "iam:GetUser"])
    )
    sts = aws("sts", make_user(iam))
    answer = sts.assume_role(RoleArn=role, RoleSessionName="night")
    credentials, assumed = answer["Credentials"], answer["AssumedRoleUser"]
    assert assumed["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/r/night"
    assert assumed["AssumedRoleId"].startswith("AROA")
    assert assumed["AssumedRoleId"].endswith(":night")
    assert credentials["AccessKeyId"].startswith("ASIA")
    seconds = (credentials["Expiration"] - datetime.now(UTC)).total_seconds()
    assert 3500 < seconds <= 3600
    identity = aws("sts", credentials).get_caller_identity()
    assert identity["Arn"] == assumed["Arn"]
    assert identity["UserId"] == assumed["AssumedRoleId"]
    session = aws("iam", credentials)
    assert session.list_users()["Users"]
    message = refused("AccessDenied", session.create_user, UserName="x")
    assert message.startswith(f"User: {assumed['Arn']} is not authorized to perform: iam:Create")
    message = refused("ValidationError", session.get_user)
    assert message == "Must specify userName when calling with non-User credentials"


def test_who_may_take_on_a_role(aws: Clients) -> None:
    iam = aws("iam")
    in_account = make_role(iam, "account")
    able, unable = make_user(iam, "able"), make_user(iam, "unable", None)
    by_name = make_role(iam, "name", trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/unable"}))
    for_service = make_role(iam, "service", trust({"Service": "glue.amazonaws.com"}))

    def try_role(key: Any, role: str) -> Any:
        return aws("sts", key).assume_role(RoleArn=role, RoleSessionName="s1")

    assert try_role(able, in_account)
    assert try_role(unable, by_name)
    assert try_role(None, in_account)
    arn = f"arn:aws:iam::{ACCOUNT}:user/unable"
    message = refused("AccessDenied", try_role, key=unable, role=in_account)
    assert message == (
        f"User: {arn} is not authorized to perform: sts:AssumeRole on resource: {in_account}"
        " because no identity-based policy allows the sts:AssumeRole action"
    )
    for key, role in (
        (able, for_service),
        (able, by_name),
        (able, in_account + "x"),
        (None, for_service),
    ):
        message = refused("AccessDenied", try_role, key=key, role=role)
        assert message.endswith("because no role trust policy allows the sts:AssumeRole action")
    iam.put_user_policy(
        UserName="unable", PolicyName="no", PolicyDocument=document("sts:*", effect="Deny")
    )
    message = refused("AccessDenied", try_role, key=unable, role=by_name)
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_external_ids(aws: Clients) -> None:
    only = {"StringEquals": {"sts:ExternalId": "secret"}}
    role = make_role(aws("iam"), text=trust(Condition=only))
    sts = aws("sts")
    refused("AccessDenied", sts.assume_role, RoleArn=role, RoleSessionName="s1")
    refused("AccessDenied", sts.assume_role, RoleArn=role, RoleSessionName="s1", ExternalId="no")
    assert sts.assume_role(RoleArn=role, RoleSessionName="s1", ExternalId="secret")


def test_session_policies(aws: Clients) -> None:
    iam, sts = aws("iam"), aws("sts")
    role = make_role(iam)
    iam.attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    request = {"RoleArn": role, "RoleSessionName": "s1"}
    answer = sts.assume_role(**request, Policy=document("s3:*"))
    assert 0 < answer["PackedPolicySize"] <= 100
    message = refused("AccessDenied", aws("iam", answer["Credentials"]).list_users)
    assert message.endswith("because no session policy allows the iam:ListUsers action")
    arns = [{"arn": "arn:aws:iam::aws:policy/IAMReadOnlyAccess"}]
    answer = sts.assume_role(**request, Policy=document("s3:*"), PolicyArns=arns)
    narrowed = aws("iam", answer["Credentials"])
    assert narrowed.list_users()["Users"] == []
    refused("AccessDenied", narrowed.create_user, UserName="x")
    refused("MalformedPolicyDocument", sts.assume_role, **request, Policy="no")
    refused(
        "ValidationError", sts.assume_role, **request, PolicyArns=[{"arn": arns[0]["arn"] + "x"}]
    )
    large = document(resource=[f"arn:aws:s3:::{number:040d}" for number in range(50)])
    message = refused("PackedPolicyTooLarge", sts.assume_role, **request, Policy=large)
    assert message.startswith("Packed policy consumes 1")


def test_how_long_a_session_lasts(aws: Clients) -> None:
    iam, sts = aws("iam"), aws("sts")
    role = make_role(iam, MaxSessionDuration=7200)
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document("sts:*"))
    request = {"RoleArn": role, "RoleSessionName": "s1"}
    answer = sts.assume_role(**request, DurationSeconds=7200)
    message = refused("ValidationError", sts.assume_role, **request, DurationSeconds=7201)
    assert message == (
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    )
    chained = aws("sts", answer["Credentials"])
    assert chained.assume_role(**request)
    message = refused("ValidationError", chained.assume_role, **request, DurationSeconds=3601)
    assert message.startswith("The requested DurationSeconds exceeds the 1 hour session limit")


def test_session_tags_and_source_identity(aws: Clients) -> None:
    iam, sts = aws("iam"), aws("sts")
    role = make_role(iam, Tags=[{"Key": "team", "Value": "red"}, {"Key": "own", "Value": "1"}])
    only = {
        "StringEquals": {
            "aws:PrincipalTag/Team": "blue",
            "aws:PrincipalTag/own": "1",
        }
    }
    iam.put_role_policy(
        RoleName="r", PolicyName="p", PolicyDocument=document("iam:*", Condition=only)
    )
    iam.put_role_policy(RoleName="r", PolicyName="q", PolicyDocument=document("sts:*"))
    request = {"RoleArn": role, "RoleSessionName": "s1"}
    refused("AccessDenied", aws("iam", sts.assume_role(**request)["Credentials"]).list_users)
    answer = sts.assume_role(
        **request,
        Tags=[{"Key": "Team", "Value": "blue"}],
        TransitiveTagKeys=["Team"],
        SourceIdentity="alice",
    )
    assert answer["SourceIdentity"] == "alice"
    assert aws("iam", answer["Credentials"]).list_users()["Users"] == []
    chained = aws("sts", answer["Credentials"]).assume_role(**request)
    assert chained["SourceIdentity"] == "alice"
    assert aws("iam", chained["Credentials"]).list_users()["Users"] == []
    untagged = trust(Action="sts:AssumeRole")
    other = make_role(iam, "other", untagged.replace('"sts:TagSession", ', ""))
    message = refused(
        "AccessDenied",
        sts.assume_role,
        RoleArn=other,
        RoleSessionName="s1",
        Tags=[{"Key": "a", "Value": "b"}],
    )
    assert "sts:TagSession" in message


def test_the_length_of_tokens(aws: Clients) -> None:
    role = make_role(aws("iam"))
    answer = aws("sts").assume_role(
        RoleArn=role, RoleSessionName="s1", MinimumSessionTokenSize=4096
    )
    assert len(answer["Credentials"]["SessionToken"]) == 4096
    assert (answer["SessionTokenSize"], answer["SessionTokenUtilization"]) == (4096, 100)


def test_codes_of_devices_that_do_not_exist(aws: Clients) -> None:
    role = make_role(aws("iam"))
    message = refused(
        "AccessDenied",
        aws("sts").assume_role,
        RoleArn=role,
        RoleSessionName="s1",
        SerialNumber="arn:aws:iam::000000000000:mfa/x",
        TokenCode="123456",
    )
    assert message.startswith("MultiFactorAuthentication failed")
