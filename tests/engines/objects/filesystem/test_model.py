"""The store against a model in a dictionary, over restarts and crashes."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cloche.engines.objects.filesystem import FileSystemObjectStore
from cloche.engines.objects.store import ObjectRecord
from tests.engines.objects.filesystem.images import copy_while_open
from tests.engines.objects.running import read

T = TypeVar("T")

KEYS = ["a", "a/", "a/b", "a/b/c", "a/c", "a//", "b", "b/é", "b/日", "c"]
keys = st.sampled_from(KEYS)
states = st.sampled_from(["Unversioned", "Enabled", "Suspended"])
BODIES = {"empty": b"", "small": b"small", "other": b"other", "large": b"large" * 8000}
bodies = st.sampled_from(list(BODIES)).map(lambda name: BODIES[name])
delimiters = st.sampled_from(["", "/", "b", "/b", "é"])
prefixes = st.sampled_from(["", "a", "a/", "a/b", "b/", "x"])
SEGMENT_BYTES = 64 * 1024


class Refused(Exception):
    pass


@dataclass
class Version:
    version_id: str
    body: bytes | None
    properties: dict[str, Any] = field(default_factory=dict)


class StoreMachine(RuleBasedStateMachine):
    """`versions[key]` holds a key's versions, newest first."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.restarts = itertools.count()
        self.root = self.directory / "objects"
        self.runner = asyncio.Runner()
        self.ticks = itertools.count(1)
        self.versions: dict[str, list[Version]] = {}
        self.state: Any = "Unversioned"
        self.store = self.opened()

    def opened(self) -> FileSystemObjectStore:
        store = FileSystemObjectStore(
            self.root, now=lambda: float(next(self.ticks)), journal_segment_bytes=SEGMENT_BYTES
        )
        # Checkpoints come by the rules below alone, so that a failure comes again.
        store._committer.after_commit = lambda: None
        return store

    def run(self, work: Awaitable[T]) -> T:
        async def main() -> T:
            return await work

        return self.runner.run(main())

    def teardown(self) -> None:
        self.run(self.store.close())
        self.runner.close()
        shutil.rmtree(self.directory)

    @initialize()
    def create(self) -> None:
        self.run(self.store.create_bucket("bucket"))

    @rule(state=states)
    def set_versioning(self, state: str) -> None:
        if state != "Unversioned" or not any(
            version.version_id != "null" for kept in self.versions.values() for version in kept
        ):
            self.state = state

    @rule()
    def restart(self) -> None:
        self.run(self.store.close())
        self.store = self.opened()

    @rule()
    def crash(self) -> None:
        """Go on with what the files hold at this moment."""
        image = self.directory / f"crash-{next(self.restarts)}"
        self.run(asyncio.to_thread(self.store._maintenance.work))
        copy_while_open(self.root, image)
        self.run(self.store.close())
        self.root = image
        self.store = self.opened()

    @rule()
    def check_point(self) -> None:
        self.run(asyncio.to_thread(self.store._maintenance.checkpoint))

    def added(self, key: str, record: ObjectRecord, body: bytes | None) -> None:
        assert record.is_latest
        assert (record.version_id == "null") == (self.state != "Enabled")
        kept = self.versions.setdefault(key, [])
        if record.version_id == "null":
            kept[:] = [version for version in kept if version.version_id != "null"]
        kept.insert(0, Version(record.version_id, body, dict(record.properties)))

    @rule(key=keys, body=bodies)
    def put(self, key: str, body: bytes) -> None:
        staged = self.run(self.store.stage(body))
        record = self.run(
            self.store.put(
                "bucket",
                key,
                staged,
                versioning=self.state,
                properties={"n": next(self.ticks)},
            )
        )
        self.added(key, record, body)

    @rule(some=st.lists(st.tuples(keys, bodies), min_size=2, max_size=6))
    def put_many(self, some: list[tuple[str, bytes]]) -> None:
        """At once: of those with the same key each replaces the one before."""

        async def all_of_them() -> list[ObjectRecord]:
            staged = [await self.store.stage(body) for _, body in some]
            return await asyncio.gather(
                *(
                    self.store.put("bucket", key, body, versioning=self.state, properties={})
                    for (key, _), body in zip(some, staged, strict=True)
                )
            )

        for (key, body), record in zip(some, self.run(all_of_them()), strict=True):
            self.added(key, record, body)

    @rule(key=keys, must_exist=st.booleans())
    def put_on_condition(self, key: str, must_exist: bool) -> None:
        expected = self.versions.get(key) or [Version("", None)]

        def condition(record: ObjectRecord | None) -> None:
            assert (record.version_id if record else "") == expected[0].version_id
            if (record is not None and not record.is_delete_marker) != must_exist:
                raise Refused

        staged = self.run(self.store.stage(b"condition"))
        work = self.store.put(
            "bucket", key, staged, versioning=self.state, properties={}, condition=condition
        )
        try:
            record = self.run(work)
        except Refused:
            assert (expected[0].body is not None) != must_exist
        else:
            assert (expected[0].body is not None) == must_exist
            self.added(key, record, b"condition")

    @rule(key=keys, source=keys)
    def copy(self, key: str, source: str) -> None:
        record = self.run(self.store.head("bucket", source))
        if record is None or record.is_delete_marker:
            return
        staged = self.run(self.store.stage_copy(record))
        copied = self.run(
            self.store.put("bucket", key, staged, versioning=self.state, properties={})
        )
        self.added(key, copied, self.versions[source][0].body)

    @rule(key=keys, parts=st.lists(bodies, min_size=1, max_size=3))
    def upload(self, key: str, parts: list[bytes]) -> None:
        upload = self.run(self.store.create_upload("bucket", key, {}))
        for number, body in enumerate(parts, 1):
            staged = self.run(self.store.stage(body))
            self.run(self.store.put_part(upload, number, staged, {}))
        record = self.run(
            self.store.complete_upload(
                upload,
                range(1, len(parts) + 1),
                versioning=self.state,
                properties={},
                etag="x",
            )
        )
        self.added(key, record, b"".join(parts))

    @rule(key=keys)
    def delete(self, key: str) -> None:
        gone = self.run(self.store.delete("bucket", key, versioning=self.state))
        if self.state == "Unversioned":
            kept = self.versions.pop(key, [])
            assert (gone is not None) == bool(kept)
        else:
            assert gone is not None and gone.is_delete_marker
            self.added(key, gone, None)

    @rule(key=keys, data=st.data())
    def delete_version(self, key: str, data: st.DataObject) -> None:
        kept = self.versions.get(key, [])
        version_id = data.draw(st.sampled_from([v.version_id for v in kept] + ["null", "x"]))
        gone = self.run(
            self.store.delete("bucket", key, versioning=self.state, version_id=version_id)
        )
        removed = [version for version in kept if version.version_id == version_id]
        assert (gone is not None) == bool(removed)
        kept[:] = [version for version in kept if version not in removed]

    @rule(key=keys)
    def update_properties(self, key: str) -> None:
        tag = next(self.ticks)
        record = self.run(
            self.store.update_properties(
                "bucket", key, None, lambda record: {**record.properties, "tag": tag}
            )
        )
        kept = self.versions.get(key)
        assert (record is not None) == bool(kept)
        if kept:
            kept[0].properties["tag"] = tag

    def live(self) -> list[str]:
        return sorted(
            (key for key, kept in self.versions.items() if kept and kept[0].body is not None),
            key=str.encode,
        )

    @rule(prefix=prefixes, delimiter=delimiters, max_keys=st.integers(1, 4))
    def list_in_pages(self, prefix: str, delimiter: str, max_keys: int) -> None:
        expected = _grouped([k for k in self.live() if k.startswith(prefix)], prefix, delimiter)
        seen: list[str] = []
        after: str | None = ""
        while after is not None:
            page = self.run(
                self.store.list(
                    "bucket", prefix=prefix, delimiter=delimiter, after=after, max_keys=max_keys
                )
            )
            entries = [*page.common_prefixes, *(record.key for record in page.records)]
            seen += sorted(entries, key=str.encode)
            after = page.next_key
        assert seen == expected

    @rule(prefix=prefixes, max_keys=st.integers(1, 5))
    def list_versions_in_pages(self, prefix: str, max_keys: int) -> None:
        expected = [
            (key, version.version_id, place == 0, version.body is None)
            for key in sorted(self.versions, key=str.encode)
            if key.startswith(prefix)
            for place, version in enumerate(self.versions[key])
        ]
        seen: list[tuple[str, str, bool, bool]] = []
        key: str | None = ""
        version_id: str | None = None
        while key is not None:
            page = self.run(
                self.store.list_versions(
                    "bucket",
                    prefix=prefix,
                    key_marker=key,
                    version_id_marker=version_id,
                    max_keys=max_keys,
                )
            )
            seen += [(r.key, r.version_id, r.is_latest, r.is_delete_marker) for r in page.records]
            key, version_id = page.next_key, page.next_version_id
        assert seen == expected

    @rule(key=keys)
    def look_at_every_version(self, key: str) -> None:
        for place, version in enumerate(self.versions.get(key, [])):
            record = self.run(self.store.head("bucket", key, version.version_id))
            assert record is not None
            assert record.is_latest == (place == 0)
            assert record.properties == version.properties
            if version.body is not None:
                assert self.run(read(self.store, record)) == version.body

    @invariant()
    def current_versions_are_right(self) -> None:
        for key in KEYS:
            record = self.run(self.store.head("bucket", key))
            kept = self.versions.get(key)
            assert (record.version_id if record else None) == (kept[0].version_id if kept else None)


def _grouped(keys: list[str], prefix: str, delimiter: str) -> list[str]:
    entries: dict[str, None] = {}
    for key in keys:
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        entries[key if at < 0 else key[: at + len(delimiter)]] = None
    return sorted(entries, key=str.encode)


StoreMachine.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestModel = StoreMachine.TestCase
