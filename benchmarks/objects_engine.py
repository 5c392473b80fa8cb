"""The object engine on the file system alone, against what the disk and the kernel allow.

Prints, all in one run: the limits (one synced append, a hand-over to a thread and back, a synced
file, sendfile), then what the engine makes of them. `µs CPU` is the whole process's.

    python benchmarks/objects_engine.py [--directory DIR] [--keys N]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from queue import SimpleQueue

import uvloop

from cloche.engines.objects.filesystem import FileSystemObjectStore
from cloche.engines.objects.store import FileSlice

KIB = 1024
MIB = 1024 * KIB
PROPERTIES = {"content-type": "binary/octet-stream", "checksums": {"crc32": "AAAAAA=="}}


def line(name: str, median_seconds: float, cpu_seconds: float, per_second: float) -> None:
    print(
        f"{name:<52}{median_seconds * 1e6:>10,.0f} µs{cpu_seconds * 1e6:>10,.0f} µs CPU"
        f"{per_second:>10,.0f} /s"
    )


def measure(name: str, work: Callable[[int], object], count: int) -> None:
    took: list[float] = []
    cpu, begun = time.process_time(), time.perf_counter()
    for number in range(count):
        start = time.perf_counter()
        work(number)
        took.append(time.perf_counter() - start)
    elapsed = time.perf_counter() - begun
    cpu = time.process_time() - cpu
    line(name, statistics.median(took), cpu / count, count / elapsed)


async def measure_async(
    name: str, work: Callable[[int], Awaitable[object]], count: int, at_once: int = 1
) -> None:
    took: list[float] = []
    numbers = iter(range(count))

    async def one_after_the_other() -> None:
        for number in numbers:
            start = time.perf_counter()
            await work(number)
            took.append(time.perf_counter() - start)

    cpu, begun = time.process_time(), time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    elapsed = time.perf_counter() - begun
    cpu = time.process_time() - cpu
    line(name, statistics.median(took), cpu / count, count / elapsed)


class Drain:
    """A socket whose other end is read and thrown away."""

    def __init__(self) -> None:
        self._near, self._far = socket.socketpair()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        buffer = bytearray(MIB)
        while self._far.recv_into(buffer):
            pass

    def send_file(self, slice_: FileSlice) -> None:
        descriptor = os.open(slice_.path, os.O_RDONLY)
        offset, rest = slice_.offset, slice_.length
        while rest:
            sent = os.sendfile(self._near.fileno(), descriptor, offset, rest)
            offset, rest = offset + sent, rest - sent
        os.close(descriptor)


def limits(directory: Path) -> None:
    page, mebibyte = bytes(4 * KIB), os.urandom(MIB)
    journal = os.open(directory / "journal", os.O_RDWR | os.O_CREAT)
    os.pwrite(journal, bytes(16 * MIB), 0)
    os.fsync(journal)

    def append(number: int) -> None:
        os.pwrite(journal, page, number * len(page))
        os.fdatasync(journal)

    def synced_file(number: int) -> None:
        descriptor = os.open(directory / f"file-{number}", os.O_WRONLY | os.O_CREAT)
        os.write(descriptor, mebibyte)
        os.fdatasync(descriptor)
        os.close(descriptor)

    measure("limit: append 4 KiB and fdatasync", append, 1000)
    measure("limit: write 1 MiB to a new file and fdatasync", synced_file, 50)
    drain, whole = Drain(), FileSlice(directory / "file-0", 0, MIB)
    measure("limit: open and sendfile 1 MiB", lambda _: drain.send_file(whole), 1000)
    os.close(journal)


async def hand_over() -> None:
    loop = asyncio.get_running_loop()
    jobs: SimpleQueue[asyncio.Future[None] | None] = SimpleQueue()

    def answer() -> None:
        while (future := jobs.get()) is not None:
            loop.call_soon_threadsafe(future.set_result, None)

    threading.Thread(target=answer).start()

    async def there_and_back(_: int) -> None:
        future: asyncio.Future[None] = loop.create_future()
        jobs.put(future)
        await future

    await measure_async("limit: hand over to a thread and back", there_and_back, 1000)
    jobs.put(None)


async def puts(store: FileSystemObjectStore) -> None:
    small, large = os.urandom(KIB), os.urandom(MIB)

    def put(prefix: str, body: bytes) -> Callable[[int], Awaitable[object]]:
        async def put_one(number: int) -> None:
            staged = await store.stage(body, algorithms=("md5", "crc32"))
            await store.put(
                "bucket",
                f"{prefix}/{number:06}",
                staged,
                versioning="Unversioned",
                properties=PROPERTIES,
            )

        return put_one

    await measure_async("warm-up", put("1", small), 1000, at_once=16)
    await measure_async("PUT 1 KiB, 1 writer", put("1", small), 1500)
    await measure_async("PUT 1 KiB, 16 writers", put("16", small), 16_000, at_once=16)
    await measure_async("PUT 1 KiB over another, 16 writers", put("16", small), 16_000, at_once=16)
    await measure_async("PUT 64 KiB, 16 writers", put("64K", large[: 64 * KIB]), 1500, at_once=16)
    await measure_async("PUT 1 MiB, 1 writer", put("1M", large), 60)
    await measure_async("PUT 1 MiB, 16 writers", put("1M-16", large), 160, at_once=16)


async def gets(store: FileSystemObjectStore) -> None:
    drain = Drain()

    async def head(number: int) -> None:
        await store.head("bucket", f"16/{number:06}")

    async def get_small(number: int) -> None:
        record = await store.head("bucket", f"16/{number:06}")
        assert record is not None
        assert len(await store.read(record)) == KIB  # type: ignore[arg-type]

    async def get_large(number: int) -> None:
        record = await store.head("bucket", f"1M/{number % 50:06}")
        assert record is not None
        body = await store.read(record)
        assert isinstance(body, FileSlice)
        drain.send_file(body)

    await measure_async("HEAD", head, 10_000)
    await measure_async("GET 1 KiB", get_small, 10_000)
    await measure_async("GET 1 MiB, by sendfile", get_large, 1000)


async def lists(store: FileSystemObjectStore, keys: int) -> None:
    async def put_batch(first: int) -> None:
        staged = [await store.stage(b"") for _ in range(1000)]
        await asyncio.gather(
            *(
                store.put(
                    "listed",
                    f"data/{first + number:08}",
                    body,
                    versioning="Unversioned",
                    properties=PROPERTIES,
                )
                for number, body in enumerate(staged)
            )
        )

    await store.create_bucket("listed")
    for first in range(0, keys, 1000):
        await put_batch(first)

    async def page(number: int) -> None:
        found = await store.list("listed", after=f"data/{number * 997 % (keys - 1000):08}")
        assert len(found.records) == 1000

    async def root(_: int) -> None:
        found = await store.list("listed", delimiter="/")
        assert found.common_prefixes == ["data/"]

    await measure_async(f"LIST 1000 of {keys:,} keys", page, 200)
    await measure_async(f"LIST / over {keys:,} keys under one prefix", root, 500)


async def uploads(store: FileSystemObjectStore) -> None:
    part = os.urandom(8 * MIB)
    upload = await store.create_upload("bucket", "upload", {})

    async def put_part(number: int) -> None:
        await store.put_part(upload, number + 1, await store.stage(part), {})

    async def complete(_: int) -> None:
        await store.complete_upload(
            upload, range(1, 17), versioning="Unversioned", properties={}, etag="x-16"
        )

    await measure_async("part of 8 MiB, 4 at once", put_part, 16, at_once=4)
    await measure_async("complete 16 parts of 8 MiB", complete, 1)


async def engine(directory: Path, keys: int) -> None:
    await hand_over()
    start = time.perf_counter()
    store = FileSystemObjectStore(directory / "objects", now=time.time)
    print(f"open a new store: {(time.perf_counter() - start) * 1e3:.0f} ms")
    await store.create_bucket("bucket")
    await puts(store)
    await gets(store)
    await lists(store, keys)
    await uploads(store)
    await store.close()
    start = time.perf_counter()
    store = FileSystemObjectStore(directory / "objects", now=time.time)
    print(f"open it again: {(time.perf_counter() - start) * 1e3:.0f} ms")
    await store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, help="on the disk to be measured")
    parser.add_argument("--keys", type=int, default=100_000, help="keys in the listed bucket")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(dir=arguments.directory))
    try:
        print(f"Python {sys.version.split()[0]}, {directory}: medians; CPU and rate are means")
        limits(directory)
        uvloop.run(engine(directory, arguments.keys))
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
