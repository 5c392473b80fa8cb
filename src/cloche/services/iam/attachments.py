"""Managed policies attached to users, groups and roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from cloche.core.documents import Transaction
from cloche.core.operations import Call
from cloche.services.iam.access import arn_of
from cloche.services.iam.entities import Group, Role, User
from cloche.services.iam.errors import NoSuchEntity
from cloche.services.iam.kinds import GROUPS, ROLES, USERS, Kind, exceeded, refuse_service_linked
from cloche.services.iam.managed import find_attachable, parse_policy_arn
from cloche.services.iam.paging import Page, page
from cloche.services.iam.service import service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_shapes import Empty
    from aws_shapes import iam as shapes

ATTACHED_LIMIT = 10

P = TypeVar("P", User, Group, Role)

_USER_ARN = arn_of(USERS, "UserName")
_GROUP_ARN = arn_of(GROUPS, "GroupName")
_ROLE_ARN = arn_of(ROLES, "RoleName")


def attach(call: Call, kind: Kind[P], name: str, arn: str) -> None:
    """Attach a policy; nothing happens if it is attached.

    Raises:
        NoSuchEntity: there is no such entity, or no such policy of this account or of AWS.
        LimitExceeded: ten are attached.
    """
    parse_policy_arn(arn)
    account_id = call.account_id

    # The policy is looked for within the transaction, lest it be deleted meanwhile.
    def work(transaction: Transaction) -> None:
        entity = kind.need(transaction, account_id, name)
        if isinstance(entity, Role):
            refuse_service_linked(entity)
        if find_attachable(transaction, account_id, arn) is None:
            raise NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
        if arn in entity.attached:
            return
        if len(entity.attached) >= ATTACHED_LIMIT:
            raise exceeded(f"PoliciesPer{kind.noun.capitalize()}", ATTACHED_LIMIT)
        changed = replace(entity, attached=(*entity.attached, arn))
        transaction.put(kind.table, account_id, "", name.lower(), changed)

    call.documents.transact(work)


def detach(call: Call, kind: Kind[P], name: str, arn: str) -> None:
    """Detach a policy.

    Raises:
        NoSuchEntity: there is no such entity, or the policy isn't attached to it.
    """
    parse_policy_arn(arn)

    def change(entity: P) -> P:
        if isinstance(entity, Role):
            refuse_service_linked(entity)
        if arn not in entity.attached:
            raise NoSuchEntity(f"Policy {arn} was not found.")
        return replace(entity, attached=tuple(one for one in entity.attached if one != arn))

    kind.edit(call, name, change)


def _list(call: Call, kind: Kind[P], name: str, request: Mapping[str, Any]) -> Page:
    prefix = request.get("PathPrefix", "/")
    return page(
        (
            arn
            for arn in kind.get(call, name).attached
            if parse_policy_arn(arn)[1].startswith(prefix)
        ),
        request,
        key=lambda arn: arn,
        show=show_attached,
    )


def show_attached(arn: str) -> shapes.AttachedPolicy:
    """An attached policy as it is answered."""
    return {"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn}


@service.operation(resource=_USER_ARN)
def attach_user_policy(call: Call, request: shapes.AttachUserPolicyRequest) -> Empty:
    """Attach a managed policy to a user. AWS: IAM AttachUserPolicy."""
    attach(call, USERS, request["UserName"], request["PolicyArn"])
    return {}


@service.operation(resource=_GROUP_ARN)
def attach_group_policy(call: Call, request: shapes.AttachGroupPolicyRequest) -> Empty:
    """Attach a managed policy to a group. AWS: IAM AttachGroupPolicy."""
    attach(call, GROUPS, request["GroupName"], request["PolicyArn"])
    return {}


@service.operation(resource=_ROLE_ARN)
def attach_role_policy(call: Call, request: shapes.AttachRolePolicyRequest) -> Empty:
    """Attach a managed policy to a role. AWS: IAM AttachRolePolicy."""
    attach(call, ROLES, request["RoleName"], request["PolicyArn"])
    return {}


@service.operation(resource=_USER_ARN)
def detach_user_policy(call: Call, request: shapes.DetachUserPolicyRequest) -> Empty:
    """Detach a managed policy from a user. AWS: IAM DetachUserPolicy."""
    detach(call, USERS, request["UserName"], request["PolicyArn"])
    return {}


@service.operation(resource=_GROUP_ARN)
def detach_group_policy(call: Call, request: shapes.DetachGroupPolicyRequest) -> Empty:
    """Detach a managed policy from a group. AWS: IAM DetachGroupPolicy."""
    detach(call, GROUPS, request["GroupName"], request["PolicyArn"])
    return {}


@service.operation(resource=_ROLE_ARN)
def detach_role_policy(call: Call, request: shapes.DetachRolePolicyRequest) -> Empty:
    """Detach a managed policy from a role. AWS: IAM DetachRolePolicy."""
    detach(call, ROLES, request["RoleName"], request["PolicyArn"])
    return {}


@service.operation(resource=_USER_ARN)
def list_attached_user_policies(
    call: Call, request: shapes.ListAttachedUserPoliciesRequest
) -> shapes.ListAttachedUserPoliciesResponse:
    """List the managed policies of a user. AWS: IAM ListAttachedUserPolicies."""
    found = _list(call, USERS, request["UserName"], request)
    return {"AttachedPolicies": found.items, **found.position}


@service.operation(resource=_GROUP_ARN)
def list_attached_group_policies(
    call: Call, request: shapes.ListAttachedGroupPoliciesRequest
) -> shapes.ListAttachedGroupPoliciesResponse:
    """List the managed policies of a group. AWS: IAM ListAttachedGroupPolicies."""
    found = _list(call, GROUPS, request["GroupName"], request)
    return {"AttachedPolicies": found.items, **found.position}


@service.operation(resource=_ROLE_ARN)
def list_attached_role_policies(
    call: Call, request: shapes.ListAttachedRolePoliciesRequest
) -> shapes.ListAttachedRolePoliciesResponse:
    """List the managed policies of a role. AWS: IAM ListAttachedRolePolicies."""
    found = _list(call, ROLES, request["RoleName"], request)
    return {"AttachedPolicies": found.items, **found.position}
