"""Random histories on every engine against a dictionary."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from cloche.core.documents import DocumentEngine, EngineTransaction
from tests.engines.documents.conftest import Store

Key = tuple[str, str, str, str]

# Few enough to collide, with what is awkward: prefixes of each other, and beyond the BMP.
names = st.sampled_from(
    ["a", "a/", "a/b", "ab", "b", "\ud7ff", "\ue000", "\uffff", "\U0010ffff", "\x01"]
)
keys = st.tuples(
    st.sampled_from(["t", "u"]), st.sampled_from(["1", "2"]), st.sampled_from(["", "r"]), names
)
values = st.binary(max_size=20)
changes = st.lists(
    st.tuples(st.sampled_from(["put", "insert", "replace", "delete"]), keys, values), max_size=6
)


class _Undo(Exception):
    pass


class Machine(RuleBasedStateMachine):
    """What is done to the engine is done to `held`: value and revision by key."""

    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.engine: DocumentEngine = self.store.open()
        self.held: dict[Key, tuple[bytes, int]] = {}
        self.revisions: set[int] = set()
        self._run(self._clear)

    def _run(self, work: Any) -> Any:
        return self.engine.submit(work, lambda: None).result(30)

    def _clear(self, tx: EngineTransaction) -> None:
        for table in ("t", "u"):
            for row in tx.scan_all(table, None, 1000):
                tx.delete((table, row[0], row[1], row[2]))

    def _change(
        self,
        tx: EngineTransaction,
        held: dict[Key, tuple[bytes, int]],
        change: tuple[str, Key, bytes],
    ) -> None:
        what, key, value = change
        before = held.get(key)
        revision = None
        if what == "delete":
            stored = tx.delete(key)
            assert (stored and (stored[0], stored[2])) == held.pop(key, None)
        elif what == "put":
            revision = tx.put(key, value, 1)
        elif what == "insert":
            revision = tx.insert(key, value, 1)
            assert (revision is None) == (before is not None)
        else:
            assert tx.replace(key, value, 1, 0) is None
            revision = tx.replace(key, value, 1, before[1]) if before else None
        if revision is not None:
            assert revision not in self.revisions
            self.revisions.add(revision)
            held[key] = (value, revision)

    @rule(changes=changes, fails=st.booleans())
    def transact(self, changes: list[tuple[str, Key, bytes]], fails: bool) -> None:
        held = dict(self.held)

        def work(tx: EngineTransaction) -> None:
            for change in changes:
                self._change(tx, held, change)
            for key in held:
                stored = tx.get(key)
                assert stored is not None and (stored[0], stored[2]) == held[key]
            if fails:
                raise _Undo

        if fails:
            try:
                self._run(work)
            except _Undo:
                return
            raise AssertionError("the error was lost")
        self._run(work)
        self.held = held

    @rule(
        prefix=names | st.just(""),
        after=names | st.just(""),
        limit=st.integers(0, 4),
        change=changes,
    )
    def scan(
        self, prefix: str, after: str, limit: int, change: list[tuple[str, Key, bytes]]
    ) -> None:
        held = dict(self.held)

        def work(tx: EngineTransaction) -> list[Any]:
            for each in change:
                self._change(tx, held, each)
            return tx.scan("t", "1", "r", prefix, after, limit)

        rows = self._run(work)
        self.held = held
        found = [key[3] for key in held if key[:3] == ("t", "1", "r")]
        found = [name for name in found if name.startswith(prefix) and name > after]
        assert [row[2] for row in rows] == sorted(found, key=str.encode)[:limit]
        assert rows == self.engine.scan("t", "1", "r", prefix, after, limit)

    @rule(size=st.integers(1, 3))
    def page_through_everything(self, size: int) -> None:
        seen: list[Key] = []
        after: tuple[str, str, str] | None = None
        while page := self.engine.scan_all("t", after, size):
            seen += [("t", *row[:3]) for row in page]
            after = page[-1][:3]
        expected = [key for key in self.held if key[0] == "t"]
        assert seen == sorted(expected, key=lambda key: [part.encode() for part in key])

    @rule()
    def reopen(self) -> None:
        self.engine.close()
        self.engine = self.store.open()

    @invariant()
    def holds_what_was_committed(self) -> None:
        for key, held in self.held.items():
            stored = self.engine.get(key)
            assert stored is not None and (stored[0], stored[2]) == held

    def teardown(self) -> None:
        self.engine.close()


def test_engine_behaves_as_a_dictionary(store: Store) -> None:
    class MachineOverStore(Machine):
        pass

    MachineOverStore.store = store
    run_state_machine_as_test(
        MachineOverStore,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
