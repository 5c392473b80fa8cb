from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from pyiceberg.catalog.glue import GlueCatalog

from tests.live_server import LiveServer

FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")


def refused(code: str, operation: Callable[..., Any], **request: Any) -> str:
    """The message with which a call is refused."""
    with pytest.raises(ClientError) as raised:
        operation(**request)
    error = raised.value.response["Error"]
    assert error["Code"] == code
    return error["Message"]


@dataclass
class Lake:
    """Athena on a server, with a database and a bucket of the test's own."""

    server: LiveServer
    credentials: Any = None
    name: str = field(default_factory=lambda: f"lake{uuid4().hex[:12]}")

    def __post_init__(self) -> None:
        self.athena = self.server.client("athena", self.credentials)
        self.glue_name = self.name
        self.s3 = self.server.client("s3")
        self.output = f"s3://{self.name}/results/"

    def prepare(self) -> Lake:
        """Make the bucket and the database."""
        self.s3.create_bucket(Bucket=self.name)
        self.run(f"CREATE DATABASE {self.name}")
        return self

    def as_other(self, credentials: Any) -> Lake:
        """The same lake, used by another."""
        return Lake(self.server, credentials, self.name)

    def put(self, key: str, body: bytes | str) -> None:
        """Store an object."""
        text = body.encode() if isinstance(body, str) else body
        self.s3.put_object(Bucket=self.name, Key=key, Body=text)

    def keys(self, prefix: str = "") -> list[str]:
        """Keys of the objects below a prefix."""
        listed = self.s3.list_objects_v2(Bucket=self.name, Prefix=prefix)
        return [each["Key"] for each in listed.get("Contents", [])]

    def body(self, location: str) -> bytes:
        """An object by its URL."""
        bucket, _, key = location.removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def start(self, sql: str, **request: Any) -> str:
        """Start a query in the database; its id."""
        request.setdefault("QueryExecutionContext", {"Database": self.name})
        request.setdefault("ResultConfiguration", {"OutputLocation": self.output})
        return self.athena.start_query_execution(QueryString=sql, **request)["QueryExecutionId"]

    def wait(self, query_id: str) -> dict[str, Any]:
        """A query when it has ended."""
        while True:
            shown = self.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            if shown["Status"]["State"] in FINAL:
                return shown

    def end(self, sql: str, **request: Any) -> dict[str, Any]:
        """Run a query to its end, whatever that is."""
        return self.wait(self.start(sql, **request))

    def run(self, sql: str, **request: Any) -> dict[str, Any]:
        """Run a query that succeeds."""
        shown = self.end(sql, **request)
        assert shown["Status"]["State"] == "SUCCEEDED", shown["Status"].get("StateChangeReason")
        return shown

    def fail(self, sql: str, **request: Any) -> str:
        """Why a query fails."""
        status = self.end(sql, **request)["Status"]
        assert status["State"] == "FAILED"
        assert status["AthenaError"]["ErrorMessage"] == status["StateChangeReason"]
        return status["StateChangeReason"]

    def rows(self, sql: str, **request: Any) -> list[list[str | None]]:
        """Rows of a query, the names of its columns left out."""
        shown = self.run(sql, **request)
        rows = self.results(shown["QueryExecutionId"])
        return rows[1:] if shown["StatementType"] == "DML" else rows

    def lines(self, sql: str, **request: Any) -> list[str]:
        """Lines of a DDL or utility statement's result."""
        return [row[0] or "" for row in self.rows(sql, **request)]

    def results(self, query_id: str, **request: Any) -> list[list[str | None]]:
        """All rows of a result, page by page."""
        rows: list[list[str | None]] = []
        token: dict[str, str] = {}
        while True:
            page = self.athena.get_query_results(QueryExecutionId=query_id, **request, **token)
            rows += [
                [each.get("VarCharValue") for each in row["Data"]]
                for row in page["ResultSet"]["Rows"]
            ]
            if "NextToken" not in page:
                return rows
            token = {"NextToken": page["NextToken"]}


@pytest.fixture
def lake(server: LiveServer) -> Lake:
    """A new lake on the shared server."""
    return Lake(server).prepare()


@pytest.fixture
def catalog(lake: Lake) -> GlueCatalog:
    """pyiceberg's catalog on the same lake."""
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
