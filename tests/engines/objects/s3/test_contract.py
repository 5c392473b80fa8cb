"""The engine in front of another S3, here a second Cloche, does what every object engine does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest

from cloche.engines.objects.s3 import S3ObjectStore
from cloche.engines.objects.store import ObjectStore
from tests.engines.objects.contract import ObjectStoreContract, Uploading
from tests.engines.objects.running import OpenStore, current, put, read, with_store
from tests.live_server import LiveServer

SMALLEST_PART_BYTES = 5 * 1024 * 1024
_IS_GONE = pytest.mark.skip(reason="the endpoint keeps no replaced bodies")
_IS_SMALL = pytest.mark.skip(reason="the endpoint refuses small parts; see the tests below")


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("remote")).start()
    yield live
    live.stop()


@pytest.fixture
def open_store(remote: LiveServer, tmp_path: Path) -> OpenStore:
    ticks = itertools.count(1_700_000_000)
    key = f"{remote.root['AccessKeyId']}:{quote(remote.root['SecretAccessKey'], safe='')}"
    prefix = f"test-{uuid4().hex[:12]}-"

    async def open_one() -> S3ObjectStore:
        return S3ObjectStore(
            f"http://{key}@127.0.0.1:{remote.port}/{prefix}",
            tmp_path / "staged",
            now=lambda: float(next(ticks)),
        )

    return open_one


class TestS3ObjectStore(ObjectStoreContract):
    @_IS_GONE
    def test_a_replaced_or_deleted_body_can_still_be_read(self) -> None: ...

    @_IS_SMALL
    def test_parts_become_one_object(self) -> None: ...

    @_IS_SMALL
    def test_a_part_can_be_replaced(self) -> None: ...

    @_IS_SMALL
    def test_parts_and_completion_at_once(self) -> None: ...

    @with_store
    async def test_parts_of_the_smallest_size_become_one_object(self, store: ObjectStore) -> None:
        uploading = await Uploading.begin(store)
        first, last = b"1" * SMALLEST_PART_BYTES, b"7" * 10
        await uploading.put(7, last)
        await uploading.put(2, b"0" * SMALLEST_PART_BYTES)
        await uploading.put(2, first)
        record = await uploading.complete(2, 7)
        assert (record.etag, record.properties) == ("etag-2", {"done": True})
        assert [part.checksums for part in record.parts] == [{"crc32": "crc-2"}, {"crc32": "crc-7"}]
        assert await current(store, "key") == record
        assert await read(store, record) == first + last
        start = SMALLEST_PART_BYTES - 1
        assert await read(store, record, start, 3) == b"177"

    @with_store
    async def test_a_body_that_is_gone_is_missed(self, store: ObjectStore) -> None:
        record = await put(store, "key", b"body")
        await put(store, "key", b"another")
        with pytest.raises(LookupError):
            await store.read(record)

    @with_store
    async def test_long_properties(self, store: ObjectStore) -> None:
        properties = {str(number): "é" * 100 for number in range(100)}
        record = await put(store, "key", b"body", **properties)
        assert await current(store, "key") == record
        assert record.properties == properties
