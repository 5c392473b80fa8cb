"""Multipart uploads: each part is a body of its own until the upload is completed.

At completion the parts are copied, within the kernel, to one file, which is synced before the
answer. An object that stays a list of parts would spare that copy; but then reading it, or a
range of it, would no longer be one `sendfile`, and engines that read files themselves would find
none, for as long as the object lives.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from typing import Any

import msgspec

from cloche.engines.objects.filesystem.batches import Batch, Change
from cloche.engines.objects.filesystem.bodies import BodyFiles, is_file
from cloche.engines.objects.filesystem.changes import check, location_of, version_id_for
from cloche.engines.objects.filesystem.entries import (
    AbortUpload,
    CompleteUpload,
    CreateUpload,
    PutPart,
    StoredRecord,
)
from cloche.engines.objects.filesystem.queries import Queries, StoredPart
from cloche.engines.objects.filesystem.staging import StagedBytes, StagedFile
from cloche.engines.objects.filesystem.syncing import sync_data
from cloche.engines.objects.store import (
    Condition,
    ObjectRecord,
    Part,
    PartNotFound,
    Upload,
    VersioningState,
)

_UPLOAD_ID_BYTES = 48


class PartsChanged(Exception):
    """A part was replaced while the parts were being put together."""


def create_upload(
    bucket: str, key: str, properties: dict[str, Any], now_seconds: float
) -> Change[Upload]:
    """Begin an upload."""

    def change(batch: Batch) -> Upload:
        batch.index.bucket(bucket)
        upload_id = secrets.token_urlsafe(_UPLOAD_ID_BYTES)
        upload = Upload(bucket, key, upload_id, now_seconds, properties)
        batch.write(CreateUpload(upload))
        return upload

    return change


def put_part(
    upload: Upload,
    number: int,
    staged: StagedBytes | StagedFile,
    checksums: dict[str, str],
    now_seconds: float,
) -> Change[Part]:
    """Keep a staged body as a part."""
    etag = staged.digests["md5"].hex()
    part = Part(number, staged.size_bytes, etag, now_seconds, checksums)
    body = staged.body if isinstance(staged, StagedBytes) else b""
    file = staged if isinstance(staged, StagedFile) else None

    def change(batch: Batch) -> Part:
        batch.index.upload(upload.bucket, upload.key, upload.upload_id)
        location = location_of(staged, batch.sequence)
        entry = PutPart(upload.upload_id, part, location, len(body))
        batch.write(entry, body=body, staged=file)
        return part

    return change


def abort_upload(upload: Upload) -> Change[None]:
    """Forget an upload."""

    def change(batch: Batch) -> None:
        batch.index.upload(upload.bucket, upload.key, upload.upload_id)
        batch.write(AbortUpload(upload.upload_id))

    return change


def list_parts(
    queries: Queries, upload: Upload, after: int = 0, limit: int = -1
) -> list[StoredPart]:
    """An upload's parts in the order of their numbers.

    Raises:
        UploadNotFound: the upload is not in progress.
    """
    number, _ = queries.upload(upload.bucket, upload.key, upload.upload_id)
    return queries.parts(number, after, limit)


def choose_parts(queries: Queries, upload: Upload, numbers: Sequence[int]) -> list[StoredPart]:
    """The parts with these numbers, in this order.

    Raises:
        UploadNotFound: the upload is not in progress.
        PartNotFound: a part was not uploaded, or no part is named.
    """
    stored = {part.part.number: part for part in list_parts(queries, upload)}
    missing = [number for number in numbers if number not in stored]
    if missing or not numbers:
        raise PartNotFound(missing[0] if missing else 0)
    return [stored[number] for number in numbers]


def concatenate(
    files: BodyFiles, queries: Queries, parts: Sequence[StoredPart]
) -> StagedFile | None:
    """One synced file of all the parts; None if there is but one, whose body can be taken as it is.

    Raises:
        FileNotFoundError: a part was replaced, or the upload ended, long ago.
        OSError: the disk is full, or failed.
    """
    if len(parts) == 1:
        return None
    name = files.new_name()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    target = os.open(files.staged_path(name), flags, 0o600)
    try:
        for part, location in parts:
            if is_file(location):
                _append_file(target, str(files.path(location)), part.size_bytes)
            elif location:
                _append_bytes(target, queries.body(location))
        sync_data(target)
    except OSError:
        files.remove_staged(name)
        raise
    finally:
        os.close(target)
    return StagedFile(name, sum(part.size_bytes for part, _ in parts), {})


def _append_file(target: int, path: str, size_bytes: int) -> None:
    source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        rest = size_bytes
        while rest:
            if hasattr(os, "copy_file_range"):
                copied = os.copy_file_range(source, target, rest)
            else:
                copied = os.write(target, os.read(source, min(rest, 1024 * 1024)))
            if not copied:
                raise FileNotFoundError(path)
            rest -= copied
    finally:
        os.close(source)


def _append_bytes(target: int, body: bytes | None) -> None:
    if body is None:
        raise FileNotFoundError("a small part")
    rest = memoryview(body)
    while rest:
        rest = rest[os.write(target, rest) :]


def complete_upload(
    upload: Upload,
    parts: Sequence[StoredPart],
    joined: StagedFile | None,
    *,
    versioning: VersioningState,
    properties: dict[str, Any],
    etag: str,
    condition: Condition | None,
    now_seconds: float,
) -> Change[ObjectRecord]:
    """Make an object of parts whose bytes are `joined`, or in the only part's own place.

    The change raises PartsChanged if the parts aren't the upload's any more.
    """
    numbers = [stored.part.number for stored in parts]
    location = joined.name if joined is not None else parts[0].location

    def change(batch: Batch) -> ObjectRecord:
        if choose_parts(batch.index, upload, numbers) != parts:
            raise PartsChanged
        check(batch, upload.bucket, upload.key, condition)
        record = StoredRecord(
            upload.bucket,
            upload.key,
            version_id_for(versioning, batch.sequence),
            True,
            False,
            sum(stored.part.size_bytes for stored in parts),
            etag,
            now_seconds,
            properties,
            (),
            location,
        )
        entry = CompleteUpload(upload.upload_id, numbers, record)
        batch.write(entry, staged=joined)
        return msgspec.structs.replace(record, parts=tuple(stored.part for stored in parts))

    return change
