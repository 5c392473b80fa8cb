"""What DuckDB's databases may do, should a query get past the dialect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cloche.engines.sql.duckdb.databases import Databases
from cloche.engines.sql.duckdb.execution import _only_query
from cloche.engines.sql.engine import QueryError

MIB = 2**20


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[Databases]:
    (tmp_path / "lake").mkdir()
    pq.write_table(pa.table({"a": [1]}), tmp_path / "lake" / "t.parquet")
    (tmp_path / "secret.csv").write_text("a\n1\n")
    made = Databases(
        tmp_path / "spill", 1024 * MIB, 2, [str(tmp_path / "lake")], lambda connection: None
    )
    yield made
    made.close()


def test_only_tables_files_can_be_read(databases: Databases, tmp_path: Path) -> None:
    connection = databases.take().connection
    files = f"read_parquet('{tmp_path}/lake/t.parquet')"
    assert connection.execute(f"SELECT a FROM {files}").fetchall() == [(1,)]
    for refused in (
        f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
        f"SELECT * FROM read_text('{tmp_path}/lake/../secret.csv')",
        f"SELECT * FROM glob('{tmp_path}/*')",
        f"SELECT * FROM '{tmp_path}/secret.csv'",
        "SELECT * FROM read_blob('/etc/passwd')",
        "SELECT * FROM read_parquet('http://127.0.0.1:1/x.parquet')",
        f"COPY (SELECT 1) TO '{tmp_path}/stolen.csv'",
        f"ATTACH '{tmp_path}/stolen.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        f"SET temp_directory = '{tmp_path}'",
        "SELECT getenv('HOME')",
    ):
        with pytest.raises(duckdb.Error):
            connection.execute(refused)
    assert not list(tmp_path.glob("stolen*"))


@pytest.mark.parametrize(
    "sql",
    [
        "SET memory_limit = '1TB'",
        "COPY (SELECT 1) TO 'x.csv'",
        "CREATE TABLE t AS SELECT 1",
        "SELECT 1; SELECT 2",
        "ATTACH 'x.db'",
        "",
    ],
)
def test_only_queries_are_run(sql: str) -> None:
    with pytest.raises(QueryError):
        _only_query(sql)


def test_a_folder_of_its_own_that_is_emptied_at_start(tmp_path: Path) -> None:
    left = tmp_path / "spill" / "7" / "duckdb_temp_block-1.block"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x" * 1000)
    Databases(tmp_path / "spill", 1024 * MIB, 1, [], lambda connection: None).close()
    assert list((tmp_path / "spill").iterdir()) == []


def test_a_database_is_used_again(databases: Databases) -> None:
    first = databases.take()
    second = databases.take()
    assert first is not second
    databases.give_back(first)
    assert databases.take() is first


def test_memory_is_shared_out(databases: Databases) -> None:
    with databases.memory(None) as first, databases.memory(None) as second:
        assert (first, second) == (512 * MIB, 256 * MIB)
    with databases.memory(200 * MIB) as asked:
        assert asked == 200 * MIB
    with databases.memory(10**12) as bounded:
        assert bounded == 512 * MIB
