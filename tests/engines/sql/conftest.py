"""Engines that the contract tests are run on; a new engine is added to ENGINES."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloche.engines.sql.duckdb import DuckDBEngine
from cloche.engines.sql.engine import SqlEngine
from tests.engines.sql.running import Lake


def _duckdb(tmp_path: Path) -> SqlEngine:
    return DuckDBEngine(
        tmp_path / "engine", [tmp_path / "lake"], memory_bytes=1024 * 2**20, threads=2
    )


ENGINES = {"duckdb": _duckdb}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlEngine]:
    (tmp_path / "lake").mkdir()
    made = ENGINES[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture
def lake(engine: SqlEngine, tmp_path: Path) -> Lake:
    return Lake(engine, tmp_path / "lake")
