"""ALTER TABLE of Iceberg tables: files that were written before are still read rightly."""

from __future__ import annotations

from typing import Any

import pytest
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.types import LongType

from tests.services.athena.conftest import Lake


@pytest.fixture
def table(lake: Lake, catalog: GlueCatalog) -> Any:
    lake.run(
        "CREATE TABLE t (id int, name string, f float, d decimal(5,2), p string)"
        f" PARTITIONED BY (p) LOCATION 's3://{lake.name}/t/'"
        " TBLPROPERTIES ('table_type'='ICEBERG', 'write_compression'='gzip')"
    )
    lake.run("INSERT INTO t VALUES (1, 'a', REAL '1.5', DECIMAL '1.25', 'x')")
    return lambda: catalog.load_table(f"{lake.name}.t")


def test_columns_come_go_and_change(lake: Lake, table: Any) -> None:
    files = {task.file.file_path for task in table().scan().plan_files()}
    lake.run("ALTER TABLE t ADD COLUMNS (more array<string> COMMENT 'new', at timestamp)")
    lake.run("ALTER TABLE t DROP COLUMN name")
    lake.run("ALTER TABLE t ADD COLUMNS (name string)")
    lake.run("ALTER TABLE t CHANGE COLUMN id number bigint COMMENT 'wider' AFTER p")
    lake.run("ALTER TABLE t CHANGE f f double FIRST")
    lake.run("ALTER TABLE t CHANGE COLUMN d d decimal(9,2)")
    assert {task.file.file_path for task in table().scan().plan_files()} == files
    assert lake.rows("SELECT * FROM t") == [["1.5", "1.25", "x", "1", None, None, None]]
    lake.run(
        "INSERT INTO t (number, name, d, p, more)"
        " VALUES (3000000000, 'b', DECIMAL '1234567.89', 'x', ARRAY['m'])"
    )
    assert lake.rows("SELECT number, name, f, d, more FROM t ORDER BY number") == [
        ["1", None, "1.5", "1.25", None],
        ["3000000000", "b", None, "1234567.89", "[m]"],
    ]
    assert lake.rows("SELECT number FROM t WHERE name IS NULL") == [["1"]]
    assert lake.rows("SELECT number FROM t WHERE number > 2") == [["3000000000"]]
    lake.run("UPDATE t SET name = 'c' WHERE number = 1")
    shown = table().scan().to_arrow().sort_by("number").to_pylist()
    assert [(row["number"], row["name"], row["f"]) for row in shown] == [
        (1, "c", 1.5),
        (3000000000, "b", None),
    ]
    assert table().schema().find_field("number").doc == "wider"
    glue = lake.server.client("glue").get_table(DatabaseName=lake.name, Name="t")["Table"]
    named = {each["Name"]: each["Type"] for each in glue["StorageDescriptor"]["Columns"]}
    assert named["number"] == "bigint"


def test_a_past_snapshot_has_the_columns_of_its_time(lake: Lake, table: Any) -> None:
    first = table().current_snapshot().snapshot_id
    lake.run("ALTER TABLE t CHANGE COLUMN name label string")
    lake.run("ALTER TABLE t ADD COLUMNS (name int)")
    lake.run("INSERT INTO t (id, label, name, p) VALUES (2, 'b', 7, 'y')")
    past = f"FROM t FOR VERSION AS OF {first}"
    assert lake.rows(f"SELECT id, name {past} WHERE name = 'a'") == [["1", "a"]]
    assert lake.rows("SELECT id, label, name FROM t ORDER BY id") == [
        ["1", "a", None],
        ["2", "b", "7"],
    ]
    assert lake.rows("SELECT id FROM t WHERE name = 7") == [["2"]]


