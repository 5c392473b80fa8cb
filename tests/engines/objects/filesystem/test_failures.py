"""A disk that is full or fails: the callers hear of it, nothing is lost, and it goes on later."""

from __future__ import annotations

import asyncio
import errno
import itertools
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from cloche.engines.objects.filesystem import DirectoryInUse, FileSystemObjectStore, maintenance
from tests.engines.objects.filesystem.faults import FaultyDisk
from tests.engines.objects.running import current, put, read

Opened = Callable[[], FileSystemObjectStore]


@pytest.fixture
def disk() -> FaultyDisk:
    return FaultyDisk()


@pytest.fixture
def opened(tmp_path: Path, disk: FaultyDisk) -> Opened:
    ticks = itertools.count(1_700_000_000)
    return lambda: FileSystemObjectStore(
        tmp_path / "objects",
        now=lambda: float(next(ticks)),
        journal_segment_bytes=256 * 1024,
        open_journal_file=disk,
    )


def running(
    test: Callable[[FileSystemObjectStore, FaultyDisk], Coroutine[Any, Any, None]],
) -> Callable[[Opened, FaultyDisk], None]:
    def run(opened: Opened, disk: FaultyDisk) -> None:
        async def main() -> None:
            store = opened()
            await store.create_bucket("bucket")
            try:
                await test(store, disk)
            finally:
                disk.fail(None)
                disk.may_sync.set()
                await store.close()

        asyncio.run(main())

    run.__name__ = test.__name__
    return run


async def keys(store: FileSystemObjectStore) -> list[str]:
    return [record.key for record in (await store.list("bucket")).records]


@pytest.mark.parametrize("step", ["write", "half", "sync"])
@pytest.mark.parametrize("size_bytes", [10, 100_000])
def test_all_that_wait_hear_of_a_failed_journal(
    opened: Opened, disk: FaultyDisk, step: str, size_bytes: int
) -> None:
    async def main() -> None:
        store = opened()
        await store.create_bucket("bucket")
        await put(store, "before", b"before")
        disk.fail(step, errno.ENOSPC)
        outcomes = await asyncio.gather(
            *(put(store, f"lost-{n}", bytes(size_bytes)) for n in range(5)), return_exceptions=True
        )
        assert [getattr(outcome, "errno", None) for outcome in outcomes] == [errno.ENOSPC] * 5
        assert await keys(store) == ["before"]
        disk.fail(None)
        await put(store, "after", b"after")
        assert await keys(store) == ["after", "before"]
        await store.close()
        store = opened()
        assert await keys(store) == ["after", "before"]
        assert await read(store, await current(store, "before")) == b"before"
        await store.close()

    asyncio.run(main())


@running
async def test_what_failed_can_be_put_again(store: FileSystemObjectStore, disk: FaultyDisk) -> None:
    staged = await store.stage(b"x" * 100_000)
    for _ in range(2):
        disk.fail("sync")
        with pytest.raises(OSError, match="Input/output"):
            await store.put("bucket", "key", staged, versioning="Unversioned", properties={})
        disk.fail(None)
    record = await store.put("bucket", "key", staged, versioning="Unversioned", properties={})
    assert await read(store, record) == b"x" * 100_000
    with pytest.raises(ValueError, match="only once"):
        await store.put("bucket", "key", staged, versioning="Unversioned", properties={})


@running
async def test_a_failed_change_of_a_bucket(store: FileSystemObjectStore, disk: FaultyDisk) -> None:
    disk.fail("sync")
    with pytest.raises(OSError, match="Input/output"):
        await store.create_bucket("another")
    with pytest.raises(OSError, match="Input/output"):
        await store.delete_bucket("bucket")
    disk.fail(None)
    await put(store, "key")
    with pytest.raises(LookupError):
        await put(store, "key", bucket="another")


def test_a_failed_frame_does_not_come_back(opened: Opened, disk: FaultyDisk) -> None:
    """Though it was whole on the disk, its writer was told that it failed."""

    async def main() -> None:
        store = opened()
        await store.create_bucket("bucket")
        disk.fail("sync")
        with pytest.raises(OSError, match="Input/output"):
            await put(store, "key")
        disk.fail(None)
        await store.close()
        store = opened()
        assert await keys(store) == []
        await store.close()

    asyncio.run(main())


