"""pyiceberg's Glue catalog: Iceberg tables whose metadata pointer is in Glue, data in S3."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NamespaceNotEmptyError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.expressions import EqualTo
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType

from tests.live_server import LiveServer

FLIGHTS = pa.table(
    {
        "carrier": ["UA", "AA", None],
        "delay": pa.array([11, -3, 0], pa.int32()),
        "at": pa.array([datetime(2013, 1, 1, 5, 17)] * 3, pa.timestamp("us")),
    }
)


@pytest.fixture
def catalog(server: LiveServer, bucket: str) -> GlueCatalog:
    keys = server.root
    return GlueCatalog(
        "glue",
        **{
            "glue.endpoint": server.endpoint_url,
            "glue.region": "us-east-1",
            "glue.access-key-id": keys["AccessKeyId"],
            "glue.secret-access-key": keys["SecretAccessKey"],
            "s3.endpoint": server.endpoint_url,
            "s3.region": "us-east-1",
            "s3.access-key-id": keys["AccessKeyId"],
            "s3.secret-access-key": keys["SecretAccessKey"],
            "warehouse": f"s3://{bucket}/warehouse",
        },
    )


@pytest.fixture
def namespace(catalog: GlueCatalog) -> str:
    name = f"lake_{uuid4().hex}"
    catalog.create_namespace(name)
    return name


def test_table_is_made_appended_to_and_read(
    catalog: GlueCatalog, namespace: str, server: LiveServer
) -> None:
    table = catalog.create_table(f"{namespace}.flights", schema=FLIGHTS.schema)
    table.append(FLIGHTS)
    table.append(FLIGHTS)
    again = catalog.load_table(f"{namespace}.flights")
    assert again.scan().to_arrow().num_rows == 6
    found = again.scan(row_filter=EqualTo("carrier", "UA")).to_arrow()
    assert found.column("delay").to_pylist() == [11, 11]
    kept = server.client("glue").get_table(DatabaseName=namespace, Name="flights")["Table"]
    assert kept["Parameters"]["table_type"] == "ICEBERG"
    assert kept["Parameters"]["metadata_location"] == again.metadata_location
    assert kept["Parameters"]["previous_metadata_location"]
    assert kept["VersionId"] == "2"
    columns = {each["Name"]: each["Type"] for each in kept["StorageDescriptor"]["Columns"]}
    assert columns == {"carrier": "string", "delay": "int", "at": "timestamp"}


def test_schema_and_rows_change_and_time_is_travelled(catalog: GlueCatalog, namespace: str) -> None:
    table = catalog.create_table(f"{namespace}.flights", schema=FLIGHTS.schema)
    with table.update_spec() as spec:
        spec.add_field("carrier", IdentityTransform())
    table.append(FLIGHTS)
    before = table.current_snapshot()
    assert before is not None
    table.delete(EqualTo("carrier", "AA"))
    with table.update_schema() as schema:
        schema.add_column("distance", LongType())
    table = catalog.load_table(f"{namespace}.flights")
    assert table.scan().to_arrow().num_rows == 2
    assert table.scan(snapshot_id=before.snapshot_id).to_arrow().num_rows == 3
    assert "distance" in table.scan().to_arrow().column_names


def test_commit_on_a_table_that_others_changed_is_refused(
    catalog: GlueCatalog, namespace: str
) -> None:
    catalog.create_table(
        f"{namespace}.flights", schema=FLIGHTS.schema, properties={"commit.retry.num-retries": "0"}
    )
    one, other = (catalog.load_table(f"{namespace}.flights") for _ in range(2))
    one.append(FLIGHTS)
    with pytest.raises(CommitFailedException):
        other.append(FLIGHTS)
    assert catalog.load_table(f"{namespace}.flights").scan().to_arrow().num_rows == 3


def test_of_concurrent_commits_each_that_is_told_so_is_in_the_table(
    catalog: GlueCatalog, namespace: str
) -> None:
    name = f"{namespace}.flights"
    catalog.create_table(name, schema=FLIGHTS.schema, properties={"commit.retry.num-retries": "0"})
    handles = [catalog.load_table(name) for _ in range(6)]

    def append(table: Any) -> bool:
        try:
            table.append(FLIGHTS)
        except CommitFailedException:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        committed = sum(threads.map(append, handles))
    # All began from the same snapshot, so that one can have won.
    assert committed == 1
    assert catalog.load_table(name).scan().to_arrow().num_rows == 3


def test_namespaces_and_tables_are_listed_renamed_and_dropped(
    catalog: GlueCatalog, namespace: str
) -> None:
    with pytest.raises(NamespaceAlreadyExistsError):
        catalog.create_namespace(namespace)
    catalog.update_namespace_properties(namespace, updates={"owner": "me"})
    assert catalog.load_namespace_properties(namespace)["owner"] == "me"
    assert (namespace,) in catalog.list_namespaces()
    catalog.create_table(f"{namespace}.flights", schema=FLIGHTS.schema).append(FLIGHTS)
    with pytest.raises(TableAlreadyExistsError):
        catalog.create_table(f"{namespace}.flights", schema=FLIGHTS.schema)
    with pytest.raises(NamespaceNotEmptyError):
        catalog.drop_namespace(namespace)
    catalog.rename_table(f"{namespace}.flights", f"{namespace}.flown")
    assert catalog.list_tables(namespace) == [(namespace, "flown")]
    assert catalog.load_table(f"{namespace}.flown").scan().to_arrow().num_rows == 3
    with pytest.raises(NoSuchTableError):
        catalog.load_table(f"{namespace}.flights")
    catalog.drop_table(f"{namespace}.flown")
    catalog.drop_namespace(namespace)
    with pytest.raises(NoSuchNamespaceError):
        catalog.load_namespace_properties(namespace)
