"""The server is killed in the middle of queries: they fail with a reason and leave nothing half."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.conftest import until
from tests.kill.server_process import ServerProcess

ENDLESS = (
    "SELECT count(*) AS n FROM unnest(sequence(1, 100000)) a(x), unnest(sequence(1, 100000)) b(y)"
    " WHERE (x * y) % 7 = 3 AND x + y <> 12"
)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[ServerProcess]:
    running = ServerProcess(tmp_path / "data").start()
    yield running
    running.kill()


@pytest.mark.kill
def test_a_query_that_ran_has_failed_and_one_that_is_done_stays_so(process: ServerProcess) -> None:
    process.client("s3").create_bucket(Bucket="lake")
    athena = process.client("athena")
    done = start(athena, "SELECT 1 AS one")
    until(lambda: status(athena, done)["State"] == "SUCCEEDED")
    running = start(athena, ENDLESS)
    until(lambda: status(athena, running)["State"] == "RUNNING")
    process.kill()
    process.start()
    athena = process.client("athena")
    until(lambda: status(athena, running)["State"] == "FAILED")
    assert "stopped" in status(athena, running)["StateChangeReason"]
    rows = athena.get_query_results(QueryExecutionId=done)["ResultSet"]["Rows"]
    assert [row["Data"][0]["VarCharValue"] for row in rows] == ["one", "1"]


def start(athena: Any, sql: str) -> str:
    location = {"OutputLocation": "s3://lake/results/"}
    started = athena.start_query_execution(QueryString=sql, ResultConfiguration=location)
    return started["QueryExecutionId"]


def status(athena: Any, query_id: str) -> Any:
    return athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]


@pytest.mark.kill
def test_a_table_is_there_with_all_its_rows_or_not_at_all(process: ServerProcess) -> None:
    process.client("s3").create_bucket(Bucket="lake")
    athena = process.client("athena")
    finish(athena, "CREATE DATABASE d")
    for round_number, polls in enumerate((0, 4, 12, 25)):
        name = f"d.t{round_number}"
        sql = f"CREATE TABLE {name} AS SELECT x FROM unnest(sequence(1, 10000)) a(x)"
        started = start(athena, sql)
        for _ in range(polls):  # until it is somewhere in the middle, or done
            status(athena, started)
        process.kill()
        process.start()
        athena = process.client("athena")
        finish(athena, "SELECT 1 AS one")
        until(lambda: status(athena, started)["State"] in ("SUCCEEDED", "FAILED"))  # noqa: B023
        left = process.client("s3").list_objects_v2(
            Bucket="lake", Prefix=f"results/tables/{started}"
        )
        if status(athena, started)["State"] == "FAILED":
            assert left.get("Contents", []) == []
            assert (
                "TABLE_NOT_FOUND"
                in status(athena, finish(athena, f"SELECT count(*) FROM {name}"))[
                    "StateChangeReason"
                ]
            )
        else:
            query = finish(athena, f"SELECT count(*) AS n FROM {name}")
            rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
            assert rows[1]["Data"][0]["VarCharValue"] == "10000"


def finish(athena: Any, sql: str) -> str:
    """Run a query to its end; its id."""
    query_id = start(athena, sql)
    until(lambda: status(athena, query_id)["State"] in ("SUCCEEDED", "FAILED"))
    return query_id


@pytest.mark.kill
def test_rows_are_inserted_with_their_partitions_or_not_at_all(process: ServerProcess) -> None:
    process.client("s3").create_bucket(Bucket="lake")
    athena = process.client("athena")
    finish(athena, "CREATE DATABASE d")
    place = "external_location = 's3://lake/t/', partitioned_by = ARRAY['p']"
    finish(athena, f"CREATE TABLE d.t WITH ({place}) AS SELECT 0 AS x, 0 AS p")
    inserted = 0
    for round_number, polls in enumerate((1, 6, 15, 30), start=1):
        started = start(
            athena,
            f"INSERT INTO d.t SELECT x, {round_number * 100} + x % 20 AS p"
            " FROM unnest(sequence(1, 4000)) a(x)",
        )
        athena = kill_during(process, started, polls)
        inserted += status(athena, started)["State"] == "SUCCEEDED"
        query = finish(athena, 'SELECT count(*), count(DISTINCT p) FROM d."t"')
        rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
        counts = [each["VarCharValue"] for each in rows[1]["Data"]]
        assert counts == [str(1 + 4000 * inserted), str(1 + 20 * inserted)]
        listed = process.client("s3").list_objects_v2(Bucket="lake", Prefix="t/")["Contents"]
        assert len(listed) == 1 + 20 * inserted
        partitions = process.client("glue").get_partitions(DatabaseName="d", TableName="t")
        assert len(partitions["Partitions"]) == 1 + 20 * inserted


@pytest.mark.kill
def test_files_are_unloaded_with_their_manifest_or_not_at_all(process: ServerProcess) -> None:
    process.client("s3").create_bucket(Bucket="lake")
    athena = process.client("athena")
    for round_number, polls in enumerate((1, 6, 15, 30)):
        folder = f"u{round_number}/"
        started = start(
            athena,
            "UNLOAD (SELECT x, x % 20 AS p FROM unnest(sequence(1, 4000)) a(x))"
            f" TO 's3://lake/{folder}' WITH (format = 'PARQUET', partitioned_by = ARRAY['p'])",
        )
        athena = kill_during(process, started, polls)
        s3 = process.client("s3")
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket="lake").get("Contents", [])]
        written = [key for key in keys if key.startswith(folder)]
        manifest = [key for key in keys if key == f"results/{started}-manifest.csv"]
        if status(athena, started)["State"] == "FAILED":
            assert (written, manifest) == ([], [])
        else:
            (key,) = manifest
            listed = s3.get_object(Bucket="lake", Key=key)["Body"].read().decode().split()
            assert sorted(listed) == [f"s3://lake/{each}" for each in written]
            assert len(written) == 20


def kill_during(process: ServerProcess, query_id: str, polls: int) -> Any:
    """Kill the server somewhere in a query, start it again, and wait for what became of it."""
    athena = process.client("athena")
    for _ in range(polls):
        status(athena, query_id)
    process.kill()
    process.start()
    athena = process.client("athena")
    until(lambda: status(athena, query_id)["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"))
    return athena
