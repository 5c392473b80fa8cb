"""Entities as IAM's answers show them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from cloche.services.iam.entities import Group, InstanceProfile, ManagedPolicy, Role, User
from cloche.services.iam.kinds import GROUPS, INSTANCE_PROFILES, ROLES, USERS
from cloche.services.iam.tags import show_tags

if TYPE_CHECKING:
    from aws_shapes import iam as shapes


def document(text: str) -> str:
    """A policy document as IAM answers it: URL-encoded after RFC 3986."""
    return quote(text, safe="")


def user(account_id: str, user: User, *, is_full: bool = True) -> shapes.User:
    """A user; listings leave tags and boundary out."""
    shown: shapes.User = {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": USERS.arn(account_id, user),
        "CreateDate": user.created_at,
    }
    if is_full:
        if user.tags:
            shown["Tags"] = show_tags(user.tags)
        if user.boundary:
            shown["PermissionsBoundary"] = boundary(user.boundary)
    return shown


def group(account_id: str, group: Group) -> shapes.Group:
    """A group."""
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.id,
        "Arn": GROUPS.arn(account_id, group),
        "CreateDate": group.created_at,
    }


def role(account_id: str, role: Role, *, is_full: bool = True) -> shapes.Role:
    """A role; listings leave tags and boundary out."""
    shown: shapes.Role = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": ROLES.arn(account_id, role),
        "CreateDate": role.created_at,
        "AssumeRolePolicyDocument": document(role.trust_policy),
        "MaxSessionDuration": role.session_seconds,
    }
    if role.description is not None:
        shown["Description"] = role.description
    if is_full:
        if role.tags:
            shown["Tags"] = show_tags(role.tags)
        if role.boundary:
            shown["PermissionsBoundary"] = boundary(role.boundary)
    return shown


def boundary(arn: str) -> shapes.AttachedPermissionsBoundary:
    """A permissions boundary."""
    # The enumeration's value is `PermissionsBoundaryPolicy`, but AWS answers `Policy`.
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}


def instance_profile(
    account_id: str, profile: InstanceProfile, role_of_profile: Role | None
) -> shapes.InstanceProfile:
    """An instance profile with its role."""
    shown: shapes.InstanceProfile = {
        "Path": profile.path,
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.id,
        "Arn": INSTANCE_PROFILES.arn(account_id, profile),
        "CreateDate": profile.created_at,
        "Roles": [] if role_of_profile is None else [role(account_id, role_of_profile)],
    }
    if profile.tags:
        shown["Tags"] = show_tags(profile.tags)
    return shown


def policy(
    arn: str,
    policy: ManagedPolicy,
    attachments: int,
    boundaries: int,
    *,
    is_full: bool = True,
) -> shapes.Policy:
    """A managed policy with the numbers of its uses; listings leave description and tags out."""
    shown: shapes.Policy = {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default_version_id,
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": boundaries,
        "IsAttachable": True,
        "CreateDate": policy.created_at,
        "UpdateDate": policy.updated_at,
    }
    if is_full:
        if policy.description is not None:
            shown["Description"] = policy.description
        shown["Tags"] = show_tags(policy.tags)
    return shown
