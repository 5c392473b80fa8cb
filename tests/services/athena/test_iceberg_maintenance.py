"""OPTIMIZE and VACUUM: files become fewer and old ones go, and no row with them."""

from __future__ import annotations

from typing import Any

import pytest
from pyiceberg.catalog.glue import GlueCatalog

from tests.services.athena.conftest import Lake


@pytest.fixture
def own(fresh_server: Any) -> Lake:
    """A lake on a server whose clock can be moved."""
    return Lake(fresh_server).prepare()


def load(lake: Lake, name: str = "t") -> Any:
    keys = lake.server.root
    settings: dict[str, Any] = {}
    for prefix in ("glue", "s3"):
        settings |= {
            f"{prefix}.endpoint": lake.server.endpoint_url,
            f"{prefix}.access-key-id": keys["AccessKeyId"],
            f"{prefix}.secret-access-key": keys["SecretAccessKey"],
            f"{prefix}.region": "us-east-1",
        }
    return GlueCatalog("test", **settings).load_table(f"{lake.name}.{name}")


def files(table: Any) -> set[str]:
    return {task.file.file_path for task in table.scan().plan_files()}


def make(lake: Lake, properties: str = "") -> None:
    lake.run(
        "CREATE TABLE t (id bigint, p bigint, name string) PARTITIONED BY (p)"
        f" LOCATION 's3://{lake.name}/t/' TBLPROPERTIES ('table_type'='ICEBERG'{properties})"
    )
    for number in range(3):
        lake.run(f"INSERT INTO t SELECT x, x % 2, 'n{number}' FROM unnest(sequence(1, 10)) a(x)")


def test_optimize_makes_one_file_of_each_partitions_many(lake: Lake) -> None:
    make(lake)
    before = lake.rows("SELECT * FROM t ORDER BY 1, 2, 3")
    first = load(lake).current_snapshot().snapshot_id
    assert len(files(load(lake))) == 6
    lake.run("OPTIMIZE t REWRITE DATA USING BIN_PACK WHERE p = 1")
    assert len(files(load(lake))) == 6  # fewer than five are left as they are
    lake.run("OPTIMIZE t REWRITE DATA USING BIN_PACK")
    table = load(lake)
    assert sorted(task.file.record_count for task in table.scan().plan_files()) == [15, 15]
    summary = table.current_snapshot().summary
    assert summary.operation.value == "replace"
    assert (summary["total-records"], summary["total-data-files"]) == ("30", "2")
    assert lake.rows("SELECT * FROM t ORDER BY 1, 2, 3") == before
    assert lake.rows(f"SELECT count(*) FROM t FOR VERSION AS OF {first}") == [["30"]]
    lake.run("OPTIMIZE t REWRITE DATA USING BIN_PACK")
    assert load(lake).current_snapshot().snapshot_id == table.current_snapshot().snapshot_id


def test_optimize_of_some_partitions(lake: Lake) -> None:
    make(lake, ", 'optimize_rewrite_data_file_threshold'='2'")
    lake.run("OPTIMIZE t REWRITE DATA USING BIN_PACK WHERE p > 0 AND p IN (1, 5)")
    counts = sorted(task.file.record_count for task in load(lake).scan().plan_files())
    assert counts == [5, 5, 5, 15]
    assert "conditions on partition columns only, not on name" in lake.fail(
        "OPTIMIZE t REWRITE DATA USING BIN_PACK WHERE name = 'n1'"
    )
    assert lake.fail("OPTIMIZE t REWRITE DATA").startswith("SYNTAX_ERROR: ")
    lake.run("CREATE TABLE h AS SELECT 1 AS x")
    assert "only supported for Iceberg" in lake.fail("OPTIMIZE h REWRITE DATA USING BIN_PACK")
    assert "only supported for Iceberg" in lake.fail("VACUUM h")


def test_vacuum_removes_old_snapshots_and_files_that_nothing_needs(own: Lake) -> None:
    lake = own
    make(
        lake,
        ", 'vacuum_max_snapshot_age_seconds'='3600', 'vacuum_min_snapshots_to_keep'='2'",
    )
    lake.run("DELETE FROM t WHERE name = 'n0'")
    lake.run("UPDATE t SET name = 'u' WHERE name = 'n1'")
    rows = lake.rows("SELECT * FROM t ORDER BY 1, 2, 3")
    lake.put("t/data/left-behind.parquet", "nobody needs it")
    assert lake.run("VACUUM t")["SubstatementType"] == "VACUUM_TABLE"
    table = load(lake)
    assert len(table.snapshots()) == 5
    assert "t/data/left-behind.parquet" in lake.keys("t/")
    lake.server.advance(7200)
    lake.run("VACUUM t")
    table = load(lake)
    assert len(table.snapshots()) == 2
    assert lake.rows("SELECT * FROM t ORDER BY 1, 2, 3") == rows
    kept = {key for key in lake.keys("t/") if key.endswith(".parquet")}
    needed = {
        entry.data_file.file_path.removeprefix(f"s3://{lake.name}/")
        for snapshot in table.snapshots()
        for manifest in snapshot.manifests(table.io)
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
    }
    assert kept == needed
    previous = table.current_snapshot().parent_snapshot_id
    past = f"SELECT count(*) FROM t FOR VERSION AS OF {previous}"
    assert lake.rows(past) == [["20"]]
    lake.run("INSERT INTO t VALUES (1, 1, 'more')")
    assert lake.rows("SELECT count(*) FROM t") == [["21"]]


def test_vacuum_keeps_what_tags_and_branches_name(own: Lake) -> None:
    lake = own
    make(lake)
    table = load(lake)
    first = table.snapshots()[0].snapshot_id
    table.manage_snapshots().create_tag(first, "kept").commit()
    lake.server.advance(6 * 24 * 3600)
    lake.run("VACUUM t")
    table = load(lake)
    assert {each.snapshot_id for each in table.snapshots()} == {
        first,
        table.current_snapshot().snapshot_id,
    }
    assert lake.rows("SELECT count(*) FROM t FOR VERSION AS OF 'kept'") == [["10"]]
    assert lake.rows("SELECT count(*) FROM t") == [["30"]]
