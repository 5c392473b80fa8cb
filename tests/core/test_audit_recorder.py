from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cloche.core.audit import RETENTION_SECONDS, Chunk, Found, IndexedEvent, Position
from cloche.core.audit_recorder import AuditRecorder
from cloche.core.clock import Clock
from cloche.engines.audit.sqlite import SQLiteEventStore
from tests.core.audit_calls import ACCOUNT, call, model_of
from tests.core.conftest import until


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(tmp_path: Path, clock: Clock) -> Iterator[AuditRecorder]:
    store = SQLiteEventStore(tmp_path / "audit.sqlite", clock.time)
    recorder = AuditRecorder(store, clock.time, model_of, ACCOUNT)
    yield recorder
    recorder.close()


def note(log: AuditRecorder, name: str, at: float, *, region: str = "us-east-1") -> None:
    finished = call("iam", "CreateUser", region=region)
    log.record(finished, False, {"UserName": name}, {}, None, at)


def names(found: Sequence[Found]) -> list[str]:
    return [json.loads(event)["requestParameters"]["userName"] for _, _, event in found]


def test_a_flush_shows_what_was_recorded(log: AuditRecorder, clock: Clock) -> None:
    for name in ("a", "b", "c"):
        note(log, name, clock.time())
    log.flush()
    assert names(log.lookup(ACCOUNT, "us-east-1")) == ["c", "b", "a"]
    assert names(log.lookup(ACCOUNT, "us-east-1", attribute=("ResourceName", "b"))) == ["b"]
    assert log.lookup(ACCOUNT, "eu-west-1") == []
    assert log.lookup("111111111111", "us-east-1") == []


def test_without_a_flush_it_is_written_by_itself(log: AuditRecorder, clock: Clock) -> None:
    for round_number in range(3):  # the thread sleeps and wakes again
        note(log, str(round_number), clock.time())
        until(lambda n=round_number: len(log.lookup(ACCOUNT, "us-east-1")) == n + 1)


def test_many_threads_lose_nothing(log: AuditRecorder, clock: Clock) -> None:
    def work(number: int) -> None:
        for index in range(500):
            note(log, f"{number}-{index}", clock.time())
            if index % 100 == 0:
                log.flush()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.flush()
    found = log.lookup(ACCOUNT, "us-east-1", limit=10_000)
    assert len(set(names(found))) == 2000
    assert len({number for _, number, _ in found}) == 2000


def test_ninety_days(log: AuditRecorder, clock: Clock) -> None:
    note(log, "old", clock.time())
    log.flush()
    clock.advance(RETENTION_SECONDS - 10)
    assert names(log.lookup(ACCOUNT, "us-east-1")) == ["old"]
    clock.advance(20)
    assert log.lookup(ACCOUNT, "us-east-1", start=0) == []


def test_closing_writes_what_waits(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "audit.sqlite"
    recorder = AuditRecorder(SQLiteEventStore(path, clock.time), clock.time, model_of, ACCOUNT)
    note(recorder, "last", clock.time())
    recorder.close()
    store = SQLiteEventStore(path, clock.time)
    assert len(store.lookup(f"{ACCOUNT}/us-east-1", None, 0, 2**40, None, 10)) == 1
    store.close()


class FailingStore:
    """A store on a disk that is full until it is not."""

    log_id = "f"

    def __init__(self) -> None:
        self.is_full = True
        self.events: list[IndexedEvent] = []
        self.attempts = 0

    def append(self, management: Sequence[IndexedEvent], data: Sequence[bytes]) -> None:
        self.attempts += 1
        if self.is_full:
            raise OSError("no space left on device")
        self.events += management

    def lookup(
        self,
        scope: str,
        term: tuple[str, str] | None,
        start: int,
        end: int,
        before: Position | None,
        limit: int,
    ) -> Sequence[Found]:
        return []

    def chunk_after(self, sequence: int, include_data: bool) -> Chunk | None:
        return None

    def last_sequence(self) -> int:
        return 0

    def close(self) -> None:
        pass


def test_a_full_disk_loses_nothing(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    store = FailingStore()
    recorder = AuditRecorder(store, clock.time, model_of, ACCOUNT)
    with caplog.at_level(logging.ERROR):
        note(recorder, "a", clock.time())
        until(lambda: store.attempts > 0)
        with pytest.raises(OSError, match="no space"):
            recorder.flush()
        note(recorder, "b", clock.time())
        store.is_full = False
        recorder.flush()
    recorder.close()
    assert [json.loads(e.event)["requestParameters"]["userName"] for e in store.events] == [
        "a",
        "b",
    ]
    assert len({e.event_id for e in store.events}) == 2
