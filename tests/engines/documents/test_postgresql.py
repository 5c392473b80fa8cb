from __future__ import annotations

import threading
from contextlib import suppress

import psycopg
import pytest
from psycopg.errors import QueryCanceled

from cloche.engines.documents import postgresql
from cloche.engines.documents.migrations import NewerSchema
from cloche.engines.documents.pending import PendingTransaction
from cloche.engines.documents.postgresql import PostgreSQLDocuments

KEY = ("t", "", "", "count")


def increment(tx: PendingTransaction) -> int:
    stored = tx.get(KEY)
    count = int(stored[0]) + 1 if stored else 1
    tx.put(KEY, str(count).encode(), 1)
    return count


def test_servers_never_lose_each_others_updates(postgresql_url: str) -> None:
    engines = [PostgreSQLDocuments(postgresql_url) for _ in range(3)]
    seen: list[int] = []

    def work(engine: PostgreSQLDocuments) -> None:
        seen.extend(engine.submit(increment, lambda: None).result(60) for _ in range(25))

    threads = [
        threading.Thread(target=work, args=(engine,)) for engine in engines for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 151))
    for engine in engines:
        engine.close()


def test_one_of_several_servers_gets_a_name(postgresql_url: str) -> None:
    engines = [PostgreSQLDocuments(postgresql_url) for _ in range(3)]
    for n in range(20):
        futures = [
            engine.submit(lambda tx, n=n: tx.insert(("t", "", "", f"{n}"), b"1", 1), lambda: None)
            for engine in engines
        ]
        assert sum(future.result(60) is not None for future in futures) == 1
    for engine in engines:
        engine.close()


def test_a_scan_and_an_insert_elsewhere_cannot_both_win(postgresql_url: str) -> None:
    """Write skew: each server adds a document only if it sees none; one is added in all."""
    engines = [PostgreSQLDocuments(postgresql_url) for _ in range(2)]
    for n in range(15):
        barrier = threading.Barrier(2)

        def add_if_alone(
            tx: PendingTransaction, n: int = n, barrier: threading.Barrier = barrier
        ) -> bool:
            alone = not tx.scan("t", "", f"{n}", "", "", 10)
            if alone and not barrier.broken:
                with suppress(threading.BrokenBarrierError):
                    barrier.wait(0.5)
            if alone:
                tx.put(("t", "", f"{n}", str(id(tx))), b"1", 1)
            return alone

        futures = [engine.submit(add_if_alone, lambda: None) for engine in engines]
        assert sorted(future.result(60) for future in futures) == [False, True]
    for engine in engines:
        engine.close()


def test_servers_that_start_together_migrate_once(postgresql_url: str) -> None:
    opened: list[PostgreSQLDocuments] = []
    threads = [
        threading.Thread(target=lambda: opened.append(PostgreSQLDocuments(postgresql_url)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4
    for engine in opened:
        engine.close()


def test_refuses_what_a_newer_version_wrote(postgresql_url: str) -> None:
    PostgreSQLDocuments(postgresql_url).close()
    with psycopg.connect(postgresql_url) as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(NewerSchema, match="newer version of Cloche"):
        PostgreSQLDocuments(postgresql_url)


def test_a_database_that_is_stuck_holds_nobody_up_for_ever(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_READ_SECONDS", 0.2)
    monkeypatch.setattr(postgresql, "_WRITE_SECONDS", 0.4)
    engine = PostgreSQLDocuments(postgresql_url)
    assert engine.submit(increment, lambda: None).result(60) == 1
    with psycopg.connect(postgresql_url) as connection:
        connection.execute("LOCK TABLE documents IN ACCESS EXCLUSIVE MODE")
        futures = [engine.submit(increment, lambda: None) for _ in range(2)]
        with pytest.raises(QueryCanceled):
            engine.get(KEY)
        for future in futures:
            with pytest.raises(QueryCanceled):
                future.result(60)
        connection.rollback()
    assert engine.submit(increment, lambda: None).result(60) == 2
    stored = engine.get(KEY)
    assert stored is not None and stored[0] == b"2"
    engine.close()


def test_connects_again_when_the_database_was_away(postgresql_url: str) -> None:
    engine = PostgreSQLDocuments(postgresql_url)
    assert engine.submit(increment, lambda: None).result(60) == 1
    engine.get(KEY)
    for _ in range(2):
        with psycopg.connect(postgresql_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        assert engine.get(KEY) is not None
        engine.submit(increment, lambda: None).result(60)
    stored = engine.get(KEY)
    assert stored is not None and stored[0] == b"3"
    engine.close()