def test_the_index_has_no_room(opened: Opened, tmp_path: Path) -> None:
    """What is in the journal is acknowledged and seen, until too much of it has piled up."""

    async def main() -> None:
        store = opened()
        await store.create_bucket("bucket")
        await put(store, "before")
        store._committer.publish()
        _limit_pages(store, by=4)
        acknowledged, refused = {"before"}, 0
        for number in range(200):
            key = f"{number:04}" + "k" * 900
            try:
                await put(store, key, b"x" * 2000)
            except OSError as error:
                assert error.errno == errno.ENOSPC
                refused += 1
            else:
                acknowledged.add(key)
        assert refused and len(acknowledged) > 1
        for key in acknowledged:
            assert await store.head("bucket", key) is not None
        _limit_pages(store, by=100_000)
        await put(store, "after")
        acknowledged.add("after")
        assert set(await keys(store)) == acknowledged
        await store.close()
        store = opened()
        assert set(await keys(store)) == acknowledged
        await store.close()

    asyncio.run(main())


def _limit_pages(store: FileSystemObjectStore, by: int) -> None:
    connection: sqlite3.Connection = store._index.connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + by}")


@running
async def test_a_cancelled_put(store: FileSystemObjectStore, disk: FaultyDisk) -> None:
    """Before its turn it is not made; once it is under way it is made, and its file is kept."""
    disk.may_sync.clear()
    disk.waits.clear()
    first = asyncio.ensure_future(put(store, "first", b"1"))
    await asyncio.to_thread(disk.waits.wait)
    waiting = asyncio.ensure_future(put(store, "waiting", b"2"))
    await asyncio.sleep(0)
    waiting.cancel()
    disk.may_sync.set()
    await first
    assert await keys(store) == ["first"]

    staged = await store.stage(b"x" * 100_000)
    disk.may_sync.clear()
    disk.waits.clear()
    large = asyncio.ensure_future(
        store.put("bucket", "large", staged, versioning="Unversioned", properties={})
    )
    await asyncio.to_thread(disk.waits.wait)
    large.cancel()
    with pytest.raises(asyncio.CancelledError):
        await large
    await store.discard(staged)
    disk.may_sync.set()
    await put(store, "last")
    assert await keys(store) == ["first", "large", "last"]
    assert await read(store, await current(store, "large")) == b"x" * 100_000


@running
async def test_a_body_that_breaks_off_leaves_no_file(
    store: FileSystemObjectStore, disk: FaultyDisk
) -> None:
    async def broken(length: int) -> AsyncIterator[bytes]:
        for _ in range(0, length, 65_536):
            yield bytes(65_536)
        raise ConnectionResetError

    for length in (0, 100_000, 5_000_000):
        with pytest.raises(ConnectionResetError):
            await store.stage(broken(length))
    assert list(store._files.staged_path("x").parent.iterdir()) == []


@running
async def test_properties_that_cannot_be_kept(
    store: FileSystemObjectStore, disk: FaultyDisk
) -> None:
    outcomes = await asyncio.gather(
        put(store, "bad", b"", thing=object()), put(store, "good", b""), return_exceptions=True
    )
    assert isinstance(outcomes[0], TypeError)
    assert await keys(store) == ["good"]


@running
async def test_many_share_a_sync(store: FileSystemObjectStore, disk: FaultyDisk) -> None:
    staged = [await store.stage(b"x") for _ in range(100)]
    before = disk.syncs
    await asyncio.gather(
        *(
            store.put("bucket", f"{n}", body, versioning="Unversioned", properties={})
            for n, body in enumerate(staged)
        )
    )
    assert disk.syncs - before <= 3


def test_one_process_at_a_time(opened: Opened) -> None:
    async def main() -> None:
        store = opened()
        with pytest.raises(DirectoryInUse):
            opened()
        await store.close()
        await opened().close()

    asyncio.run(main())


def test_nobody_else_can_read_the_files(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance.Maintenance, "work", lambda _: None)

    async def main() -> None:
        store = opened()
        await store.create_bucket("bucket")
        store.local_path(await put(store, "small", b"x"))
        await put(store, "large", bytes(100_000))
        await store.list("bucket")
        paths = [tmp_path / "objects", *(tmp_path / "objects").rglob("*")]
        assert len(paths) > 260
        for path in paths:
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), path
        await store.close()

    asyncio.run(main())


