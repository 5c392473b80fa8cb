"""The canned access control lists: what each grants, and to whom.

An ACL is kept by its canned name. A list that is put as a body is accepted if it says what a
canned one says; other grants answer 501.

Source: "Canned ACL" in the S3 user guide. Difference from AWS: owners have their account id as
display name, which AWS no longer gives at all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cloche.core.principals import Principal
from cloche.services.s3.bucket_errors import UnresolvableGrantByEmailAddress
from cloche.services.s3.errors import (
    AccessDenied,
    InvalidArgument,
    InvalidRequest,
    MalformedACLError,
    NotImplementedS3,
)

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
EC2_BUNDLE_READER = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c"

_BUCKET_OWNER = "bucket-owner"
_USER_ID = re.compile(r"[0-9a-f]{64}")

_GRANTS: dict[str, tuple[tuple[str, str], ...]] = {
    "private": (),
    "public-read": ((ALL_USERS, "READ"),),
    "public-read-write": ((ALL_USERS, "READ"), (ALL_USERS, "WRITE")),
    "authenticated-read": ((AUTHENTICATED_USERS, "READ"),),
    "bucket-owner-read": ((_BUCKET_OWNER, "READ"),),
    "bucket-owner-full-control": ((_BUCKET_OWNER, "FULL_CONTROL"),),
    "aws-exec-read": ((EC2_BUNDLE_READER, "READ"),),
    "log-delivery-write": ((LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")),
}
_ONLY_FOR_BUCKETS = frozenset({"log-delivery-write"})
_GRANT_MEMBERS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")
_PERMISSIONS = frozenset({"FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP"})

PUBLIC_ACLS = frozenset({"public-read", "public-read-write", "authenticated-read"})


@lru_cache(maxsize=1024)
def canonical_user_id(account_id: str) -> str:
    """The canonical user id of an account, always the same 64 hexadecimal digits."""
    return hashlib.sha256(f"canonical user of {account_id}".encode()).hexdigest()


def owner(account_id: str) -> dict[str, str]:
    """An account as the model's `Owner`."""
    return {"DisplayName": account_id, "ID": canonical_user_id(account_id)}


def requested_acl(request: Mapping[str, Any], *, for_bucket: bool = False) -> str | None:
    """The canned ACL that a request's header asks for; None if it asks for none.

    Raises:
        InvalidArgument: no such canned ACL.
        NotImplementedS3: it has `x-amz-grant-…` headers.
    """
    acl: str | None = request.get("ACL")
    has_grants = any(member in request for member in _GRANT_MEMBERS)
    if has_grants and acl is not None:
        raise InvalidRequest("Specifying both Canned ACLs and Header Grants is not allowed")
    if has_grants:
        raise NotImplementedS3("Grants by x-amz-grant headers are not built; use a canned ACL.")
    if acl is None:
        return None
    if acl not in _GRANTS or (acl in _ONLY_FOR_BUCKETS and not for_bucket):
        raise InvalidArgument("", ArgumentName="x-amz-acl", ArgumentValue=acl)
    return acl


def acl_grants(acl: str, account_id: str, bucket_owner: str) -> list[dict[str, Any]]:
    """The grants that a canned ACL means, as the model's `Grants`.

    Args:
        acl: the canned ACL's name.
        account_id: the owner of the bucket or object.
        bucket_owner: the bucket's.
    """
    grants = [_grant(canonical_user_id(account_id), account_id, "FULL_CONTROL")]
    for grantee, permission in _GRANTS[acl]:
        if grantee == _BUCKET_OWNER:
            if bucket_owner != account_id:
                user_id = canonical_user_id(bucket_owner)
                grants.append(_grant(user_id, bucket_owner, permission))
        else:
            grants.append(_grant(grantee, "aws-exec-read", permission))
    # S3 promises no order. With groups first, clients that sort by a member which groups lack
    # meet an owner only at the end.
    return sorted(grants, key=lambda grant: grant["Grantee"]["Type"] != "Group")


def _grant(grantee: str, name: str, permission: str) -> dict[str, Any]:
    if grantee.startswith("http:"):
        return {"Grantee": {"Type": "Group", "URI": grantee}, "Permission": permission}
    return {
        "Grantee": {"Type": "CanonicalUser", "ID": grantee, "DisplayName": name},
        "Permission": permission,
    }


def acl_of_policy(
    policy: Mapping[str, Any], account_id: str, bucket_owner: str, *, for_bucket: bool
) -> str:
    """The canned ACL that an `AccessControlPolicy` spells out.

    Raises:
        MalformedACLError: it does not conform to the schema.
        InvalidArgument: a grantee does not exist.
        UnresolvableGrantByEmailAddress: a grantee is named by an e-mail address.
        AccessDenied: it names another owner.
        NotImplementedS3: no canned ACL says the same.
    """
    named_owner = policy.get("Owner", {}).get("ID")
    if "Grants" not in policy or named_owner is None:
        raise MalformedACLError
    if named_owner != canonical_user_id(account_id):
        raise AccessDenied("Access Denied")
    asked = {_grant_key(grant) for grant in policy["Grants"]}
    for acl in _GRANTS:
        if acl in _ONLY_FOR_BUCKETS and not for_bucket:
            continue
        if asked == {_grant_key(grant) for grant in acl_grants(acl, account_id, bucket_owner)}:
            return acl
    raise NotImplementedS3("Access control lists beyond the canned ones are not built.")


def _grant_key(grant: Mapping[str, Any]) -> tuple[str, str]:
    grantee: Mapping[str, str] = grant.get("Grantee", {})
    permission = grant.get("Permission", "")
    if permission not in _PERMISSIONS:
        raise MalformedACLError
    return _grantee_key(grantee), permission


def _grantee_key(grantee: Mapping[str, str]) -> str:
    """A grantee's group or canonical user id. Accounts here have no e-mail address."""
    uri = grantee.get("URI")
    if uri is not None:
        if uri not in (ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY):
            raise InvalidArgument("Invalid group uri", ArgumentName="Group/URI", ArgumentValue=uri)
        return uri
    user_id = grantee.get("ID")
    if user_id is None:
        if "EmailAddress" in grantee:
            raise UnresolvableGrantByEmailAddress
        raise MalformedACLError
    if _USER_ID.fullmatch(user_id) is None:
        raise InvalidArgument("Invalid id", ArgumentName="CanonicalUser/ID", ArgumentValue=user_id)
    return user_id


def acl_allows(
    acl: str, permission: str, principal: Principal, account_id: str, bucket_owner: str
) -> bool:
    """Whether a canned ACL grants a permission (`READ`, `WRITE`, `READ_ACP`, `WRITE_ACP`).

    Args:
        acl: the canned ACL's name.
        permission: what is wanted.
        principal: who wants it.
        account_id: the owner of the bucket or object.
        bucket_owner: the bucket's.
    """
    if principal.account_id == account_id:
        return True
    return any(
        granted in (permission, "FULL_CONTROL") and _is_grantee(grantee, principal, bucket_owner)
        for grantee, granted in _GRANTS[acl]
    )


def _is_grantee(grantee: str, principal: Principal, bucket_owner: str) -> bool:
    if grantee == ALL_USERS:
        return True
    if grantee == AUTHENTICATED_USERS:
        return principal.kind != "Anonymous"
    return grantee == _BUCKET_OWNER and principal.account_id == bucket_owner


def is_public(acl: str) -> bool:
    """Whether a canned ACL grants anything beyond known accounts."""
    return acl in PUBLIC_ACLS
