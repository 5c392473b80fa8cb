"""Inline policies of users, groups and roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from cloche.core.authorization.grammar import (
    GROUP_INLINE_LIMIT_CHARACTERS,
    ROLE_INLINE_LIMIT_CHARACTERS,
    USER_INLINE_LIMIT_CHARACTERS,
    policy_size,
    validate_identity_policy,
)
from cloche.core.operations import Call
from cloche.services.iam import show
from cloche.services.iam.access import arn_of
from cloche.services.iam.entities import Group, Role, User
from cloche.services.iam.errors import LimitExceeded, NoSuchEntity
from cloche.services.iam.kinds import GROUPS, ROLES, USERS, Kind, refuse_service_linked
from cloche.services.iam.paging import Page, page
from cloche.services.iam.service import service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_shapes import Empty
    from aws_shapes import iam as shapes

P = TypeVar("P", User, Group, Role)

_LIMITS_CHARACTERS = {
    "user": USER_INLINE_LIMIT_CHARACTERS,
    "group": GROUP_INLINE_LIMIT_CHARACTERS,
    "role": ROLE_INLINE_LIMIT_CHARACTERS,
}
_USER_ARN = arn_of(USERS, "UserName")
_GROUP_ARN = arn_of(GROUPS, "GroupName")
_ROLE_ARN = arn_of(ROLES, "RoleName")


def _put(call: Call, kind: Kind[P], name: str, policy_name: str, text: str) -> None:
    kind.get(call, name)
    validate_identity_policy(text)
    limit = _LIMITS_CHARACTERS[kind.noun]

    def change(entity: P) -> P:
        if isinstance(entity, Role):
            refuse_service_linked(entity)
        policies = {**entity.policies, policy_name: text}
        if sum(policy_size(one) for one in policies.values()) > limit:
            raise LimitExceeded(
                f"Maximum policy size of {limit} bytes exceeded for {kind.noun} {entity.name}"
            )
        return replace(entity, policies=policies)

    kind.edit(call, name, change)


def _missing(kind: Kind[Any], policy_name: str) -> NoSuchEntity:
    return NoSuchEntity(f"The {kind.noun} policy with name {policy_name} cannot be found.")


def _get(call: Call, kind: Kind[P], name: str, policy_name: str) -> str:
    text = kind.get(call, name).policies.get(policy_name)
    if text is None:
        raise _missing(kind, policy_name)
    return show.document(text)


def _delete(call: Call, kind: Kind[P], name: str, policy_name: str) -> None:
    def change(entity: P) -> P:
        if isinstance(entity, Role):
            refuse_service_linked(entity)
        if policy_name not in entity.policies:
            raise _missing(kind, policy_name)
        kept = {key: text for key, text in entity.policies.items() if key != policy_name}
        return replace(entity, policies=kept)

    kind.edit(call, name, change)


def _list(call: Call, kind: Kind[P], name: str, request: Mapping[str, Any]) -> Page:
    names = kind.get(call, name).policies
    return page(names, request, key=lambda name: name, show=lambda name: name)


@service.operation(resource=_USER_ARN)
def put_user_policy(call: Call, request: shapes.PutUserPolicyRequest) -> Empty:
    """Add or replace an inline policy of a user.

    Raises MalformedPolicyDocument for a document that IAM refuses, LimitExceeded if all inline
    policies together are too long. AWS: IAM PutUserPolicy.
    """
    _put(call, USERS, request["UserName"], request["PolicyName"], request["PolicyDocument"])
    return {}


@service.operation(resource=_GROUP_ARN)
def put_group_policy(call: Call, request: shapes.PutGroupPolicyRequest) -> Empty:
    """Add or replace an inline policy of a group, as `put_user_policy`. AWS: IAM PutGroupPolicy."""
    _put(call, GROUPS, request["GroupName"], request["PolicyName"], request["PolicyDocument"])
    return {}


@service.operation(resource=_ROLE_ARN)
def put_role_policy(call: Call, request: shapes.PutRolePolicyRequest) -> Empty:
    """Add or replace an inline policy of a role, as `put_user_policy`. AWS: IAM PutRolePolicy."""
    _put(call, ROLES, request["RoleName"], request["PolicyName"], request["PolicyDocument"])
    return {}


@service.operation(resource=_USER_ARN)
def get_user_policy(
    call: Call, request: shapes.GetUserPolicyRequest
) -> shapes.GetUserPolicyResponse:
    """Give an inline policy of a user. AWS: IAM GetUserPolicy."""
    name, policy_name = request["UserName"], request["PolicyName"]
    text = _get(call, USERS, name, policy_name)
    return {"UserName": name, "PolicyName": policy_name, "PolicyDocument": text}


@service.operation(resource=_GROUP_ARN)
def get_group_policy(
    call: Call, request: shapes.GetGroupPolicyRequest
) -> shapes.GetGroupPolicyResponse:
    """Give an inline policy of a group. AWS: IAM GetGroupPolicy."""
    name, policy_name = request["GroupName"], request["PolicyName"]
    text = _get(call, GROUPS, name, policy_name)
    return {"GroupName": name, "PolicyName": policy_name, "PolicyDocument": text}


@service.operation(resource=_ROLE_ARN)
def get_role_policy(
    call: Call, request: shapes.GetRolePolicyRequest
) -> shapes.GetRolePolicyResponse:
    """Give an inline policy of a role. AWS: IAM GetRolePolicy."""
    name, policy_name = request["RoleName"], request["PolicyName"]
    text = _get(call, ROLES, name, policy_name)
    return {"RoleName": name, "PolicyName": policy_name, "PolicyDocument": text}


@service.operation(resource=_USER_ARN)
def delete_user_policy(call: Call, request: shapes.DeleteUserPolicyRequest) -> Empty:
    """Delete an inline policy of a user. AWS: IAM DeleteUserPolicy."""
    _delete(call, USERS, request["UserName"], request["PolicyName"])
    return {}


@service.operation(resource=_GROUP_ARN)
def delete_group_policy(call: Call, request: shapes.DeleteGroupPolicyRequest) -> Empty:
    """Delete an inline policy of a group. AWS: IAM DeleteGroupPolicy."""
    _delete(call, GROUPS, request["GroupName"], request["PolicyName"])
    return {}


@service.operation(resource=_ROLE_ARN)
def delete_role_policy(call: Call, request: shapes.DeleteRolePolicyRequest) -> Empty:
    """Delete an inline policy of a role. AWS: IAM DeleteRolePolicy."""
    _delete(call, ROLES, request["RoleName"], request["PolicyName"])
    return {}


@service.operation(resource=_USER_ARN)
def list_user_policies(
    call: Call, request: shapes.ListUserPoliciesRequest
) -> shapes.ListUserPoliciesResponse:
    """List the names of a user's inline policies. AWS: IAM ListUserPolicies."""
    found = _list(call, USERS, request["UserName"], request)
    return {"PolicyNames": found.items, **found.position}


@service.operation(resource=_GROUP_ARN)
def list_group_policies(
    call: Call, request: shapes.ListGroupPoliciesRequest
) -> shapes.ListGroupPoliciesResponse:
    """List the names of a group's inline policies. AWS: IAM ListGroupPolicies."""
    found = _list(call, GROUPS, request["GroupName"], request)
    return {"PolicyNames": found.items, **found.position}


@service.operation(resource=_ROLE_ARN)
def list_role_policies(
    call: Call, request: shapes.ListRolePoliciesRequest
) -> shapes.ListRolePoliciesResponse:
    """List the names of a role's inline policies. AWS: IAM ListRolePolicies."""
    found = _list(call, ROLES, request["RoleName"], request)
    return {"PolicyNames": found.items, **found.position}
