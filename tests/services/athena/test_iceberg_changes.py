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
