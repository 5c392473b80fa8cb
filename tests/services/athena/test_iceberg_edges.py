"""Corners of Iceberg tables: odd constants, names and types, and changes that are stopped."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import (
    DateType,
    FixedType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

from tests.services.athena.conftest import Lake


@pytest.fixture
def table(lake: Lake) -> str:
    lake.run(
        f"CREATE TABLE t (id int, name string) LOCATION 's3://{lake.name}/t/'"
        " TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    lake.run("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    return "t"


def test_a_constant_between_whole_numbers_leaves_out_no_row(lake: Lake, table: str) -> None:
    assert lake.rows("SELECT id FROM t WHERE id > 1.5") == [["2"]]
    assert lake.rows("SELECT id FROM t WHERE id < 1.5") == [["1"]]
    assert lake.rows("SELECT id FROM t WHERE id BETWEEN 1.6 AND 2.4") == [["2"]]
    assert lake.rows("SELECT id FROM t WHERE id = 1.5") == []
    lake.run("DELETE FROM t WHERE id >= 1.5")
    assert lake.rows("SELECT id FROM t") == [["1"]]


def test_prepared_changes(lake: Lake, table: str) -> None:
    lake.run("PREPARE change FROM UPDATE t SET name = ? WHERE id = ?")
    shown = lake.run("EXECUTE change USING 'x', 2")
    answer = lake.athena.get_query_results(QueryExecutionId=shown["QueryExecutionId"])
    assert answer["UpdateCount"] == 1
    assert lake.rows("SELECT name FROM t ORDER BY id") == [["a"], ["x"]]


def test_names_of_three_parts_and_in_quotes(lake: Lake, table: str) -> None:
    name = f'"awsdatacatalog"."{lake.name}"."t"'
    lake.run(f'UPDATE {name} SET "name" = \'q\' WHERE "T".id = 1')
    lake.run(f"DELETE FROM {name} WHERE t.id = 2", QueryExecutionContext={})
    lake.run(
        f"MERGE INTO {name} USING (VALUES 1) s(id) ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET name = t.name || '!'"
    )
    assert lake.rows("SELECT * FROM t") == [["1", "q!"]]


def test_a_change_that_is_stopped_leaves_nothing(lake: Lake, table: str) -> None:
    before = lake.keys("t/")
    endless = (
        "UPDATE t SET name = 'x' WHERE id < (SELECT count(*) FROM unnest(sequence(1, 100000)) a(x),"
        " unnest(sequence(1, 100000)) b(y) WHERE (x * y) % 7 = 3)"
    )
    query = lake.start(endless)
    while lake.athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"][
        "State"
    ] in ("QUEUED",):
        pass
    lake.athena.stop_query_execution(QueryExecutionId=query)
    assert lake.wait(query)["Status"]["State"] == "CANCELLED"
    assert lake.keys("t/") == before
    assert lake.rows("SELECT name FROM t ORDER BY id") == [["a"], ["b"]]


def test_rare_types_and_names_in_capitals(lake: Lake, catalog: GlueCatalog) -> None:
    schema = Schema(
        NestedField(1, "Id", LongType()),
        NestedField(2, "When", TimestamptzType()),
        NestedField(3, "At", TimeType()),
        NestedField(4, "U", UUIDType()),
        NestedField(5, "F", FixedType(4)),
        NestedField(
            6,
            "R",
            StructType(NestedField(7, "Inner", StringType()), NestedField(8, "n", IntegerType())),
        ),
    )
    made = catalog.create_table(f"{lake.name}.rare", schema, location=f"s3://{lake.name}/rare")
    lake.run(
        "INSERT INTO rare VALUES (1, TIMESTAMP '2020-01-01 02:00:00 +02:00', TIME '01:02:03',"
        " UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59', X'00010203',"
        " CAST(ROW('x', 5) AS ROW(inner varchar, n integer))), (2, NULL, NULL, NULL, NULL, NULL)"
    )
    lake.run("UPDATE rare SET id = 3 WHERE id = 2")
    lake.run(
        "UPDATE rare SET r = CAST(ROW(r.inner || 'y', 6) AS ROW(a varchar, b int)) WHERE id = 1"
    )
    first = made.refresh().scan(row_filter="Id = 1").to_arrow().to_pylist()[0]
    assert first["When"] == datetime(2020, 1, 1, tzinfo=UTC)
    assert str(first["At"]) == "01:02:03"
    assert str(first["U"]) == "12151fd2-7586-11e9-8f9e-2a86e4085a59"
    assert first["F"] == b"\0\1\2\3"
    assert first["R"] == {"Inner": "xy", "n": 6}
    shown = lake.rows("SELECT u, f, r.inner FROM rare WHERE id = 1")
    assert shown == [["12151fd2-7586-11e9-8f9e-2a86e4085a59", "00 01 02 03", "xy"]]


def test_columns_that_a_file_leaves_out_are_its_partition_s(
    lake: Lake, catalog: GlueCatalog
) -> None:
    """Hive's files have no partition columns; add_files takes them into a table as they are."""
    schema = Schema(
        NestedField(1, "id", LongType()),
        NestedField(2, "day", DateType()),
        NestedField(3, "at", TimestampType()),
        NestedField(4, "p", StringType()),
    )
    spec = PartitionSpec(
        PartitionField(2, 1000, IdentityTransform(), "day"),
        PartitionField(4, 1001, IdentityTransform(), "p"),
    )
    made = catalog.create_table(
        f"{lake.name}.parts", schema, location=f"s3://{lake.name}/parts", partition_spec=spec
    )
    rows: Any = pa.table(
        {
            "id": [1, 2],
            "day": pa.array([datetime(2020, 2, 3).date()] * 2),
            "at": pa.array([None, None], pa.timestamp("us")),
            "p": ["x y", None],
        }
    )
    made.append(rows)
    assert lake.rows("SELECT id, day, p FROM parts ORDER BY id") == [
        ["1", "2020-02-03", "x y"],
        ["2", "2020-02-03", None],
    ]
    lake.run("UPDATE parts SET id = id + 10 WHERE p IS NULL AND day = DATE '2020-02-03'")
    assert lake.rows("SELECT id FROM parts ORDER BY id") == [["1"], ["12"]]


