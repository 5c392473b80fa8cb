"""The object store in front of another S3 endpoint.

Keys, bodies, versions, delete markers and uploads are the endpoint's own, in buckets of the same
names behind a prefix; `records` tells where the rest is kept. Requests run in threads.

Differences from the interface, all because the endpoint decides:

- A body that was replaced or deleted for good cannot be read any more, unless it was begun.
- Parts other than the last need 5 MiB.
- The condition of a deletion is asked just before it. Deletions and puts by this server do not
  come between, those by others may.
- Completion of an upload takes the parts that it saw; one that is replaced meanwhile is refused.
- Which state the endpoint's versioning has is remembered by each server, so a bucket's state may
  be changed only while one server works on it.
- A listing asks for each entry twice (properties), in parallel.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar, cast

from botocore.exceptions import ClientError

from cloche.engines.objects.s3 import staging
from cloche.engines.objects.s3.endpoint import Endpoint, code_of, translated
from cloche.engines.objects.s3.listing import Entry, Listings
from cloche.engines.objects.s3.multipart import Uploads, chosen
from cloche.engines.objects.s3.records import Description, Records
from cloche.engines.objects.s3.staging import StagedBody
from cloche.engines.objects.s3.versions import Versions
from cloche.engines.objects.store import (
    BucketNotEmpty,
    Condition,
    Listing,
    ObjectBody,
    ObjectRecord,
    Part,
    Staged,
    Upload,
    UploadListing,
    UploadNotFound,
    VersioningState,
)

_THREADS = 32
_PIECE_BYTES = 1024 * 1024
_MAX_PARTS = 10_000
_PAGE_ENTRIES = 1000

_T = TypeVar("_T")


class S3ObjectStore:
    """See `ObjectStore` and this module.

    Args:
        url: see `Endpoint`.
        directory: for bodies on their way; what is in it has no names.
        now: Cloche's time.

    Raises:
        RuntimeError: boto3 is not installed.
    """

    def __init__(self, url: str, directory: Path, *, now: Callable[[], float]) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self._now = now
        self._endpoint = Endpoint(url, _THREADS)
        self._s3 = self._endpoint.s3
        self._records = Records(self._endpoint)
        self._versions = Versions(self._endpoint, self._records, now)
        self._uploads = Uploads(self._endpoint, self._records, self._versions, now)
        self._listings = Listings(self._endpoint)
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="s3-objects")

    async def _in_thread(self, work: Callable[..., _T], *arguments: Any) -> _T:
        def translating() -> _T:
            with translated():
                return work(*arguments)

        return await asyncio.get_running_loop().run_in_executor(self._executor, translating)

    async def create_bucket(self, bucket: str) -> None:
        """See `ObjectStore`."""
        await self._in_thread(self._endpoint.make_bucket, self._endpoint.name(bucket))

    async def delete_bucket(self, bucket: str) -> None:
        """See `ObjectStore`."""
        await self._in_thread(self._delete_bucket, bucket)

    def _delete_bucket(self, bucket: str) -> None:
        name = self._endpoint.name(bucket)
        if self._listings.versions(bucket, "", "", "", None, 1).entries:
            raise BucketNotEmpty(bucket)
        pages = self._s3.get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=name):
            for found in page.get("Uploads", ()):
                self._s3.abort_multipart_upload(
                    Bucket=name, Key=found["Key"], UploadId=found["UploadId"]
                )
        self._s3.delete_bucket(Bucket=name)
        self._endpoint.forget(bucket)
        for kind in ("objects", "uploads", "parts"):
            self._records.delete_all(f"{kind}/{bucket}/")

    async def stage(
        self,
        body: bytes | AsyncIterable[bytes],
        *,
        algorithms: Collection[str] = ("md5",),
        size_bytes: int | None = None,
    ) -> StagedBody:
        """See `ObjectStore`."""
        return await staging.stage(body, algorithms, size_bytes, self._directory, self._in_thread)

    async def stage_copy(
        self,
        source: ObjectRecord,
        *,
        start: int = 0,
        length: int | None = None,
        algorithms: Collection[str] = ("md5",),
    ) -> StagedBody:
        """See `ObjectStore`; the bytes are fetched, and sent again when they are put."""
        body = await self.read(source, start, length)
        return await self.stage(cast("bytes | AsyncIterator[bytes]", body), algorithms=algorithms)

    async def discard(self, staged: Staged) -> None:
        """See `ObjectStore`."""
        cast("StagedBody", staged).file.close()

    async def put(
        self,
        bucket: str,
        key: str,
        staged: Staged,
        *,
        versioning: VersioningState,
        properties: dict[str, Any],
        etag: str | None = None,
        condition: Condition | None = None,
    ) -> ObjectRecord:
        """See `ObjectStore`."""
        key.encode()
        body = cast("StagedBody", staged)
        etag = body.digests["md5"].hex() if etag is None else etag
        description = Description(etag, self._now(), properties)
        record = await self._in_thread(
            self._versions.put, bucket, key, body, versioning, description, condition
        )
        body.file.close()
        return record

    async def head(
        self, bucket: str, key: str, version_id: str | None = None
    ) -> ObjectRecord | None:
        """See `ObjectStore`."""
        return await self._in_thread(self._versions.head, bucket, key, version_id)

    async def read(
        self, record: ObjectRecord, start: int = 0, length: int | None = None
    ) -> ObjectBody:
        """See `ObjectStore`.

        Raises:
            LookupError: the version was replaced or deleted since.
        """
        end = record.size_bytes if length is None else min(start + length, record.size_bytes)
        if start >= end:
            return b""
        body = await self._in_thread(self._open, record, start, end)
        if end - start <= _PIECE_BYTES:
            return await self._in_thread(body.read)
        return self._stream(body)

    def _open(self, record: ObjectRecord, start: int, end: int) -> Any:
        try:
            answer = self._s3.get_object(
                Bucket=self._endpoint.name(record.bucket),
                Key=record.key,
                VersionId=record.version_id,
                IfMatch=f'"{record.location}"',
                Range=f"bytes={start}-{end - 1}",
            )
        except ClientError as error:
            if code_of(error) in ("NoSuchKey", "NoSuchVersion", "PreconditionFailed"):
                raise LookupError(record.key) from error
            raise
        return answer["Body"]

    async def _stream(self, body: Any) -> AsyncIterator[bytes]:
        try:
            while piece := await self._in_thread(body.read, _PIECE_BYTES):
                yield piece
        finally:
            body.close()

    async def delete(
        self,
        bucket: str,
        key: str,
        *,
        versioning: VersioningState,
        version_id: str | None = None,
        condition: Condition | None = None,
    ) -> ObjectRecord | None:
        """See `ObjectStore`."""
        return await self._in_thread(
            self._versions.delete, bucket, key, versioning, version_id, condition
        )

    async def update_properties(
        self,
        bucket: str,
        key: str,
        version_id: str | None,
        change: Callable[[ObjectRecord], dict[str, Any]],
    ) -> ObjectRecord | None:
        """See `ObjectStore`."""
        return await self._in_thread(self._versions.update, bucket, key, version_id, change)

    async def list(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        after: str = "",
        max_keys: int = _PAGE_ENTRIES,
    ) -> Listing:
        """See `ObjectStore`; at most a thousand a page."""
        if max_keys <= 0:
            return Listing([], [])
        page = await self._in_thread(
            self._listings.keys, bucket, prefix, delimiter, after, max_keys
        )
        records = await self._described(bucket, page.entries, with_version=False)
        return Listing(records, page.common_prefixes, page.next_key)

    async def list_versions(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        key_marker: str = "",
        version_id_marker: str | None = None,
        max_keys: int = _PAGE_ENTRIES,
    ) -> Listing:
        """See `ObjectStore`; at most a thousand a page."""
        if max_keys <= 0:
            return Listing([], [])
        page = await self._in_thread(
            self._listings.versions,
            bucket,
            prefix,
            delimiter,
            key_marker,
            version_id_marker,
            max_keys,
        )
        records = await self._described(bucket, page.entries, with_version=True)
        return Listing(records, page.common_prefixes, page.next_key, page.next_id)

    async def _described(
        self, bucket: str, entries: Sequence[Entry], *, with_version: bool
    ) -> Sequence[ObjectRecord]:
        """The records of a page, without parts; what went since it was listed is left out."""

        def describe(entry: Entry) -> ObjectRecord | None:
            if entry.marker is not None:
                return entry.marker
            version_id = entry.id if with_version else None
            found = self._versions.find(bucket, entry.key, version_id, entry.is_latest)
            return None if found is None or found.record.is_delete_marker else found.record

        found = await asyncio.gather(*(self._in_thread(describe, entry) for entry in entries))
        return [record for record in found if record is not None]

    async def create_upload(self, bucket: str, key: str, properties: dict[str, Any]) -> Upload:
        """See `ObjectStore`."""
        key.encode()
        return await self._in_thread(self._uploads.create, bucket, key, properties)

    async def get_upload(self, bucket: str, key: str, upload_id: str) -> Upload:
        """See `ObjectStore`."""
        return await self._in_thread(self._uploads.get, bucket, key, upload_id)

    async def put_part(
        self, upload: Upload, number: int, staged: Staged, checksums: dict[str, str]
    ) -> Part:
        """See `ObjectStore`."""
        body = cast("StagedBody", staged)
        part = await self._in_thread(self._uploads.put_part, upload, number, body, checksums)
        body.file.close()
        return part

    async def list_parts(
        self, upload: Upload, *, after: int = 0, max_parts: int = _PAGE_ENTRIES
    ) -> Sequence[Part]:
        """See `ObjectStore`."""
        found = await self._in_thread(self._uploads.part_numbers, upload, after, max_parts + 1)
        return [part for part, _ in await self._described_parts(upload, found)]

    async def _described_parts(
        self, upload: Upload, parts: Sequence[tuple[Part, str]]
    ) -> Sequence[tuple[Part, str]]:
        described = await asyncio.gather(
            *(self._in_thread(self._uploads.described_part, upload, *pair) for pair in parts)
        )
        return [(part, etag) for part, (_, etag) in zip(described, parts, strict=True)]

    async def list_uploads(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        key_marker: str = "",
        upload_id_marker: str = "",
        max_uploads: int = _PAGE_ENTRIES,
    ) -> UploadListing:
        """See `ObjectStore`; uploads that others began at the endpoint are left out."""
        page = await self._in_thread(
            self._listings.uploads,
            bucket,
            prefix,
            delimiter,
            key_marker,
            upload_id_marker,
            max_uploads,
        )

        def get(entry: Entry) -> Upload | None:
            try:
                return self._uploads.get(bucket, entry.key, entry.id)
            except UploadNotFound:
                return None

        found = await asyncio.gather(*(self._in_thread(get, entry) for entry in page.entries))
        uploads = [upload for upload in found if upload is not None]
        return UploadListing(uploads, page.common_prefixes, page.next_key, page.next_id)

    async def complete_upload(
        self,
        upload: Upload,
        numbers: Sequence[int],
        *,
        versioning: VersioningState,
        properties: dict[str, Any],
        etag: str,
        condition: Condition | None = None,
    ) -> ObjectRecord:
        """See `ObjectStore`."""
        found = await self._in_thread(self._uploads.part_numbers, upload, 0, _MAX_PARTS)
        parts = await self._described_parts(upload, chosen(found, numbers))
        return await self._in_thread(
            self._uploads.complete, upload, parts, versioning, properties, etag, condition
        )

    async def abort_upload(self, upload: Upload) -> None:
        """See `ObjectStore`."""
        await self._in_thread(self._uploads.abort, upload)

    def local_path(self, record: ObjectRecord) -> Path | None:
        """None: nothing is in a file here."""
        return None

    async def close(self) -> None:
        """See `ObjectStore`."""
        await asyncio.to_thread(self._executor.shutdown)
        self._s3.close()
