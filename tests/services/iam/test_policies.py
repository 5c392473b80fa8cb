from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.services.iam.expectations import ACCOUNT, document, refused, trust

Clients = Callable[..., Any]
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def test_a_managed_policy_from_beginning_to_end(aws: Clients) -> None:
    iam = aws("iam")
    policy = iam.create_policy(
        PolicyName="P",
        Path="/x/",
        PolicyDocument=document(),
        Description="reads",
        Tags=[{"Key": "a", "Value": "b"}],
    )["Policy"]
    arn = policy["Arn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:policy/x/P"
    assert policy["PolicyId"].startswith("ANPA")
    assert (policy["DefaultVersionId"], policy["AttachmentCount"]) == ("v1", 0)
    got = iam.get_policy(PolicyArn=arn)["Policy"]
    assert (got["Description"], got["Tags"]) == ("reads", [{"Key": "a", "Value": "b"}])
    message = refused(
        "EntityAlreadyExists", iam.create_policy, PolicyName="p", PolicyDocument=document()
    )
    assert message == "A policy called p already exists. Duplicate names are not allowed."
    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_policy(PolicyArn=arn, TagKeys=["a"])
    assert iam.list_policy_tags(PolicyArn=arn)["Tags"] == [{"Key": "c", "Value": "d"}]
    iam.delete_policy(PolicyArn=arn)
    message = refused("NoSuchEntity", iam.get_policy, PolicyArn=arn)
    assert message == f"Policy {arn} was not found."


def test_versions(aws: Clients) -> None:
    iam = aws("iam")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document())["Policy"]["Arn"]
    for number in range(2, 6):
        version = iam.create_policy_version(
            PolicyArn=arn, PolicyDocument=document(f"ec2:{number}"), SetAsDefault=number == 5
        )["PolicyVersion"]
        assert version["VersionId"] == f"v{number}"
        assert version["IsDefaultVersion"] is (number == 5)
    message = refused(
        "LimitExceeded", iam.create_policy_version, PolicyArn=arn, PolicyDocument=document()
    )
    assert "up to 5 versions" in message
    listed = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [one["VersionId"] for one in listed] == ["v5", "v4", "v3", "v2", "v1"]
    shown = iam.get_policy_version(PolicyArn=arn, VersionId="v3")["PolicyVersion"]
    assert shown["Document"] == json.loads(document("ec2:3"))
    refused("DeleteConflict", iam.delete_policy_version, PolicyArn=arn, VersionId="v5")
    refused("NoSuchEntity", iam.get_policy_version, PolicyArn=arn, VersionId="v9")
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v2"
    message = refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    assert "more than one version" in message
    for version_id in ("v1", "v3", "v4", "v5"):
        iam.delete_policy_version(PolicyArn=arn, VersionId=version_id)
    made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document())["PolicyVersion"]
    assert made["VersionId"] == "v6"


def test_the_default_version_is_in_force(aws: Clients) -> None:
    iam = aws("iam")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document("iam:*"))["Policy"]["Arn"]
    iam.create_user(UserName="jane")
    iam.attach_user_policy(UserName="jane", PolicyArn=arn)
    mine = aws("iam", iam.create_access_key(UserName="jane")["AccessKey"])
    assert mine.list_users()["Users"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document("ec2:*"), SetAsDefault=True)
    refused("AccessDenied", mine.list_users)
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    assert mine.list_users()["Users"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "Syntax errors in policy."),
        ("no", "This policy contains invalid Json"),
        ("[" * 2000 + "]" * 2000, "This policy contains invalid Json"),
        (
            document().replace("2012-10-17", "2008-10-17"),
            "Policy document must be version 2012-10-17 or greater.",
        ),
        (document(Principal="*"), "Policy document should not specify a principal."),
        (document(resource="bucket"), 'Resource bucket must be in ARN format or "*".'),
    ],
)
def test_documents_are_read(aws: Clients, text: str, message: str) -> None:
    iam = aws("iam")
    given = refused(
        "MalformedPolicyDocument", iam.create_policy, PolicyName="p", PolicyDocument=text
    )
    assert given == message


def test_policies_have_a_size(aws: Clients) -> None:
    large = document(resource=[f"arn:aws:s3:::{number:040d}" for number in range(150)])
    message = refused(
        "LimitExceeded", aws("iam").create_policy, PolicyName="p", PolicyDocument=large
    )
    assert message == "Cannot exceed quota for PolicySize: 6144"


def test_policies_of_aws(aws: Clients) -> None:
    iam = aws("iam")
    policy = iam.get_policy(PolicyArn=READ_ONLY)["Policy"]
    assert (policy["PolicyName"], policy["Path"]) == ("ReadOnlyAccess", "/")
    version = iam.get_policy_version(PolicyArn=READ_ONLY, VersionId="v1")["PolicyVersion"]
    assert version["Document"]["Version"] == "2012-10-17"
    names, marker = [], {}
    while True:
        page = iam.list_policies(Scope="AWS", MaxItems=25, **marker)
        names += [one["PolicyName"] for one in page["Policies"]]
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    assert len(names) == len(set(names)) > 50
    assert {"AdministratorAccess", "AWSLambdaBasicExecutionRole", "AmazonS3FullAccess"} <= {*names}
    refused("InvalidInput", iam.delete_policy, PolicyArn=READ_ONLY)
    refused(
        "InvalidInput", iam.create_policy_version, PolicyArn=READ_ONLY, PolicyDocument=document()
    )
    refused("NoSuchEntity", iam.get_policy, PolicyArn="arn:aws:iam::aws:policy/None")
    assert refused("InvalidInput", iam.get_policy, PolicyArn="arn:aws:s3:::not-a-policy")


