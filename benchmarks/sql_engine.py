"""TPC-H through the engine against DuckDB called directly, on the same Parquet files.

    python -m benchmarks.sql_engine [--scale 1] [--runs 3] [--directory DIR]

Both run in this process by turns, with the same threads and memory; the best of the runs counts.
The engine's time has everything: parsing Trino's SQL, finding files, planning, running, and its
answer as Arrow. What each answers is compared.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

from cloche.engines.sql.duckdb import DuckDBEngine
from cloche.engines.sql.engine import (
    Column,
    DataFile,
    FileTable,
    Query,
    QueryError,
    TableNotFound,
    TableReference,
)

PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
MEMORY_BYTES = 4 * 2**30
TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
HIVE_NAMES = {"VARCHAR": "string", "INTEGER": "int"}


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(arguments.directory or temporary)
        generate(folder, arguments.scale)
        compare(folder, arguments.runs)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="TPC-H: the engine against DuckDB")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--directory", help="keeps the files for the next time")
    return parser.parse_args()


def open_with_tpch(database: str = ":memory:") -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(database)
    found = find_spec("duckdb_extension_tpch")
    assert found is not None, "pip install duckdb-extension-tpch"
    assert found.submodule_search_locations
    extensions = Path(found.submodule_search_locations[0]) / "extensions"
    file = extensions / f"v{duckdb.__version__}" / "tpch.duckdb_extension"
    connection.execute(f"LOAD '{file}'")
    return connection


def generate(folder: Path, scale: float) -> None:
    """TPC-H's tables as Parquet files, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    if all((folder / f"{table}.parquet").exists() for table in TABLES):
        return
    database = folder / "generated.duckdb"  # more than memory holds at large scales
    connection = open_with_tpch(str(database))
    connection.execute(f"CALL dbgen(sf = {scale})")
    for table in TABLES:
        connection.execute(f"COPY {table} TO '{folder / table}.parquet' (FORMAT parquet)")
    connection.close()
    database.unlink()


def queries() -> list[str]:
    connection = open_with_tpch()
    rows = connection.execute("SELECT query FROM tpch_queries() ORDER BY query_nr").fetchall()
    return [row[0].strip().rstrip(";") for row in rows]


def file_tables(folder: Path) -> dict[str, FileTable]:
    connection = duckdb.connect()
    tables: dict[str, FileTable] = {}
    for table in TABLES:
        path = folder / f"{table}.parquet"
        described = connection.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
        columns = tuple(Column(row[0], HIVE_NAMES.get(row[1], row[1].lower())) for row in described)
        file = DataFile(str(path), f"s3://tpch/{path.name}", path.stat().st_size)
        tables[table] = FileTable(columns, (), (file,), "", PARQUET_SERDE)
    return tables


def direct(folder: Path, threads: int) -> Callable[[str], list[Any]]:
    connection = duckdb.connect(config={"threads": threads, "memory_limit": f"{MEMORY_BYTES}B"})
    for table in TABLES:
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM '{folder / table}.parquet'")
    return lambda sql: connection.execute(sql).to_arrow_table().to_pylist()


def through_engine(folder: Path, threads: int) -> Callable[[str], list[Any]]:
    tables = file_tables(folder)
    spill = Path(tempfile.mkdtemp(prefix="cloche-bench-"))
    # Half of what is free is a query's: it has the same as DuckDB called directly.
    engine = DuckDBEngine(spill, [folder], memory_bytes=2 * MEMORY_BYTES, threads=threads)

    def resolve(reference: TableReference) -> FileTable:
        if reference.name not in tables:
            raise TableNotFound(reference)
        return tables[reference.name]

    def run(sql: str) -> list[Any]:
        execution = engine.execute(Query(sql, "trino", "awsdatacatalog", "tpch", resolve))
        try:
            return [row for batch in execution.batches() for row in batch.to_pylist()]
        finally:
            execution.close()

    return run


def same(left: list[Any], right: list[Any]) -> bool:
    """Whether two answers are equal but for the last digits of sums and averages."""

    def values(rows: list[Any]) -> list[Any]:
        return [list(row.values()) for row in rows]

    def close(a: Any, b: Any) -> bool:
        if a is None or b is None or isinstance(a, str):
            return a == b
        try:
            return abs(float(a) - float(b)) <= 0.01 + 1e-6 * abs(float(b))
        except TypeError:
            return a == b

    pairs = zip(values(left), values(right), strict=False)
    return len(left) == len(right) and all(
        len(a) == len(b) and all(map(close, a, b)) for a, b in pairs
    )


def timed(run: Callable[[str], list[Any]], sql: str) -> tuple[float, list[Any]]:
    started = time.perf_counter()
    rows = run(sql)
    return time.perf_counter() - started, rows


def compare(folder: Path, runs: int) -> None:
    threads = os.cpu_count() or 1
    by_duckdb, by_engine = direct(folder, threads), through_engine(folder, threads)
    totals = [0.0, 0.0]
    ratios: list[float] = []
    right = 0
    print(f"{'query':>5} {'DuckDB ms':>10} {'engine ms':>10} {'ratio':>6}")
    for number, sql in enumerate(queries(), start=1):
        best = [float("inf"), float("inf")]
        try:
            for _ in range(runs):
                seconds, expected = timed(by_duckdb, sql)
                best[0] = min(best[0], seconds)
                seconds, rows = timed(by_engine, sql)
                best[1] = min(best[1], seconds)
        except QueryError as error:
            print(f"{number:>5} {error}")
            continue
        is_right = same(rows, expected)
        right += is_right
        totals = [total + seconds for total, seconds in zip(totals, best, strict=True)]
        ratios.append(best[1] / best[0])
        mark = "" if is_right else "  WRONG"
        print(f"{number:>5} {best[0] * 1e3:>10.1f} {best[1] * 1e3:>10.1f} {ratios[-1]:>6.2f}{mark}")
    print(f"right: {right} of 22")
    if ratios:
        print(
            f"total: DuckDB {totals[0]:.2f} s, engine {totals[1]:.2f} s, "
            f"ratio {totals[1] / totals[0]:.2f} (median of queries {statistics.median(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
