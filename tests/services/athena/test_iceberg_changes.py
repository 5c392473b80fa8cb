"""UPDATE, DELETE and MERGE of Iceberg tables: what they change, in which files, and errors."""

from __future__ import annotations

from typing import Any

import pytest
from pyiceberg.catalog.glue import GlueCatalog

from tests.services.athena.conftest import Lake


@pytest.fixture
def table(lake: Lake, catalog: GlueCatalog) -> Any:
    lake.run(
        "CREATE TABLE t (id int, name string, p int) PARTITIONED BY (p)"
        f" LOCATION 's3://{lake.name}/t/' TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    lake.run("INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2), (4, NULL, 2)")
    return lambda: catalog.load_table(f"{lake.name}.t")


def count(lake: Lake, sql: str, **request: Any) -> int:
    """Run a statement that changes rows; how many it says it has."""
    shown = lake.run(sql, **request)
    results = lake.athena.get_query_results(QueryExecutionId=shown["QueryExecutionId"])
    assert results["ResultSet"]["Rows"] == []
    return results["UpdateCount"]


def paths(table: Any) -> set[str]:
    """The files of the current snapshot."""
    return {task.file.file_path for task in table().scan().plan_files()}


def test_delete_rewrites_only_the_files_that_rows_go_from(lake: Lake, table: Any) -> None:
    before = paths(table)
    assert count(lake, "DELETE FROM t WHERE id = 2") == 1
    after = paths(table)
    assert len(before) == len(after) == 2
    assert len(before & after) == 1
    assert lake.rows("SELECT * FROM t ORDER BY id") == [
        ["1", "a", "1"],
        ["3", "c", "2"],
        ["4", None, "2"],
    ]
    summary = table().current_snapshot().summary
    assert summary.operation.value == "overwrite"
    assert (summary["deleted-records"], summary["added-records"]) == ("2", "1")
    assert summary["total-records"] == "3"


def test_delete_of_a_whole_partition_writes_no_file(lake: Lake, table: Any) -> None:
    before = paths(table)
    assert count(lake, "DELETE FROM t WHERE p = 2") == 2
    assert paths(table) < before
    summary = table().current_snapshot().summary
    assert summary.operation.value == "delete"
    assert summary["deleted-data-files"] == "1"
    assert "added-data-files" not in summary.additional_properties
    assert count(lake, "DELETE FROM t") == 2
    assert lake.rows("SELECT count(*) FROM t") == [["0"]]
    assert count(lake, "DELETE FROM t WHERE id > 0") == 0


def rows(lake: Lake) -> list[list[str | None]]:
    return lake.rows("SELECT * FROM t ORDER BY id, name, p")


def test_update_sets_columns_of_the_rows_that_fit(lake: Lake, table: Any) -> None:
    before = paths(table)
    assert count(lake, "UPDATE t SET name = upper(name), id = id + 10 WHERE id IN (1, 4)") == 2
    assert paths(table).isdisjoint(before)
    assert rows(lake) == [["2", "b", "1"], ["3", "c", "2"], ["11", "A", "1"], ["14", None, "2"]]
    assert count(lake, "UPDATE t SET name = 'x' WHERE id = 99") == 0
    assert len(table().snapshots()) == 2
    assert count(lake, "UPDATE t SET name = 'all'") == 4
    assert [row[1] for row in rows(lake)] == ["all"] * 4


def test_a_row_moves_to_the_partition_that_its_new_values_are_of(lake: Lake, table: Any) -> None:
    count(lake, "UPDATE t SET p = 7 WHERE id = 1")
    tasks = list(table().scan(row_filter="p = 7").plan_files())
    assert [(task.file.partition[0], task.file.record_count) for task in tasks] == [(7, 1)]
    assert lake.rows("SELECT id FROM t WHERE p = 7") == [["1"]]
    scanned = table().scan().to_arrow().sort_by("id").to_pylist()
    assert [(row["id"], row["p"]) for row in scanned] == [(1, 7), (2, 1), (3, 2), (4, 2)]


