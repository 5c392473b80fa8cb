"""What is told of objects to those who listen, in the shapes of S3's EventBridge events."""

from __future__ import annotations

from typing import Any

from cloche.core.operations import Call
from cloche.engines.objects.store import ObjectRecord
from cloche.services.s3.bucket_records import Bucket
from cloche.services.s3.notifications import notify


async def tell_created(call: Call, bucket: Bucket, record: ObjectRecord, reason: str) -> None:
    """Say that an object was created; the reason is the operation that did it."""
    if bucket.sends_events:
        described = _described(bucket, record)
        described |= {"size": record.size_bytes, "etag": record.etag}
        await notify(call, bucket, "Object Created", {"object": described, "reason": reason})


async def tell_deleted(
    call: Call, bucket: Bucket, record: ObjectRecord, *, is_permanent: bool
) -> None:
    """Say that an object was deleted for good, or got a delete marker."""
    if bucket.sends_events:
        kind = "Permanently Deleted" if is_permanent else "Delete Marker Created"
        detail = {
            "object": _described(bucket, record),
            "reason": "DeleteObject",
            "deletion-type": kind,
        }
        await notify(call, bucket, "Object Deleted", detail)


async def tell_tagged(call: Call, bucket: Bucket, record: ObjectRecord, *, has_tags: bool) -> None:
    """Say that an object's tags were put or deleted."""
    if bucket.sends_events:
        described = _described(bucket, record) | {"etag": record.etag}
        detail_type = "Object Tags Added" if has_tags else "Object Tags Deleted"
        await notify(call, bucket, detail_type, {"object": described})


def _described(bucket: Bucket, record: ObjectRecord) -> dict[str, Any]:
    described: dict[str, Any] = {
        "key": record.key,
        "sequencer": f"{int(record.last_modified * 1_000_000):016X}",
    }
    if bucket.versioning != "Unversioned":
        described["version-id"] = record.version_id
    return described
