"""DeleteObject and DeleteObjects."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloche.core.errors import AWSError
from cloche.core.operations import Call
from cloche.engines.objects.store import BucketNotFound, ObjectRecord, ObjectStore
from cloche.services.s3.authorization import authorize_key
from cloche.services.s3.bucket_records import Bucket, load_bucket, no_such_bucket
from cloche.services.s3.conditions import delete_condition
from cloche.services.s3.errors import MalformedXML, NotImplementedS3
from cloche.services.s3.finding import check_version_id
from cloche.services.s3.object_events import tell_deleted
from cloche.services.s3.object_properties import refuse_unbuilt
from cloche.services.s3.service import service

if TYPE_CHECKING:
    from aws_shapes import s3 as shapes

_MAX_KEYS = 1000


@service.operation(resource="arn:{partition}:s3:::{Bucket}/{Key}")
async def delete_object(
    call: Call, request: shapes.DeleteObjectRequest
) -> shapes.DeleteObjectOutput:
    """Delete an object or one version, or put a delete marker. AWS: S3 DeleteObject.

    `MFA` and `BypassGovernanceRetention` change nothing, as in AWS where a bucket has neither MFA
    delete nor object lock. Conditions on size and time are for directory buckets: 501.
    """
    refuse_unbuilt(request)
    if "IfMatchSize" in request or "IfMatchLastModifiedTime" in request:
        raise NotImplementedS3
    bucket = load_bucket(call, request)
    version_id = request.get("VersionId")
    deleted = await _delete(call, bucket, request["Key"], version_id, request.get("IfMatch"))
    answer: Any = {}
    if deleted is not None and deleted.is_delete_marker:
        answer["DeleteMarker"] = True
    if version_id is not None:
        answer["VersionId"] = version_id
    elif deleted is not None and deleted.is_delete_marker:
        answer["VersionId"] = deleted.version_id
    return answer


@service.operation(action="s3:DeleteObject")
async def delete_objects(
    call: Call, request: shapes.DeleteObjectsRequest
) -> shapes.DeleteObjectsOutput:
    """Delete up to 1,000 keys or versions; each fails for itself. AWS: S3 DeleteObjects."""
    refuse_unbuilt(request)
    bucket = load_bucket(call, request)
    delete: Any = request.get("Delete") or {}
    entries = delete.get("Objects") or []
    if not 0 < len(entries) <= _MAX_KEYS or not all(entry.get("Key") for entry in entries):
        raise MalformedXML
    outcomes = await asyncio.gather(*(_delete_entry(call, bucket, entry) for entry in entries))
    is_quiet = delete.get("Quiet", False)
    answer: Any = {
        "Deleted": [outcome for outcome in outcomes if "Code" not in outcome and not is_quiet],
        "Errors": [outcome for outcome in outcomes if "Code" in outcome],
    }
    return answer


async def _delete_entry(call: Call, bucket: Bucket, entry: Mapping[str, Any]) -> dict[str, Any]:
    """What DeleteObjects says of one key: that it was deleted, or why not."""
    key: str = entry["Key"]
    version_id: str | None = entry.get("VersionId")
    outcome: dict[str, Any] = {"Key": key}
    if version_id is not None:
        outcome["VersionId"] = version_id
    try:
        if "LastModifiedTime" in entry or "Size" in entry:
            raise NotImplementedS3
        await authorize_key(call, bucket, key, version_id)
        deleted = await _delete(call, bucket, key, version_id, entry.get("ETag"))
    except AWSError as error:
        return {**outcome, "Code": error.code, "Message": error.message}
    if deleted is not None and deleted.is_delete_marker:
        outcome["DeleteMarker"] = True
        outcome["DeleteMarkerVersionId"] = deleted.version_id
    return outcome


async def _delete(
    call: Call, bucket: Bucket, key: str, version_id: str | None, if_match: str | None
) -> ObjectRecord | None:
    """Delete; what was removed, or the marker that was put."""
    check_version_id(version_id)
    store = call.engine(ObjectStore)
    condition = delete_condition(if_match, None, None)
    try:
        if condition is not None and version_id is not None:
            condition(await store.head(bucket.name, key, version_id))
            condition = None
        deleted = await store.delete(
            bucket.name,
            key,
            versioning=bucket.versioning,
            version_id=version_id,
            condition=condition,
        )
    except BucketNotFound as error:
        raise no_such_bucket(bucket.name) from error
    if deleted is not None:
        is_permanent = version_id is not None or not deleted.is_delete_marker
        await tell_deleted(call, bucket, deleted, is_permanent=is_permanent)
    return deleted
