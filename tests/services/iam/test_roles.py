from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cloche.services.iam import entities
from tests.services.iam.conftest import Parts
from tests.services.iam.expectations import ACCOUNT, document, refused, trust

Clients = Callable[..., Any]


def test_a_role_from_beginning_to_end(aws: Clients) -> None:
    iam = aws("iam")
    role = iam.create_role(
        RoleName="Worker",
        Path="/service-role/",
        AssumeRolePolicyDocument=trust({"Service": "sagemaker.amazonaws.com"}),
        Description="works",
        MaxSessionDuration=7200,
        Tags=[{"Key": "a", "Value": "b"}],
    )["Role"]
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/service-role/Worker"
    assert role["RoleId"].startswith("AROA")
    got = iam.get_role(RoleName="worker")["Role"]
    assert got["MaxSessionDuration"] == 7200
    assert got["RoleLastUsed"] == {}
    principal = got["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
    assert principal == {"Service": "sagemaker.amazonaws.com"}
    iam.update_role(RoleName="Worker", Description="rests", MaxSessionDuration=3600)
    iam.update_assume_role_policy(RoleName="Worker", PolicyDocument=trust())
    changed = iam.get_role(RoleName="Worker")["Role"]
    assert (changed["Description"], changed["MaxSessionDuration"]) == ("rests", 3600)
    assert changed["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"AWS": ACCOUNT}
    shown = iam.update_role_description(RoleName="Worker", Description="")["Role"]
    assert shown["Description"] == ""
    iam.tag_role(RoleName="Worker", Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_role(RoleName="Worker", TagKeys=["a"])
    assert iam.list_role_tags(RoleName="Worker")["Tags"] == [{"Key": "c", "Value": "d"}]
    [listed] = iam.list_roles(PathPrefix="/service-role/")["Roles"]
    assert "Tags" not in listed
    iam.delete_role(RoleName="Worker")
    message = refused("NoSuchEntity", iam.get_role, RoleName="Worker")
    assert message == "The role with name Worker cannot be found."


def test_what_a_role_has_keeps_it_from_deletion(aws: Clients) -> None:
    iam = aws("iam")
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())
    iam.create_instance_profile(InstanceProfileName="p")
    iam.add_role_to_instance_profile(InstanceProfileName="p", RoleName="r")
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document())
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    refused("DeleteConflict", iam.delete_role, RoleName="r")
    iam.remove_role_from_instance_profile(InstanceProfileName="p", RoleName="r")
    refused("DeleteConflict", iam.delete_role, RoleName="r")
    iam.delete_role_policy(RoleName="r", PolicyName="p")
    message = refused("DeleteConflict", iam.delete_role, RoleName="r")
    assert message == "Cannot delete entity, must detach all policies first."
    iam.detach_role_policy(RoleName="r", PolicyArn=arn)
    iam.delete_role(RoleName="r")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "This policy contains invalid Json"),
        (document(), "Missing required field Principal"),
        (
            trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody"}),
            f'Invalid principal in policy: "AWS":"arn:aws:iam::{ACCOUNT}:user/nobody"',
        ),
        (trust(Resource="*"), "Has prohibited field Resource"),
    ],
)
def test_trust_policies_are_read(aws: Clients, text: str, message: str) -> None:
    iam = aws("iam")
    given = refused(
        "MalformedPolicyDocument", iam.create_role, RoleName="r", AssumeRolePolicyDocument=text
    )
    assert given == message


def test_trust_in_others(aws: Clients) -> None:
    iam = aws("iam")
    user = iam.create_user(UserName="jane")["User"]["Arn"]
    others = [user, "arn:aws:iam::444455556666:role/theirs", f"arn:aws:iam::{ACCOUNT}:root"]
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust({"AWS": others}))


def test_quotas_of_documents(aws: Clients) -> None:
    iam = aws("iam")
    many = [f"{number:012d}" for number in range(200)]
    message = refused(
        "LimitExceeded",
        iam.create_role,
        RoleName="r",
        AssumeRolePolicyDocument=trust({"AWS": many}),
    )
    assert message == "Cannot exceed quota for ACLSizePerRole: 2048"
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())
    large = document(resource=[f"arn:aws:s3:::{number:040d}" for number in range(150)])
    iam.put_role_policy(RoleName="r", PolicyName="one", PolicyDocument=large)
    message = refused(
        "LimitExceeded", iam.put_role_policy, RoleName="r", PolicyName="2", PolicyDocument=large
    )
    assert message == "Maximum policy size of 10240 bytes exceeded for role r"
    spaced = json.dumps(json.loads(document()), indent=400)
    iam.put_role_policy(RoleName="r", PolicyName="2", PolicyDocument=spaced)