def test_what_nobody_needs_is_removed(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        store = opened()
        await store.create_bucket("bucket")
        for body in (b"small", b"large" * 20_000, b"other", b"again" * 20_000):
            old = await put(store, "key", body)
            path = store.local_path(old)
            assert path is not None
        await put(store, "key", b"last")
        assert path.exists() and await read(store, old)
        await asyncio.to_thread(store._maintenance.work)
        assert path.exists() and await read(store, old)
        await store.close()

        monkeypatch.setattr(maintenance, "FILE_GRACE_SECONDS", 0.0)
        monkeypatch.setattr(maintenance, "BODY_GRACE_SECONDS", 0.0)
        store = opened()
        await asyncio.to_thread(store._maintenance.work)
        assert not any((tmp_path / "objects" / "data").rglob("?" * 32))
        assert _count_bodies(store) == 1
        await put(store, "key", b"newest")
        await asyncio.to_thread(store._maintenance.work)
        assert _count_bodies(store) == 1
        assert await read(store, await current(store, "key")) == b"newest"
        await store.close()

    asyncio.run(main())


def _count_bodies(store: FileSystemObjectStore) -> int:
    (count,) = store._index.connection.execute("SELECT count(*) FROM bodies").fetchone()
    return count


@running
async def test_local_path_of_a_new_object_on_another_thread(
    store: FileSystemObjectStore, disk: FaultyDisk
) -> None:
    record = await put(store, "key", b"body")
    threads = threading.active_count()
    path = await asyncio.to_thread(store.local_path, record)
    assert path is not None and path.read_bytes() == b"body"
    assert threading.active_count() <= threads + 1


@running
async def test_changes_go_on_during_checkpoints(
    store: FileSystemObjectStore, disk: FaultyDisk
) -> None:
    async def write(task: int) -> None:
        for number in range(40):
            await put(store, f"{task}-{number:03}", b"%d" % number * 1000)

    async def check_point() -> None:
        for _ in range(10):
            await asyncio.to_thread(store._maintenance.checkpoint)

    await asyncio.gather(*(write(task) for task in range(8)), check_point())
    assert len(await keys(store)) == 320


@running
async def test_a_file_that_cannot_be_moved_yet(
    store: FileSystemObjectStore, disk: FaultyDisk
) -> None:
    data = store._files.path("0" * 32).parent.parent
    data.rename(data.with_name("away"))
    data.touch()
    record = await put(store, "key", b"large" * 20_000)
    assert await read(store, record) == b"large" * 20_000
    with pytest.raises(OSError, match="could not be moved"):
        await asyncio.to_thread(store._maintenance.checkpoint)
    data.unlink()
    data.with_name("away").rename(data)
    await asyncio.to_thread(store._maintenance.checkpoint)
    assert await read(store, record) == b"large" * 20_000
    path = store.local_path(record)
    assert path is not None and path.parent.parent == data


def test_it_is_not_used_on_two_loops_at_once(opened: Opened, disk: FaultyDisk) -> None:
    async def first(store: FileSystemObjectStore) -> None:
        await store.create_bucket("bucket")
        disk.waits.clear()
        disk.may_sync.clear()
        writing = asyncio.ensure_future(put(store, "key"))
        await asyncio.to_thread(disk.waits.wait)
        with pytest.raises(RuntimeError, match="another event loop"):
            await asyncio.to_thread(lambda: asyncio.run(put(store, "other")))
        disk.may_sync.set()
        await writing

    async def second(store: FileSystemObjectStore) -> None:
        await put(store, "other")
        assert await keys(store) == ["key", "other"]
        await store.close()

    store = opened()
    asyncio.run(first(store))
    asyncio.run(second(store))


def test_a_failed_removal_of_dead_bodies_is_tried_again(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "BODY_GRACE_SECONDS", 0.05)
    monkeypatch.setattr(maintenance, "_RETRY_SECONDS", 0.05)

    class Failing:
        def __init__(self, connection: sqlite3.Connection) -> None:
            self.connection = connection
            self.failures = 0
            self.removals = threading.Event()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.connection, name)

        def execute(self, statement: str, *parameters: Any) -> Any:
            if statement.startswith("DELETE FROM dead_bodies"):
                if not self.failures:
                    self.failures += 1
                    raise sqlite3.OperationalError("disk I/O error")
                self.removals.set()
            return self.connection.execute(statement, *parameters)

    async def main() -> None:
        store = opened()
        failing = Failing(store._index.connection)
        store._index.connection = failing  # type: ignore[assignment]
        await store.create_bucket("bucket")
        await put(store, "a", b"1")
        await put(store, "a", b"2")
        await asyncio.to_thread(failing.removals.wait, 10)
        assert failing.failures == 1 and failing.removals.is_set()
        await put(store, "a", b"3")
        assert await read(store, await current(store, "a")) == b"3"
        await store.close()

    asyncio.run(main())
