"""Tags of objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloche.core.operations import Call
from cloche.engines.objects.store import ObjectRecord, ObjectStore
from cloche.services.s3.bucket_records import Bucket, load_bucket
from cloche.services.s3.errors import MalformedXML, NoSuchKey
from cloche.services.s3.finding import find_version, version_members
from cloche.services.s3.object_events import tell_tagged
from cloche.services.s3.object_properties import refuse_unbuilt
from cloche.services.s3.service import service
from cloche.services.s3.tags import read_tag_set, tag_set

if TYPE_CHECKING:
    from aws_shapes import s3 as shapes

_OBJECT = "arn:{partition}:s3:::{Bucket}/{Key}"


@service.operation(resource=_OBJECT)
async def get_object_tagging(
    call: Call, request: shapes.GetObjectTaggingRequest
) -> shapes.GetObjectTaggingOutput:
    """A version's tags, by name: S3 promises no order. AWS: S3 GetObjectTagging."""
    refuse_unbuilt(request)
    bucket = load_bucket(call, request)
    record = await find_version(call, bucket, request["Key"], request.get("VersionId"))
    tags: Mapping[str, str] = record.properties.get("tags", {})
    answer: Any = {
        "TagSet": tag_set(dict(sorted(tags.items()))),
        **version_members(bucket, record),
    }
    return answer


@service.operation(resource=_OBJECT)
async def put_object_tagging(
    call: Call, request: shapes.PutObjectTaggingRequest
) -> shapes.PutObjectTaggingOutput:
    """Give a version other tags. AWS: S3 PutObjectTagging."""
    refuse_unbuilt(request)
    bucket = load_bucket(call, request)
    tagging: Any = request.get("Tagging")
    if not tagging:
        raise MalformedXML
    tags = read_tag_set(tagging.get("TagSet") or [])
    record = await _replace_tags(call, bucket, request, tags)
    await tell_tagged(call, bucket, record, has_tags=True)
    answer: Any = version_members(bucket, record)
    return answer


@service.operation(resource=_OBJECT)
async def delete_object_tagging(
    call: Call, request: shapes.DeleteObjectTaggingRequest
) -> shapes.DeleteObjectTaggingOutput:
    """Take a version's tags away. AWS: S3 DeleteObjectTagging."""
    bucket = load_bucket(call, request)
    record = await _replace_tags(call, bucket, request, {})
    await tell_tagged(call, bucket, record, has_tags=False)
    answer: Any = version_members(bucket, record)
    return answer


async def _replace_tags(
    call: Call, bucket: Bucket, request: Mapping[str, Any], tags: dict[str, str]
) -> ObjectRecord:
    key: str = request["Key"]
    found = await find_version(call, bucket, key, request.get("VersionId"))

    def change(record: ObjectRecord) -> dict[str, Any]:
        properties = {name: kept for name, kept in record.properties.items() if name != "tags"}
        return properties | {"tags": tags} if tags else properties

    changed = await call.engine(ObjectStore).update_properties(
        bucket.name, key, found.version_id, change
    )
    if changed is None:
        raise NoSuchKey(Key=key)
    return changed
