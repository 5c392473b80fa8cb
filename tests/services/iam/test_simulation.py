from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.services.iam.expectations import ACCOUNT, document, refused, trust

Clients = Callable[..., Any]


def decisions(answer: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {
        (one["EvalActionName"], one["EvalResourceName"]): one["EvalDecision"]
        for one in answer["EvaluationResults"]
    }


def test_custom_policies(aws: Clients) -> None:
    answer = aws("iam").simulate_custom_policy(
        PolicyInputList=[
            document("s3:*", "arn:aws:s3:::b/*"),
            document("s3:Delete*", effect="Deny"),
        ],
        ActionNames=["s3:GetObject", "s3:DeleteObject", "ec2:RunInstances"],
        ResourceArns=["arn:aws:s3:::b/k", "arn:aws:s3:::c/k"],
    )
    assert decisions(answer) == {
        ("s3:GetObject", "arn:aws:s3:::b/k"): "allowed",
        ("s3:GetObject", "arn:aws:s3:::c/k"): "implicitDeny",
        ("s3:DeleteObject", "arn:aws:s3:::b/k"): "explicitDeny",
        ("s3:DeleteObject", "arn:aws:s3:::c/k"): "explicitDeny",
        ("ec2:RunInstances", "arn:aws:s3:::b/k"): "implicitDeny",
        ("ec2:RunInstances", "arn:aws:s3:::c/k"): "implicitDeny",
    }
    denied = next(
        one for one in answer["EvaluationResults"] if one["EvalActionName"] == "s3:DeleteObject"
    )
    assert denied["MatchedStatements"][0]["SourcePolicyId"] == "PolicyInputList.2"


def test_context(aws: Clients) -> None:
    iam = aws("iam")
    text = document("s3:*", Condition={"StringEquals": {"aws:PrincipalTag/Team": "red"}})
    request = {"PolicyInputList": [text], "ActionNames": ["s3:GetObject"]}
    [bare] = iam.simulate_custom_policy(**request)["EvaluationResults"]
    assert bare["EvalDecision"] == "implicitDeny"
    assert bare["MissingContextValues"] == ["aws:PrincipalTag/Team"]
    entry = {
        "ContextKeyName": "aws:PrincipalTag/team",
        "ContextKeyValues": ["red"],
        "ContextKeyType": "string",
    }
    [given] = iam.simulate_custom_policy(**request, ContextEntries=[entry])["EvaluationResults"]
    assert (given["EvalDecision"], given["MissingContextValues"]) == ("allowed", [])
    keys = iam.get_context_keys_for_custom_policy(
        PolicyInputList=[text, document(resource="arn:aws:s3:::b/${aws:username}")]
    )
    assert keys["ContextKeyNames"] == ["aws:PrincipalTag/Team", "aws:username"]


def test_principals(aws: Clients) -> None:
    iam = aws("iam")
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=document("s3:*"))["Policy"]["Arn"]
    user = iam.create_user(UserName="u", PermissionsBoundary=boundary)["User"]["Arn"]
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=document(["s3:*", "ec2:*"]))
    answer = iam.simulate_principal_policy(
        PolicySourceArn=user, ActionNames=["s3:GetObject", "ec2:RunInstances"]
    )
    assert decisions(answer) == {
        ("s3:GetObject", "*"): "allowed",
        ("ec2:RunInstances", "*"): "implicitDeny",
    }
    details = {
        one["EvalActionName"]: one["PermissionsBoundaryDecisionDetail"]
        for one in answer["EvaluationResults"]
    }
    assert not details["ec2:RunInstances"]["AllowedByPermissionsBoundary"]

    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    group = iam.create_group(GroupName="g")["Group"]["Arn"]
    iam.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=document("s3:*"))
    for arn, expected in ((role, "implicitDeny"), (group, "allowed")):
        answer = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["s3:GetObject"])
        assert decisions(answer) == {("s3:GetObject", "*"): expected}
    message = refused(
        "NoSuchEntity",
        iam.simulate_principal_policy,
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/nobody",
        ActionNames=["s3:GetObject"],
    )
    assert message == "The user with name nobody cannot be found."
    keys = iam.get_context_keys_for_principal_policy(PolicySourceArn=user)
    assert keys["ContextKeyNames"] == []


def test_resource_policies_and_paging(aws: Clients) -> None:
    iam = aws("iam")
    iam.create_user(UserName="u")
    answer = iam.simulate_custom_policy(
        PolicyInputList=[document("ec2:*")],
        ActionNames=["s3:GetObject", "s3:PutObject"],
        ResourceArns=["arn:aws:s3:::b/k"],
        ResourcePolicy=document("s3:GetObject", Principal="*"),
        CallerArn=f"arn:aws:iam::{ACCOUNT}:user/u",
        MaxItems=1,
    )
    assert decisions(answer) == {("s3:GetObject", "arn:aws:s3:::b/k"): "allowed"}
    assert answer["IsTruncated"]


def test_what_is_not_simulated_is_refused(aws: Clients) -> None:
    iam = aws("iam")
    request = {"PolicyInputList": [document()], "ActionNames": ["s3:GetObject"]}
    refused(
        "NotImplementedException",
        iam.simulate_custom_policy,
        **request,
        ResourceHandlingOption="EC2-VPC-InstanceStore",
    )
    message = refused(
        "InvalidInput",
        iam.simulate_custom_policy,
        PolicyInputList=["no"],
        ActionNames=["s3:GetObject"],
    )
    assert message.startswith("Invalid Policy Input")
