"""Users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.documents import Transaction
from cloche.core.errors import ValidationError
from cloche.core.operations import Call
from cloche.services.iam import entities, identifiers, show
from cloche.services.iam.access import arn_of, arns_of_renamed, below
from cloche.services.iam.boundaries import check_boundary
from cloche.services.iam.entities import User
from cloche.services.iam.errors import DeleteConflict, EntityAlreadyExists
from cloche.services.iam.kinds import USERS
from cloche.services.iam.paging import page
from cloche.services.iam.service import service
from cloche.services.iam.tags import merge_tags, read_tags, show_tag, without_tags

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import iam as shapes

USER_ARN = arn_of(USERS, "UserName")


def user_name(call: Call, request: Mapping[str, Any]) -> str:
    """The user that a request is about: the one it names, or the one who asks.

    Raises:
        ValidationError: it names none, and no user asks.
    """
    if request.get("UserName"):
        return request["UserName"]
    if call.principal.kind != "IAMUser":
        raise ValidationError("Must specify userName when calling with non-User credentials")
    return call.principal.name


@service.operation(resource=USER_ARN)
def create_user(call: Call, request: shapes.CreateUserRequest) -> shapes.CreateUserResponse:
    """Create a user.

    Raises EntityAlreadyExists if the name is taken, in any case. AWS: IAM CreateUser.
    """
    boundary = request.get("PermissionsBoundary", "")
    check_boundary(call, boundary)
    user = User(
        name=request["UserName"],
        path=request.get("Path", "/"),
        id=identifiers.unique_id(identifiers.USER_PREFIX),
        created_at=call.clock.now().replace(microsecond=0),
        tags=read_tags(request.get("Tags", [])),
        boundary=boundary,
    )
    USERS.create(call, user)
    return {"User": show.user(call.account_id, user)}


@service.operation(resource=USER_ARN)
def get_user(call: Call, request: shapes.GetUserRequest) -> shapes.GetUserResponse:
    """Describe a user, or who asks; root gets what AWS tells of an account's root.

    AWS: IAM GetUser.
    """
    if call.principal.is_root and not request.get("UserName"):
        return {"User": _root(call)}
    user = USERS.get(call, user_name(call, request))
    shown = show.user(call.account_id, user)
    return {"User": shown}


def _root(call: Call) -> shapes.User:
    account = call.documents.get(entities.accounts, "", "", call.account_id)
    created_at = call.clock.now() if account is None else account.created_at
    # AWS's answer for root has neither path nor name, though its model calls them required.
    shown: Any = {
        "UserId": call.account_id,
        "Arn": call.principal.arn,
        "CreateDate": created_at,
    }
    return shown


@service.operation(resource=below(USERS))
def list_users(call: Call, request: shapes.ListUsersRequest) -> shapes.ListUsersResponse:
    """List users below a path, by name. AWS: IAM ListUsers."""
    found = page(
        USERS.below(call.documents, call.account_id, request.get("PathPrefix", "/")),
        request,
        key=lambda user: user.name,
        show=lambda user: show.user(call.account_id, user, is_full=False),
    )
    return {"Users": found.items, **found.position}


@service.operation(resource=arns_of_renamed(USERS, "UserName", "NewUserName"))
def update_user(call: Call, request: shapes.UpdateUserRequest) -> Empty:
    """Change a user's name or path; its keys, groups and policies stay with it.

    The caller needs permission on both ARNs, the old and the new. Raises EntityAlreadyExists if
    the new name is taken. AWS: IAM UpdateUser.
    """
    account_id, old_key = call.account_id, request["UserName"].lower()
    new_name = request.get("NewUserName", "")

    def work(transaction: Transaction) -> None:
        user = USERS.need(transaction, account_id, request["UserName"])
        renamed = replace(user, name=new_name or user.name, path=request.get("NewPath", user.path))
        new_key = renamed.name.lower()
        if new_key != old_key:
            if USERS.find(transaction, account_id, new_key) is not None:
                raise EntityAlreadyExists(USERS.taken.format(name=new_name))
            transaction.delete(entities.users, account_id, "", old_key)
        transaction.put(entities.users, account_id, "", new_key, renamed)
        for key_id in user.access_key_ids:
            key = transaction.get(entities.access_keys, "", "", key_id)
            if key is not None:
                moved = replace(key, user_name=renamed.name)
                transaction.put(entities.access_keys, "", "", key_id, moved)

    call.documents.transact(work)
    return {}


@service.operation(resource=USER_ARN)
def delete_user(call: Call, request: shapes.DeleteUserRequest) -> Empty:
    """Delete a user that has neither keys, policies nor groups any more.

    Raises DeleteConflict if it has. AWS: IAM DeleteUser.
    """
    account_id, name = call.account_id, request["UserName"]

    def work(transaction: Transaction) -> None:
        user = USERS.need(transaction, account_id, name)
        for owned, remedy in (
            (user.access_key_ids, "delete access keys"),
            (user.policies, "delete policies"),
            (user.attached, "detach all policies"),
            (user.groups, "remove users from group"),
        ):
            if owned:
                raise DeleteConflict(f"Cannot delete entity, must {remedy} first.")
        transaction.delete(entities.users, account_id, "", name.lower())

    call.documents.transact(work)
    return {}


@service.operation(resource=USER_ARN)
def tag_user(call: Call, request: shapes.TagUserRequest) -> Empty:
    """Add tags to a user. AWS: IAM TagUser."""
    tags = read_tags(request["Tags"])
    USERS.edit(
        call, request["UserName"], lambda user: replace(user, tags=merge_tags(user.tags, tags))
    )
    return {}


@service.operation(resource=USER_ARN)
def untag_user(call: Call, request: shapes.UntagUserRequest) -> Empty:
    """Remove tags from a user. AWS: IAM UntagUser."""
    keys = request["TagKeys"]
    USERS.edit(
        call, request["UserName"], lambda user: replace(user, tags=without_tags(user.tags, keys))
    )
    return {}


@service.operation(resource=USER_ARN)
def list_user_tags(call: Call, request: shapes.ListUserTagsRequest) -> shapes.ListUserTagsResponse:
    """List a user's tags. AWS: IAM ListUserTags."""
    user = USERS.get(call, request["UserName"])
    found = page(user.tags, request, key=lambda pair: pair[0], show=show_tag)
    return {"Tags": found.items, **found.position}
