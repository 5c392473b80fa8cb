"""Finding the version that a request names, and what to say if it is not there."""

from __future__ import annotations

import re
from email.utils import formatdate

from cloche.core.operations import Call
from cloche.engines.objects.store import NULL_VERSION, ObjectRecord, ObjectStore
from cloche.services.s3.authorization import missing_key_error
from cloche.services.s3.bucket_records import Bucket
from cloche.services.s3.errors import (
    InvalidArgument,
    InvalidObjectState,
    MethodNotAllowed,
    NoSuchKey,
    NoSuchVersion,
)
from cloche.services.s3.object_properties import storage_class

_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_VERSION_ID = re.compile(r"[A-Za-z0-9._-]{32}")


def check_version_id(version_id: str | None) -> None:
    """Refuse what can be no version's id.

    Raises:
        InvalidArgument: it is empty or has another form.
    """
    if version_id is None or version_id == NULL_VERSION or _VERSION_ID.fullmatch(version_id):
        return
    message = (
        "Invalid version id specified" if version_id else "Version id cannot be the empty string"
    )
    raise InvalidArgument(message, ArgumentName="versionId", ArgumentValue=version_id)


def version_members(bucket: Bucket, record: ObjectRecord) -> dict[str, str]:
    """A version's id, if the bucket ever had versioning."""
    return {} if bucket.versioning == "Unversioned" else {"VersionId": record.version_id}


def check_readable(record: ObjectRecord) -> None:
    """Refuse to read what is archived.

    Raises:
        InvalidObjectState: its storage class keeps it where it must be restored from first.
    """
    kind = storage_class(record)
    if kind in _ARCHIVED:
        raise InvalidObjectState(StorageClass=kind)


async def find_version(
    call: Call, bucket: Bucket, key: str, version_id: str | None = None
) -> ObjectRecord:
    """A version that has bytes: the one named, or the current one.

    Raises:
        NoSuchKey: there is none, or the current one is a delete marker.
        NoSuchVersion: the key has no version of that id.
        MethodNotAllowed: it is a delete marker.
        AccessDenied: there is none, and the caller may not know.
    """
    check_version_id(version_id)
    record = await call.engine(ObjectStore).head(bucket.name, key, version_id)
    if record is None:
        if version_id is None:
            raise missing_key_error(call, bucket, key)
        error = missing_key_error(call, bucket, key, error=NoSuchVersion)
        if isinstance(error, NoSuchVersion):
            error.members["VersionId"] = version_id
        raise error
    if record.is_delete_marker:
        raise _is_deleted(call, bucket, record, is_named=version_id is not None)
    return record


def _is_deleted(call: Call, bucket: Bucket, marker: ObjectRecord, *, is_named: bool) -> Exception:
    headers = {"x-amz-delete-marker": "true", "x-amz-version-id": marker.version_id}
    if is_named:
        headers["allow"] = "DELETE"
        headers["last-modified"] = formatdate(marker.last_modified, usegmt=True)
        method = "GET" if call.http is None else call.http.method
        return MethodNotAllowed(headers=headers, Method=method, ResourceType="DeleteMarker")
    error = missing_key_error(call, bucket, marker.key)
    if isinstance(error, NoSuchKey):
        error.headers.update(headers)
    return error
