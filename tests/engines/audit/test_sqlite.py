from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from cloche.engines.audit.sqlite import (
    DATA_SECONDS,
    MANAGEMENT_SECONDS,
    AuditLogUnavailable,
    Entry,
    SQLiteEventStore,
)

SCOPE = "000000000000/us-east-1"
START = 1_800_000_000
FOREVER = 2**40


class Time:
    def __init__(self) -> None:
        self.now = float(START)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store(tmp_path: Path, time: Time) -> Iterator[SQLiteEventStore]:
    store = SQLiteEventStore(tmp_path / "audit.sqlite", time)
    yield store
    store.close()


def entry(number: int, *terms: tuple[str, str], time: int = START, scope: str = SCOPE) -> Entry:
    return (f'{{"number":{number}}}'.encode(), UUID(int=number).bytes, scope, time, terms)


def numbers(
    store: SQLiteEventStore,
    term: tuple[str, str] | None = None,
    *,
    scope: str = SCOPE,
    start: int = 0,
    end: int = FOREVER,
    before: tuple[int, int] | None = None,
    limit: int = 1000,
) -> list[int]:
    found = store.lookup(scope, term, start, end, before, limit)
    return [int(event[10:-1]) for _, _, event in found]


def test_newest_first_within_a_scope(store: SQLiteEventStore) -> None:
    store.append([entry(1), entry(2), entry(3, scope="000000000000/eu-west-1")], [])
    store.append([entry(4, time=START + 5), entry(5, time=START - 5)], [])
    assert numbers(store) == [4, 2, 1, 5]
    assert numbers(store, scope="000000000000/eu-west-1") == [3]
    assert numbers(store, scope="111111111111/us-east-1") == []


def test_found_by_each_term(store: SQLiteEventStore) -> None:
    store.append(
        [entry(1, ("EventName", "A"), ("Username", "jane")), entry(2, ("EventName", "B"))], []
    )
    store.append([entry(3, ("EventName", "A"))], [])
    assert numbers(store, ("EventName", "A")) == [3, 1]
    assert numbers(store, ("EventName", "B")) == [2]
    assert numbers(store, ("Username", "jane")) == [1]
    assert numbers(store, ("Username", "A")) == []
    assert numbers(store, ("EventName", "a")) == []


def test_terms_do_not_run_into_each_other(store: SQLiteEventStore) -> None:
    store.append([entry(1, ("ResourceName", "x\ny")), entry(2, ("ResourceName", "x"))], [])
    assert numbers(store, ("ResourceName", "x")) == [2]
    assert numbers(store, ("ResourceName", "x\ny")) == [1]


def test_found_by_event_id_in_its_scope_and_time(store: SQLiteEventStore) -> None:
    for chunk in range(40):
        store.append([entry(chunk * 10 + place, time=START + chunk) for place in range(10)], [])
    event_id = str(UUID(int=123))
    assert numbers(store, ("EventId", event_id)) == [123]
    assert numbers(store, ("EventId", event_id), start=START + 13) == []
    assert numbers(store, ("EventId", event_id), scope="000000000000/eu-west-1") == []
    assert numbers(store, ("EventId", str(UUID(int=999)))) == []
    assert numbers(store, ("EventId", "no id")) == []


def test_time_range_is_inclusive(store: SQLiteEventStore) -> None:
    store.append([entry(second, time=START + second) for second in range(5)], [])
    assert numbers(store, start=START + 1, end=START + 3) == [3, 2, 1]


def test_pages_go_on_where_the_last_ended(store: SQLiteEventStore) -> None:
    term = ("EventName", "A")
    for chunk in range(7):
        store.append([entry(chunk * 9 + n, term, time=START + n % 3) for n in range(9)], [])
    whole = numbers(store, term)
    assert sorted(whole) == list(range(63))
    paged: list[int] = []
    before: tuple[int, int] | None = None
    while page := store.lookup(SCOPE, term, 0, FOREVER, before, 4):
        paged += [int(event[10:-1]) for _, _, event in page]
        before = page[-1][:2]
        store.append([entry(1000, term, time=START + 100)], [])  # newer ones do not disturb
    assert paged == whole


