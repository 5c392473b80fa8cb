"""Roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from cloche.core.documents import Transaction
from cloche.core.operations import Call
from cloche.services.iam import entities, identifiers, show
from cloche.services.iam.access import arn_of, below
from cloche.services.iam.boundaries import check_boundary
from cloche.services.iam.documents_in import check_trust_policy
from cloche.services.iam.entities import Role
from cloche.services.iam.errors import DeleteConflict, InvalidInput
from cloche.services.iam.instance_profiles import profiles_of_role
from cloche.services.iam.kinds import ROLES, refuse_service_linked
from cloche.services.iam.paging import page
from cloche.services.iam.service import service
from cloche.services.iam.tags import merge_tags, read_tags, show_tag, without_tags

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import iam as shapes

ROLE_ARN = arn_of(ROLES, "RoleName")


@service.operation(resource=ROLE_ARN)
def create_role(call: Call, request: shapes.CreateRoleRequest) -> shapes.CreateRoleResponse:
    """Create a role.

    Raises EntityAlreadyExists if the name is taken, in any case, MalformedPolicyDocument for a
    trust policy that IAM refuses. AWS: IAM CreateRole.
    """
    path = request.get("Path", "/")
    if path.startswith("/aws-service-role/"):
        raise InvalidInput("Only service-linked roles may have a path of /aws-service-role/.")
    check_trust_policy(call.documents, request["AssumeRolePolicyDocument"])
    boundary = request.get("PermissionsBoundary", "")
    check_boundary(call, boundary)
    role = Role(
        name=request["RoleName"],
        path=path,
        id=identifiers.unique_id(identifiers.ROLE_PREFIX),
        created_at=call.clock.now().replace(microsecond=0),
        trust_policy=request["AssumeRolePolicyDocument"],
        description=request.get("Description"),
        session_seconds=request.get("MaxSessionDuration", 3600),
        tags=read_tags(request.get("Tags", [])),
        boundary=boundary,
    )
    ROLES.create(call, role)
    shown = show.role(call.account_id, role)
    return {"Role": shown}


@service.operation(resource=ROLE_ARN)
def get_role(call: Call, request: shapes.GetRoleRequest) -> shapes.GetRoleResponse:
    """Describe a role, with its last use. AWS: IAM GetRole."""
    role = ROLES.get(call, request["RoleName"])
    return {"Role": {**show.role(call.account_id, role), "RoleLastUsed": last_use(call, role)}}


def last_use(call: Call, role: Role) -> shapes.RoleLastUsed:
    """When and where a role was last used; empty if never."""
    use = call.documents.get(entities.role_uses, call.account_id, "", role.name.lower())
    if use is None or use.used_at < role.created_at:
        return {}
    return {"LastUsedDate": use.used_at, "Region": use.region}


@service.operation(resource=below(ROLES))
def list_roles(call: Call, request: shapes.ListRolesRequest) -> shapes.ListRolesResponse:
    """List roles below a path, by name. AWS: IAM ListRoles."""
    found = page(
        ROLES.below(call.documents, call.account_id, request.get("PathPrefix", "/")),
        request,
        key=lambda role: role.name,
        show=lambda role: show.role(call.account_id, role, is_full=False),
    )
    return {"Roles": found.items, **found.position}


def _update(call: Call, name: str, description: str | None, session_seconds: int | None) -> Role:
    def change(role: Role) -> Role:
        # A description is the one thing that an account may change of a service-linked role.
        if session_seconds is not None:
            refuse_service_linked(role)
        return replace(
            role,
            description=role.description if description is None else description,
            session_seconds=session_seconds or role.session_seconds,
        )

    return ROLES.edit(call, name, change)


@service.operation(resource=ROLE_ARN)
def update_role(call: Call, request: shapes.UpdateRoleRequest) -> shapes.UpdateRoleResponse:
    """Change a role's description and its longest session. AWS: IAM UpdateRole."""
    _update(
        call, request["RoleName"], request.get("Description"), request.get("MaxSessionDuration")
    )
    return {}


@service.operation(resource=ROLE_ARN)
def update_role_description(
    call: Call, request: shapes.UpdateRoleDescriptionRequest
) -> shapes.UpdateRoleDescriptionResponse:
    """Change a role's description. AWS: IAM UpdateRoleDescription."""
    role = _update(call, request["RoleName"], request["Description"], None)
    return {"Role": show.role(call.account_id, role)}


@service.operation(resource=ROLE_ARN)
def update_assume_role_policy(call: Call, request: shapes.UpdateAssumeRolePolicyRequest) -> Empty:
    """Change who may take on a role; sessions that exist go on. AWS: IAM UpdateAssumeRolePolicy."""
    text = request["PolicyDocument"]
    ROLES.get(call, request["RoleName"])
    check_trust_policy(call.documents, text)
    ROLES.edit(
        call,
        request["RoleName"],
        lambda role: replace(refuse_service_linked(role), trust_policy=text),
    )
    return {}


@service.operation(resource=ROLE_ARN)
def delete_role(call: Call, request: shapes.DeleteRoleRequest) -> Empty:
    """Delete a role that has neither policies nor instance profiles any more.

    Its sessions end with it. Raises DeleteConflict if it has some, UnmodifiableEntity for a
    service-linked role. AWS: IAM DeleteRole.
    """
    account_id, name = call.account_id, request["RoleName"]

    def work(transaction: Transaction) -> None:
        role = refuse_service_linked(ROLES.need(transaction, account_id, name))
        if next(profiles_of_role(transaction, account_id, role.name), None) is not None:
            raise DeleteConflict(
                "Cannot delete entity, must remove roles from instance profile first."
            )
        if role.policies:
            raise DeleteConflict("Cannot delete entity, must delete policies first.")
        if role.attached:
            raise DeleteConflict("Cannot delete entity, must detach all policies first.")
        transaction.delete(entities.roles, account_id, "", name.lower())

    call.documents.transact(work)
    return {}


@service.operation(resource=ROLE_ARN)
def tag_role(call: Call, request: shapes.TagRoleRequest) -> Empty:
    """Add tags to a role. AWS: IAM TagRole."""
    tags = read_tags(request["Tags"])
    ROLES.edit(
        call, request["RoleName"], lambda role: replace(role, tags=merge_tags(role.tags, tags))
    )
    return {}


@service.operation(resource=ROLE_ARN)
def untag_role(call: Call, request: shapes.UntagRoleRequest) -> Empty:
    """Remove tags from a role. AWS: IAM UntagRole."""
    keys = request["TagKeys"]
    ROLES.edit(
        call, request["RoleName"], lambda role: replace(role, tags=without_tags(role.tags, keys))
    )
    return {}


@service.operation(resource=ROLE_ARN)
def list_role_tags(call: Call, request: shapes.ListRoleTagsRequest) -> shapes.ListRoleTagsResponse:
    """List a role's tags. AWS: IAM ListRoleTags."""
    role = ROLES.get(call, request["RoleName"])
    found = page(role.tags, request, key=lambda pair: pair[0], show=show_tag)
    return {"Tags": found.items, **found.position}
