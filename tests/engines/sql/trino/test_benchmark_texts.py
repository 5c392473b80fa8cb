"""TPC-H's and TPC-DS's queries give the rows that DuckDB gives for the same texts."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cloche.engines.sql.trino import prepare
from tests.engines.sql.trino import running

SUITES = {"tpch": ("dbgen", 0.01, 22), "tpcds": ("dsdgen", 0.01, 99)}


def extension(name: str) -> Path | None:
    found = importlib.util.find_spec(f"duckdb_extension_{name}")
    if found is None or not found.submodule_search_locations:
        return None
    return next(Path(found.submodule_search_locations[0]).rglob("*.duckdb_extension"), None)


def is_same(a: Any, b: Any) -> bool:
    numbers = (int, float, Decimal)
    if isinstance(a, numbers) and isinstance(b, numbers):
        # Trino's averages and quotients of decimals are decimals: rounded to their scale.
        return math.isclose(float(a), float(b), rel_tol=1e-6, abs_tol=1e-2)
    return a == b


@pytest.fixture(params=SUITES)
def suite(request: pytest.FixtureRequest) -> Iterator[tuple[duckdb.DuckDBPyConnection, str, int]]:
    name = request.param
    file = extension(name)
    if file is None:
        pytest.skip(f"duckdb-extension-{name} is not installed")
    generate, factor, count = SUITES[name]
    database = duckdb.connect()
    database.execute(f"LOAD '{file}'")
    database.execute(f"CALL {generate}(sf={factor})")
    prepare(database, time_zone="UTC", now=running.NOW, user="me")
    yield database, name, count
    database.close()


def test_every_query_gives_the_native_rows(
    suite: tuple[duckdb.DuckDBPyConnection, str, int],
) -> None:
    database, name, count = suite
    queries = database.execute(f"SELECT query_nr, query FROM {name}_queries()").fetchall()
    assert len(queries) == count
    for number, sql in queries:
        ours, native = running.rows(database, sql), database.execute(sql).fetchall()
        assert len(ours) == len(native), number
        for mine, theirs in zip(ours, native, strict=True):
            assert all(map(is_same, mine, theirs)), (number, mine, theirs)
