"""Running a test as a coroutine with a store that is opened for it and closed behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any

from cloche.engines.objects.store import FileSlice, ObjectRecord, ObjectStore

OpenStore = Callable[[], Awaitable[ObjectStore]]


def with_store(test: Callable[[Any, ObjectStore], Awaitable[None]]) -> Callable[..., None]:
    def run(self: Any, open_store: OpenStore) -> None:
        async def main() -> None:
            store = await open_store()
            try:
                await store.create_bucket("bucket")
                await test(self, store)
            finally:
                await store.close()

        asyncio.run(main())

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


async def in_pieces(body: bytes, length: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), length):
        yield body[start : start + length]


async def put(
    store: ObjectStore,
    key: str,
    body: bytes | AsyncIterable[bytes] = b"",
    versioning: Any = "Unversioned",
    bucket: str = "bucket",
    **properties: Any,
) -> ObjectRecord:
    staged = await store.stage(body)
    return await store.put(bucket, key, staged, versioning=versioning, properties=properties)


async def read(
    store: ObjectStore, record: ObjectRecord, start: int = 0, length: int | None = None
) -> bytes:
    body = await store.read(record, start, length)
    if isinstance(body, bytes):
        return body
    if isinstance(body, FileSlice):
        return body.path.read_bytes()[body.offset : body.offset + body.length]
    return b"".join([piece async for piece in body])


async def current(store: ObjectStore, key: str, bucket: str = "bucket") -> ObjectRecord:
    record = await store.head(bucket, key)
    assert record is not None
    return record
