"""Databases that are not there, don't answer, or take their time."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from cloche.engines.sql.federation.scanners import Attachment
from cloche.engines.sql.federation.threads import Threads
from cloche.engines.sql.remote import RemoteDatabase
from tests.services.athena.conftest import Lake, refused
from tests.services.athena.federation.conftest import PASSWORD, Remote, arn_of


def register(lake: Lake, kind: str, port: int, parameters: str = "") -> str:
    name = f"f{port}{kind}"
    lake.server.client("glue").create_connection(
        ConnectionInput={
            "Name": name,
            "ConnectionType": "JDBC",
            "ConnectionProperties": {
                "JDBC_CONNECTION_URL": f"jdbc:{kind}://127.0.0.1:{port}/shop{parameters}",
                "USERNAME": "u",
                "PASSWORD": PASSWORD,
            },
        }
    )
    lake.athena.create_data_catalog(
        Name=name, Type="FEDERATED", Parameters={"connection-arn": arn_of(name)}
    )
    return name


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_host_that_refuses_is_told(lake: Lake, kind: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        name = register(lake, kind, probe.getsockname()[1])
        port = probe.getsockname()[1]
        reason = lake.fail(f"SELECT * FROM {name}.public.t")
    assert reason.startswith(f"JDBC_ERROR: Catalog '{name}' cannot connect to 127.0.0.1:{port}: ")
    assert PASSWORD not in reason
    message = refused("MetadataException", lake.athena.list_databases, CatalogName=name)
    assert message.startswith(f"Catalog '{name}' cannot connect to 127.0.0.1:{port}")


@pytest.mark.parametrize(("kind", "timeout"), [("postgresql", "2"), ("mysql", "500")])
def test_a_host_that_says_nothing_fails_the_query_in_time(
    lake: Lake, kind: str, timeout: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        name = register(lake, kind, port, f"?connectTimeout={timeout}")
        started = time.monotonic()
        query = lake.start(f"SELECT * FROM {name}.public.t")
        # Others are served meanwhile.
        assert lake.rows("SELECT 1") == [["1"]]
        status = lake.wait(query)["Status"]
        assert time.monotonic() - started < 20
    assert status["State"] == "FAILED"
    reason = status["StateChangeReason"]
    assert reason.startswith(f"JDBC_ERROR: Catalog '{name}' cannot connect to 127.0.0.1:{port}: ")


def test_a_database_that_errs_says_why(remote: Remote) -> None:
    if remote.kind == "postgresql":
        remote.run(f"CREATE VIEW {remote.own('v')} AS SELECT 1 / (a - a) AS b FROM (SELECT 1 a) x")
    else:
        remote.run("CREATE TABLE two (a int); INSERT INTO two VALUES (1), (2)")
        remote.run("CREATE VIEW v AS SELECT (SELECT a FROM two) AS b")
    reason = remote.lake.fail(f"SELECT b FROM {remote.table('v')}")
    assert reason.startswith("JDBC_ERROR: ")
    assert "division by zero" in reason or "more than 1 row" in reason
    assert remote.lake.rows("SELECT 1") == [["1"]]


def test_a_cancelled_query_ends_here_and_there(remote: Remote) -> None:
    # The view sleeps where it is read, not where it is looked at.
    if remote.kind == "postgresql":
        remote.run(
            f"CREATE VIEW {remote.own('slow')} AS SELECT a, pg_sleep(60)::text AS b "
            "FROM generate_series(1, 3) AS a"
        )
        running = (
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
            f"AND query LIKE '%{remote.schema}%' AND pid <> pg_backend_pid()"
        )
    else:
        remote.run(
            "CREATE TABLE a (a int); INSERT INTO a VALUES (1), (2), (3); "
            "CREATE VIEW slow AS SELECT a, sleep(60) AS b FROM a"
        )
        running = (
            "SELECT count(*) FROM information_schema.processlist WHERE command <> 'Sleep' "
            f"AND info LIKE '%{remote.schema}%' AND id <> connection_id()"
        )

    def count() -> int:
        return int(remote.run(running)[0][0])

    query = remote.lake.start(f"SELECT b FROM {remote.table('slow')}")
    _until(lambda: count() == 1)
    started = time.monotonic()
    remote.lake.athena.stop_query_execution(QueryExecutionId=query)
    assert remote.lake.wait(query)["Status"]["State"] == "CANCELLED"
    _until(lambda: count() == 0)
    assert time.monotonic() - started < 10
    remote.run(f"CREATE TABLE {remote.own('t')} (a int)")
    assert remote.lake.rows(f"SELECT count(*) FROM {remote.table('t')}") == [["0"]]


def _until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + 30
    waiting = threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        waiting.wait(0.05)


def test_a_server_that_was_started_anew_is_found_again(postgresql: Remote) -> None:
    postgresql.run(f"CREATE TABLE {postgresql.own('t')} (a int)")
    counted = f"SELECT count(*) FROM {postgresql.table('t')}"
    assert postgresql.lake.rows(counted) == [["0"]]
    postgresql.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE usename = '{postgresql.user}'"
    )
    assert postgresql.lake.rows(counted) == [["0"]]
    left = postgresql.run(
        f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{postgresql.user}'"
    )
    assert left == [(0,)]


_WITHOUT = """
import pathlib, tempfile
from cloche.engines.sql.duckdb import DuckDBEngine
from cloche.engines.sql.engine import QueryError
from cloche.engines.sql.remote import RemoteDatabase
engine = DuckDBEngine(pathlib.Path(tempfile.mkdtemp()), ["/nowhere"], memory_bytes=2**28)
for kind in ("postgresql", "mysql"):
    try:
        engine.remotes.schemas(RemoteDatabase("c", kind, "127.0.0.1", 1, "d", "u", "p"))
    except QueryError as error:
        print(error)
