"""Multipart uploads as the endpoint's own, with records of what it does not keep. This blocks.

An upload's properties are in `uploads/<bucket>/<hash of its id>`, the checksums of a part in
`parts/<bucket>/<hash>/<number>`, both in the bucket of records. The object's description is
written under `objects/<bucket>/<id>` before the upload is completed; its id was given to the
endpoint as metadata when the upload was begun.

The endpoint enforces that all parts but the last have 5 MiB, as S3 does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from cloche.engines.objects.s3.endpoint import Endpoint, content_md5, hashed
from cloche.engines.objects.s3.records import Description, Records, metadata, new_id, record_name
from cloche.engines.objects.s3.staging import StagedBody
from cloche.engines.objects.s3.versions import Versions
from cloche.engines.objects.store import (
    NULL_VERSION,
    Condition,
    ObjectRecord,
    Part,
    PartNotFound,
    Upload,
    UploadNotFound,
    VersioningState,
)

_PAGE_PARTS = 1000


class _UploadRecord(msgspec.Struct, frozen=True):
    upload: Upload
    object_id: str


class _PartRecord(msgspec.Struct, frozen=True):
    remote_etag: str
    part: Part


class Uploads:
    """Multipart uploads."""

    def __init__(
        self, endpoint: Endpoint, records: Records, versions: Versions, now: Callable[[], float]
    ) -> None:
        self._endpoint = endpoint
        self._s3 = endpoint.s3
        self._records = records
        self._versions = versions
        self._now = now

    def create(self, bucket: str, key: str, properties: dict[str, Any]) -> Upload:
        """See `ObjectStore.create_upload`."""
        object_id = new_id()
        answer = self._s3.create_multipart_upload(
            Bucket=self._endpoint.name(bucket), Key=key, Metadata=metadata(object_id, None)
        )
        upload = Upload(bucket, key, answer["UploadId"], self._now(), properties)
        self._records.put(_upload_name(bucket, upload.upload_id), _UploadRecord(upload, object_id))
        return upload

    def get(self, bucket: str, key: str, upload_id: str) -> Upload:
        """See `ObjectStore.get_upload`."""
        return self._record(bucket, key, upload_id).upload

    def _record(self, bucket: str, key: str, upload_id: str) -> _UploadRecord:
        found = self._records.get(_upload_name(bucket, upload_id), _UploadRecord)
        if found is None or found[0].upload.key != key:
            raise UploadNotFound(upload_id)
        return found[0]

    def put_part(
        self, upload: Upload, number: int, staged: StagedBody, checksums: dict[str, str]
    ) -> Part:
        """See `ObjectStore.put_part`."""
        etag = staged.digests["md5"].hex()
        part = Part(number, staged.size_bytes, etag, self._now(), checksums)
        with self._endpoint.lock(upload.upload_id, str(number)):
            answer = self._s3.upload_part(
                **self._names(upload),
                PartNumber=number,
                Body=staged.rewound(),
                ContentMD5=content_md5(staged.digests["md5"]),
            )
            record = _PartRecord(answer["ETag"], part)
            self._records.put(_part_name(upload, number), record)
        return part

    def part_numbers(self, upload: Upload, after: int, limit: int) -> list[tuple[Part, str]]:
        """Parts as the endpoint lists them, with their ETags there."""
        found: list[tuple[Part, str]] = []
        while len(found) < limit:
            page = self._s3.list_parts(
                **self._names(upload),
                PartNumberMarker=after,
                MaxParts=min(_PAGE_PARTS, limit - len(found)),
            )
            for entry in page.get("Parts", ()):
                modified = entry["LastModified"].timestamp()
                etag, after = entry["ETag"], entry["PartNumber"]
                found.append((Part(after, entry["Size"], etag.strip('"'), modified), etag))
            if not page.get("IsTruncated"):
                break
        return found

    def described_part(self, upload: Upload, part: Part, remote_etag: str) -> Part:
        """A part with its checksums, unless it is being replaced just now."""
        found = self._records.get(_part_name(upload, part.number), _PartRecord)
        return found[0].part if found and found[0].remote_etag == remote_etag else part

    def complete(
        self,
        upload: Upload,
        parts: Sequence[tuple[Part, str]],
        versioning: VersioningState,
        properties: dict[str, Any],
        etag: str,
        condition: Condition | None,
    ) -> ObjectRecord:
        """See `ObjectStore.complete_upload`; `parts` are those chosen, with the ETags there."""
        bucket, key = upload.bucket, upload.key
        object_id = self._record(bucket, key, upload.upload_id).object_id
        made = tuple(part for part, _ in parts)
        description = Description(etag, self._now(), properties, made)
        listed = [{"PartNumber": part.number, "ETag": remote} for part, remote in parts]
        self._endpoint.set_versioning(bucket, versioning)

        def write(options: dict[str, str]) -> dict[str, Any]:
            self._records.put(record_name(bucket, object_id), description)
            return self._s3.complete_multipart_upload(
                **self._names(upload), MultipartUpload={"Parts": listed}, **options
            )

        with self._endpoint.lock(bucket, key):
            answer = self._versions.write(bucket, key, object_id, condition, write)
        self._forget(upload)
        if isinstance(answer, ObjectRecord):
            return answer
        return ObjectRecord(
            bucket,
            key,
            answer.get("VersionId", NULL_VERSION),
            True,
            False,
            sum(part.size_bytes for part in made),
            etag,
            description.last_modified,
            properties,
            made,
            answer["ETag"].strip('"'),
        )

    def abort(self, upload: Upload) -> None:
        """See `ObjectStore.abort_upload`."""
        self._record(upload.bucket, upload.key, upload.upload_id)
        self._s3.abort_multipart_upload(**self._names(upload))
        self._forget(upload)

    def _forget(self, upload: Upload) -> None:
        self._records.delete(_upload_name(upload.bucket, upload.upload_id))
        self._records.delete_all(_part_name(upload, ""))

    def _names(self, upload: Upload) -> dict[str, str]:
        return {
            "Bucket": self._endpoint.name(upload.bucket),
            "Key": upload.key,
            "UploadId": upload.upload_id,
        }


def chosen(parts: Sequence[tuple[Part, str]], numbers: Sequence[int]) -> list[tuple[Part, str]]:
    """The parts with these numbers.

    Raises:
        PartNotFound: a part was not uploaded, or none is named.
    """
    by_number = {part.number: (part, etag) for part, etag in parts}
    missing = [number for number in numbers if number not in by_number]
    if missing or not numbers:
        raise PartNotFound(missing[0] if missing else 0)
    return [by_number[number] for number in numbers]


def _upload_name(bucket: str, upload_id: str) -> str:
    return f"uploads/{bucket}/{hashed(upload_id)}"


def _part_name(upload: Upload, number: int | str) -> str:
    return f"parts/{upload.bucket}/{hashed(upload.upload_id)}/{number}"
