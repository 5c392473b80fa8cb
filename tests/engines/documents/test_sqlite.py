from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from cloche.engines.documents.batching import StoreClosed
from cloche.engines.documents.migrations import NewerSchema
from cloche.engines.documents.sqlite import SQLiteDocuments, SQLiteTransaction, StoreInUse


def put(engine: SQLiteDocuments, name: str, value: bytes = b"1") -> None:
    engine.submit(lambda tx: tx.put(("t", "", "", name), value, 1), lambda: None).result(30)


def limit_to_50_pages(tx: SQLiteTransaction) -> None:
    tx._connection.execute("PRAGMA max_page_count = 50")  # pyright: ignore[reportPrivateUsage]


def test_refuses_a_directory_that_is_in_use(tmp_path: Path) -> None:
    engine = SQLiteDocuments(tmp_path)
    with pytest.raises(StoreInUse, match="in use by another Cloche server"):
        SQLiteDocuments(tmp_path)
    engine.close()
    SQLiteDocuments(tmp_path).close()


def test_refuses_what_a_newer_version_wrote(tmp_path: Path) -> None:
    SQLiteDocuments(tmp_path).close()
    with sqlite3.connect(tmp_path / "documents.sqlite") as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    connection.close()
    for _ in range(2):  # it is not left locked
        with pytest.raises(NewerSchema, match="newer version of Cloche"):
            SQLiteDocuments(tmp_path)


def test_a_full_disk_fails_what_does_not_fit_and_nothing_else(tmp_path: Path) -> None:
    engine = SQLiteDocuments(tmp_path)
    put(engine, "before")

    engine.submit(limit_to_50_pages, lambda: None).result(30)
    gate = threading.Event()
    engine.submit(lambda tx: gate.wait(30), lambda: None)  # what follows makes one batch
    small = engine.submit(lambda tx: tx.put(("t", "", "", "small"), b"1", 1), lambda: None)
    large = engine.submit(lambda tx: tx.put(("t", "", "", "large"), b"x" * 10**6, 1), lambda: None)
    later = engine.submit(lambda tx: tx.put(("t", "", "", "later"), b"1", 1), lambda: None)
    gate.set()
    with pytest.raises(sqlite3.OperationalError, match="full"):
        large.result(30)
    small.result(30), later.result(30)
    assert [row[2] for row in engine.scan("t", "", "", "", "", 9)] == ["before", "later", "small"]
    engine.close()


def test_refuses_writes_after_closing(tmp_path: Path) -> None:
    engine = SQLiteDocuments(tmp_path)
    engine.close()
    engine.close()
    with pytest.raises(StoreClosed):
        put(engine, "a")


def test_threads_that_ended_leave_no_connection(tmp_path: Path) -> None:
    engine = SQLiteDocuments(tmp_path)
    for _ in range(50):
        thread = threading.Thread(target=engine.get, args=(("t", "", "", "a"),))
        thread.start()
        thread.join()
    assert len(engine._readers) <= 1  # pyright: ignore[reportPrivateUsage]
    engine.close()


def test_waiting_writes_share_a_commit(tmp_path: Path) -> None:
    engine = SQLiteDocuments(tmp_path)
    gate = threading.Event()
    engine.submit(lambda tx: gate.wait(30), lambda: None)
    commits: list[int] = []
    futures = [
        engine.submit(
            lambda tx, n=n: tx.put(("t", "", "", f"{n:03}"), b"1", 1),
            lambda: commits.append(len(engine.scan("t", "", "", "", "", 1000))),
        )
        for n in range(200)
    ]
    gate.set()
    for future in futures:
        future.result(30)
    # At the first acknowledgement all were there: the gate's own batch apart, they were one.
    assert commits[1:] == [200] * 199
    engine.close()