def test_what_cannot_be_is_refused(lake: Lake, table: Any) -> None:
    refused = {
        "ALTER TABLE t ADD COLUMNS (id int)": "Duplicate column name: id",
        "ALTER TABLE t DROP COLUMN nothing": "Invalid column reference nothing",
        "ALTER TABLE t DROP COLUMN p": "Cannot drop partition field: p",
        "ALTER TABLE t CHANGE COLUMN name name int": "Cannot change column type",
        "ALTER TABLE t CHANGE COLUMN id name int": "Duplicate column name: name",
        "ALTER TABLE t REPLACE COLUMNS (id int)": "REPLACE COLUMNS is not supported",
        "ALTER TABLE t SET LOCATION 's3://x/y/'": "SET LOCATION is not supported",
        "ALTER TABLE t SET TBLPROPERTIES ('a'='b')": "Unsupported table property key: a",
        "ALTER TABLE t SET TBLPROPERTIES ('vacuum_min_snapshots_to_keep'='0')": "Invalid value",
        "ALTER TABLE t SET TBLPROPERTIES ('format'='ORC')": "NOT_SUPPORTED",
        "ALTER TABLE t SET TBLPROPERTIES ('write_compression'='lzo')": "Unsupported write_comp",
    }
    for sql, reason in refused.items():
        assert reason in lake.fail(sql), sql
    assert lake.rows("SELECT * FROM t") == [["1", "a", "1.5", "1.25", "x"]]


def test_properties_are_kept_shown_and_have_their_effect(lake: Lake, table: Any) -> None:
    lake.run(
        "ALTER TABLE t SET TBLPROPERTIES ('write_compression'='SNAPPY',"
        " 'vacuum_max_snapshot_age_seconds'='60')"
    )
    properties = table().properties
    assert properties["write.parquet.compression-codec"] == "snappy"
    assert properties["vacuum_max_snapshot_age_seconds"] == "60"
    shown = "\n".join(lake.lines("SHOW TBLPROPERTIES t"))
    assert "vacuum_max_snapshot_age_seconds\t60" in shown
    lake.run("ALTER TABLE t UNSET TBLPROPERTIES ('vacuum_max_snapshot_age_seconds')")
    assert "vacuum_max_snapshot_age_seconds" not in table().properties
    assert "vacuum_max" not in "\n".join(lake.lines("SHOW TBLPROPERTIES t"))


def test_what_is_within_columns_changes_too(lake: Lake, catalog: GlueCatalog) -> None:
    lake.run(
        "CREATE TABLE n (id int, r struct<a:int,b:string>, l array<struct<x:int,y:int>>,"
        f" m map<string,struct<k:int>>) LOCATION 's3://{lake.name}/n/'"
        " TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    values = (
        "CAST(ROW(1, 'b') AS ROW(a integer, b varchar)),"
        " ARRAY[CAST(ROW(1, 2) AS ROW(x integer, y integer)), NULL],"
        " MAP(ARRAY['q'], ARRAY[CAST(ROW(5) AS ROW(k integer))])"
    )
    lake.run(f"INSERT INTO n VALUES (1, {values}), (2, NULL, NULL, NULL)")
    loaded = catalog.load_table(f"{lake.name}.n")
    with loaded.update_schema() as update:
        update.rename_column("r.b", "text")
        update.add_column(("r", "more"), LongType())
        update.update_column("r.a", field_type=LongType())
    with loaded.update_schema(allow_incompatible_changes=True) as update:
        update.delete_column("l.x")
        update.add_column(("l", "z"), LongType())
        update.add_column(("m", "w"), LongType())
        update.move_first("r.more")
    assert lake.rows("SELECT id, r, l, m FROM n ORDER BY id") == [
        ["1", "{more=null, a=1, text=b}", "[{y=2, z=null}, null]", "{q={k=5, w=null}}"],
        ["2", None, None, None],
    ]
    assert lake.rows("SELECT r.text, l[1].y, m['q'].k FROM n WHERE r.a = 1") == [["b", "2", "5"]]
    lake.run("UPDATE n SET id = 10 WHERE id = 1")
    shown = loaded.refresh().scan(row_filter="id = 10").to_arrow().to_pylist()[0]
    assert shown["r"] == {"more": None, "a": 1, "text": "b"}
    assert shown["l"] == [{"y": 2, "z": None}, None]
    assert dict(shown["m"]) == {"q": {"k": 5, "w": None}}
    assert lake.rows("SELECT r.text, l[1].y FROM n WHERE id = 10") == [["b", "2"]]
