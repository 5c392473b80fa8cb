"""TPC-H and TPC-DS: data and queries as DuckDB's extensions generate them."""

from __future__ import annotations

import importlib.util
import math
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import duckdb
import pytest

Suite = Literal["tpch", "tpcds"]

_GENERATORS = {"tpch": "dbgen", "tpcds": "dsdgen"}
QUERIES = {"tpch": 22, "tpcds": 99}


def generated(suite: Suite, scale: float) -> duckdb.DuckDBPyConnection:
    """A database with the tables of a suite; the test is skipped without the extension."""
    found = importlib.util.find_spec(f"duckdb_extension_{suite}")
    folders = found.submodule_search_locations if found is not None else None
    if not folders:
        pytest.skip(f"duckdb-extension-{suite} is not installed")
    database = duckdb.connect()
    file = next(Path(folders[0]).rglob("*.duckdb_extension"))
    database.execute(f"LOAD '{file}'")
    database.execute(f"CALL {_GENERATORS[suite]}(sf={scale})")
    return database


def queries(database: duckdb.DuckDBPyConnection, suite: Suite) -> dict[int, str]:
    """The texts of a suite's queries by their number."""
    rows = database.execute(f"SELECT query_nr, query FROM {suite}_queries()").fetchall()
    found = {number: text.strip().rstrip(";") for number, text in rows}
    assert len(found) == QUERIES[suite]
    return found


def table_names(database: duckdb.DuckDBPyConnection) -> list[str]:
    """The tables that were generated."""
    return [name for (name,) in database.execute("SHOW TABLES").fetchall()]


def is_same(ours: Any, native: Any) -> bool:
    """Whether two values are equal but for the last digits of sums and averages.

    Trino's averages and quotients of decimals are decimals: rounded to their scale.
    """
    numbers = (int, float, Decimal)
    if isinstance(ours, numbers) and isinstance(native, numbers):
        return math.isclose(float(ours), float(native), rel_tol=1e-6, abs_tol=1e-2)
    return ours == native
