"""The object store on a local file system.

What is synced when:

- A small body (to 32 KiB), any change of a record, a delete, a bucket: one write and one
  fdatasync of the journal for all changes that wait at that moment.
- A larger body or part: one fdatasync of its own file when it has come whole, then one fsync of
  the directory `staged` for all files of a batch, then the journal as above. The file is then
  renamed to its place, which is synced by the next checkpoint; until then the journal knows.
- A completed multipart upload of several parts: as a larger body, after copying the parts.
- A checkpoint (a journal segment is full, or 5 s without a change): each directory that files
  were renamed into, and the index's log and file.

Keys never become paths.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cloche.engines.objects.filesystem import changes, copying, listing, multipart
from cloche.engines.objects.filesystem.bodies import BodyFiles, is_file
from cloche.engines.objects.filesystem.committer import Committer
from cloche.engines.objects.filesystem.index import Index
from cloche.engines.objects.filesystem.journal import SEGMENT_BYTES, DiskFile, Journal, JournalFile
from cloche.engines.objects.filesystem.locking import DirectoryLock
from cloche.engines.objects.filesystem.maintenance import Maintenance
from cloche.engines.objects.filesystem.queries import Buckets, Queries, StoredPart
from cloche.engines.objects.filesystem.reading import Reader
from cloche.engines.objects.filesystem.recovery import recover
from cloche.engines.objects.filesystem.schema import open_for_writing
from cloche.engines.objects.filesystem.staging import (
    SMALL_BODY_BYTES,
    StagedBytes,
    StagedFile,
    Stager,
)
from cloche.engines.objects.store import (
    Condition,
    FileSlice,
    Listing,
    ObjectBody,
    ObjectRecord,
    Part,
    Staged,
    Upload,
    UploadListing,
    VersioningState,
)

_THREADS = 8
_READ_INLINE_BYTES = 64 * 1024
_LIST_INLINE_KEYS = 100
_COMPLETION_TRIES = 10


class FileSystemObjectStore:
    """An object store in a directory, for one process and one event loop at a time."""

    def __init__(
        self,
        root: Path,
        *,
        now: Callable[[], float],
        journal_segment_bytes: int = SEGMENT_BYTES,
        open_journal_file: Callable[[Path], JournalFile] = DiskFile,
    ) -> None:
        """Open the store, and bring it to where it was when the last process ended or died.

        Args:
            root: the store's directory; made if it isn't there.
            now: seconds since 1970, for `last_modified`.
            journal_segment_bytes: how much is written before a checkpoint.
            open_journal_file: opens a segment of the journal.

        Raises:
            DirectoryInUse: another process has it open.
            JournalDamaged: the disk lost what it had confirmed.
            OSError: the disk is full, or failed.
        """
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._now = now
        self._lock = DirectoryLock(root)
        try:
            self._files = BodyFiles(root)
            self._journal = Journal(
                root / "journal", segment_bytes=journal_segment_bytes, open_file=open_journal_file
            )
            buckets = Buckets()
            index_path = root / "index.sqlite"
            self._index = Index(open_for_writing(index_path), buckets)
            applied = recover(self._index, self._journal, self._files)
        except BaseException:
            self._lock.release()
            raise
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="objects")
        self._stager = Stager(self._files, self._executor)
        self._committer = Committer(self._index, self._journal, self._files, applied=applied)
        self._reader = Reader(index_path, buckets, self._files, self._committer, self._stager)
        self._maintenance = Maintenance(
            index_path, self._index, self._journal, self._files, self._committer
        )

    async def create_bucket(self, bucket: str) -> None:
        """Make room for a bucket; nothing happens if it is there."""
        await self._committer.commit(changes.create_bucket(bucket))

    async def delete_bucket(self, bucket: str) -> None:
        """Remove an empty bucket and its unfinished uploads."""
        await self._committer.commit(changes.delete_bucket(bucket))

    async def stage(
        self,
        body: bytes | AsyncIterable[bytes],
        *,
        algorithms: Collection[str] = ("md5",),
        size_bytes: int | None = None,
    ) -> StagedBytes | StagedFile:
        """Take a body in, in one pass that also computes the digests."""
        return await self._stager.stage(body, algorithms, size_bytes)

    async def stage_copy(
        self,
        source: ObjectRecord,
        *,
        start: int = 0,
        length: int | None = None,
        algorithms: Collection[str] = ("md5",),
    ) -> StagedBytes | StagedFile:
        """Stage bytes of an object that is here already."""
        length = source.size_bytes - start if length is None else length
        if length <= SMALL_BODY_BYTES:
            body = self._reader.body(source, start, length)
            return await self._stager.stage(body, algorithms, length)
        in_thread = self._stager.in_thread
        if copying.can_be_linked(source, start, length, algorithms):
            linked = await in_thread(copying.link, self._files, source)
            if linked is not None:
                return linked
        copy = copying.copy_range
        return await in_thread(copy, self._files, source, start, length, algorithms)

    async def discard(self, staged: Staged) -> None:
        """Drop a staged body that will not be used."""
        if isinstance(staged, StagedFile) and not staged.is_claimed:
            await self._stager.in_thread(self._files.remove_staged, staged.name)

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
        """Make a staged body the key's current version."""
        body = _ours(staged)
        return await self._committer.commit(
            changes.put(
                bucket,
                key,
                body,
                versioning=versioning,
                properties=properties,
                etag=body.digests["md5"].hex() if etag is None else etag,
                condition=condition,
                now_seconds=self._now(),
            ),
            (bucket, key),
        )

    async def head(
        self, bucket: str, key: str, version_id: str | None = None
    ) -> ObjectRecord | None:
        """The current version (which may be a delete marker) or the one named; None if none."""
        if version_id is None:
            found = self._reader.query(lambda queries: queries.current(bucket, key))
        else:
            found = self._reader.query(lambda queries: queries.version(bucket, key, version_id))
        return found.record if found is not None else None

    async def read(
        self, record: ObjectRecord, start: int = 0, length: int | None = None
    ) -> ObjectBody:
        """The bytes of a version.

        Raises:
            FileNotFoundError: the version was removed, and that some time ago.
        """
        end = record.size_bytes if length is None else min(start + length, record.size_bytes)
        length = max(0, end - start)
        if length > _READ_INLINE_BYTES and is_file(record.location):
            return FileSlice(self._files.path(record.location), start, length)
        return self._reader.body(record, start, length)

    async def delete(
        self,
        bucket: str,
        key: str,
        *,
        versioning: VersioningState,
        version_id: str | None = None,
        condition: Condition | None = None,
    ) -> ObjectRecord | None:
        """Delete a key as S3 does."""
        return await self._committer.commit(
            changes.delete(
                bucket,
                key,
                versioning=versioning,
                version_id=version_id,
                condition=condition,
                now_seconds=self._now(),
            ),
            (bucket, key),
        )

    async def update_properties(
        self,
        bucket: str,
        key: str,
        version_id: str | None,
        change: Callable[[ObjectRecord], dict[str, Any]],
    ) -> ObjectRecord | None:
        """Replace a version's properties by what `change` makes of them, atomically."""
        return await self._committer.commit(
            changes.update_properties(bucket, key, version_id, change), (bucket, key)
        )

    async def list(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        after: str = "",
        max_keys: int = 1000,
    ) -> Listing:
        """Current versions that are not delete markers."""

        def query(queries: Queries) -> Listing:
            return listing.list_objects(queries, bucket, prefix, delimiter, after, max_keys)

        # A page without a delimiter is one row; with one, most of a bucket may be passed over.
        if max_keys <= _LIST_INLINE_KEYS or not delimiter:
            return self._reader.query(query)
        return await self._reader.query_in_thread(query)

    async def list_versions(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        key_marker: str = "",
        version_id_marker: str | None = None,
        max_keys: int = 1000,
    ) -> Listing:
        """All versions and delete markers, after the marker."""
        return await self._reader.query_in_thread(
            lambda queries: listing.list_versions(
                queries, bucket, prefix, delimiter, key_marker, version_id_marker, max_keys
            )
        )

    async def create_upload(self, bucket: str, key: str, properties: dict[str, Any]) -> Upload:
        """Begin a multipart upload."""
        change = multipart.create_upload(bucket, key, properties, self._now())
        return await self._committer.commit(change, object())

    async def get_upload(self, bucket: str, key: str, upload_id: str) -> Upload:
        """An upload in progress."""
        _, upload = self._reader.query(lambda queries: queries.upload(bucket, key, upload_id))
        return upload

    async def put_part(
        self, upload: Upload, number: int, staged: Staged, checksums: dict[str, str]
    ) -> Part:
        """Keep a staged body as a part, in place of an earlier one of the same number."""
        change = multipart.put_part(upload, number, _ours(staged), checksums, self._now())
        return await self._committer.commit(change, (upload.upload_id, number))

    async def list_parts(
        self, upload: Upload, *, after: int = 0, max_parts: int = 1000
    ) -> Sequence[Part]:
        """Parts with a number above `after`, in order; one more than `max_parts` if there is."""
        stored = self._reader.query(
            lambda queries: multipart.list_parts(queries, upload, after, max_parts + 1)
        )
        return [part.part for part in stored]

    async def list_uploads(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        key_marker: str = "",
        upload_id_marker: str = "",
        max_uploads: int = 1000,
    ) -> UploadListing:
        """Uploads in progress."""
        return await self._reader.query_in_thread(
            lambda queries: listing.list_uploads(
                queries, bucket, prefix, delimiter, key_marker, upload_id_marker, max_uploads
            )
        )

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
        """Make an object of the parts named, in that order, and forget the upload."""
        for _ in range(_COMPLETION_TRIES):
            parts = self._reader.query(
                lambda queries: multipart.choose_parts(queries, upload, numbers)
            )
            joined = await self._reader.query_in_thread(self._concatenation(parts))
            change = multipart.complete_upload(
                upload,
                parts,
                joined,
                versioning=versioning,
                properties=properties,
                etag=etag,
                condition=condition,
                now_seconds=self._now(),
            )
            try:
                return await self._committer.commit(change)
            except multipart.PartsChanged:
                continue
            finally:
                if joined is not None:
                    await self.discard(joined)
        raise multipart.PartsChanged

    def _concatenation(self, parts: Sequence[StoredPart]) -> Callable[[Queries], StagedFile | None]:
        return lambda queries: multipart.concatenate(self._files, queries, parts)

    async def abort_upload(self, upload: Upload) -> None:
        """Forget an upload and its parts."""
        await self._committer.commit(multipart.abort_upload(upload))

    def local_path(self, record: ObjectRecord) -> Path | None:
        """The file that holds exactly this version's bytes."""
        return self._reader.local_path(record)

    async def close(self) -> None:
        """Finish what is under way; afterwards nothing else may be called."""
        await self._committer.close()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._close)

    def _close(self) -> None:
        self._executor.shutdown()
        self._maintenance.close()
        self._journal.close()
        self._reader.close()
        self._index.connection.close()
        self._lock.release()


def _ours(staged: Staged) -> StagedBytes | StagedFile:
    if not isinstance(staged, StagedBytes | StagedFile):
        raise TypeError(f"{staged!r} was staged by another store")
    return staged
