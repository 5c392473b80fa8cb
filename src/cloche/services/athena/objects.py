"""Objects in S3 as a query reads and writes them: as its caller, from threads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from cloche.core.errors import AWSError
from cloche.core.operations import Call, Server
from cloche.core.principals import Principal
from cloche.engines.objects.store import FileSlice, ObjectRecord, ObjectStore
from cloche.services.athena.failures import permission_denied
from cloche.services.s3 import service as s3
from cloche.services.s3.authorization import authorize
from cloche.services.s3.bucket_records import Bucket, buckets, no_such_bucket
from cloche.services.s3.errors import InvalidBucketName, NoSuchBucket
from cloche.services.s3.objects_for_services import write_object

T = TypeVar("T")

_WAIT_SECONDS = 3600


class Objects:
    """The objects that one principal may read and write.

    Args:
        server: the server.
        loop: of the object store.
        principal: in whose name.
        region: of the calls that are checked.
        encryption: members of PutObject for what is written; the buckets' own if None.
    """

    def __init__(
        self,
        server: Server,
        loop: asyncio.AbstractEventLoop,
        principal: Principal,
        region: str,
        encryption: Mapping[str, str] | None = None,
    ) -> None:
        self.server = server
        self.encryption = encryption
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
        """Whether the principal may call an S3 operation on a bucket or an object; blocks.

        Raises:
            NoSuchBucket: there is no such bucket.
        """
        try:
            checked = self._authorize(operation, bucket, key)
            if checked is not None:
                self.wait(_awaited(checked))
        except (NoSuchBucket, InvalidBucketName):
            raise
        except AWSError:
            return False
        return True

    async def is_allowed_async(self, operation: str, bucket: str, key: str | None = None) -> bool:
        """As `is_allowed`, on the loop."""
        try:
            checked = self._authorize(operation, bucket, key)
            if checked is not None:
                await checked
        except (NoSuchBucket, InvalidBucketName):
            raise
        except AWSError:
            return False
        return True

    def _authorize(self, operation: str, bucket: str, key: str | None) -> Awaitable[None] | None:
        request: dict[str, Any] = {"Bucket": bucket}
        if key is not None:
            request["Key"] = key
        call = Call(self.server, "s3", operation, self._principal, self._region, str(uuid4()))
        return authorize(call, s3.operations[operation], request)

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
        await write_object(self.server, bucket, key, body, content_type, self.encryption)

    async def delete(self, bucket: str, keys: Iterable[str]) -> None:
        """Remove objects as DeleteObject would in the principal's name; on the loop.

        Raises:
            QueryFailed: the principal may not delete one of them; then all are left.
        """
        keys = list(keys)
        for key in keys:
            if not await self.is_allowed_async("DeleteObject", bucket, key):
                raise permission_denied(
                    f"Access Denied: cannot delete s3://{bucket}/{key}", is_s3=True
                )
        await self.take_back(bucket, keys)

    async def take_back(self, bucket: str, keys: Iterable[str]) -> None:
        """Remove what the query itself has written, whatever its caller may; on the loop."""
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


def _read_slice(body: FileSlice) -> bytes:
    with body.path.open("rb") as file:
        file.seek(body.offset)
        return file.read(body.length)
