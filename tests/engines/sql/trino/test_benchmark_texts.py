"""TPC-H's and TPC-DS's queries give the rows that DuckDB gives for the same texts."""

from __future__ import annotations

import pytest

from tests import tpc
from tests.engines.sql.trino import running


@pytest.mark.parametrize("suite", ["tpch", "tpcds"])
def test_every_query_gives_the_native_rows(suite: tpc.Suite) -> None:
    database = tpc.generated(suite, 0.01)
    running.make_ready(database)
    for number, sql in tpc.queries(database, suite).items():
        ours, native = running.rows(database, sql), database.execute(sql).fetchall()
        assert len(ours) == len(native), number
        for mine, theirs in zip(ours, native, strict=True):
            assert all(map(tpc.is_same, mine, theirs)), (number, mine, theirs)
    database.close()
