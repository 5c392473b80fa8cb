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
def catalog(lake: Lake) -> GlueCatalog:
    keys = lake.server.root
    settings: dict[str, Any] = {}
    for prefix in ("glue", "s3"):
        settings |= {
            f"{prefix}.endpoint": lake.server.endpoint_url,
            f"{prefix}.access-key-id": keys["AccessKeyId"],
            f"{prefix}.secret-access-key": keys["SecretAccessKey"],
            f"{prefix}.region": "us-east-1",
        }
    return GlueCatalog("test", **settings)


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


def test_what_is_not_built_says_so(lake: Lake, table: Any) -> None:
    assert lake.fail("INSERT INTO ice VALUES (9, 'x')").startswith("NOT_SUPPORTED: ")
    assert lake.fail("DELETE FROM ice").startswith("NOT_SUPPORTED: ")
    assert lake.fail("DROP TABLE ice").startswith("NOT_SUPPORTED: ")
    assert lake.rows("SELECT count(*) FROM ice") == [["3"]]
