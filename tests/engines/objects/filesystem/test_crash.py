"""The process is killed amid 16 writers: what was acknowledged is there, and whole."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cloche.engines.objects.filesystem import FileSystemObjectStore
from cloche.engines.objects.store import ObjectRecord, UploadNotFound
from tests.engines.objects.filesystem.crash_writer import PART_BYTES, body_of
from tests.engines.objects.running import read

WRITER = Path(__file__).with_name("crash_writer.py")
ROUNDS = int(os.environ.get("CLOCHE_KILL_ROUNDS", "3"))


@dataclass
class Acknowledged:
    """What the writer said before it was killed."""

    objects: dict[str, int] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    uploads: dict[str, tuple[str, list[int]]] = field(default_factory=dict)

    def take(self, line: str) -> None:
        match line.split():
            case ["put", key, size_bytes]:
                self.objects[key] = int(size_bytes)
                self.uploads.pop(key, None)
            case ["deleting", key]:
                del self.objects[key]
            case ["deleted", key]:
                self.deleted.add(key)
            case ["upload", key, upload_id]:
                self.uploads[key] = (upload_id, [])
            case ["part", key, _, number]:
                self.uploads[key][1].append(int(number))
            case _:
                raise AssertionError(line)


@pytest.mark.kill
@pytest.mark.timeout(60 + 20 * ROUNDS)
def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    """`CLOCHE_KILL_ROUNDS=20` kills twenty times instead of three."""
    acknowledged = Acknowledged()
    for number in range(ROUNDS):
        choose = random.Random(number)
        count = len(acknowledged.objects)
        for line in _killed(tmp_path, number, lines=choose.randrange(50, 1500)):
            acknowledged.take(line)
        assert len(acknowledged.objects) > count
        asyncio.run(_check(tmp_path, acknowledged, writes=number % 2 == 1))


def _killed(root: Path, number: int, lines: int) -> list[str]:
    """The whole lines of a writer that is killed some time after it wrote so many."""
    writer = subprocess.Popen(
        [sys.executable, WRITER, root / "objects", f"round-{number:02}", str(number)],
        stdout=subprocess.PIPE,
    )
    assert writer.stdout is not None
    output = [writer.stdout.readline() for _ in range(lines)]
    writer.kill()
    output += writer.stdout.readlines()
    writer.stdout.close()
    assert writer.wait() == -9
    return [line.decode().strip() for line in output if line.endswith(b"\n")]


async def _check(root: Path, acknowledged: Acknowledged, *, writes: bool) -> None:
    store = FileSystemObjectStore(root / "objects", now=time.time)
    records = await _all(store)
    assert acknowledged.objects.keys() <= records.keys()
    for key, record in records.items():
        assert await read(store, record) == body_of(key, record.size_bytes), key
        assert record.size_bytes == acknowledged.objects.get(key, record.size_bytes)
    # Each writer may have had a put or a delete made, or not, without hearing of it.
    assert len(records) <= len(acknowledged.objects) + 16 * ROUNDS
    assert not acknowledged.deleted & records.keys()
    for key, (upload_id, numbers) in acknowledged.uploads.items():
        try:
            upload = await store.get_upload("bucket", key, upload_id)
        except UploadNotFound:
            assert key in records  # completed, but the answer was never given
            continue
        parts = await store.list_parts(upload)
        assert {part.number for part in parts} >= set(numbers)
        assert all(part.size_bytes == PART_BYTES for part in parts)
    if writes:
        await _complete_one(store, acknowledged)
    await store.close()


async def _complete_one(store: FileSystemObjectStore, acknowledged: Acknowledged) -> None:
    for key, (upload_id, numbers) in acknowledged.uploads.items():
        if len(numbers) == 3:
            upload = await store.get_upload("bucket", key, upload_id)
            record = await store.complete_upload(
                upload, numbers, versioning="Unversioned", properties={}, etag="x-3"
            )
            assert await read(store, record) == body_of(key, 3 * PART_BYTES)
            acknowledged.take(f"put {key} {3 * PART_BYTES}")
            return


async def _all(store: FileSystemObjectStore) -> dict[str, ObjectRecord]:
    records: dict[str, ObjectRecord] = {}
    after: str | None = ""
    while after is not None:
        page = await store.list("bucket", after=after)
        records |= {record.key: record for record in page.records}
        after = page.next_key
    return records
