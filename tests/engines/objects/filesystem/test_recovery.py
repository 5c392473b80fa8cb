"""What a crash of the machine may leave: the index as of any time, and files not yet moved."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from pathlib import Path

import pytest

from cloche.engines.objects.filesystem import FileSystemObjectStore
from cloche.engines.objects.filesystem.maintenance import Maintenance
from tests.engines.objects.filesystem.images import copy_while_open
from tests.engines.objects.running import current, put, read


@pytest.fixture(autouse=True)
def _no_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Maintenance, "work", lambda _: None)


def opened(root: Path) -> FileSystemObjectStore:
    ticks = itertools.count(1_700_000_000)
    return FileSystemObjectStore(root, now=lambda: float(next(ticks)))


def test_all_is_in_the_journal_since_the_last_checkpoint(tmp_path: Path) -> None:
    """The index and the renames since the checkpoint are undone; the journal has them."""

    async def before() -> list[object]:
        store = opened(tmp_path / "live")
        copy_while_open(tmp_path / "live", tmp_path / "crashed")
        await _write_all_kinds(store)
        shutil.rmtree(tmp_path / "crashed" / "journal")
        for name in ("journal", "data", "staged"):
            source, target = tmp_path / "live" / name, tmp_path / "crashed" / name
            shutil.copytree(source, target, dirs_exist_ok=True)
        for file in (tmp_path / "crashed" / "data").rglob("?" * 32):
            file.rename(tmp_path / "crashed" / "staged" / file.name)
        (tmp_path / "crashed" / "staged" / ("f" * 32)).write_bytes(b"belongs to nobody")
        state = await _state(store)
        await store.close()
        return state

    async def after() -> list[object]:
        store = opened(tmp_path / "crashed")
        assert not any((tmp_path / "crashed" / "staged").iterdir())
        state = await _state(store)
        await put(store, "written/later", b"later")
        await store.close()
        store = opened(tmp_path / "crashed")
        assert await read(store, await current(store, "written/later")) == b"later"
        await store.delete("bucket", "written/later", versioning="Unversioned")
        assert await _state(store) == state
        await store.close()
        return state

    state = asyncio.run(before())
    assert asyncio.run(after()) == state


async def _write_all_kinds(store: FileSystemObjectStore) -> None:
    for bucket in ("bucket", "other", "gone"):
        await store.create_bucket(bucket)
    for number in range(5):
        for size_bytes in (10, 50_000):
            await put(store, f"overwritten-{size_bytes}", bytes([number]) * size_bytes)
            await put(store, f"versioned-{size_bytes}", bytes([number]) * size_bytes, "Enabled")
            await put(store, f"suspended-{size_bytes}", bytes([number]) * size_bytes, "Suspended")
    for key in ("overwritten-10", "overwritten-50000"):
        await store.delete("bucket", key, versioning="Unversioned")
    await store.delete("bucket", "versioned-10", versioning="Enabled")
    newest = await current(store, "versioned-50000")
    await store.delete("bucket", newest.key, versioning="Enabled", version_id=newest.version_id)
    await store.update_properties("bucket", "suspended-10", None, lambda _: {"tag": "yes"})
    for key, numbers in (("completed", [1, 2]), ("one part", [1]), ("in progress", [])):
        upload = await store.create_upload("bucket", key, {"key": key})
        for number in (1, 2, 3):
            await store.put_part(upload, number, await store.stage(bytes(40_000 // number)), {})
        if numbers:
            await store.complete_upload(
                upload, numbers, versioning="Enabled", properties={}, etag="x"
            )
    await store.abort_upload(await store.create_upload("bucket", "aborted", {}))
    await store.create_upload("gone", "key", {})
    await store.delete_bucket("gone")


async def _state(store: FileSystemObjectStore) -> list[object]:
    state: list[object] = []
    for bucket in ("bucket", "other", "gone"):
        for record in (await store.list_versions(bucket)).records:
            state.append((record, await store.head(bucket, record.key, record.version_id)))
            state.append(await read(store, record))
        state.append((await store.list(bucket)).records)
        uploads = (await store.list_uploads(bucket)).uploads
        state.extend([(upload, await store.list_parts(upload)) for upload in uploads])
    return state


def test_recovery_cut_short_begins_again(tmp_path: Path) -> None:
    async def before() -> list[object]:
        store = opened(tmp_path / "live")
        copy_while_open(tmp_path / "live", tmp_path / "crashed")
        await _write_all_kinds(store)
        for name in ("journal", "data"):
            shutil.rmtree(tmp_path / "crashed" / name)
            shutil.copytree(tmp_path / "live" / name, tmp_path / "crashed" / name)
        state = await _state(store)
        await store.close()
        return state

    async def after() -> None:
        for attempt in ("first", "second"):
            shutil.copytree(tmp_path / "crashed", tmp_path / attempt)
            store = opened(tmp_path / attempt)
            assert await _state(store) == state
            await store.close()
        # The journal as it was, with the index of the first attempt: all of it is old.
        shutil.rmtree(tmp_path / "first" / "journal")
        shutil.copytree(tmp_path / "crashed" / "journal", tmp_path / "first" / "journal")
        store = opened(tmp_path / "first")
        assert await _state(store) == state
        await store.close()

    state = asyncio.run(before())
    asyncio.run(after())
