"""Objects that other services write and read in their own name, such as delivered logs.

No permission is checked here: the service that calls has decided.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from cloche.core.operations import Server
from cloche.engines.objects.store import FileSlice, ObjectRecord, ObjectStore
from cloche.services.s3.bucket_records import Bucket, buckets, no_such_bucket
from cloche.services.s3.checksums import DEFAULT_ALGORITHM, FULL_OBJECT, encoded
from cloche.services.s3.encryption import encryption_of
from cloche.services.s3.errors import NoSuchKey

_PIECE_BYTES = 1 << 20


async def write_object(
    server: Server,
    bucket: str,
    key: str,
    body: bytes | Path,
    content_type: str,
    encryption: Mapping[str, Any] | None = None,
) -> ObjectRecord:
    """Store an object that belongs to the bucket's owner: bytes, or what is in a file.

    It is encrypted as the members of PutObject in `encryption` say, or else as the bucket says.

    Raises:
        NoSuchBucket: there is no such bucket.
    """
    target = _bucket(server, bucket)
    store = server.engine(ObjectStore)
    algorithm = DEFAULT_ALGORITHM.lower()
    if isinstance(body, bytes):
        content, size_bytes = body, len(body)
    else:
        content, size_bytes = _pieces(body), (await asyncio.to_thread(body.stat)).st_size
    staged = await store.stage(content, algorithms=("md5", algorithm), size_bytes=size_bytes)
    properties: dict[str, Any] = {
        "answer": {"ContentType": content_type, **encryption_of(target, encryption or {})},
        "checksums": {f"Checksum{DEFAULT_ALGORITHM}": encoded(staged.digests[algorithm])},
        "checksum_type": FULL_OBJECT,
    }
    return await store.put(bucket, key, staged, versioning=target.versioning, properties=properties)


async def read_object(
    server: Server, bucket: str, key: str, version_id: str | None = None
) -> bytes:
    """All bytes of an object, for objects that fit into memory.

    Raises:
        NoSuchBucket: there is no such bucket.
        NoSuchKey: there is no such object, or it was deleted.
    """
    _bucket(server, bucket)
    store = server.engine(ObjectStore)
    record = await store.head(bucket, key, version_id)
    if record is None or record.is_delete_marker:
        raise NoSuchKey(Key=key)
    body = await store.read(record)
    if isinstance(body, bytes):
        return body
    if isinstance(body, FileSlice):
        return await asyncio.to_thread(_read_slice, body)
    return b"".join([piece async for piece in body])


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece
    finally:
        file.close()


def _read_slice(body: FileSlice) -> bytes:
    with body.path.open("rb") as file:
        file.seek(body.offset)
        return file.read(body.length)


def _bucket(server: Server, name: str) -> Bucket:
    found = server.documents.get_cached(buckets, "", "", name)
    if found is None:
        raise no_such_bucket(name)
    return found
