"""Our own table of expressions over the functions of Athena's reference, and what they give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.engines.sql.trino import running

VECTORS = running.read_vectors(Path(__file__).parent / "expressions.json")

KNOWN_FAILURES = {
    "json_53": "sqlglot's grammar has no EMPTY ARRAY ON EMPTY: a syntax error",
}


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    made = running.connection()
    yield made
    made.close()


@pytest.mark.parametrize("vector", VECTORS, ids=[v["id"] for v in VECTORS])
def test_gives_what_trino_gives(
    database: duckdb.DuckDBPyConnection, vector: running.Vector
) -> None:
    wrong = running.outcome(database, vector)
    if vector["id"] in KNOWN_FAILURES:
        assert wrong is not None, "it is right now: take it out of KNOWN_FAILURES"
        assert not wrong.startswith("SILENT")
        return
    assert wrong is None, vector["sql"]
