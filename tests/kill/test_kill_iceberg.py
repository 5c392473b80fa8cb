"""The server is killed while Iceberg tables are changed: a change is there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.catalog.glue import GlueCatalog

from tests.core.conftest import until
from tests.kill.server_process import ACCESS_KEY_ID, SECRET_ACCESS_KEY, ServerProcess
from tests.kill.test_kill_queries import finish, start, status

ROWS = 20_000
MOMENTS = ("RUNNING", ".parquet", ".avro", ".metadata.json", "SUCCEEDED")
"""When to kill: in a state of the query, or when it has written a file of a kind."""


@pytest.fixture
def process(tmp_path: Path) -> Iterator[ServerProcess]:
    running = ServerProcess(tmp_path / "data").start()
    yield running
    running.kill()


def load(process: ServerProcess) -> Any:
    settings: dict[str, Any] = {}
    for prefix in ("glue", "s3"):
        settings |= {
            f"{prefix}.endpoint": process.url,
            f"{prefix}.access-key-id": ACCESS_KEY_ID,
            f"{prefix}.secret-access-key": SECRET_ACCESS_KEY,
            f"{prefix}.region": "us-east-1",
        }
    return GlueCatalog("killed", **settings).load_table("d.t")


def keys(s3: Any) -> set[str]:
    """All files in the table's folder."""
    page = s3.list_objects_v2(Bucket="lake", Prefix="t/")
    return {each["Key"] for each in page["Contents"]}


def has_come(athena: Any, s3: Any, query: str, before: set[str], seen: str) -> bool:
    if seen.startswith(".") and any(key.endswith(seen) for key in keys(s3) - before):
        return True
    return status(athena, query)["State"] in (seen, "SUCCEEDED")


def needed(table: Any) -> set[str]:
    """All files that the table's metadata names."""
    found = {table.metadata_location}
    found |= {entry.metadata_file for entry in table.metadata.metadata_log}
    for snapshot in table.snapshots():
        found.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            found.add(manifest.manifest_path)
            entries = manifest.fetch_manifest_entry(table.io, discard_deleted=True)
            found |= {entry.data_file.file_path for entry in entries}
    return found


@pytest.mark.kill
@pytest.mark.timeout(300)
def test_a_change_is_there_whole_or_not_at_all(process: ServerProcess) -> None:
    process.client("s3").create_bucket(Bucket="lake")
    athena = process.client("athena")
    finish(athena, "CREATE DATABASE d")
    made = finish(
        athena,
        "CREATE TABLE d.t WITH (table_type = 'ICEBERG', is_external = false,"
        " location = 's3://lake/t/', partitioning = ARRAY['p']) AS"
        f" SELECT x AS id, BIGINT '0' AS n, x % 4 AS p FROM unnest(sequence(1, {ROWS})) a(x)",
    )
    assert status(athena, made)["State"] == "SUCCEEDED"
    changes = 0
    update = "UPDATE d.t SET n = n + 1"
    merge = (
        "MERGE INTO d.t USING (SELECT id FROM d.t) s ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET n = t.n + 1"
    )
    for number, seen in enumerate(MOMENTS):
        s3 = process.client("s3")
        before = keys(s3)
        started = start(athena, merge if number % 2 else update)
        until(lambda: has_come(athena, s3, started, before, seen))  # noqa: B023
        process.kill()
        process.start()
        athena = process.client("athena")
        until(lambda: status(athena, started)["State"] in ("SUCCEEDED", "FAILED"))  # noqa: B023
        changes += status(athena, started)["State"] == "SUCCEEDED"
        query = finish(athena, "SELECT count(*), min(n), max(n) FROM d.t")
        rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
        values = [int(each["VarCharValue"]) for each in rows[1]["Data"]]
        assert values == [ROWS, changes, changes]
        table = load(process)
        assert {f"s3://lake/{key}" for key in keys(process.client("s3"))} == needed(table)
