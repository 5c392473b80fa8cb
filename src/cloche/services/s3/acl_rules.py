"""What a bucket's settings refuse of the ACLs that are put on it and its objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloche.core.errors import AccessDenied
from cloche.services.s3.bucket_records import Bucket
from cloche.services.s3.canned_acls import is_public
from cloche.services.s3.errors import AccessControlListNotSupported

_HARMLESS_WITHOUT_ACLS = frozenset({"private", "bucket-owner-full-control"})


def check_requested_acl(bucket: Bucket, request: Mapping[str, Any]) -> None:
    """Refuse the canned ACL of a request's `x-amz-acl` header, if it may not be put.

    Raises:
        AccessControlListNotSupported: ACLs are disabled and it would change something.
        AccessDenied: it is public and BlockPublicAcls is set.
    """
    acl = request.get("ACL")
    if acl is not None:
        check_acl(bucket, acl)


def check_acl(bucket: Bucket, acl: str) -> None:
    """As `check_requested_acl`, for a canned ACL that is known."""
    if not bucket.has_acls and acl not in _HARMLESS_WITHOUT_ACLS:
        raise AccessControlListNotSupported
    if bucket.blocks.BlockPublicAcls and is_public(acl):
        raise AccessDenied("Access Denied")
