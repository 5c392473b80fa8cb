"""Time travel to moments and versions that expressions and parameters tell."""

from __future__ import annotations

import pytest

from tests.services.athena.conftest import Lake


@pytest.fixture
def table(lake: Lake) -> str:
    lake.run(
        f"CREATE TABLE t (a int) LOCATION 's3://{lake.name}/t/'"
        " TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    lake.run("INSERT INTO t VALUES 1")
    return "t"


@pytest.mark.parametrize(
    "moment",
    [
        "(current_timestamp - interval '0' day)",
        "current_timestamp + interval '1' day",
        "current_timestamp",
        "current_date + interval '2' day",
        "timestamp '2099-01-01 00:00:00' - interval '1' month",
    ],
)
def test_moments(lake: Lake, table: str, moment: str) -> None:
    assert lake.rows(f"SELECT * FROM t FOR TIMESTAMP AS OF {moment}") == [["1"]]


def test_a_moment_before_the_table(lake: Lake, table: str) -> None:
    told = lake.fail("SELECT * FROM t FOR TIMESTAMP AS OF (current_timestamp - interval '1' day)")
    assert "No version history table" in told


def test_parameters(lake: Lake, table: str) -> None:
    [[version]] = lake.rows('SELECT snapshot_id FROM "t$snapshots"')
    assert version is not None
    for sql, value in (
        ("SELECT * FROM t FOR VERSION AS OF ?", version),
        ("SELECT * FROM t FOR TIMESTAMP AS OF ?", "timestamp '2099-01-01 00:00:00 UTC'"),
        ("SELECT * FROM t FOR TIMESTAMP AS OF ?", "current_timestamp"),
    ):
        assert lake.rows(sql, ExecutionParameters=[value]) == [["1"]]


def test_a_version_that_is_nearly_a_number(lake: Lake, table: str) -> None:
    told = lake.fail("SELECT * FROM t FOR VERSION AS OF '²'")
    assert "Iceberg snapshot ID does not exist" in told
