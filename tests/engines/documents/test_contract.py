"""What every document engine does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloche.core.documents import DocumentEngine, EngineTransaction
from tests.engines.documents.conftest import Store

# Any Unicode that a key may hold: no NUL, no lone surrogates.
names = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=8
)


def run(engine: DocumentEngine, work: Callable[[EngineTransaction], Any]) -> Any:
    return engine.submit(work, lambda: None).result(30)


def key(name: str, table: str = "t") -> tuple[str, str, str, str]:
    return (table, "1", "r", name)


def put(engine: DocumentEngine, name: str, value: bytes = b"1") -> int:
    return run(engine, lambda tx: tx.put(key(name), value, 1))


def scanned(
    engine: DocumentEngine, prefix: str = "", after: str = "", limit: int = 100
) -> list[str]:
    return [row[2] for row in engine.scan("t", "1", "r", prefix, after, limit)]


def test_reads_what_was_put(engine: DocumentEngine) -> None:
    revision = run(engine, lambda tx: tx.put(key("a"), b"\x00\xff", 3))
    assert engine.get(key("a")) == (b"\x00\xff", 3, revision)
    assert engine.get(key("b")) is None
    assert engine.scan("t", "1", "r", "", "", 10) == [("1", "r", "a", b"\x00\xff", 3, revision)]


def test_insert_leaves_what_is_there(engine: DocumentEngine) -> None:
    assert run(engine, lambda tx: tx.insert(key("a"), b"1", 1)) is not None
    assert run(engine, lambda tx: tx.insert(key("a"), b"2", 1)) is None
    stored = engine.get(key("a"))
    assert stored is not None and stored[0] == b"1"


def test_replace_wants_the_last_revision(engine: DocumentEngine) -> None:
    first = put(engine, "a")
    second = run(engine, lambda tx: tx.replace(key("a"), b"2", 1, first))
    assert second not in (None, first)
    assert run(engine, lambda tx: tx.replace(key("a"), b"3", 1, first)) is None
    assert run(engine, lambda tx: tx.replace(key("none"), b"3", 1, first)) is None
    assert engine.get(key("a")) == (b"2", 1, second)


def test_delete_returns_what_was_there(engine: DocumentEngine) -> None:
    revision = put(engine, "a")
    assert run(engine, lambda tx: tx.delete(key("a"))) == (b"1", 1, revision)
    assert run(engine, lambda tx: tx.delete(key("a"))) is None
    assert engine.get(key("a")) is None


def test_revisions_are_never_used_again(store: Store) -> None:
    revisions: list[int] = []
    for _ in range(3):
        engine = store.open()
        revisions += [put(engine, "a"), put(engine, "b")]
        run(engine, lambda tx: tx.delete(key("a")))
        engine.close()
    assert len(set(revisions)) == 6


def test_what_fails_is_undone_alone(engine: DocumentEngine) -> None:
    put(engine, "a", b"before")
    gate = threading.Event()
    engine.submit(lambda tx: gate.wait(30), lambda: None)  # the others come in one batch

    def fail(tx: EngineTransaction) -> None:
        tx.put(key("a"), b"after", 1)
        tx.insert(key("b"), b"after", 1)
        tx.delete(key("c"))
        raise LookupError("no")

    good = engine.submit(lambda tx: tx.put(key("c"), b"kept", 1), lambda: None)
    failed = engine.submit(fail, lambda: None)
    seen = engine.submit(lambda tx: (tx.get(key("b")), tx.get(key("c"))), lambda: None)
    gate.set()
    with pytest.raises(LookupError):
        failed.result(30)
    b, c = seen.result(30)
    assert b is None
    assert c == (b"kept", 1, good.result(30))
    assert engine.get(key("c")) == c
    stored = engine.get(key("a"))
    assert stored is not None and stored[0] == b"before"


def test_a_transaction_sees_its_own_writes(engine: DocumentEngine) -> None:
    for name in ("a", "b", "c", "d"):
        put(engine, name)

    def work(tx: EngineTransaction) -> list[list[str]]:
        tx.delete(key("a"))
        tx.delete(key("c"))
        tx.insert(key("bb"), b"2", 1)
        tx.put(key("d"), b"2", 1)
        tx.put(key("z", table="other"), b"2", 1)
        assert tx.insert(key("a"), b"2", 1) is not None
        tx.delete(key("a"))
        pages = [tx.scan("t", "1", "r", "", after, 2) for after in ("", "bb")]
        everywhere = tx.scan_all("t", None, 2), tx.scan_all("t", ("1", "r", "bb"), 2)
        return [[row[2] for row in rows] for rows in (*pages, *everywhere)]

    assert run(engine, work) == [["b", "bb"], ["d"], ["b", "bb"], ["d"]]
    assert scanned(engine) == ["b", "bb", "d"]


def test_commit_comes_before_the_answer(engine: DocumentEngine) -> None:
    seen: list[object] = []
    engine.submit(
        lambda tx: tx.put(key("a"), b"1", 1), lambda: seen.append(engine.get(key("a")))
    ).result(30)
    assert seen and seen[0] is not None


def test_scan_is_in_the_order_of_utf8(engine: DocumentEngine) -> None:
    ordered = [
        "A",
        "Z",
        "a",
        "a/",
        "a/b",
        "ab",
        "é",
        "\ud7ff",
        "\ue000",
        "\uffff",
        "\U00010000",
        "😀",
    ]
    for name in reversed(ordered):
        put(engine, name)
    assert sorted(ordered, key=str.encode) == ordered
    assert scanned(engine) == ordered
    assert scanned(engine, prefix="a") == ["a", "a/", "a/b", "ab"]
    assert scanned(engine, prefix="a", after="a/") == ["a/b", "ab"]
    assert scanned(engine, prefix="a", after="b") == []
    assert scanned(engine, prefix="b") == []
    assert scanned(engine, after="a/b", limit=2) == ["ab", "é"]
    assert scanned(engine, prefix="\ud7ff") == ["\ud7ff"]


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(names, max_size=12), names | st.just(""), names | st.just(""), st.integers(0, 5))
def test_scan_finds_what_has_the_prefix_and_comes_after(
    engine: DocumentEngine, present: list[str], prefix: str, after: str, limit: int
) -> None:
    def replace_all(tx: EngineTransaction) -> list[str]:
        for row in tx.scan("t", "1", "r", "", "", 1000):
            tx.delete(key(row[2]))
        for name in present:
            tx.put(key(name), b"1", 1)
        return [row[2] for row in tx.scan("t", "1", "r", prefix, after, limit)]

    expected = sorted(
        {name for name in present if name.startswith(prefix) and name > after}, key=str.encode
    )[:limit]
    assert run(engine, replace_all) == expected
    assert scanned(engine, prefix, after, limit) == expected


def test_scan_all_crosses_accounts_and_regions(engine: DocumentEngine) -> None:
    keys = [("t", "1", "", "z"), ("t", "1", "r", "a"), ("t", "2", "", "a"), ("t", "2", "", "b")]
    for each in (*reversed(keys), ("s", "1", "", "a"), ("u", "1", "", "a")):
        run(engine, lambda tx, each=each: tx.put(each, b"1", 1))
    first = engine.scan_all("t", None, 3)
    assert [row[:3] for row in first] == [each[1:] for each in keys[:3]]
    rest = engine.scan_all("t", first[-1][:3], 3)
    assert [row[:3] for row in rest] == [keys[3][1:]]


def test_long_names_and_values(engine: DocumentEngine) -> None:
    name = "é" * 1024
    run(engine, lambda tx: tx.put(("t" * 50, "1" * 12, "r" * 30, name), b"x" * 3_000_000, 1))
    stored = engine.get(("t" * 50, "1" * 12, "r" * 30, name))
    assert stored is not None and len(stored[0]) == 3_000_000


def test_keeps_everything_over_a_restart(store: Store) -> None:
    engine = store.open()
    revision = put(engine, "a")
    engine.close()
    assert store.open().get(key("a")) == (b"1", 1, revision)


def test_concurrent_counting_loses_nothing(engine: DocumentEngine) -> None:
    def increment(tx: EngineTransaction) -> None:
        stored = tx.get(key("count"))
        count = int(stored[0]) if stored else 0
        tx.put(key("count"), str(count + 1).encode(), 1)

    def work() -> None:
        for _ in range(20):
            run(engine, increment)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = engine.get(key("count"))
    assert stored is not None and stored[0] == b"160"


def test_refuses_the_store_within_a_transaction(engine: DocumentEngine) -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        run(engine, lambda tx: put(engine, "a"))


def test_closing_commits_what_was_submitted(store: Store) -> None:
    engine = store.open()
    futures = [
        engine.submit(lambda tx, n=n: tx.put(key(f"{n:03}"), b"1", 1), lambda: None)
        for n in range(100)
    ]
    engine.close()
    assert all(future.result(0) for future in futures)
    assert len(store.open().scan("t", "1", "r", "", "", 1000)) == 100