engine.close()
"""


def test_without_the_extra_it_is_said_what_to_install(tmp_path: Path) -> None:
    # An installation without it: all other packages, and none of those that are linked to.
    import duckdb

    import cloche

    packages = Path(duckdb.__file__).parents[1]
    for entry in packages.iterdir():
        if not entry.name.startswith("duckdb_extension_") and entry.suffix != ".pth":
            (tmp_path / entry.name).symlink_to(entry)
    path = f"{tmp_path}{os.pathsep}{Path(cloche.__file__).parents[1]}"
    done = subprocess.run(
        [sys.executable, "-S", "-c", _WITHOUT],
        env={"PYTHONPATH": path, "PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    for line, name in zip(lines, ("postgres_scanner", "mysql_scanner"), strict=True):
        assert line == (
            f"NOT_SUPPORTED: DuckDB's extension {name} is not installed: "
            "pip install 'cloche[federation]'"
        )


def _rows(remote: Remote, count: int) -> str:
    """A view of so many rows, as a statement names it."""
    if remote.kind == "postgresql":
        source = f"SELECT a, repeat('x', 50) AS b FROM generate_series(1, {count}) AS a"
    else:
        source = f"SELECT seq AS a, repeat('x', 50) AS b FROM seq_1_to_{count}"
    remote.run(f"CREATE VIEW {remote.own('many')} AS {source}")
    return remote.table("many")


def test_the_cut_off_of_a_workgroup_ends_a_scan(remote: Remote) -> None:
    table = _rows(remote, 1_000_000)
    athena, output = remote.lake.athena, {"OutputLocation": remote.lake.output}
    athena.create_work_group(
        Name=remote.schema,
        Configuration={
            "ResultConfiguration": output,
            "BytesScannedCutoffPerQuery": 10_000_000,
        },
    )
    status = remote.lake.end(f"SELECT max(b) FROM {table}", WorkGroup=remote.schema)["Status"]
    assert status["State"] == "CANCELLED"
    assert "Bytes scanned limit was exceeded" in status["StateChangeReason"]
    assert remote.lake.rows(f"SELECT count(*) FROM {table} WHERE a < 10", WorkGroup=remote.schema)


def test_what_needs_few_rows_does_not_wait_for_all(remote: Remote) -> None:
    table = _rows(remote, 20_000_000)
    shown = remote.lake.run(f"SELECT a FROM {table} WHERE a % 2 = 0 LIMIT 5")
    assert len(remote.lake.results(shown["QueryExecutionId"])) == 6
    assert shown["Statistics"]["DataScannedInBytes"] < 50_000_000


def test_queries_at_once_do_not_disturb_each_other(remote: Remote) -> None:
    table = _rows(remote, 50_000)
    started = [
        remote.lake.start(f"SELECT count(*), max(a) FROM {table} WHERE a <= {number * 1000}")
        for number in range(1, 9)
    ]
    for number, query in enumerate(started, 1):
        assert remote.lake.wait(query)["Status"]["State"] == "SUCCEEDED"
        count = str(number * 1000)
        assert remote.lake.results(query)[1:] == [[count, count]]


def test_rows_that_are_too_wide_are_told(postgresql: Remote) -> None:
    postgresql.run(
        f"CREATE VIEW {postgresql.own('wide')} AS "
        "SELECT i, repeat(md5(i::text), CASE WHEN i > 2048 THEN 20000 ELSE 2000 END) AS a "
        "FROM generate_series(1, 4096) i"
    )
    place = postgresql.table("wide")
    reason = postgresql.lake.fail(f"SELECT max(length(a)) FROM {place}")
    assert "exhausted resources" in reason
    assert "2048 rows" in reason
    assert "Possible solutions" not in reason
    # It needs no more memory for many rows than for some.
    rows = postgresql.lake.rows(f"SELECT count(*), max(length(a)) FROM {place} WHERE i <= 2048")
    assert rows == [["2048", "64000"]]


def test_generated_sql_is_in_no_message() -> None:
    database = RemoteDatabase("shop", "postgresql", "h", 5432, "x", "u", PASSWORD)
    attachment = Attachment(Threads(), duckdb.connect(), database)
    told = 'Failed to prepare: ERROR:  date "0000" is out of range\nLINE 1: COPY (SELECT a)\n   ^'
    assert attachment.said(RuntimeError(told)) == 'date "0000" is out of range'


def test_years_that_postgresql_lacks_are_not_sent(postgresql: Remote) -> None:
    postgresql.run(
        f"CREATE TABLE {postgresql.own('days')} AS "
        "SELECT DATE '2024-01-01' AS d, TIMESTAMP '2024-01-01 00:00:00' AS t"
    )
    place, rows = postgresql.table("days"), postgresql.lake.rows
    assert rows(f"SELECT count(*) FROM {place} WHERE d > DATE '0000-01-01'") == [["1"]]
    stamp = "TIMESTAMP '0000-01-01 00:00:00'"
    assert rows(f"SELECT count(*) FROM {place} WHERE t > {stamp}") == [["1"]]