def test_instance_profiles(aws: Clients) -> None:
    iam = aws("iam")
    made = iam.create_instance_profile(
        InstanceProfileName="P", Path="/x/", Tags=[{"Key": "a", "Value": "b"}]
    )["InstanceProfile"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:instance-profile/x/P"
    assert made["InstanceProfileId"].startswith("AIPA")
    assert made["Roles"] == []
    refused("EntityAlreadyExists", iam.create_instance_profile, InstanceProfileName="p")
    for name in ("r", "s"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust())
    iam.add_role_to_instance_profile(InstanceProfileName="P", RoleName="r")
    message = refused(
        "LimitExceeded",
        iam.add_role_to_instance_profile,
        InstanceProfileName="P",
        RoleName="s",
    )
    assert message == "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"
    [profile] = iam.list_instance_profiles_for_role(RoleName="r")["InstanceProfiles"]
    assert profile["Roles"][0]["RoleName"] == "r"
    assert iam.list_instance_profiles_for_role(RoleName="s")["InstanceProfiles"] == []
    assert len(iam.list_instance_profiles()["InstanceProfiles"]) == 1
    refused("DeleteConflict", iam.delete_instance_profile, InstanceProfileName="P")
    refused(
        "NoSuchEntity",
        iam.remove_role_from_instance_profile,
        InstanceProfileName="P",
        RoleName="s",
    )
    iam.remove_role_from_instance_profile(InstanceProfileName="P", RoleName="r")
    iam.tag_instance_profile(InstanceProfileName="P", Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_instance_profile(InstanceProfileName="P", TagKeys=["a"])
    tags = iam.list_instance_profile_tags(InstanceProfileName="P")["Tags"]
    assert tags == [{"Key": "c", "Value": "d"}]
    iam.delete_instance_profile(InstanceProfileName="P")
    message = refused("NoSuchEntity", iam.get_instance_profile, InstanceProfileName="P")
    assert message == "Instance Profile P cannot be found."


def test_deletions_of_service_linked_roles_are_forgotten(aws: Clients, parts: Parts) -> None:
    iam = aws("iam")

    def deletion() -> str:
        role = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")["Role"]
        return iam.delete_service_linked_role(RoleName=role["RoleName"])["DeletionTaskId"]

    first = deletion()
    parts.clock.advance(30 * 86_400 - 60)
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=first)["Status"]
    parts.clock.advance(120)
    refused("NoSuchEntity", iam.get_service_linked_role_deletion_status, DeletionTaskId=first)
    second = deletion()
    kept = parts.documents.scan(entities.deletion_tasks, ACCOUNT, "")
    assert [document.name for document in kept] == [second]


def test_service_linked_roles(aws: Clients) -> None:
    iam = aws("iam")
    role = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")["Role"]
    assert role["RoleName"] == "AWSServiceRoleForAutoScaling"
    assert role["Path"] == "/aws-service-role/autoscaling.amazonaws.com/"
    message = refused(
        "InvalidInput", iam.create_service_linked_role, AWSServiceName="autoscaling.amazonaws.com"
    )
    assert "has been taken in this account" in message
    suffixed = iam.create_service_linked_role(
        AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="two"
    )["Role"]
    assert suffixed["RoleName"] == "AWSServiceRoleForAutoScaling_two"
    refused("ValidationError", iam.create_service_linked_role, AWSServiceName="not a service")
    refused("InvalidInput", iam.create_service_linked_role, AWSServiceName="nobody.example.com")
    name = role["RoleName"]
    for method, more in (
        (iam.delete_role, {}),
        (iam.put_role_policy, {"PolicyName": "p", "PolicyDocument": document()}),
        (iam.attach_role_policy, {"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
        (iam.update_assume_role_policy, {"PolicyDocument": trust()}),
        (iam.update_role, {"MaxSessionDuration": 7200}),
    ):
        refused("UnmodifiableEntity", method, RoleName=name, **more)
    iam.update_role(RoleName=name, Description="changed")
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    assert task.startswith("task/aws-service-role/autoscaling.amazonaws.com/")
    status = iam.get_service_linked_role_deletion_status(DeletionTaskId=task)
    assert status["Status"] == "SUCCEEDED"
    refused("NoSuchEntity", iam.get_role, RoleName=name)
    refused("NoSuchEntity", iam.get_service_linked_role_deletion_status, DeletionTaskId=task + "x")
    iam.create_role(RoleName="mine", AssumeRolePolicyDocument=trust())
    refused("NoSuchEntity", iam.delete_service_linked_role, RoleName="mine")
