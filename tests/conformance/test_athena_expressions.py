"""Expressions of Athena engine version 3 and the text that GetQueryResults gives for them.

Those that can't be right must be refused: none may be silently wrong.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines.sql.trino import running

FILE = Path(__file__).resolve().parents[2].parent / "shared/vectors/athena/expressions.json"

pytestmark = pytest.mark.skipif(
    not FILE.is_file(), reason="../shared/vectors/athena/expressions.json is absent"
)

GOAL = 0.97

KNOWN_FAILURES = {
    "match_recognize": "DuckDB has no row pattern matching",
    "st_contains": "geospatial functions are not built",
}


def test_expressions_are_right_or_refused() -> None:
    database = running.connection()
    vectors = running.read_vectors(FILE)
    wrong = {v["id"]: w for v in vectors if (w := running.outcome(database, v)) is not None}
    database.close()
    assert not [w for w in wrong.values() if w.startswith("SILENT")], wrong
    assert wrong.keys() == KNOWN_FAILURES.keys(), wrong
    assert len(vectors) - len(wrong) >= GOAL * len(vectors)
