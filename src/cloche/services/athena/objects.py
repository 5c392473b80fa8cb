"""Objects in S3 as a query reads and writes them: as its caller, from threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from cloche.core.errors import AWSError
from cloche.core.operations import Call, Server
from cloche.core.principals import Principal
from cloche.engines.objects.store import FileSlice, ObjectRecord, ObjectStore
from cloche.services.s3 import service as s3
from cloche.services.s3.authorization import authorize
from cloche.services.s3.bucket_records import Bucket, buckets, no_such_bucket
from cloche.services.s3.checksums import DEFAULT_ALGORITHM, FULL_OBJECT, encoded
from cloche.services.s3.encryption import encryption_of

T = TypeVar("T")

_PIECE_BYTES = 1 << 20
_WAIT_SECONDS = 3600


class Objects:
    """The objects that one principal may read and write.

    Args:
        server: the server.
        loop: of the object store.
        principal: in whose name.
        region: of the calls that are checked.
    """

    def __init__(
        self,
        server: Server,
        loop: asyncio.AbstractEventLoop,
        principal: Principal,
        region: str,
    ) -> None:
        self.server = server
        self.store = server.engine(ObjectStore)
        self._loop = loop
        self._principal = principal
        self._region = region

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the server's loop and wait for it; from a thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_WAIT_SECONDS)

    def bucket(self, name: str) -> Bucket:
        """A bucket.

        Raises:
            NoSuchBucket: there is none.
        """
        found = self.server.documents.get_cached(buckets, "", "", name)
        if found is None:
            raise no_such_bucket(name)
        return found

    def is_allowed(self, operation: str, bucket: str, key: str | None = None) -> bool:
        """Whether the principal may call an S3 operation on a bucket or an object.

        Raises:
            NoSuchBucket: there is no such bucket.
        """
        request: dict[str, Any] = {"Bucket": bucket}
        if key is not None:
            request["Key"] = key
        call = Call(self.server, "s3", operation, self._principal, self._region, str(uuid4()))
        self.bucket(bucket)
        try:
            checked = authorize(call, s3.operations[operation], request)
            if checked is not None:
                self.wait(_awaited(checked))
        except AWSError:
            return False
        return True

    async def list(self, bucket: str, prefix: str) -> list[ObjectRecord]:
        """All objects with a prefix; on the loop."""
        found: list[ObjectRecord] = []
        after = ""
        while True:
            page = await self.store.list(bucket, prefix=prefix, after=after)
            found += page.records
            if page.next_key is None:
                return found
            after = page.next_key

    async def folders(self, bucket: str, prefix: str) -> list[str]:
        """Names of the folders directly under a prefix, which ends with a slash; on the loop."""
        found: list[str] = []
        after = ""
        while True:
            page = await self.store.list(bucket, prefix=prefix, delimiter="/", after=after)
            found += [each[len(prefix) : -1] for each in page.common_prefixes]
            if page.next_key is None:
                return found
            after = page.next_key

    async def write(self, bucket: str, key: str, body: bytes | Path, content_type: str) -> None:
        """Store an object that belongs to the bucket's owner; on the loop.

        Raises:
            NoSuchBucket: there is no such bucket.
        """
        target = self.bucket(bucket)
        algorithm = DEFAULT_ALGORITHM.lower()
        size = len(body) if isinstance(body, bytes) else body.stat().st_size
        content = body if isinstance(body, bytes) else _pieces(body)
        staged = await self.store.stage(
            content, algorithms=("md5", algorithm), size_bytes=size
        )
        properties: dict[str, Any] = {
            "answer": {"ContentType": content_type, **encryption_of(target, {})},
            "checksums": {f"Checksum{DEFAULT_ALGORITHM}": encoded(staged.digests[algorithm])},
            "checksum_type": FULL_OBJECT,
        }
        await self.store.put(
            bucket, key, staged, versioning=target.versioning, properties=properties
        )

    async def delete(self, bucket: str, keys: Iterable[str]) -> None:
        """Remove objects as DeleteObject would; on the loop."""
        versioning = self.bucket(bucket).versioning
        for key in keys:
            await self.store.delete(bucket, key, versioning=versioning)

    async def read(self, record: ObjectRecord, start: int, length: int) -> bytes:
        """A piece of an object; on the loop."""
        body = await self.store.read(record, start, length)
        if isinstance(body, bytes):
            return body
        if isinstance(body, FileSlice):
            return await asyncio.to_thread(_read_slice, body)
        return b"".join([piece async for piece in body])


async def _awaited(awaitable: Any) -> None:
    await awaitable


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece


def _read_slice(body: FileSlice) -> bytes:
    with body.path.open("rb") as file:
        file.seek(body.offset)
        return file.read(body.length)
