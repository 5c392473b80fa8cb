"""Versions of keys at the endpoint: writing, finding, deleting them. All of this blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from botocore.exceptions import ClientError
from msgspec.structs import replace

from cloche.engines.objects.s3.endpoint import (
    Endpoint,
    content_md5,
    hashed,
    is_lost_race,
    status_of,
)
from cloche.engines.objects.s3.records import (
    Description,
    Records,
    description_in,
    metadata,
    new_id,
    object_id_in,
    record_name,
)
from cloche.engines.objects.s3.staging import StagedBody
from cloche.engines.objects.store import NULL_VERSION, Condition, ObjectRecord, VersioningState


class Found(NamedTuple):
    """A version as it is now.

    Attributes:
        object_id: by which its record is named.
        record_etag: of that record; None if there is none yet.
    """

    record: ObjectRecord
    object_id: str = ""
    record_etag: str | None = None


class Versions:
    """Versions of keys.

    `ObjectRecord.location` is the ETag that the endpoint gave the bytes.
    """

    def __init__(self, endpoint: Endpoint, records: Records, now: Callable[[], float]) -> None:
        self._endpoint = endpoint
        self._s3 = endpoint.s3
        self._records = records
        self._now = now

    def head(self, bucket: str, key: str, version_id: str | None) -> ObjectRecord | None:
        """See `ObjectStore.head`."""
        found = self.find(bucket, key, version_id)
        return None if found is None else found.record

    def find(
        self, bucket: str, key: str, version_id: str | None, is_latest: bool | None = None
    ) -> Found | None:
        """A version, or the current one; asks whether it is the latest if that is not known."""
        if version_id == "":
            return None
        options = {} if version_id is None else {"VersionId": version_id}
        try:
            answer = self._s3.head_object(Bucket=self._endpoint.name(bucket), Key=key, **options)
        except ClientError as error:
            return self._not_found(error, bucket, key, version_id)
        found_id = answer.get("VersionId", NULL_VERSION)
        is_current = is_latest
        if is_current is None:
            is_current = version_id is None or self._current_id(bucket, key) == found_id
        etag = answer["ETag"].strip('"')
        object_id = object_id_in(answer["Metadata"]) or hashed(key, found_id, etag)
        kept = self._records.get(record_name(bucket, object_id), Description)
        description = kept[0] if kept else description_in(answer["Metadata"])
        if description is None:  # somebody else wrote it
            description = Description(etag, answer["LastModified"].timestamp(), {})
        size_bytes = answer["ContentLength"]
        record = _record(bucket, key, found_id, is_current, size_bytes, description, etag)
        return Found(record, object_id, kept[1] if kept else None)

    def _not_found(
        self, error: ClientError, bucket: str, key: str, version_id: str | None
    ) -> Found | None:
        headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        if headers.get("x-amz-delete-marker") == "true":
            return self._marker(bucket, key, version_id)
        if status_of(error) in (400, 404):  # 400 for what cannot be a version's id
            return None
        raise error

    def _current_id(self, bucket: str, key: str) -> str | None:
        try:
            answer = self._s3.head_object(Bucket=self._endpoint.name(bucket), Key=key)
        except ClientError as error:
            if status_of(error) == 404:
                return None
            raise
        return answer.get("VersionId", NULL_VERSION)

    def _marker(self, bucket: str, key: str, version_id: str | None) -> Found | None:
        """A delete marker, of which only listings tell all."""
        pages = self._s3.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self._endpoint.name(bucket), Prefix=key):
            for entry in page.get("DeleteMarkers", ()):
                is_it = (
                    entry["IsLatest"] if version_id is None else (entry["VersionId"] == version_id)
                )
                if entry["Key"] == key and is_it:
                    return Found(marker_record(bucket, entry))
        return None

    def put(
        self,
        bucket: str,
        key: str,
        staged: StagedBody,
        versioning: VersioningState,
        description: Description,
        condition: Condition | None,
    ) -> ObjectRecord:
        """See `ObjectStore.put`."""
        name, object_id = self._endpoint.name(bucket), new_id()
        self._endpoint.set_versioning(bucket, versioning)
        described = metadata(object_id, description)
        if described is None:
            described = {"cloche-id": object_id}
            self._records.put(record_name(bucket, object_id), description)

        def write(options: dict[str, str]) -> dict[str, Any]:
            return self._s3.put_object(
                Bucket=name,
                Key=key,
                Body=staged.rewound(),
                ContentMD5=content_md5(staged.digests["md5"]),
                Metadata=described,
                **options,
            )

        with self._endpoint.lock(bucket, key):
            answer = self.write(bucket, key, object_id, condition, write)
        if isinstance(answer, ObjectRecord):
            return answer
        etag = answer["ETag"].strip('"')
        version_id = answer.get("VersionId", NULL_VERSION)
        return _record(bucket, key, version_id, True, staged.size_bytes, description, etag)

    def write(
        self,
        bucket: str,
        key: str,
        object_id: str,
        condition: Condition | None,
        write: Callable[[dict[str, str]], dict[str, Any]],
    ) -> dict[str, Any] | ObjectRecord:
        """Write under a condition, which the endpoint is told as far as it knows such.

        It is told the ETag of what the condition saw, or that it saw nothing; where the key has
        changed since, the condition is asked again. An object under `object_id` is what an
        earlier attempt wrote whose answer was lost, and is returned.
        """
        while True:
            options: dict[str, str] = {}
            if condition is not None:
                found = self.find(bucket, key, None)
                if found is not None and found.object_id == object_id:
                    return found.record
                current = None if found is None else found.record
                condition(current)
                if current is None or current.is_delete_marker:
                    options = {"IfNoneMatch": "*"}
                else:
                    options = {"IfMatch": f'"{current.location}"'}
            try:
                return write(options)
            except ClientError as error:
                is_gone = "IfMatch" in options and status_of(error) == 404
                if not (is_lost_race(error) or is_gone) or condition is None:
                    raise

    def delete(
        self,
        bucket: str,
        key: str,
        versioning: VersioningState,
        version_id: str | None,
        condition: Condition | None,
    ) -> ObjectRecord | None:
        """See `ObjectStore.delete`; the condition is asked just before."""
        with self._endpoint.lock(bucket, key):
            found = self.find(bucket, key, version_id)
            if condition is not None:
                condition(self.head(bucket, key, None) if version_id else found and found.record)
            if version_id is None and versioning != "Unversioned":
                return self._make_marker(bucket, key, versioning)
            if found is None:
                return None
            self._s3.delete_object(
                Bucket=self._endpoint.name(bucket), Key=key, VersionId=found.record.version_id
            )
            if found.record_etag is not None:
                self._records.delete(record_name(bucket, found.object_id))
            return found.record

    def _make_marker(self, bucket: str, key: str, versioning: VersioningState) -> ObjectRecord:
        self._endpoint.set_versioning(bucket, versioning)
        answer = self._s3.delete_object(Bucket=self._endpoint.name(bucket), Key=key)
        version_id = answer.get("VersionId", NULL_VERSION)
        marker = self._marker(bucket, key, version_id)
        if marker is not None:
            return marker.record
        return ObjectRecord(bucket, key, version_id, False, True, 0, "", self._now())

    def update(
        self,
        bucket: str,
        key: str,
        version_id: str | None,
        change: Callable[[ObjectRecord], dict[str, Any]],
    ) -> ObjectRecord | None:
        """See `ObjectStore.update_properties`; the bytes and their version are not touched."""
        with self._endpoint.lock(bucket, key):
            while True:
                found = self.find(bucket, key, version_id)
                if found is None or found.record.is_delete_marker:
                    return None
                record = found.record
                changed = replace(record, properties=change(record))
                description = Description(
                    record.etag, record.last_modified, changed.properties, record.parts
                )
                known = found.record_etag
                guard = {"IfNoneMatch": "*"} if known is None else {"IfMatch": known}
                try:
                    self._records.put(record_name(bucket, found.object_id), description, **guard)
                except ClientError as error:
                    if not is_lost_race(error):
                        raise
                else:
                    return changed


def marker_record(bucket: str, entry: dict[str, Any]) -> ObjectRecord:
    """A delete marker as a listing has it."""
    return ObjectRecord(
        bucket,
        entry["Key"],
        entry["VersionId"],
        entry["IsLatest"],
        True,
        0,
        "",
        entry["LastModified"].timestamp(),
    )


def _record(
    bucket: str,
    key: str,
    version_id: str,
    is_latest: bool,
    size_bytes: int,
    description: Description,
    location: str,
) -> ObjectRecord:
    return ObjectRecord(
        bucket,
        key,
        version_id,
        is_latest,
        False,
        size_bytes,
        description.etag,
        description.last_modified,
        description.properties,
        description.parts,
        location,
    )
