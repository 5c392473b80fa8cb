"""What runs TPC-H in `benchmarks.athena`: each takes a text and gives the seconds and the rows."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import boto3
import duckdb
from botocore.config import Config

from benchmarks import peers
from benchmarks.sql_engine import HIVE_NAMES, PARQUET_SERDE, TABLES

_POLL_SECONDS = 0.002
_GIVE_UP_SECONDS = 600.0
_BUCKET = "tpch"
_PARQUET_FORMATS = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
}


class Answer(NamedTuple):
    """What came of a query."""

    seconds: float
    rows: list[list[Any]]


class Failed(Exception):
    """A query was refused, or failed."""


class Engine(Protocol):
    """Runs queries."""

    name: str

    def run(self, sql: str) -> Answer:
        """Run a text to its last row.

        Raises:
            Failed: it gave no result.
        """
        ...


class DuckDB:
    """DuckDB called directly, in this process."""

    name = "DuckDB"

    def __init__(self, folder: Path, threads: int, memory_bytes: int) -> None:
        config = {"threads": threads, "memory_limit": f"{memory_bytes}B"}
        self.connection = duckdb.connect(config=config)
        self.connection.execute(f"SET temp_directory = '{folder / 'spilled'}'")
        for table in TABLES:
            file = folder / f"{table}.parquet"
            self.connection.execute(f"CREATE VIEW {table} AS SELECT * FROM '{file}'")

    def run(self, sql: str) -> Answer:
        """See `Engine.run`."""
        begun = time.perf_counter()
        rows = self.connection.execute(sql).fetchall()
        return Answer(time.perf_counter() - begun, [list(row) for row in rows])


class Athena:
    """Athena of a server, by boto3; the result's first page is read."""

    def __init__(self, server: peers.Running) -> None:
        self.name = server.name
        self.server = server
        config = Config(retries={"max_attempts": 0}, read_timeout=_GIVE_UP_SECONDS)
        key, secret = server.key

        def client(service: str) -> Any:
            return boto3.client(
                service,
                endpoint_url=server.url,
                region_name="us-east-1",
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                config=config,
            )

        self.s3, self.athena, self.glue = client("s3"), client("athena"), client("glue")

    def load(self, folder: Path) -> None:
        """Put the files into a bucket and tell Glue's catalog of them."""
        self.s3.create_bucket(Bucket=_BUCKET)
        self.glue.create_database(DatabaseInput={"Name": _BUCKET})
        for table in TABLES:
            file = folder / f"{table}.parquet"
            self.s3.upload_file(str(file), _BUCKET, f"{table}/data.parquet")
            described = duckdb.execute(f"DESCRIBE SELECT * FROM '{file}'").fetchall()
            columns = [
                {"Name": row[0], "Type": HIVE_NAMES.get(row[1], row[1].lower())}
                for row in described
            ]
            storage = {
                "Columns": columns,
                "Location": f"s3://{_BUCKET}/{table}/",
                "SerdeInfo": {"SerializationLibrary": PARQUET_SERDE},
                **_PARQUET_FORMATS,
            }
            self.glue.create_table(
                DatabaseName=_BUCKET,
                TableInput={
                    "Name": table,
                    "TableType": "EXTERNAL_TABLE",
                    "StorageDescriptor": storage,
                },
            )

    def run(self, sql: str) -> Answer:
        """See `Engine.run`; asks every two milliseconds whether the query has ended."""
        begun = time.perf_counter()
        query_id = self.athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": _BUCKET},
            ResultConfiguration={"OutputLocation": f"s3://{_BUCKET}/results/"},
        )["QueryExecutionId"]
        while True:
            shown = self.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            state = shown["Status"]["State"]
            if state not in ("QUEUED", "RUNNING"):
                break
            if time.perf_counter() - begun > _GIVE_UP_SECONDS:
                raise Failed(f"still {state} after {_GIVE_UP_SECONDS:.0f} s")
            time.sleep(_POLL_SECONDS)
        if state != "SUCCEEDED":
            raise Failed(shown["Status"].get("StateChangeReason", state))
        page = self.athena.get_query_results(QueryExecutionId=query_id)
        seconds = time.perf_counter() - begun
        rows = [
            [cell.get("VarCharValue") for cell in row["Data"]] for row in page["ResultSet"]["Rows"]
        ]
        return Answer(seconds, rows[1:])


class Spark:
    """PySpark in a process of its own, on as many threads as the others have."""

    name = "pyspark"

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def run(self, sql: str) -> Answer:
        """See `Engine.run`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(sql) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Failed("the process ended")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"])
        return Answer(answer["seconds"], answer["rows"])


@contextlib.contextmanager
def spark(folder: Path, threads: int) -> Iterator[Spark | None]:
    """PySpark, or None where there is no Java."""
    if shutil.which("java") is None:
        print("pyspark is left out: there is no Java", file=sys.stderr)
        yield None
        return
    python = peers.environment_of("pyspark") / "python"
    script = Path(__file__).with_name("spark_worker.py")
    process = subprocess.Popen(
        [str(python), str(script), str(folder), str(threads)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYSPARK_PYTHON": str(python), "SPARK_LOCAL_IP": "127.0.0.1"},
    )
    try:
        yield Spark(process)
    finally:
        process.terminate()
        process.wait()
