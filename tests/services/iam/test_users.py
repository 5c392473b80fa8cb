from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.services.iam.expectations import ACCOUNT, document, refused

Clients = Callable[..., Any]


def test_a_user_from_beginning_to_end(aws: Clients) -> None:
    iam = aws("iam")
    made = iam.create_user(UserName="Jane", Path="/a/", Tags=[{"Key": "Team", "Value": "red"}])
    user = made["User"]
    assert user["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/a/Jane"
    assert user["UserId"].startswith("AIDA")
    assert len(user["UserId"]) == 21
    assert iam.get_user(UserName="jane")["User"]["Tags"] == [{"Key": "Team", "Value": "red"}]

    iam.update_user(UserName="Jane", NewUserName="Joan", NewPath="/b/")
    renamed = iam.get_user(UserName="Joan")["User"]
    assert (renamed["UserId"], renamed["Path"]) == (user["UserId"], "/b/")
    iam.delete_user(UserName="Joan")
    message = refused("NoSuchEntity", iam.get_user, UserName="Joan")
    assert message == "The user with name Joan cannot be found."


def test_names_are_taken_in_any_case(aws: Clients) -> None:
    iam = aws("iam")
    iam.create_user(UserName="Jane")
    message = refused("EntityAlreadyExists", iam.create_user, UserName="JANE")
    assert message == "User with name JANE already exists."
    iam.create_user(UserName="John")
    refused("EntityAlreadyExists", iam.update_user, UserName="John", NewUserName="jane")
    iam.update_user(UserName="John", NewUserName="JOHN")
    assert iam.get_user(UserName="john")["User"]["UserName"] == "JOHN"


def test_listing_is_paged_by_path_and_name(aws: Clients) -> None:
    iam = aws("iam")
    for name in ("c", "a", "b", "other"):
        iam.create_user(UserName=name, Path="/x/" if name != "other" else "/")
    first = iam.list_users(PathPrefix="/x/", MaxItems=2)
    assert [user["UserName"] for user in first["Users"]] == ["a", "b"]
    assert first["IsTruncated"]
    iam.delete_user(UserName="b")
    second = iam.list_users(PathPrefix="/x/", MaxItems=2, Marker=first["Marker"])
    assert [user["UserName"] for user in second["Users"]] == ["c"]
    assert not second["IsTruncated"]
    assert "Marker" not in second
    assert refused("ValidationError", iam.list_users, Marker="?") == "Invalid Marker."


def test_what_a_user_has_keeps_it_from_deletion(aws: Clients) -> None:
    iam = aws("iam")
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    iam.create_user(UserName="jane")
    iam.create_group(GroupName="g")
    key = iam.create_access_key(UserName="jane")["AccessKey"]["AccessKeyId"]
    iam.put_user_policy(UserName="jane", PolicyName="p", PolicyDocument=document())
    iam.attach_user_policy(UserName="jane", PolicyArn=arn)
    iam.add_user_to_group(UserName="jane", GroupName="g")
    for remedy, remove in (
        ("delete access keys", lambda: iam.delete_access_key(UserName="jane", AccessKeyId=key)),
        ("delete policies", lambda: iam.delete_user_policy(UserName="jane", PolicyName="p")),
        ("detach all policies", lambda: iam.detach_user_policy(UserName="jane", PolicyArn=arn)),
        (
            "remove users from group",
            lambda: iam.remove_user_from_group(UserName="jane", GroupName="g"),
        ),
    ):
        message = refused("DeleteConflict", iam.delete_user, UserName="jane")
        assert message == f"Cannot delete entity, must {remedy} first."
        remove()
    iam.delete_user(UserName="jane")


def test_tags(aws: Clients) -> None:
    iam = aws("iam")
    iam.create_user(UserName="jane", Tags=[{"Key": "a", "Value": "1"}])
    iam.tag_user(UserName="jane", Tags=[{"Key": "A", "Value": "2"}, {"Key": "b", "Value": ""}])
    listed = iam.list_user_tags(UserName="jane")
    assert listed["Tags"] == [{"Key": "A", "Value": "2"}, {"Key": "b", "Value": ""}]
    iam.untag_user(UserName="jane", TagKeys=["a", "absent"])
    assert iam.list_user_tags(UserName="jane")["Tags"] == [{"Key": "b", "Value": ""}]
    twice = [{"Key": "x", "Value": "1"}, {"Key": "X", "Value": "2"}]
    assert "case insensitive" in refused("InvalidInput", iam.tag_user, UserName="jane", Tags=twice)
    refused("InvalidInput", iam.tag_user, UserName="jane", Tags=[{"Key": "aws:x", "Value": ""}])
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    refused("LimitExceeded", iam.tag_user, UserName="jane", Tags=many)


def test_who_asks(aws: Clients) -> None:
    iam = aws("iam")
    root = iam.get_user()["User"]
    assert (root["Arn"], root["UserId"]) == (f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)
    iam.create_user(UserName="jane")
    iam.put_user_policy(UserName="jane", PolicyName="p", PolicyDocument=document("iam:GetUser"))
    key = iam.create_access_key(UserName="jane")["AccessKey"]
    assert aws("iam", key).get_user()["User"]["UserName"] == "jane"


def test_a_users_permissions(aws: Clients) -> None:
    iam = aws("iam")
    iam.create_user(UserName="jane", Path="/team/")
    key = iam.create_access_key(UserName="jane")["AccessKey"]
    mine = aws("iam", key)
    message = refused("AccessDenied", mine.list_user_tags, UserName="jane")
    assert message == (
        f"User: arn:aws:iam::{ACCOUNT}:user/team/jane is not authorized to perform:"
        f" iam:ListUserTags on resource: arn:aws:iam::{ACCOUNT}:user/team/jane because no"
        " identity-based policy allows the iam:ListUserTags action"
    )
    iam.put_user_policy(
        UserName="jane",
        PolicyName="own",
        PolicyDocument=document("iam:*", "arn:aws:iam::*:user/team/${aws:username}"),
    )
    assert mine.list_user_tags(UserName="jane")["Tags"] == []
    iam.create_user(UserName="john", Path="/team/")
    refused("AccessDenied", mine.list_user_tags, UserName="john")


@pytest.mark.parametrize("through", ["group", "attached", "group attached"])
def test_permissions_through_groups_and_managed_policies(aws: Clients, through: str) -> None:
    iam = aws("iam")
    iam.create_user(UserName="jane")
    iam.create_group(GroupName="g")
    iam.add_user_to_group(UserName="jane", GroupName="g")
    key = iam.create_access_key(UserName="jane")["AccessKey"]
    refused("AccessDenied", aws("iam", key).list_users)
    if through == "group":
        iam.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=document("iam:*"))
    elif through == "attached":
        iam.attach_user_policy(
            UserName="jane", PolicyArn="arn:aws:iam::aws:policy/IAMReadOnlyAccess"
        )
    else:
        arn = iam.create_policy(PolicyName="m", PolicyDocument=document("iam:*"))["Policy"]["Arn"]
        iam.attach_group_policy(GroupName="g", PolicyArn=arn)
    assert len(aws("iam", key).list_users()["Users"]) == 1
    iam.put_user_policy(
        UserName="jane", PolicyName="no", PolicyDocument=document("iam:*", effect="Deny")
    )
    message = refused("AccessDenied", aws("iam", key).list_users)
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_a_boundary_narrows(aws: Clients) -> None:
    iam = aws("iam")
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=document("s3:*"))["Policy"]["Arn"]
    shown = iam.create_user(UserName="jane", PermissionsBoundary=boundary)["User"]
    assert shown["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    iam.put_user_policy(UserName="jane", PolicyName="p", PolicyDocument=document("*"))
    key = iam.create_access_key(UserName="jane")["AccessKey"]
    message = refused("AccessDenied", aws("iam", key).list_users)
    assert message.endswith("because no permissions boundary allows the iam:ListUsers action")
    refused("DeleteConflict", iam.delete_policy, PolicyArn=boundary)
    iam.delete_user_permissions_boundary(UserName="jane")
    assert aws("iam", key).list_users()["Users"]
    iam.put_user_permissions_boundary(UserName="jane", PermissionsBoundary=boundary)
    refused("AccessDenied", aws("iam", key).list_users)
    refused(
        "NoSuchEntity",
        iam.put_user_permissions_boundary,
        UserName="jane",
        PermissionsBoundary=boundary + "x",
    )


def test_delegated_administration_by_boundary(aws: Clients) -> None:
    iam = aws("iam")
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=document("s3:*"))["Policy"]["Arn"]
    iam.create_user(UserName="chief")
    only = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    iam.put_user_policy(
        UserName="chief", PolicyName="p", PolicyDocument=document("iam:*User*", Condition=only)
    )
    chief = aws("iam", iam.create_access_key(UserName="chief")["AccessKey"])
    refused("AccessDenied", chief.create_user, UserName="new")
    chief.create_user(UserName="new", PermissionsBoundary=boundary)
    chief.tag_user(UserName="new", Tags=[{"Key": "a", "Value": "b"}])
    refused("AccessDenied", chief.tag_user, UserName="chief", Tags=[{"Key": "a", "Value": "b"}])


def test_what_cannot_be_made_is_not_there(aws: Clients) -> None:
    iam = aws("iam")
    iam.create_user(UserName="jane")
    assert iam.list_mfa_devices(UserName="jane")["MFADevices"] == []
    assert iam.list_ssh_public_keys(UserName="jane")["SSHPublicKeys"] == []
    assert iam.list_signing_certificates(UserName="jane")["Certificates"] == []
    credentials = iam.list_service_specific_credentials(UserName="jane")
    assert credentials["ServiceSpecificCredentials"] == []
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    assert iam.list_saml_providers()["SAMLProviderList"] == []
    assert iam.list_server_certificates()["ServerCertificateMetadataList"] == []
    message = refused("NoSuchEntity", iam.get_login_profile, UserName="jane")
    assert message == "Login Profile for User jane cannot be found."
    refused("NoSuchEntity", iam.delete_login_profile, UserName="jane")
    refused("NoSuchEntity", iam.list_mfa_devices, UserName="nobody")
