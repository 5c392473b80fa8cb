"""What it saves to send conditions to a database: `python -m benchmarks.federation`.

One table of a million rows in PostgreSQL and in MariaDB (servers of its own, from the machine's
binaries), queried through the engine, and by DuckDB's scanners called directly. Each figure is the
best of three.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from tests import mariadb, postgresql

from cloche.engines.sql.duckdb import DuckDBEngine
from cloche.engines.sql.engine import Query, TableNotFound, TableReference, TableSource
from cloche.engines.sql.remote import RemoteDatabase

_ROWS = 1_000_000
_QUERIES = {
    "all rows": "SELECT count(*), sum(price), max(name) FROM {table}",
    "id < 1000": "SELECT count(*), sum(price), max(name) FROM {table} WHERE id < 1000",
    "id = 4711": "SELECT id, price, name, noted FROM {table} WHERE id = 4711",
    "LIMIT 10": "SELECT * FROM {table} LIMIT 10",
}


def run() -> None:
    """Print a line for each database and query."""
    with _postgresql() as database:
        _measure(database, "public", "postgres")
    with _mariadb() as database:
        _measure(database, "shop", "mysql")


@contextmanager
def _postgresql() -> Iterator[RemoteDatabase]:
    binaries = postgresql._find_binaries()
    assert binaries is not None, "PostgreSQL is not installed"
    with postgresql._running_server(binaries) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "CREATE TABLE big AS SELECT i AS id, (i * 1.5)::numeric(12,2) AS price, "
                "'name ' || i AS name, timestamp '2024-01-01' + i * interval '1 second' AS noted "
                f"FROM generate_series(1, {_ROWS}) AS i"
            )
            connection.execute("ALTER TABLE big ADD PRIMARY KEY (id)")
        port = int(url.partition("@")[2].partition(":")[2].partition("/")[0])
        yield RemoteDatabase("c", "postgresql", "127.0.0.1", port, "postgres", "cloche", "any")


@contextmanager
def _mariadb() -> Iterator[RemoteDatabase]:
    with mariadb.running_server() as server:
        server.run(
            "CREATE DATABASE shop; USE shop; CREATE USER r@'%' IDENTIFIED BY 'any'; "
            "GRANT SELECT ON shop.* TO r@'%'; CREATE TABLE big (id int PRIMARY KEY, "
            "price decimal(12,2), name varchar(20), noted datetime(6)); INSERT INTO big "
            "SELECT seq, seq * 1.5, concat('name ', seq), '2024-01-01' + INTERVAL seq SECOND "
            f"FROM seq_1_to_{_ROWS}"
        )
        yield RemoteDatabase("c", "mysql", "127.0.0.1", server.port, "shop", "r", "any")


def _measure(database: RemoteDatabase, schema: str, kind: str) -> None:
    engine = DuckDBEngine(Path(tempfile.mkdtemp()), ["/nowhere"], memory_bytes=2**30, threads=2)

    def resolve(reference: TableReference) -> TableSource:
        found = engine.remotes.find_table(database, reference.schema, reference.name)
        if found is None:
            raise TableNotFound(reference)
        return found

    def ask(sql: str) -> int:
        execution = engine.execute(Query(sql, "trino", "c", schema, resolve))
        try:
            for _ in execution.batches():
                pass
            return execution.statistics.scanned_bytes
        finally:
            execution.close()

    direct = _direct(database, kind)
    for name, sql in _QUERIES.items():
        own, theirs = sql.format(table="big"), sql.format(table=f"r.{schema}.big")
        taken, scanned = _best(ask, own)
        peer, _ = _best(direct, theirs)
        line = f"{database.kind:10} {name:10} {taken * 1000:6.0f} ms {scanned:11,} bytes"
        print(f"{line}   DuckDB's scanner {peer * 1000:6.0f} ms")
    engine.close()


def _direct(database: RemoteDatabase, kind: str) -> Callable[[str], Any]:
    import duckdb_extension_mysql_scanner as my
    import duckdb_extension_postgres_scanner as pg

    connection = duckdb.connect(config={"threads": 2})
    package = Path(str((my if kind == "mysql" else pg).__file__)).parent
    (extension,) = package.glob(f"extensions/v{duckdb.__version__}/*.duckdb_extension")
    connection.execute(f"LOAD '{extension}'")
    name = "database" if kind == "mysql" else "dbname"
    place = f"host=127.0.0.1 port={database.port} user={database.user} password=any"
    connection.execute(f"ATTACH '{place} {name}={database.database}' AS r (TYPE {kind}, READ_ONLY)")
    return lambda sql: connection.execute(sql).fetchall()


def _best(work: Callable[[str], Any], sql: str) -> tuple[float, Any]:
    taken: list[float] = []
    result: Any = None
    for _ in range(3):
        started = time.perf_counter()
        result = work(sql)
        taken.append(time.perf_counter() - started)
    return min(taken), result


if __name__ == "__main__":
    run()
