"""dbt: seeds, views, tables, incremental models on Hive and Iceberg tables, a snapshot, tests."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.clients.environments import python_with
from tests.live_server import LiveServer

PROJECT = Path(__file__).parent / "dbt_project"
# dbt-core 1.12 builds a parser of its own from files that no package index has.
REQUIREMENTS = ("dbt-athena==1.11.1", "dbt-core==1.11.16")


class Dbt:
    """A copy of the project, and the server that it works on."""

    def __init__(
        self, folder: Path, python: Path, environment: dict[str, str], server: LiveServer
    ) -> None:
        self.folder = folder
        self.command = str(python.with_name("dbt"))
        self.athena, self.glue = server.client("athena"), server.client("glue")
        self.bucket, self.schema = f"dbt-{uuid4().hex}", f"dbt{uuid4().hex[:12]}"
        self.environment = {
            **environment,
            "DBT_PROFILES_DIR": str(folder),
            "DBT_BUCKET": self.bucket,
            "DBT_SCHEMA": self.schema,
        }
        server.client("s3").create_bucket(Bucket=self.bucket)

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.command, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        return done.stdout

    def run(self, sql: str) -> str:
        """Run a statement that dbt has nothing to do with; its id."""
        query_id = self.athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self.schema},
            ResultConfiguration={"OutputLocation": f"s3://{self.bucket}/looked-at/"},
        )["QueryExecutionId"]
        while True:
            shown = self.athena.get_query_execution(QueryExecutionId=query_id)
            status = shown["QueryExecution"]["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                break
        assert status["State"] == "SUCCEEDED", status
        return query_id

    def rows(self, sql: str) -> list[list[str | None]]:
        """Rows of a query that dbt has nothing to do with."""
        query_id = self.run(sql)
        page = self.athena.get_query_results(QueryExecutionId=query_id)
        found = [[c.get("VarCharValue") for c in r["Data"]] for r in page["ResultSet"]["Rows"]]
        return found[1:]

    def table(self, name: str) -> dict[str, Any]:
        return self.glue.get_table(DatabaseName=self.schema, Name=name)["Table"]


@pytest.fixture
def dbt(server: LiveServer, environment: dict[str, str], tmp_path: Path) -> Dbt:
    folder = tmp_path / "project"
    shutil.copytree(PROJECT, folder)
    return Dbt(folder, python_with("dbt", *REQUIREMENTS), environment, server)


@pytest.mark.timeout(400)
def test_a_project_from_its_seeds_to_its_docs(dbt: Dbt) -> None:
    dbt("seed")
    dbt("run")
    dbt("snapshot")
    assert dbt.rows("SELECT id, name, dep_delay FROM long_delays ORDER BY id") == [
        ["5", "United Air Lines, Inc.", "47"],
        ["6", "JetBlue Airways", "18"],
        ["7", "American Airlines Inc.", "120"],
    ]
    assert dbt.rows("SELECT * FROM delays_by_carrier WHERE origin = 'JFK' ORDER BY carrier") == [
        ["AA", "1", None, "JFK"],
        ["B6", "2", "8.50", "JFK"],
    ]
    assert dbt.table("delays_by_carrier")["PartitionKeys"][0]["Name"] == "origin"
    days = "SELECT flight_date, count(*) FROM flights_by_day GROUP BY 1 ORDER BY 1"
    assert dbt.rows(days) == [["2013-01-01", "3"], ["2013-01-02", "2"]]

    dbt("run", "--vars", '{"until": "2013-01-04"}')
    dbt("snapshot")
    assert dbt.rows(days) == [
        ["2013-01-01", "3"],
        ["2013-01-02", "2"],
        ["2013-01-03", "2"],
        ["2013-01-04", "1"],
    ]
    assert dbt.rows("SELECT count(*), count(DISTINCT id) FROM departure_log") == [["8", "8"]]
    assert dbt.rows("SELECT * FROM carrier_states ORDER BY carrier") == [
        ["AA", "2013-01-03", "2"],
        ["B6", "2013-01-03", "2"],
        ["UA", "2013-01-04", "4"],
    ]
    assert dbt.table("carrier_states")["Parameters"]["table_type"] == "ICEBERG"
    history = "SELECT carrier, flights, dbt_valid_to IS NULL FROM carriers_history ORDER BY 1, 2"
    assert dbt.rows(history) == [
        ["AA", "1", "false"],
        ["AA", "2", "true"],
        ["B6", "1", "false"],
        ["B6", "2", "true"],
        ["UA", "3", "false"],
        ["UA", "4", "true"],
    ]

    assert "PASS=6 WARN=0 ERROR=0" in dbt("test")
    dbt("docs", "generate")
    catalog = json.loads((dbt.folder / "target" / "catalog.json").read_text())
    columns = catalog["nodes"]["model.flights.delays_by_carrier"]["columns"]
    assert [*columns] == ["carrier", "flights", "mean_delay", "origin"]

    dbt.run("INSERT INTO delays_by_carrier VALUES ('AA', 1, DECIMAL '1.00', 'BOS')")
    with pytest.raises(AssertionError, match="Got 1 result, configured to fail"):
        dbt("test", "--select", "delays_by_carrier")
