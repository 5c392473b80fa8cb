"""The file system engine does what every object engine does."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from cloche.engines.objects.filesystem import FileSystemObjectStore
from cloche.engines.objects.store import ObjectStore
from tests.engines.objects.contract import ObjectStoreContract
from tests.engines.objects.running import OpenStore, put, with_store

SMALL_SEGMENT_BYTES = 128 * 1024


@pytest.fixture
def open_store(tmp_path: Path) -> OpenStore:
    ticks = itertools.count(1_700_000_000)

    async def open_one() -> FileSystemObjectStore:
        return FileSystemObjectStore(
            tmp_path / "objects",
            now=lambda: float(next(ticks)),
            journal_segment_bytes=SMALL_SEGMENT_BYTES,
        )

    return open_one


class TestFileSystemObjectStore(ObjectStoreContract):
    @with_store
    async def test_a_listing_that_is_kept_decoded_shows_new_properties(
        self, store: ObjectStore
    ) -> None:
        await put(store, "a", tags={"x": "y"})
        (record,) = (await store.list("bucket")).records
        assert record.properties == {"tags": {"x": "y"}}
        await store.update_properties("bucket", "a", None, lambda _: {"tags": {"x": "z"}})
        (record,) = (await store.list("bucket")).records
        assert record.properties == {"tags": {"x": "z"}}
