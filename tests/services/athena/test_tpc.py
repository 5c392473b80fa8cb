"""TPC-H at scale 1 and TPC-DS at scale 0.1, as a user of Athena runs them.

The tables are Parquet objects in S3, made known by DDL; each result is read through
GetQueryResults and compared with what DuckDB answers for the same text on the same files.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests import tpc
from tests.live_server import LiveServer
from tests.services.athena.conftest import Lake

TPCH_SCALE = float(os.environ.get("CLOCHE_TPCH_SCALE", "1"))
TPCDS_SCALE = float(os.environ.get("CLOCHE_TPCDS_SCALE", "0.1"))
# Where Trino rounds a decimal and DuckDB goes on with a double, rows and their order differ:
# DuckDB is asked for Trino's arithmetic, by suite and query.
AS_TRINO_ROUNDS = {
    ("tpcds", 53): [
        (
            "avg(sum(ss_sales_price)) OVER (PARTITION BY i_manufact_id)",
            "CAST(avg(sum(ss_sales_price)) OVER (PARTITION BY i_manufact_id) AS DECIMAL(38,2))",
        ),
        (
            "ABS (sum_sales - avg_quarterly_sales)/ avg_quarterly_sales",
            "round(ABS (sum_sales - avg_quarterly_sales)/ avg_quarterly_sales, 2)",
        ),
    ],
    ("tpcds", 75): [
        (
            "CAST(curr_yr.sales_cnt AS DECIMAL(17,2))/CAST(prev_yr.sales_cnt AS DECIMAL(17,2))<0.9",
            "round(curr_yr.sales_cnt / prev_yr.sales_cnt, 2)<0.9",
        )
    ],
}
HIVE_NAMES = {"VARCHAR": "string", "INTEGER": "int"}


class Suite:
    """A suite's tables in Athena, and beside it DuckDB on the same files."""

    def __init__(self, lake: Lake, suite: tpc.Suite, scale: float, folder: Path) -> None:
        self.lake = lake
        self.suite = suite
        generated = tpc.generated(suite, scale)
        self.queries = tpc.queries(generated, suite)
        self.native = duckdb.connect()
        for table in tpc.table_names(generated):
            file = folder / f"{table}.parquet"
            generated.execute(f"COPY {table} TO '{file}' (FORMAT parquet)")
            self.native.execute(f"CREATE VIEW {table} AS SELECT * FROM '{file}'")
            self.register(table, file)
        generated.close()

    def register(self, table: str, file: Path) -> None:
        with file.open("rb") as body:
            self.lake.s3.put_object(Bucket=self.lake.name, Key=f"{table}/data.parquet", Body=body)
        described = self.native.execute(f"DESCRIBE {table}").fetchall()
        columns = ", ".join(f"`{row[0]}` {HIVE_NAMES.get(row[1], row[1])}" for row in described)
        location = f"s3://{self.lake.name}/{table}/"
        self.lake.run(
            f"CREATE EXTERNAL TABLE {table} ({columns}) STORED AS PARQUET LOCATION '{location}'"
        )

    def check_all(self) -> None:
        wrong = [number for number, sql in self.queries.items() if not self.is_right(number, sql)]
        assert wrong == []

    def is_right(self, number: int, sql: str) -> bool:
        ours = self.lake.rows(sql)
        for text, as_trino in AS_TRINO_ROUNDS.get((self.suite, number), ()):
            assert text in sql
            sql = sql.replace(text, as_trino)
        native = self.native.execute(sql).fetchall()
        return len(ours) == len(native) and all(
            is_shown(text, value)
            for row, values in zip(ours, native, strict=True)
            for text, value in zip(row, values, strict=True)
        )


def is_shown(text: str | None, value: Any) -> bool:
    """Whether a result's text stands for a value of DuckDB's."""
    if text is None or value is None:
        return text is None and value is None
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return math.isclose(float(text), float(value), rel_tol=1e-6, abs_tol=1e-2)
    return text == str(value)


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    """A lake on a server of its own: its data is gone when the test is."""
    live = LiveServer(tmp_path / "data").start()
    yield Lake(live).prepare()
    live.stop()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_query_of_tpch_at_scale_1(lake: Lake, tmp_path: Path) -> None:
    Suite(lake, "tpch", TPCH_SCALE, tmp_path).check_all()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_query_of_tpcds_at_a_tenth(lake: Lake, tmp_path: Path) -> None:
    Suite(lake, "tpcds", TPCDS_SCALE, tmp_path).check_all()