def test_columns_that_must_have_values(lake: Lake, catalog: GlueCatalog) -> None:
    schema = Schema(
        NestedField(1, "id", LongType(), required=True), NestedField(2, "name", StringType())
    )
    catalog.create_table(f"{lake.name}.must", schema, location=f"s3://{lake.name}/must")
    lake.run("INSERT INTO must VALUES (1, 'a')")
    refused = "CONSTRAINT_VIOLATION: NULL value not allowed for NOT NULL column: id"
    assert lake.fail("INSERT INTO must (name) VALUES ('b')") == refused
    assert lake.fail("UPDATE must SET id = NULL") == refused
    assert lake.rows("SELECT * FROM must") == [["1", "a"]]


def test_damaged_files_fail_the_query_and_are_named(
    lake: Lake, catalog: GlueCatalog, table: str
) -> None:
    loaded = catalog.load_table(f"{lake.name}.t")
    data = next(iter(loaded.scan().plan_files())).file.file_path
    key = data.removeprefix(f"s3://{lake.name}/")
    whole = lake.body(data)
    lake.put(key, whole[: len(whole) // 2])
    assert data in lake.fail("SELECT * FROM t")
    assert data in lake.fail("UPDATE t SET name = 'x'")
    lake.s3.delete_object(Bucket=lake.name, Key=key)
    assert lake.fail("SELECT * FROM t") == f"ICEBERG_CANNOT_OPEN_SPLIT: {data} does not exist"
    lake.put(key, whole)
    assert lake.rows("SELECT count(*) FROM t") == [["2"]]
    place = loaded.metadata_location
    kept = lake.body(place)
    lake.put(place.removeprefix(f"s3://{lake.name}/"), "{}")
    assert lake.fail("SELECT * FROM t").startswith("ICEBERG_INVALID_METADATA: ")
    lake.put(place.removeprefix(f"s3://{lake.name}/"), kept)
    lake.run("DELETE FROM t WHERE id = 1")
    assert lake.rows("SELECT id FROM t") == [["2"]]
