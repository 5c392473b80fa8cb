"""The file system engine does what every object engine does."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from cloche.engines.objects.filesystem import FileSystemObjectStore
from tests.engines.objects.contract import ObjectStoreContract
from tests.engines.objects.running import OpenStore

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
    pass
