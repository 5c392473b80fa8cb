"""Definitions of Iceberg tables: what is kept of them, and what is refused."""

from __future__ import annotations

import pytest

from tests.services.athena.conftest import Lake


def _create(lake: Lake, columns: str, clauses: str = "", kind: str = "TABLE") -> str:
    return (
        f"CREATE {kind} t ({columns}) {clauses} LOCATION 's3://{lake.name}/t/'"
        " TBLPROPERTIES ('table_type'='ICEBERG')"
    )


@pytest.mark.parametrize(
    ("columns", "clauses", "told"),
    [
        ("a int", "CLUSTERED BY (a) INTO 4 BUCKETS", "CLUSTERED BY is not supported"),
        ("a int", "ROW FORMAT DELIMITED", "ROW FORMAT is not supported"),
        ("a int", "STORED AS ORC", "STORED AS ORC is not supported"),
        ("a int", "PARTITIONED BY (a, a)", "comes twice"),
        ("a int, b array<int>", "PARTITIONED BY (b)", "cannot partition by 'b'"),
        ("a tinyint", "", "do not support the type tinyint"),
        ("a array<smallint>", "", "do not support the type smallint"),
        ("a struct<b:char(3)>", "", "do not support the type char"),
        ("a varchar(2)", "", "do not support the type varchar"),
        ("`$path` string", "", "$path is reserved"),
    ],
)
def test_refused(lake: Lake, columns: str, clauses: str, told: str) -> None:
    assert told in lake.fail(_create(lake, columns, clauses))


def test_an_external_table(lake: Lake) -> None:
    assert "not external" in lake.fail(_create(lake, "a int", kind="EXTERNAL TABLE"))


def test_a_comment(lake: Lake) -> None:
    lake.run(_create(lake, "a int COMMENT 'x'", "COMMENT 'of the table'"))
    glue = lake.server.client("glue")
    lake.run("INSERT INTO t VALUES 1")
    assert glue.get_table(DatabaseName=lake.name, Name="t")["Table"]["Description"] == (
        "of the table"
    )


def test_reserved_names_of_later_columns(lake: Lake) -> None:
    lake.run(_create(lake, "a int"))
    assert "reserved" in lake.fail("ALTER TABLE t ADD COLUMNS (`$row` int)")
    assert "reserved" in lake.fail("ALTER TABLE t CHANGE COLUMN a `$file` int")
    told = lake.fail(
        "CREATE TABLE c WITH (table_type='ICEBERG', is_external=false,"
        f" location='s3://{lake.name}/c/') AS SELECT 1 \"$change\""
    )
    assert "reserved" in told
