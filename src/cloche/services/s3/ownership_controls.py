"""Who owns the objects of a bucket, and whether ACLs count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.operations import Call
from cloche.services.s3.bucket_records import (
    BUCKET_OWNER_ENFORCED,
    Bucket,
    change_bucket,
    load_bucket,
)
from cloche.services.s3.errors import (
    InvalidArgument,
    InvalidBucketAclWithObjectOwnership,
    MalformedXML,
    OwnershipControlsNotFoundError,
)
from cloche.services.s3.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import s3 as shapes

_OWNERSHIPS = frozenset({BUCKET_OWNER_ENFORCED, "BucketOwnerPreferred", "ObjectWriter"})


def check_ownership(ownership: str) -> None:
    """Refuse a value that ObjectOwnership cannot have.

    Raises:
        InvalidArgument: it is none of the three.
    """
    if ownership not in _OWNERSHIPS:
        raise InvalidArgument(
            f"Invalid x-amz-object-ownership header: {ownership}",
            ArgumentName="x-amz-object-ownership",
            ArgumentValue=ownership,
        )


@service.operation
def get_bucket_ownership_controls(
    call: Call, request: shapes.GetBucketOwnershipControlsRequest
) -> shapes.GetBucketOwnershipControlsOutput:
    """Who owns new objects.

    Raises OwnershipControlsNotFoundError if nothing was said. AWS: S3 GetBucketOwnershipControls.
    """
    bucket = load_bucket(call, request)
    if not bucket.object_ownership:
        raise OwnershipControlsNotFoundError(BucketName=bucket.name)
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": bucket.object_ownership}]}}


@service.operation
def put_bucket_ownership_controls(
    call: Call, request: shapes.PutBucketOwnershipControlsRequest
) -> Empty:
    """Say who owns new objects, and with BucketOwnerEnforced that ACLs no longer count.

    Raises InvalidBucketAclWithObjectOwnership if ACLs are to be disabled while the bucket's own
    grants anything to others. AWS: S3 PutBucketOwnershipControls.
    """
    controls: Any = request.get("OwnershipControls") or {}
    rules = controls.get("Rules") or []
    if len(rules) != 1 or rules[0].get("ObjectOwnership") not in _OWNERSHIPS:
        raise MalformedXML
    ownership: str = rules[0]["ObjectOwnership"]

    def change(bucket: Bucket) -> Bucket:
        if ownership == BUCKET_OWNER_ENFORCED and bucket.acl not in _GRANT_NOBODY:
            raise InvalidBucketAclWithObjectOwnership
        return replace(bucket, object_ownership=ownership)

    change_bucket(call, request, change)
    return {}


_GRANT_NOBODY = frozenset({"private", "bucket-owner-read", "bucket-owner-full-control"})


@service.operation
def delete_bucket_ownership_controls(
    call: Call, request: shapes.DeleteBucketOwnershipControlsRequest
) -> Empty:
    """Say nothing of ownership any more: ACLs count. AWS: S3 DeleteBucketOwnershipControls."""
    change_bucket(call, request, lambda bucket: replace(bucket, object_ownership=""))
    return {}
