"""Iceberg tables that pyiceberg made are read, with deletes, changed schemas and time travel."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.types import LongType, StringType

from tests.services.athena.conftest import Lake


@pytest.fixture
def table(lake: Lake, catalog: GlueCatalog) -> Any:
    rows = pa.table({"id": pa.array([1, 2, 3], pa.int64()), "name": ["a", "b", None]})
    made = catalog.create_table(
        f"{lake.name}.ice", schema=rows.schema, location=f"s3://{lake.name}/ice"
    )
    made.append(rows)
    return made


def test_rows_are_those_of_the_current_snapshot(lake: Lake, table: Any) -> None:
    assert lake.rows("SELECT * FROM ice ORDER BY id") == [["1", "a"], ["2", "b"], ["3", None]]
    table.delete("id = 2")
    assert lake.rows("SELECT * FROM ice ORDER BY id") == [["1", "a"], ["3", None]]
    assert lake.rows("SELECT id FROM ice WHERE name IS NULL AND id > 1") == [["3"]]
    assert lake.rows("SELECT id FROM ice WHERE name IN ('a', 'b')") == [["1"]]


def test_columns_are_found_by_what_they_are_and_not_by_name(lake: Lake, table: Any) -> None:
    with table.update_schema() as update:
        update.rename_column("name", "label")
    with table.update_schema() as update:
        update.add_column("name", StringType())
        update.add_column("more", LongType())
    assert lake.rows("SELECT id, label, name, more FROM ice WHERE id = 1") == [
        ["1", "a", None, None]
    ]


def test_time_travel(lake: Lake, table: Any) -> None:
    first = table.current_snapshot()
    table.append(pa.table({"id": pa.array([4], pa.int64()), "name": ["d"]}))
    assert lake.rows("SELECT count(*) FROM ice") == [["4"]]
    version = f"SELECT count(*) FROM ice FOR VERSION AS OF {first.snapshot_id}"
    assert lake.rows(version) == [["3"]]
    instant = datetime.fromtimestamp(first.timestamp_ms / 1000, UTC)
    shown = instant.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    assert lake.rows(f"SELECT count(*) FROM ice FOR TIMESTAMP AS OF TIMESTAMP '{shown} UTC'") == [
        ["3"]
    ]
    assert "does not exist" in lake.fail("SELECT * FROM ice FOR VERSION AS OF 42")


def test_tables_are_made_filled_and_dropped(lake: Lake, catalog: GlueCatalog) -> None:
    lake.run(
        "CREATE TABLE made (id int COMMENT 'the id', at timestamp, name string, d decimal(10,2),"
        " tags array<string>, r struct<p:int>) PARTITIONED BY (name)"
        f" LOCATION 's3://{lake.name}/made/' TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    assert lake.rows("SELECT * FROM made") == []
    shown = lake.run(
        "INSERT INTO made VALUES (1, TIMESTAMP '2020-01-01 01:02:03.123456', 'a', 1.5,"
        " ARRAY['x'], CAST(ROW(7) AS ROW(p integer))), (2, NULL, NULL, NULL, NULL, NULL)"
    )
    result = lake.athena.get_query_results(QueryExecutionId=shown["QueryExecutionId"])
    assert result["UpdateCount"] == 2
    lake.run("INSERT INTO made (name, id) SELECT 'b', 3")
    loaded = catalog.load_table(f"{lake.name}.made")
    assert loaded.schema().find_field("id").doc == "the id"
    assert len(loaded.snapshots()) == 2
    rows = {row["id"]: row for row in loaded.scan().to_arrow().to_pylist()}
    assert (rows[1]["at"].microsecond, rows[1]["tags"], rows[1]["r"]) == (123456, ["x"], {"p": 7})
    assert (rows[2]["name"], rows[3]["name"]) == (None, "b")
    assert lake.rows("SELECT id FROM made WHERE name = 'b'") == [["3"]]
    lake.run("DROP TABLE made")
    assert lake.keys("made/") == []
    assert lake.lines("SHOW TABLES") == []


def test_a_table_of_a_query_is_there_with_all_rows_or_not(lake: Lake) -> None:
    options = f"table_type = 'ICEBERG', is_external = false, location = 's3://{lake.name}/c/'"
    failing = f"CREATE TABLE c WITH ({options}) AS SELECT 1 / (x - 9) AS y FROM (VALUES 1, 9) t(x)"
    assert lake.fail(failing).startswith("DIVISION_BY_ZERO: ")
    assert lake.keys("c/") == []
    assert lake.lines("SHOW TABLES") == []
    lake.run(
        f"CREATE TABLE c WITH ({options}, partitioning = ARRAY['p']) AS"
        " SELECT x, CAST(x % 3 AS varchar) AS p FROM unnest(sequence(1, 1000)) t(x)"
    )
    assert lake.rows("SELECT count(*), sum(x), count(DISTINCT p) FROM c") == [
        ["1000", "500500", "3"]
    ]


def test_hidden_tables_tell_of_snapshots_files_and_partitions(
    lake: Lake, catalog: GlueCatalog
) -> None:
    lake.run(
        "CREATE TABLE h (id bigint, day date, name string) PARTITIONED BY (day)"
        f" LOCATION 's3://{lake.name}/h/' TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    lake.run("INSERT INTO h VALUES (1, DATE '2020-01-01', 'a'), (2, DATE '2020-01-02', NULL)")
    lake.run("INSERT INTO h VALUES (3, DATE '2020-01-02', 'c')")
    lake.run("DELETE FROM h WHERE day = DATE '2020-01-01'")
    loaded = catalog.load_table(f"{lake.name}.h")
    ids = [str(each.snapshot_id) for each in loaded.snapshots()]
    assert lake.rows(
        'SELECT snapshot_id, parent_id, is_current_ancestor FROM "h$history" ORDER BY 1 = 1,'
        " made_current_at"
    ) == [[ids[0], None, "true"], [ids[1], ids[0], "true"], [ids[2], ids[1], "true"]]
    assert lake.rows(
        "SELECT operation, element_at(summary, 'total-records') FROM \"h$snapshots\""
        " ORDER BY committed_at"
    ) == [["append", "2"], ["append", "3"], ["delete", "2"]]
    assert lake.rows(
        "SELECT partition.day, record_count, file_count, data.id.min, data.id.max,"
        ' data.name.null_count FROM "h$partitions"'
    ) == [["2020-01-02", "2", "2", "2", "3", "1"]]
    listed = lake.rows(
        'SELECT content, file_path, file_format, record_count, lower_bounds[1] FROM "h$files"'
        " ORDER BY 5"
    )
    paths = {task.file.file_path for task in loaded.scan().plan_files()}
    assert {row[1] for row in listed} == paths
    assert [(row[0], row[2], row[3], row[4]) for row in listed] == [
        ("0", "PARQUET", "1", "2"),
        ("0", "PARQUET", "1", "3"),
    ]
    assert lake.rows('SELECT sum(added_rows_count + existing_rows_count) FROM "h$manifests"') == [
        ["2"]
    ]
    assert lake.rows('SELECT name, type, snapshot_id FROM "h$refs"') == [["main", "BRANCH", ids[2]]]
    assert lake.fail('SELECT * FROM "h$nothing"').startswith("NOT_SUPPORTED: ")
    shown = lake.rows('SELECT "$path", count(*) FROM h GROUP BY 1')
    assert {row[0] for row in shown} == paths
    new = "\"$file_modified_time\" > TIMESTAMP '2020-01-01 UTC'"
    assert lake.rows(f"SELECT count(*) FROM h WHERE {new}") == [["2"]]
    assert lake.fail('SELECT "$row" FROM h').startswith("COLUMN_NOT_FOUND: ")
    assert lake.rows("SELECT * FROM h WHERE \"$path\" = ''") == []


def test_a_table_does_not_take_over_what_is_at_its_location(lake: Lake) -> None:
    lake.put("full/mine.txt", "mine")
    place = f"s3://{lake.name}/full"
    properties = "TBLPROPERTIES ('table_type'='ICEBERG')"
    reason = lake.fail(f"CREATE TABLE t (a int) LOCATION '{place}' {properties}")
    assert "Cannot create a table on a non-empty location" in reason
    reason = lake.fail(
        f"CREATE TABLE t WITH (table_type='ICEBERG', location='{place}/', is_external=false)"
        " AS SELECT 1 AS a"
    )
    assert "Cannot create a table on a non-empty location" in reason
    assert lake.keys("full/") == ["full/mine.txt"]
    lake.put("fuller", "another's")
    lake.put("other/x", "")
    lake.run(f"CREATE TABLE t (a int) LOCATION 's3://{lake.name}/fulle' {properties}")


def test_reals_are_found_by_the_nearest_real(lake: Lake) -> None:
    lake.run(
        f"CREATE TABLE t (a int, r float) LOCATION 's3://{lake.name}/t/'"
        " TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    lake.run("INSERT INTO t VALUES (1, REAL '1.1')")
    for condition in ("r = 1.1", "r <= 1.1", "r IN (1.1)", "r = REAL '1.1'"):
        assert lake.rows(f"SELECT a FROM t WHERE {condition}") == [["1"]]
    lake.run("DELETE FROM t WHERE r = 1.1")
    assert lake.rows("SELECT count(*) FROM t") == [["0"]]