def test_chunks_in_order_with_and_without_data(store: SQLiteEventStore) -> None:
    store.append([entry(1)], [b"d1", b"d2"])
    store.append([], [b"d3"])
    store.append([entry(2)], [])

    def chunks(include_data: bool) -> list[list[bytes]]:
        found: list[list[bytes]] = []
        sequence = 0
        while chunk := store.chunk_after(sequence, include_data):
            sequence = chunk[0]
            found.append(list(chunk[1]))
        return found

    first, second = b'{"number":1}', b'{"number":2}'
    assert chunks(True) == [[first], [b"d1", b"d2"], [b"d3"], [second]]
    assert chunks(False) == [[first], [second]]
    assert numbers(store) == [2, 1]
    assert store.last_sequence() == 4


def test_old_events_are_dropped(store: SQLiteEventStore, time: Time) -> None:
    store.append([entry(1, ("EventName", "A"))], [b"d1"])
    time.now += DATA_SECONDS + 1
    store.append([entry(2, ("EventName", "A"), time=int(time.now))], [])
    assert numbers(store) == [2, 1]
    assert store.chunk_after(1, include_data=True) == (3, [b'{"number":2}'])
    time.now = START + MANAGEMENT_SECONDS + 1
    store.append([entry(3, ("EventName", "B"), time=int(time.now))], [])
    assert numbers(store) == [3, 2]
    assert numbers(store, ("EventName", "A")) == [2]
    time.now += MANAGEMENT_SECONDS + 1
    store.purge()
    assert numbers(store) == []
    assert store.last_sequence() == 4  # numbers are not given twice
    store.append([entry(4)], [])
    assert store.last_sequence() == 5


def test_data_events_are_bounded_in_size(tmp_path: Path, time: Time) -> None:
    store = SQLiteEventStore(tmp_path / "audit.sqlite", time, data_limit_bytes=2000)
    store.append([entry(1)], [])
    for number in range(100):
        store.append([], [Random(number).randbytes(60).hex().encode()])
    first = store.chunk_after(1, include_data=True)
    assert first is not None
    assert first[0] > 10
    assert store.chunk_after(0, include_data=False) == (1, [b'{"number":1}'])
    kept = store.last_sequence() - first[0] + 1
    assert kept > 10
    store.close()


def test_all_is_there_after_reopening(tmp_path: Path, time: Time) -> None:
    path = tmp_path / "audit.sqlite"
    store = SQLiteEventStore(path, time)
    store.append([entry(1, ("EventName", "A"))], [b"d"])
    log_id = store.log_id
    store.close()
    store = SQLiteEventStore(path, time)
    assert store.log_id == log_id
    store.append([entry(2, ("EventName", "A"))], [])
    assert numbers(store, ("EventName", "A")) == [2, 1]
    store.close()


def test_a_newer_file_is_refused(tmp_path: Path, time: Time) -> None:
    path = tmp_path / "audit.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(AuditLogUnavailable, match="newer version"):
        SQLiteEventStore(path, time)


def test_a_failed_write_leaves_nothing(store: SQLiteEventStore) -> None:
    term = ("EventName", "A")
    store.append([entry(1, term)], [])
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]  # pyright: ignore[reportPrivateUsage]
    limit = "PRAGMA max_page_count = {}"
    store._writer.execute(limit.format(pages + 2))  # pyright: ignore[reportPrivateUsage]
    large = Random(0).randbytes(100_000).hex().encode()
    with pytest.raises(AuditLogUnavailable, match="full"):
        store.append([entry(2, term, ("EventName", "B"))], [large])
    store._writer.execute(limit.format(2**30))  # pyright: ignore[reportPrivateUsage]
    assert numbers(store) == [1]
    store.append([entry(3, term, ("EventName", "B"))], [large])
    assert numbers(store, term) == [3, 1]
    assert numbers(store, ("EventName", "B")) == [3]