def test_subqueries_see_the_row_and_the_table_as_it_was(lake: Lake, table: Any) -> None:
    lake.run("CREATE TABLE u AS SELECT * FROM (VALUES (1, 100), (2, 200), (3, 300)) v(id, worth)")
    update = (
        "UPDATE t SET id = (SELECT max(id) FROM t) + id,"
        " name = (SELECT CAST(u.worth AS varchar) FROM u WHERE u.id = t.id)"
        " WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id AND u.worth > 100)"
    )
    assert count(lake, update) == 2
    assert rows(lake) == [["1", "a", "1"], ["4", None, "2"], ["6", "200", "1"], ["7", "300", "2"]]
    delete = "DELETE FROM t WHERE id NOT IN (SELECT id FROM u) AND name IS NOT NULL"
    assert count(lake, delete) == 2
    assert rows(lake) == [["1", "a", "1"], ["4", None, "2"]]


def test_merge_does_what_the_first_clause_that_fits_says(lake: Lake, table: Any) -> None:
    merge = (
        "MERGE INTO t AS target USING (VALUES (1, 'new', 1), (2, 'gone', 1), (3, 'same', 2),"
        " (5, 'five', 3), (6, 'six', 3), (7, NULL, 3)) AS s(id, name, p) ON target.id = s.id"
        " WHEN MATCHED AND s.name = 'gone' THEN DELETE"
        " WHEN MATCHED AND s.name = 'same' AND target.p = 9 THEN DELETE"
        " WHEN MATCHED AND s.id < 3 THEN UPDATE SET name = s.name || target.name, p = target.p + 5"
        " WHEN NOT MATCHED AND s.name = 'six' THEN INSERT (id, p) VALUES (s.id * 10, s.p)"
        " WHEN NOT MATCHED AND s.name IS NOT NULL THEN INSERT VALUES (s.id, s.name, s.p)"
    )
    assert count(lake, merge) == 4
    assert rows(lake) == [
        ["1", "newa", "6"],
        ["3", "c", "2"],
        ["4", None, "2"],
        ["5", "five", "3"],
        ["60", None, "3"],
    ]
    assert table().current_snapshot().summary["total-records"] == "5"


