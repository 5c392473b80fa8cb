"""The SQL engine of a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloche.engines.sql.engine import Query, QueryError, SqlEngine, TableNotFound, TableReference
from tests.live_server import LiveServer


def _nothing(reference: TableReference) -> object:
    raise TableNotFound(reference)


def test_the_server_has_one_engine_and_closes_it(tmp_path: Path) -> None:
    server = LiveServer(tmp_path).start()
    try:
        engine = server.runtime.engine(SqlEngine)
        assert server.runtime.engine(SqlEngine) is engine
        query = Query("SELECT 1 AS a", "trino", "awsdatacatalog", "default", _nothing)  # type: ignore[arg-type]
        execution = engine.execute(query)
        assert [batch.to_pylist() for batch in execution.batches()] == [[{"a": 1}]]
        execution.close()
        assert (tmp_path / "sql" / "spill").is_dir()
    finally:
        server.stop()
    with pytest.raises(QueryError, match="stopping"):
        engine.execute(query)
