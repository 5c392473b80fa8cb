"""Writes objects from 16 tasks and says what was acknowledged, until it is killed.

Lines: `put KEY SIZE`, `upload KEY UPLOAD_ID`, `part KEY UPLOAD_ID NUMBER`, `deleting KEY`,
`deleted KEY`.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import random
import sys
import time
from pathlib import Path

from cloche.engines.objects.filesystem import FileSystemObjectStore

SIZES = (0, 100, 1024, 30_000, 70_000, 1_048_576)
PART_BYTES = 50_000


def body_of(key: str, size_bytes: int) -> bytes:
    """What an object of this name and length holds."""
    seed = hashlib.sha256(key.encode()).digest()
    return (seed * (size_bytes // 32 + 1))[:size_bytes]


def say(*words: object) -> None:
    # One write, so that a line is whole or absent in what the parent reads.
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def write_objects(store: FileSystemObjectStore, prefix: str, choose: random.Random) -> None:
    for number in itertools.count():
        key = f"{prefix}/{number:05}"
        size_bytes = choose.choice(SIZES)
        staged = await store.stage(body_of(key, size_bytes))
        await store.put("bucket", key, staged, versioning="Unversioned", properties={"n": number})
        say("put", key, size_bytes)
        if number % 7 == 6:
            old = f"{prefix}/{number - 3:05}"
            say("deleting", old)
            await store.delete("bucket", old, versioning="Unversioned")
            say("deleted", old)


async def write_uploads(store: FileSystemObjectStore, prefix: str) -> None:
    for number in itertools.count():
        key = f"{prefix}/upload-{number:05}"
        upload = await store.create_upload("bucket", key, {})
        say("upload", key, upload.upload_id)
        for part in (1, 2, 3):
            whole = body_of(key, 3 * PART_BYTES)
            staged = await store.stage(whole[(part - 1) * PART_BYTES : part * PART_BYTES])
            await store.put_part(upload, part, staged, {})
            say("part", key, upload.upload_id, part)
        if number % 3 == 0:
            await store.complete_upload(
                upload, [1, 2, 3], versioning="Unversioned", properties={}, etag="x-3"
            )
            say("put", key, 3 * PART_BYTES)


async def main() -> None:
    root, prefix, seed = sys.argv[1:]
    store = FileSystemObjectStore(Path(root), now=time.time, journal_segment_bytes=4 * 1024 * 1024)
    await store.create_bucket("bucket")
    async with asyncio.TaskGroup() as tasks:
        for number in range(14):
            choose = random.Random(f"{seed}-{number}")
            tasks.create_task(write_objects(store, f"{prefix}-{number:02}", choose))
        for number in range(14, 16):
            tasks.create_task(write_uploads(store, f"{prefix}-{number:02}"))


if __name__ == "__main__":
    asyncio.run(main())
