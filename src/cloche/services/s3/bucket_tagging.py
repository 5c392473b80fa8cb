"""A bucket's own tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.operations import Call
from cloche.services.s3.bucket_records import change_bucket, load_bucket
from cloche.services.s3.errors import MalformedXML, NoSuchTagSet
from cloche.services.s3.service import service
from cloche.services.s3.tags import MAX_BUCKET_TAGS, read_tag_set, tag_set

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import s3 as shapes


@service.operation
def get_bucket_tagging(
    call: Call, request: shapes.GetBucketTaggingRequest
) -> shapes.GetBucketTaggingOutput:
    """A bucket's tags. Raises NoSuchTagSet if it has none. AWS: S3 GetBucketTagging."""
    bucket = load_bucket(call, request)
    if not bucket.tags:
        raise NoSuchTagSet(BucketName=bucket.name)
    tags: Any = tag_set(bucket.tags)
    return {"TagSet": tags}


@service.operation
def put_bucket_tagging(call: Call, request: shapes.PutBucketTaggingRequest) -> Empty:
    """Replace a bucket's tags. AWS: S3 PutBucketTagging."""
    tagging: Any = request.get("Tagging")
    if tagging is None or any("Key" not in tag for tag in tagging.get("TagSet") or []):
        raise MalformedXML
    given = [{"Value": "", **tag} for tag in tagging.get("TagSet") or []]
    tags = read_tag_set(given, max_tags=MAX_BUCKET_TAGS)
    change_bucket(call, request, lambda bucket: replace(bucket, tags=tags))
    return {}


@service.operation
def delete_bucket_tagging(call: Call, request: shapes.DeleteBucketTaggingRequest) -> Empty:
    """Remove a bucket's tags. AWS: S3 DeleteBucketTagging."""
    change_bucket(call, request, lambda bucket: replace(bucket, tags={}))
    return {}
