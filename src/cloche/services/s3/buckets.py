"""Buckets: create, find, list, delete."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.documents import Transaction
from cloche.core.operations import Call
from cloche.engines.objects import store as objects
from cloche.engines.objects.store import ObjectStore
from cloche.services.s3.bucket_locations import DEFAULT_REGION, requested_region
from cloche.services.s3.bucket_names import is_valid_bucket_name
from cloche.services.s3.bucket_records import (
    BUCKET_OWNER_ENFORCED,
    Bucket,
    OwnedBucket,
    buckets,
    is_same_bucket,
    load_bucket,
    no_such_bucket,
    owned_buckets,
)
from cloche.services.s3.canned_acls import owner, requested_acl
from cloche.services.s3.errors import (
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    InvalidArgument,
    InvalidBucketAclWithObjectOwnership,
    InvalidBucketName,
    NotImplementedS3,
)
from cloche.services.s3.ownership_controls import check_ownership
from cloche.services.s3.service import service
from cloche.services.s3.tags import MAX_BUCKET_TAGS, read_tag_set

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import s3 as shapes

_MAX_BUCKETS = 10_000
_PAGE = 1000


@service.operation
async def create_bucket(
    call: Call, request: shapes.CreateBucketRequest
) -> shapes.CreateBucketOutput:
    """Create a bucket; its name is unique among all accounts.

    As in AWS, to create one's own bucket again is no error in us-east-1, and resets its ACL.
    Raises BucketAlreadyExists if another account has it. AWS: S3 CreateBucket.
    """
    asked = _read_bucket(call, request)
    store = call.engine(ObjectStore)
    await store.create_bucket(asked.name)
    await call.documents.commit(lambda tx: _create(tx, asked, call.region))
    # A deletion of the same name may have come between.
    await store.create_bucket(asked.name)
    location = f"/{asked.name}"
    if asked.region != DEFAULT_REGION:
        location = f"http://{asked.name}.s3.amazonaws.com/"
    return {"Location": location}


def _read_bucket(call: Call, request: shapes.CreateBucketRequest) -> Bucket:
    name = request["Bucket"]
    if not is_valid_bucket_name(name):
        raise InvalidBucketName(BucketName=name)
    if request.get("ObjectLockEnabledForBucket"):
        raise NotImplementedS3("Object lock is not built.")
    if request.get("BucketNamespace", "global") != "global":
        raise NotImplementedS3("Buckets of an account's own namespace are not built.")
    configuration: Any = request.get("CreateBucketConfiguration") or {}
    if configuration.get("Location") or configuration.get("Bucket"):
        raise NotImplementedS3("Directory buckets are not built.")
    acl = requested_acl(request, for_bucket=True) or "private"
    ownership = request.get("ObjectOwnership", "")
    if ownership:
        check_ownership(ownership)
    if ownership == BUCKET_OWNER_ENFORCED and acl != "private":
        raise InvalidBucketAclWithObjectOwnership
    return Bucket(
        name=name,
        owner=call.account_id,
        region=requested_region(call.region, configuration.get("LocationConstraint") or ""),
        created_at=call.clock.time(),
        acl=acl,
        object_ownership=ownership,
        tags=read_tag_set(configuration.get("Tags") or [], max_tags=MAX_BUCKET_TAGS),
    )


def _create(tx: Transaction, asked: Bucket, region: str) -> None:
    name = asked.name
    existing = tx.get(buckets, "", "", name)
    if existing is None:
        tx.put(buckets, "", "", name, asked)
        owned = OwnedBucket(region=asked.region, created_at=asked.created_at)
        tx.put(owned_buckets, asked.owner, "", name, owned)
        return
    if existing.owner != asked.owner:
        raise BucketAlreadyExists(BucketName=name)
    if {region, existing.region, asked.region} != {DEFAULT_REGION}:
        raise BucketAlreadyOwnedByYou(BucketName=name)
    if existing.has_acls:
        tx.put(buckets, "", "", name, replace(existing, acl=asked.acl))


@service.operation
async def delete_bucket(call: Call, request: shapes.DeleteBucketRequest) -> Empty:
    """Delete an empty bucket, with its unfinished multipart uploads.

    Raises BucketNotEmpty if a version or a delete marker is left. AWS: S3 DeleteBucket.
    """
    bucket = load_bucket(call, request)
    try:
        await call.engine(ObjectStore).delete_bucket(bucket.name)
    except objects.BucketNotEmpty as error:
        raise BucketNotEmpty(BucketName=bucket.name) from error
    except objects.BucketNotFound as error:
        # Without a bucket's record there is nothing in it, unless its objects are elsewhere.
        if call.documents.is_shared:
            raise no_such_bucket(bucket.name) from error
    await call.documents.commit(lambda tx: _delete(tx, bucket))
    return {}


def _delete(tx: Transaction, bucket: Bucket) -> None:
    current = tx.get(buckets, "", "", bucket.name)
    if current is None or not is_same_bucket(current, bucket):
        raise no_such_bucket(bucket.name)
    tx.delete(buckets, "", "", bucket.name)
    tx.delete(owned_buckets, current.owner, "", bucket.name)


@service.operation
async def head_bucket(call: Call, request: shapes.HeadBucketRequest) -> shapes.HeadBucketOutput:
    """Tell whether a bucket exists, and its region. AWS: S3 HeadBucket."""
    bucket = load_bucket(call, request)
    return {"BucketRegion": bucket.region, "AccessPointAlias": False}


@service.operation
def get_bucket_location(
    call: Call, request: shapes.GetBucketLocationRequest
) -> shapes.GetBucketLocationOutput:
    """The region of a bucket; nothing for us-east-1. AWS: S3 GetBucketLocation."""
    bucket = load_bucket(call, request)
    return {} if bucket.region == DEFAULT_REGION else {"LocationConstraint": bucket.region}


@service.operation
def list_buckets(call: Call, request: shapes.ListBucketsRequest) -> shapes.ListBucketsOutput:
    """List the account's own buckets, all of them unless MaxBuckets says how many.

    AWS: S3 ListBuckets.
    """
    prefix = request.get("Prefix", "")
    max_buckets = request.get("MaxBuckets", _MAX_BUCKETS)
    if not 1 <= max_buckets <= _MAX_BUCKETS:
        raise InvalidArgument(
            f"Argument max-buckets must be an integer between 1 and {_MAX_BUCKETS}",
            ArgumentName="max-buckets",
            ArgumentValue=str(max_buckets),
        )
    after = _read_token(request.get("ContinuationToken", ""))
    found = _list(call, prefix, after, request.get("BucketRegion"), max_buckets + 1)
    answer: Any = {"Buckets": found[:max_buckets], "Owner": owner(call.account_id)}
    if len(found) > max_buckets:
        answer["ContinuationToken"] = _token(found[max_buckets - 1]["Name"])
    if "Prefix" in request:
        answer["Prefix"] = prefix
    return answer


def _list(
    call: Call, prefix: str, after: str, region: str | None, limit: int
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = call.documents.scan(owned_buckets, call.account_id, "", prefix, after, _PAGE)
        for document in page:
            owned = document.value
            if region is not None and owned.region != region:
                continue
            found.append(
                {
                    "Name": document.name,
                    "CreationDate": datetime.fromtimestamp(owned.created_at, UTC),
                    "BucketRegion": owned.region,
                }
            )
            if len(found) == limit:
                return found
        if len(page) < _PAGE:
            return found
        after = page[-1].name


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidArgument(
            "The continuation token provided is incorrect",
            ArgumentName="continuation-token",
            ArgumentValue=token,
        ) from error