def test_merge_from_tables_views_and_with_parameters(lake: Lake, table: Any) -> None:
    lake.run("CREATE TABLE u AS SELECT * FROM (VALUES (1, 'x'), (9, 'y')) v(id, name)")
    lake.run("CREATE VIEW w AS SELECT id, name || '!' AS name FROM u")
    merge = "MERGE INTO t USING {0} ON t.id = {0}.id WHEN MATCHED THEN UPDATE SET name = {0}.name"
    adding = " WHEN NOT MATCHED THEN INSERT (id, name, p) VALUES ({0}.id, {0}.name, ?)"
    assert count(lake, (merge + adding).format("u"), ExecutionParameters=["4"]) == 2
    assert rows(lake)[0] == ["1", "x", "1"]
    assert rows(lake)[-1] == ["9", "y", "4"]
    assert count(lake, merge.format("w")) == 2
    assert rows(lake)[-1] == ["9", "y!", "4"]
    itself = "MERGE INTO t USING t AS s ON t.id = s.id + 1 WHEN MATCHED THEN UPDATE SET id = 0"
    assert count(lake, itself) == 3
    empty = "MERGE INTO e USING t ON e.id = t.id WHEN NOT MATCHED THEN INSERT VALUES (t.id, t.name)"
    lake.run(
        f"CREATE TABLE e (id int, name string) LOCATION 's3://{lake.name}/e/'"
        " TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    assert count(lake, empty) == 5
    assert lake.rows("SELECT count(*) FROM e") == [["5"]]


def test_two_source_rows_for_one_row_are_an_error_and_change_nothing(
    lake: Lake, table: Any
) -> None:
    merge = (
        "MERGE INTO t USING (VALUES (1, 'x'), (1, 'y')) s(id, name) ON t.id = s.id"
        " WHEN MATCHED{} THEN UPDATE SET name = s.name"
    )
    before = set(lake.keys("t/"))
    assert lake.fail(merge.format("")) == (
        "MERGE_TARGET_ROW_MULTIPLE_MATCHES: "
        "One MERGE target table row matched more than one source row"
    )
    assert set(lake.keys("t/")) == before
    assert count(lake, merge.format(" AND s.name = 'y'")) == 1
    assert rows(lake)[0] == ["1", "y", "1"]


def test_values_become_those_of_the_columns_or_are_refused(lake: Lake, table: Any) -> None:
    assert "UPDATE table column types don't match SET expressions: Table: [integer]" in lake.fail(
        "UPDATE t SET id = 'text'"
    )
    assert "MERGE table column types don't match for MERGE case 1" in lake.fail(
        "MERGE INTO t USING (VALUES 1) s(x) ON t.id = s.x WHEN MATCHED THEN DELETE"
        " WHEN NOT MATCHED THEN INSERT (name) VALUES (s.x)"
    )
    assert "The UPDATE SET target column nothing doesn't exist" in lake.fail(
        "UPDATE t SET nothing = 1"
    )
    assert lake.fail("UPDATE t SET name = 'x' WHERE nothing = 1").startswith("COLUMN_NOT_FOUND: ")
    assert lake.fail("DELETE FROM nothing WHERE id = 1").startswith("TABLE_NOT_FOUND: line 1:13: ")
    assert lake.fail("UPDATE t SET id = 1 / (id - 2)").startswith("DIVISION_BY_ZERO: ")
    assert lake.fail("DELETE FROM t WHERE").startswith("SYNTAX_ERROR: ")
    assert lake.fail("UPDATE t SET id = max(id)").startswith("SYNTAX_ERROR: ")
    assert lake.fail(
        "MERGE INTO t USING (VALUES 9) s(x) ON t.id = s.x"
        " WHEN NOT MATCHED THEN INSERT (id) VALUES (t.id)"
    ).startswith("COLUMN_NOT_FOUND: ")
    assert rows(lake) == [["1", "a", "1"], ["2", "b", "1"], ["3", "c", "2"], ["4", None, "2"]]
    assert len(table().snapshots()) == 1


def test_other_tables_cannot_be_changed(lake: Lake) -> None:
    lake.run("CREATE TABLE h AS SELECT 1 AS id")
    lake.run("CREATE VIEW v AS SELECT 1 AS id")
    refused = "NOT_SUPPORTED: Modifying Hive table rows is only supported for transactional tables"
    assert lake.fail("DELETE FROM h WHERE id = 1") == refused
    assert lake.fail("UPDATE h SET id = 2") == refused
    assert lake.fail("MERGE INTO h USING v ON h.id = v.id WHEN MATCHED THEN DELETE") == refused
    assert lake.fail("DELETE FROM v") == "NOT_SUPPORTED: Deleting from views is not supported"


def test_all_types_survive_that_a_neighbour_changes(lake: Lake, catalog: GlueCatalog) -> None:
    columns = {
        "b": ("boolean", "true"),
        "l": ("bigint", "9007199254740993"),
        "f": ("float", "REAL '1.5'"),
        "d": ("double", "2.5E0"),
        "n": ("decimal(38,10)", "DECIMAL '1234567890123456789012345678.0123456789'"),
        "t": ("timestamp", "TIMESTAMP '2020-01-01 01:02:03.123456'"),
        "day": ("date", "DATE '1969-07-20'"),
        "y": ("binary", "X'00ff'"),
        "a": ("array<string>", "ARRAY['x', NULL]"),
        "m": ("map<string,int>", "MAP(ARRAY['k'], ARRAY[1])"),
        "r": ("struct<p:int,q:array<struct<z:date>>>", "NULL"),
    }
    listed = ", ".join(f"{name} {kind}" for name, (kind, _) in columns.items())
    lake.run(
        f"CREATE TABLE types (id int, {listed}) LOCATION 's3://{lake.name}/types/'"
        " TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    values = ", ".join(value for _, value in columns.values())
    nested = (
        "CAST(ROW(7, ARRAY[ROW(DATE '2020-01-01'), NULL]) AS ROW(p integer, q array(row(z date))))"
    )
    nulls = ", ".join("NULL" for _ in columns)
    lake.run(f"INSERT INTO types VALUES (1, {values}), (2, {nulls}), (3, {nulls})")
    lake.run(f"UPDATE types SET r = {nested} WHERE id = 1")
    before = catalog.load_table(f"{lake.name}.types").scan(row_filter="id = 1").to_arrow()
    assert before.to_pylist()[0]["r"]["p"] == 7
    lake.run("DELETE FROM types WHERE id = 2")
    after = catalog.load_table(f"{lake.name}.types").scan(row_filter="id = 1").to_arrow()
    assert after.to_pylist() == before.to_pylist()
    assert after.to_pylist()[0]["t"].microsecond == 123456
    lake.run("UPDATE types SET l = l + 1, m = NULL WHERE a[1] = 'x'")
    shown = lake.rows("SELECT l, m, n, t, r FROM types WHERE id = 1")
    assert shown == [
        [
            "9007199254740994",
            None,
            "1234567890123456789012345678.0123456789",
            "2020-01-01 01:02:03.123456",
            "{p=7, q=[{z=2020-01-01}, null]}",
        ]
    ]
