"""Access keys of users and of the account's root."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.documents import Documents, Transaction
from cloche.core.operations import Call
from cloche.services.iam import entities, identifiers
from cloche.services.iam.access import arn_of
from cloche.services.iam.entities import AccessKey, Account, User
from cloche.services.iam.errors import NoSuchEntity
from cloche.services.iam.kinds import USERS, exceeded
from cloche.services.iam.paging import page
from cloche.services.iam.service import service
from cloche.services.iam.users import user_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_shapes import Empty
    from aws_shapes import iam as shapes

KEYS_LIMIT = 2
ROOT_NAME = "<root_account>"
_USER_ARN = arn_of(USERS, "UserName")


def _owner_name(call: Call, request: Mapping[str, Any]) -> str:
    """The user that a request is about; empty for root that names none."""
    if call.principal.is_root and not request.get("UserName"):
        return ""
    return user_name(call, request)


def _owner(source: Documents | Transaction, account_id: str, name: str) -> User | Account:
    if name:
        return USERS.need(source, account_id, name)
    account = source.get(entities.accounts, "", "", account_id)
    if account is None:
        raise NoSuchEntity(f"The account {account_id} cannot be found.")
    return account


def _put_owner(transaction: Transaction, owner: User | Account, account_id: str) -> None:
    if isinstance(owner, User):
        transaction.put(entities.users, account_id, "", owner.name.lower(), owner)
    else:
        transaction.put(entities.accounts, "", "", account_id, owner)


def _need_key(source: Documents | Transaction, owner: User | Account, key_id: str) -> AccessKey:
    key = source.get(entities.access_keys, "", "", key_id)
    if key is None or key_id not in owner.access_key_ids:
        raise NoSuchEntity(f"The Access Key with id {key_id} cannot be found.")
    return key


@service.operation(resource=_USER_ARN)
def create_access_key(
    call: Call, request: shapes.CreateAccessKeyRequest
) -> shapes.CreateAccessKeyResponse:
    """Make a key for a user, or for root that names none; its secret is shown only now.

    Raises LimitExceeded if there are two. AWS: IAM CreateAccessKey.
    """
    account_id, name = call.account_id, _owner_name(call, request)
    now = call.clock.now().replace(microsecond=0)
    key_id = identifiers.access_key_id(identifiers.ACCESS_KEY_PREFIX, account_id)
    secret = identifiers.secret_access_key()

    def work(transaction: Transaction) -> AccessKey:
        owner = _owner(transaction, account_id, name)
        if len(owner.access_key_ids) >= KEYS_LIMIT:
            raise exceeded("AccessKeysPerUser", KEYS_LIMIT)
        key = AccessKey(
            id=key_id,
            secret=secret,
            account_id=account_id,
            user_name=owner.name if isinstance(owner, User) else "",
            created_at=now,
        )
        transaction.insert(entities.access_keys, "", "", key_id, key)
        with_key = replace(owner, access_key_ids=(*owner.access_key_ids, key_id))
        _put_owner(transaction, with_key, account_id)
        return key

    key = call.documents.transact(work)
    return {
        "AccessKey": {
            "UserName": key.user_name or ROOT_NAME,
            "AccessKeyId": key.id,
            "Status": "Active",
            "SecretAccessKey": key.secret,
            "CreateDate": key.created_at,
        }
    }


@service.operation(resource=_USER_ARN)
def list_access_keys(
    call: Call, request: shapes.ListAccessKeysRequest
) -> shapes.ListAccessKeysResponse:
    """List the keys of a user, or of root that names none. AWS: IAM ListAccessKeys."""
    owner = _owner(call.documents, call.account_id, _owner_name(call, request))
    found = page(
        owner.access_key_ids,
        request,
        key=lambda key_id: key_id,
        show=lambda key_id: _show(_need_key(call.documents, owner, key_id)),
    )
    return {"AccessKeyMetadata": found.items, **found.position}


def _show(key: AccessKey) -> shapes.AccessKeyMetadata:
    return {
        "UserName": key.user_name or ROOT_NAME,
        "AccessKeyId": key.id,
        "Status": "Active" if key.is_active else "Inactive",
        "CreateDate": key.created_at,
    }


@service.operation(resource=_USER_ARN)
def update_access_key(call: Call, request: shapes.UpdateAccessKeyRequest) -> Empty:
    """Switch a key on or off. AWS: IAM UpdateAccessKey."""
    account_id, name = call.account_id, _owner_name(call, request)
    key_id, is_active = request["AccessKeyId"], request["Status"] == "Active"

    def work(transaction: Transaction) -> None:
        key = _need_key(transaction, _owner(transaction, account_id, name), key_id)
        transaction.put(entities.access_keys, "", "", key_id, replace(key, is_active=is_active))

    call.documents.transact(work)
    return {}


@service.operation(resource=_USER_ARN)
def delete_access_key(call: Call, request: shapes.DeleteAccessKeyRequest) -> Empty:
    """Delete a key; what it signs is refused at once. AWS: IAM DeleteAccessKey."""
    account_id, name = call.account_id, _owner_name(call, request)
    key_id = request["AccessKeyId"]

    def work(transaction: Transaction) -> None:
        owner = _owner(transaction, account_id, name)
        _need_key(transaction, owner, key_id)
        transaction.delete(entities.access_keys, "", "", key_id)
        transaction.delete(entities.access_key_uses, "", "", key_id)
        kept = tuple(one for one in owner.access_key_ids if one != key_id)
        _put_owner(transaction, replace(owner, access_key_ids=kept), account_id)

    call.documents.transact(work)
    return {}


def _arn_of_owner(call: Call, request: Mapping[str, Any]) -> list[str]:
    key = call.documents.get(entities.access_keys, "", "", request["AccessKeyId"])
    user = None if key is None else USERS.find(call.documents, key.account_id, key.user_name)
    return (
        [f"arn:aws:iam::{call.account_id}:user/*"]
        if user is None
        else [USERS.arn(call.account_id, user)]
    )


@service.operation(resource=_arn_of_owner)
def get_access_key_last_used(
    call: Call, request: shapes.GetAccessKeyLastUsedRequest
) -> shapes.GetAccessKeyLastUsedResponse:
    """Tell when, where and for what a key was last used. AWS: IAM GetAccessKeyLastUsed."""
    key = call.documents.get(entities.access_keys, "", "", request["AccessKeyId"])
    if key is None or key.account_id != call.account_id:
        raise NoSuchEntity(f"The Access Key with id {request['AccessKeyId']} cannot be found.")
    return {"UserName": key.user_name or ROOT_NAME, "AccessKeyLastUsed": last_used(call, key.id)}


def last_used(call: Call, key_id: str) -> shapes.AccessKeyLastUsed:
    """The last use of a key; AWS writes N/A where there was none."""
    use = call.documents.get(entities.access_key_uses, "", "", key_id)
    if use is None:
        never: Any = {"ServiceName": "N/A", "Region": "N/A"}
        return never
    return {"LastUsedDate": use.used_at, "ServiceName": use.service, "Region": use.region}
