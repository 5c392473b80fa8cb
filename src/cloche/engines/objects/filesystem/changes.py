"""The changes of buckets and objects: decided in their batch, then written as one entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from cloche.engines.objects.filesystem.batches import Batch, Change
from cloche.engines.objects.filesystem.entries import (
    CreateBucket,
    DeleteBucket,
    PutVersion,
    RemoveVersion,
    ReplaceProperties,
    StoredRecord,
    new_version_id,
)
from cloche.engines.objects.filesystem.queries import Version
from cloche.engines.objects.filesystem.staging import StagedBytes, StagedFile
from cloche.engines.objects.store import (
    NULL_VERSION,
    BucketNotEmpty,
    Condition,
    ObjectRecord,
    VersioningState,
)


def create_bucket(bucket: str) -> Change[None]:
    """Make a bucket unless it is there."""

    def change(batch: Batch) -> None:
        if bucket not in batch.index.buckets:
            batch.write(CreateBucket(bucket))

    return change


def delete_bucket(bucket: str) -> Change[None]:
    """Remove an empty bucket."""

    def change(batch: Batch) -> None:
        if not batch.index.is_empty(bucket):
            raise BucketNotEmpty(bucket)
        batch.write(DeleteBucket(bucket))

    return change


def version_id_for(versioning: VersioningState, sequence: int) -> str:
    """The id of a version that is written now."""
    return new_version_id(sequence) if versioning == "Enabled" else NULL_VERSION


def put(
    bucket: str,
    key: str,
    staged: StagedBytes | StagedFile,
    *,
    versioning: VersioningState,
    properties: dict[str, Any],
    etag: str,
    condition: Condition | None,
    now_seconds: float,
) -> Change[ObjectRecord]:
    """Make a staged body the current version."""
    body = staged.body if isinstance(staged, StagedBytes) else b""
    file = staged if isinstance(staged, StagedFile) else None
    size_bytes = staged.size_bytes

    def change(batch: Batch) -> ObjectRecord:
        check(batch, bucket, key, condition)
        sequence = batch.sequence
        record = StoredRecord(
            bucket,
            key,
            version_id_for(versioning, sequence),
            True,
            False,
            size_bytes,
            etag,
            now_seconds,
            properties,
            (),
            location_of(staged, sequence),
        )
        batch.write(PutVersion(record, len(body)), body=body, staged=file)
        return record

    return change


def location_of(staged: StagedBytes | StagedFile, sequence: int) -> str:
    """Where a body will be that is written with the entry of this sequence number."""
    if isinstance(staged, StagedFile):
        return staged.name
    return str(sequence) if staged.body else ""


def check(batch: Batch, bucket: str, key: str, condition: Condition | None) -> None:
    """Refuse a change of a key that doesn't meet its condition, or whose bucket is gone."""
    batch.index.bucket(bucket)
    if condition is not None:
        current = batch.index.current(bucket, key)
        condition(current.record if current is not None else None)


def delete(
    bucket: str,
    key: str,
    *,
    versioning: VersioningState,
    version_id: str | None,
    condition: Condition | None,
    now_seconds: float,
) -> Change[ObjectRecord | None]:
    """Remove a version, or put a delete marker, as the versioning state has it."""

    def change(batch: Batch) -> ObjectRecord | None:
        check(batch, bucket, key, condition)
        if version_id is None and versioning != "Unversioned":
            return _put_delete_marker(batch, bucket, key, versioning, now_seconds)
        found = batch.index.version(bucket, key, version_id or NULL_VERSION)
        if found is None:
            return None
        batch.write(RemoveVersion(bucket, key, found.sequence))
        return found.record

    return change


def _put_delete_marker(
    batch: Batch, bucket: str, key: str, versioning: VersioningState, now_seconds: float
) -> ObjectRecord:
    version_id = version_id_for(versioning, batch.sequence)
    marker = StoredRecord(bucket, key, version_id, True, True, 0, "", now_seconds)
    batch.write(PutVersion(marker))
    return marker


def update_properties(
    bucket: str,
    key: str,
    version_id: str | None,
    change_properties: Callable[[ObjectRecord], dict[str, Any]],
) -> Change[ObjectRecord | None]:
    """Replace the properties of a version."""

    def change(batch: Batch) -> ObjectRecord | None:
        found: Version | None
        if version_id is None:
            found = batch.index.current(bucket, key)
        else:
            found = batch.index.version(bucket, key, version_id)
        if found is None:
            return None
        properties = change_properties(found.record)
        batch.write(ReplaceProperties(bucket, key, found.sequence, properties))
        return msgspec.structs.replace(found.record, properties=properties)

    return change