def test_attachments(aws: Clients) -> None:
    iam = aws("iam")
    arn = iam.create_policy(PolicyName="p", Path="/x/", PolicyDocument=document())["Policy"]["Arn"]
    iam.create_user(UserName="u", PermissionsBoundary=arn)
    iam.create_group(GroupName="g")
    iam.create_role(RoleName="r", Path="/y/", AssumeRolePolicyDocument=trust())
    for _ in range(2):
        iam.attach_user_policy(UserName="u", PolicyArn=arn)
        iam.attach_group_policy(GroupName="g", PolicyArn=arn)
        iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    iam.attach_role_policy(RoleName="r", PolicyArn=READ_ONLY)
    attached = iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == ["p", "ReadOnlyAccess"]
    only = iam.list_attached_role_policies(RoleName="r", PathPrefix="/x/")["AttachedPolicies"]
    assert only == [{"PolicyName": "p", "PolicyArn": arn}]
    assert len(iam.list_attached_user_policies(UserName="u")["AttachedPolicies"]) == 1
    assert len(iam.list_attached_group_policies(GroupName="g")["AttachedPolicies"]) == 1
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    assert (policy["AttachmentCount"], policy["PermissionsBoundaryUsageCount"]) == (3, 1)

    entities = iam.list_entities_for_policy(PolicyArn=arn)
    assert [one["UserName"] for one in entities["PolicyUsers"]] == ["u"]
    assert [one["GroupName"] for one in entities["PolicyGroups"]] == ["g"]
    assert [one["RoleName"] for one in entities["PolicyRoles"]] == ["r"]
    by_filter = iam.list_entities_for_policy(PolicyArn=arn, EntityFilter="Role")
    assert (len(by_filter["PolicyRoles"]), by_filter["PolicyUsers"]) == (1, [])
    by_use = iam.list_entities_for_policy(PolicyArn=arn, PolicyUsageFilter="PermissionsBoundary")
    assert (len(by_use["PolicyUsers"]), by_use["PolicyRoles"]) == (1, [])
    page = iam.list_entities_for_policy(PolicyArn=arn, MaxItems=2)
    assert page["IsTruncated"]

    used = iam.list_policies(OnlyAttached=True)["Policies"]
    assert [one["PolicyName"] for one in used] == ["ReadOnlyAccess", "p"]
    local = iam.list_policies(Scope="Local", PathPrefix="/x/")["Policies"]
    assert [one["AttachmentCount"] for one in local] == [3]
    message = refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    assert message == "Cannot delete a policy attached to entities."
    iam.detach_role_policy(RoleName="r", PolicyArn=arn)
    message = refused("NoSuchEntity", iam.detach_role_policy, RoleName="r", PolicyArn=arn)
    assert message == f"Policy {arn} was not found."
    message = refused("NoSuchEntity", iam.attach_role_policy, RoleName="r", PolicyArn=arn + "x")
    assert message == f"Policy {arn}x does not exist or is not attachable."


def test_ten_policies_can_be_attached(aws: Clients) -> None:
    iam = aws("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())
    arns = [one["Arn"] for one in iam.list_policies(Scope="AWS", MaxItems=11)["Policies"]]
    for arn in arns[:10]:
        iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    message = refused("LimitExceeded", iam.attach_role_policy, RoleName="r", PolicyArn=arns[10])
    assert message == "Cannot exceed quota for PoliciesPerRole: 10"


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_inline_policies(aws: Clients, kind: str) -> None:
    iam = aws("iam")
    name = {f"{kind.capitalize()}Name": "x"}
    more = {"AssumeRolePolicyDocument": trust()} if kind == "role" else {}
    getattr(iam, f"create_{kind}")(**name, **more)
    put, get, delete, list_ = (
        getattr(iam, f"{verb}_{kind}_polic{end}")
        for verb, end in (("put", "y"), ("get", "y"), ("delete", "y"), ("list", "ies"))
    )
    for policy_name in ("b", "a"):
        put(**name, PolicyName=policy_name, PolicyDocument=document("ec2:*"))
    put(**name, PolicyName="a", PolicyDocument=document("s3:*"))
    assert list_(**name)["PolicyNames"] == ["a", "b"]
    assert get(**name, PolicyName="a")["PolicyDocument"] == json.loads(document("s3:*"))
    delete(**name, PolicyName="a")
    message = refused("NoSuchEntity", get, **name, PolicyName="a")
    assert message == f"The {kind} policy with name a cannot be found."
    refused("NoSuchEntity", delete, **name, PolicyName="a")
    refused("MalformedPolicyDocument", put, **name, PolicyName="c", PolicyDocument="no")
    absent = {f"{kind.capitalize()}Name": "y"}
    refused("NoSuchEntity", put, **absent, PolicyName="c", PolicyDocument=document())
