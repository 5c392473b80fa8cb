"""What is kept about a bucket: one document each, by its name, which is unique in all accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cloche.core.documents import Table
from cloche.core.operations import Call
from cloche.engines.objects.store import VersioningState
from cloche.services.s3.bucket_names import is_valid_bucket_name
from cloche.services.s3.errors import AccessDenied, InvalidBucketName, NoSuchBucket

BUCKET_OWNER_ENFORCED = "BucketOwnerEnforced"


class CORSRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule for requests from other origins; members as in AWS's model."""

    AllowedMethods: tuple[str, ...]
    AllowedOrigins: tuple[str, ...]
    AllowedHeaders: tuple[str, ...] = ()
    ExposeHeaders: tuple[str, ...] = ()
    MaxAgeSeconds: int | None = None
    ID: str | None = None


class PublicAccessBlock(msgspec.Struct, frozen=True):
    """What the public is refused whatever ACLs and policies say; members as in AWS's model."""

    BlockPublicAcls: bool = False
    IgnorePublicAcls: bool = False
    BlockPublicPolicy: bool = False
    RestrictPublicBuckets: bool = False


class Bucket(msgspec.Struct, frozen=True):
    """A bucket and its configuration.

    Attributes:
        owner: account id.
        created_at: seconds since 1970.
        acl: a canned ACL's name.
        object_ownership: as in the model; empty if nothing was said, when ACLs count and objects
            belong to their writers.
        versioning: `Unversioned` until it was first enabled.
        policy: the bucket policy's JSON text as it was put; empty if there is none.
        encryption: `ServerSideEncryptionConfiguration` as in the model; None for S3's default,
            AES256.
        sends_events: whether object events go to the default event bus.
        may_hold_others_objects: whether another account has ever written here, so that the owner
            of an object must be looked up before the bucket's owner may read it.
    """

    name: str
    owner: str
    region: str
    created_at: float
    acl: str = "private"
    object_ownership: str = ""
    versioning: VersioningState = "Unversioned"
    tags: dict[str, str] = {}
    policy: str = ""
    cors: tuple[CORSRule, ...] = ()
    public_access_block: PublicAccessBlock | None = None
    encryption: dict[str, Any] | None = None
    sends_events: bool = False
    may_hold_others_objects: bool = False

    @property
    def has_acls(self) -> bool:
        """Whether ACLs of the bucket and its objects count."""
        return self.object_ownership != BUCKET_OWNER_ENFORCED

    @property
    def blocks(self) -> PublicAccessBlock:
        """What the public is refused."""
        return self.public_access_block or _NOTHING_BLOCKED


class OwnedBucket(msgspec.Struct, frozen=True):
    """That an account has a bucket; kept by account so that ListBuckets reads only its own."""

    region: str
    created_at: float


_NOTHING_BLOCKED = PublicAccessBlock()

buckets = Table("s3.buckets", Bucket)
owned_buckets = Table("s3.owned_buckets", OwnedBucket)


def find_bucket(call: Call, name: str) -> Bucket:
    """The bucket of a name.

    Raises:
        NoSuchBucket: there is none.
        InvalidBucketName: there can be none.
    """
    bucket = call.server.documents.get_cached(buckets, "", "", name)
    if bucket is None:
        raise no_such_bucket(name)
    return bucket


def load_bucket(call: Call, request: Mapping[str, Any]) -> Bucket:
    """The bucket that a request names, if it belongs to the account that the request expects.

    Raises:
        NoSuchBucket: there is none.
        AccessDenied: it belongs to another account than `ExpectedBucketOwner`.
    """
    bucket = find_bucket(call, request["Bucket"])
    expected = request.get("ExpectedBucketOwner")
    if expected is not None and expected != bucket.owner:
        raise AccessDenied("Access Denied")
    return bucket


def change_bucket(
    call: Call, request: Mapping[str, Any], change: Callable[[Bucket], Bucket]
) -> Bucket:
    """Replace the bucket that a request names by what `change` makes of it; blocks."""
    allowed = load_bucket(call, request)
    name: str = request["Bucket"]

    def apply(transaction: Any) -> Bucket:
        bucket = transaction.get(buckets, "", "", name)
        if bucket is None or not is_same_bucket(bucket, allowed):
            raise no_such_bucket(name)
        changed = change(bucket)
        transaction.put(buckets, "", "", name, changed)
        return changed

    return call.server.documents.transact(apply)


def is_same_bucket(one: Bucket, other: Bucket) -> bool:
    """Whether two records are of one bucket, and not of a later one that took its name."""
    return (one.owner, one.created_at) == (other.owner, other.created_at)


def no_such_bucket(name: str) -> NoSuchBucket | InvalidBucketName:
    """The error for a name that no bucket has."""
    error = NoSuchBucket if is_valid_bucket_name(name) else InvalidBucketName
    return error(BucketName=name)
