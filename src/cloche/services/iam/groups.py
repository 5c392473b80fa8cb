"""Groups and who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from cloche.core.documents import Transaction
from cloche.core.operations import Call
from cloche.services.iam import entities, identifiers, show
from cloche.services.iam.access import arn_of, arns_of_renamed, below
from cloche.services.iam.entities import Group, User
from cloche.services.iam.errors import DeleteConflict, EntityAlreadyExists, NoSuchEntity
from cloche.services.iam.kinds import GROUPS, USERS, exceeded
from cloche.services.iam.paging import page
from cloche.services.iam.service import service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_shapes import Empty
    from aws_shapes import iam as shapes

    from cloche.core.documents import Documents

GROUPS_PER_USER_LIMIT = 10
_ALL = 100_000
_GROUP_ARN = arn_of(GROUPS, "GroupName")


def members(documents: Documents | Transaction, account_id: str, group_name: str) -> Iterator[User]:
    """The users in a group."""
    for document in documents.scan(entities.users, account_id, "", limit=_ALL):
        if group_name in document.value.groups:
            yield document.value


@service.operation(resource=_GROUP_ARN)
def create_group(call: Call, request: shapes.CreateGroupRequest) -> shapes.CreateGroupResponse:
    """Create a group.

    Raises EntityAlreadyExists if the name is taken, in any case. AWS: IAM CreateGroup.
    """
    group = Group(
        name=request["GroupName"],
        path=request.get("Path", "/"),
        id=identifiers.unique_id(identifiers.GROUP_PREFIX),
        created_at=call.clock.now().replace(microsecond=0),
    )
    GROUPS.create(call, group)
    return {"Group": show.group(call.account_id, group)}


@service.operation(resource=_GROUP_ARN)
def get_group(call: Call, request: shapes.GetGroupRequest) -> shapes.GetGroupResponse:
    """Describe a group and list its users. AWS: IAM GetGroup."""
    group = GROUPS.get(call, request["GroupName"])
    found = page(
        members(call.documents, call.account_id, group.name),
        request,
        key=lambda user: user.name,
        show=lambda user: show.user(call.account_id, user, is_full=False),
    )
    return {
        "Group": show.group(call.account_id, group),
        "Users": found.items,
        **found.position,
    }


@service.operation(resource=below(GROUPS))
def list_groups(call: Call, request: shapes.ListGroupsRequest) -> shapes.ListGroupsResponse:
    """List groups below a path, by name. AWS: IAM ListGroups."""
    found = page(
        GROUPS.below(call.documents, call.account_id, request.get("PathPrefix", "/")),
        request,
        key=lambda group: group.name,
        show=lambda group: show.group(call.account_id, group),
    )
    return {"Groups": found.items, **found.position}


@service.operation(resource=arn_of(USERS, "UserName"))
def list_groups_for_user(
    call: Call, request: shapes.ListGroupsForUserRequest
) -> shapes.ListGroupsForUserResponse:
    """List the groups that a user is in. AWS: IAM ListGroupsForUser."""
    user = USERS.get(call, request["UserName"])
    found = page(
        (GROUPS.get(call, name) for name in user.groups),
        request,
        key=lambda group: group.name,
        show=lambda group: show.group(call.account_id, group),
    )
    return {"Groups": found.items, **found.position}


@service.operation(resource=arns_of_renamed(GROUPS, "GroupName", "NewGroupName"))
def update_group(call: Call, request: shapes.UpdateGroupRequest) -> Empty:
    """Change a group's name or path; its users stay in it.

    The caller needs permission on both ARNs, the old and the new. Raises EntityAlreadyExists if
    the new name is taken. AWS: IAM UpdateGroup.
    """
    account_id, old_key = call.account_id, request["GroupName"].lower()

    def work(transaction: Transaction) -> None:
        group = GROUPS.need(transaction, account_id, request["GroupName"])
        renamed = replace(
            group,
            name=request.get("NewGroupName", group.name),
            path=request.get("NewPath", group.path),
        )
        new_key = renamed.name.lower()
        if new_key != old_key:
            if GROUPS.find(transaction, account_id, new_key) is not None:
                raise EntityAlreadyExists(GROUPS.taken.format(name=renamed.name))
            transaction.delete(entities.groups, account_id, "", old_key)
        transaction.put(entities.groups, account_id, "", new_key, renamed)
        if renamed.name != group.name:
            for user in list(members(transaction, account_id, group.name)):
                names = tuple(renamed.name if name == group.name else name for name in user.groups)
                moved = replace(user, groups=names)
                transaction.put(entities.users, account_id, "", user.name.lower(), moved)

    call.documents.transact(work)
    return {}


@service.operation(resource=_GROUP_ARN)
def delete_group(call: Call, request: shapes.DeleteGroupRequest) -> Empty:
    """Delete a group without users and policies.

    Raises DeleteConflict if it has some. AWS: IAM DeleteGroup.
    """
    account_id, name = call.account_id, request["GroupName"]

    def work(transaction: Transaction) -> None:
        group = GROUPS.need(transaction, account_id, name)
        if group.policies:
            raise DeleteConflict("Cannot delete entity, must delete policies first.")
        if group.attached:
            raise DeleteConflict("Cannot delete entity, must detach all policies first.")
        if next(members(transaction, account_id, group.name), None) is not None:
            raise DeleteConflict("Cannot delete entity, must remove users from group first.")
        transaction.delete(entities.groups, account_id, "", name.lower())

    call.documents.transact(work)
    return {}


@service.operation(resource=_GROUP_ARN)
def add_user_to_group(call: Call, request: shapes.AddUserToGroupRequest) -> Empty:
    """Put a user into a group; nothing happens if it is in it.

    Raises LimitExceeded if it is in ten. AWS: IAM AddUserToGroup.
    """
    account_id = call.account_id

    def work(transaction: Transaction) -> None:
        group = GROUPS.need(transaction, account_id, request["GroupName"])
        user = USERS.need(transaction, account_id, request["UserName"])
        if group.name in user.groups:
            return
        if len(user.groups) >= GROUPS_PER_USER_LIMIT:
            raise exceeded("GroupsPerUser", GROUPS_PER_USER_LIMIT)
        joined = replace(user, groups=(*user.groups, group.name))
        transaction.put(entities.users, account_id, "", user.name.lower(), joined)

    call.documents.transact(work)
    return {}


@service.operation(resource=_GROUP_ARN)
def remove_user_from_group(call: Call, request: shapes.RemoveUserFromGroupRequest) -> Empty:
    """Take a user out of a group.

    Raises NoSuchEntity if it is not in it. AWS: IAM RemoveUserFromGroup.
    """
    group = GROUPS.get(call, request["GroupName"])

    def leave(user: User) -> User:
        if group.name not in user.groups:
            raise NoSuchEntity(f"User {user.name} not in group {group.name}")
        return replace(user, groups=tuple(name for name in user.groups if name != group.name))

    USERS.edit(call, request["UserName"], leave)
    return {}
