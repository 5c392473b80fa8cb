"""Permissions boundaries of users and roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from cloche.core.operations import Call
from cloche.services.iam.access import arn_of
from cloche.services.iam.errors import NoSuchEntity
from cloche.services.iam.kinds import ROLES, USERS, refuse_service_linked
from cloche.services.iam.managed import find_attachable
from cloche.services.iam.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import iam as shapes

_USER_ARN = arn_of(USERS, "UserName")
_ROLE_ARN = arn_of(ROLES, "RoleName")


def check_boundary(call: Call, arn: str) -> None:
    """Refuse a boundary that is no managed policy; the empty string is none at all.

    Raises:
        NoSuchEntity: the account and AWS have no such policy.
    """
    if arn and find_attachable(call.documents, call.account_id, arn) is None:
        raise NoSuchEntity(f"Scope ARN: {arn} does not exist or is not attachable.")


@service.operation(resource=_USER_ARN)
def put_user_permissions_boundary(
    call: Call, request: shapes.PutUserPermissionsBoundaryRequest
) -> Empty:
    """Set what a user may have at most. AWS: IAM PutUserPermissionsBoundary."""
    arn = request["PermissionsBoundary"]
    check_boundary(call, arn)
    USERS.edit(call, request["UserName"], lambda user: replace(user, boundary=arn))
    return {}


@service.operation(resource=_USER_ARN)
def delete_user_permissions_boundary(
    call: Call, request: shapes.DeleteUserPermissionsBoundaryRequest
) -> Empty:
    """Take a user's boundary away. AWS: IAM DeleteUserPermissionsBoundary."""
    USERS.edit(call, request["UserName"], lambda user: replace(user, boundary=""))
    return {}


@service.operation(resource=_ROLE_ARN)
def put_role_permissions_boundary(
    call: Call, request: shapes.PutRolePermissionsBoundaryRequest
) -> Empty:
    """Set what a role may have at most.

    Raises UnmodifiableEntity for a service-linked role. AWS: IAM PutRolePermissionsBoundary.
    """
    arn = request["PermissionsBoundary"]
    check_boundary(call, arn)
    ROLES.edit(
        call,
        request["RoleName"],
        lambda role: replace(refuse_service_linked(role), boundary=arn),
    )
    return {}


@service.operation(resource=_ROLE_ARN)
def delete_role_permissions_boundary(
    call: Call, request: shapes.DeleteRolePermissionsBoundaryRequest
) -> Empty:
    """Take a role's boundary away. AWS: IAM DeleteRolePermissionsBoundary."""
    ROLES.edit(
        call,
        request["RoleName"],
        lambda role: replace(refuse_service_linked(role), boundary=""),
    )
    return {}
