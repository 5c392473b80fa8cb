from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from pyarrow import parquet

from tests.core.conftest import until
from tests.live_server import LiveServer

ACCOUNT = "000000000000"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "glue.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
EVERYTHING = [{"Effect": "Allow", "Action": ["s3:*", "glue:*"], "Resource": "*"}]


def parquet_bytes(table: pa.Table, **options: Any) -> bytes:
    """A table as a Parquet file."""
    target = io.BytesIO()
    parquet.write_table(table, target, **options)
    return target.getvalue()


def refused(code: str, operation: Callable[..., Any], **request: Any) -> str:
    """The message with which a call is refused."""
    with pytest.raises(ClientError) as raised:
        operation(**request)
    error = raised.value.response["Error"]
    assert error["Code"] == code, error
    return error["Message"]


@dataclass
class Lake:
    """A bucket, a database and a role of a server, and crawlers over them."""

    server: LiveServer
    bucket: str = field(default_factory=lambda: f"lake-{uuid4().hex[:12]}")

    def __post_init__(self) -> None:
        self.s3 = self.server.client("s3")
        self.glue = self.server.client("glue")
        self.iam = self.server.client("iam")
        self.s3.create_bucket(Bucket=self.bucket)
        self.database = self.bucket.replace("-", "_")
        self.role = self.make_role(EVERYTHING)

    def make_role(self, statements: list[dict[str, Any]], trust: Any = TRUST) -> str:
        """A role with a policy; its ARN."""
        name = f"crawler-{uuid4().hex[:12]}"
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        policy = {"Version": "2012-10-17", "Statement": statements}
        self.iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(policy))
        return made["Role"]["Arn"]

    def put(self, key: str, body: bytes | str) -> None:
        """An object."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def put_csv(self, key: str, header: str, *rows: str) -> None:
        """A CSV object of a header and rows."""
        self.put(key, "\n".join((header, *rows)) + "\n")

    def create(self, *paths: str, **settings: Any) -> str:
        """A crawler over folders of the bucket."""
        name = f"crawler {uuid4().hex[:12]}"
        targets = settings.pop("targets", None) or [
            {"Path": f"s3://{self.bucket}/{path}"} for path in paths
        ]
        if "configuration" in settings:
            settings["Configuration"] = json.dumps({"Version": 1.0, **settings["configuration"]})
            del settings["configuration"]
        self.glue.create_crawler(
            Name=name,
            Role=settings.pop("Role", self.role),
            DatabaseName=self.database,
            Targets={"S3Targets": targets},
            **settings,
        )
        return name

    def crawler(self, name: str) -> dict[str, Any]:
        """As GetCrawler tells it."""
        return self.glue.get_crawler(Name=name)["Crawler"]

    def run(self, name: str) -> dict[str, Any]:
        """Crawl; the crawler when it is READY again."""
        self.glue.start_crawler(Name=name)
        until(lambda: self.crawler(name)["State"] == "READY")
        return self.crawler(name)

    def crawl(self, *paths: str, **settings: Any) -> dict[str, dict[str, Any]]:
        """Make a crawler, run it, and give the tables by name."""
        ran = self.run(self.create(*paths, **settings))
        assert ran["LastCrawl"]["Status"] == "SUCCEEDED", ran["LastCrawl"]
        return self.tables()

    def tables(self) -> dict[str, dict[str, Any]]:
        """The database's tables by name."""
        pages = self.glue.get_paginator("get_tables").paginate(DatabaseName=self.database)
        return {table["Name"]: table for page in pages for table in page["TableList"]}

    def partitions(self, table: str) -> dict[tuple[str, ...], dict[str, Any]]:
        """A table's partitions by their values."""
        pages = self.glue.get_paginator("get_partitions").paginate(
            DatabaseName=self.database, TableName=table
        )
        return {tuple(each["Values"]): each for page in pages for each in page["Partitions"]}


def columns(described: dict[str, Any]) -> dict[str, str]:
    """Types of a table's or partition's columns, by names."""
    return {each["Name"]: each["Type"] for each in described["StorageDescriptor"]["Columns"]}


def keys(table: dict[str, Any]) -> list[str]:
    """Names of a table's partition keys."""
    return [each["Name"] for each in table["PartitionKeys"]]


@pytest.fixture
def lake(server: LiveServer) -> Lake:
    """A new bucket on the shared server."""
    return Lake(server)


@pytest.fixture
def fresh_lake(fresh_server: LiveServer) -> Lake:
    """As `lake`, on a server of the test's own."""
    return Lake(fresh_server)
