"""Crawls of tables that are in the catalog already."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.services.glue.crawling.conftest import Lake, columns, keys, refused

LOG_DELETES = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"}


def make_table(lake: Lake, name: str, **members: Any) -> None:
    storage = {"Location": f"s3://{lake.bucket}/sales", "Columns": []}
    lake.glue.create_table(
        DatabaseName=lake.database,
        TableInput={"Name": name, "StorageDescriptor": storage, **members},
    )


def create(lake: Lake, *tables: str, **settings: Any) -> str:
    name = f"crawler-{uuid4().hex}"
    target = {"DatabaseName": lake.database, "Tables": list(tables)}
    lake.glue.create_crawler(
        Name=name,
        Role=lake.role,
        Targets={"CatalogTargets": [target]},
        **{"SchemaChangePolicy": LOG_DELETES, **settings},
    )
    return name


def test_tables_get_schemas_and_partitions(lake: Lake) -> None:
    lake.glue.create_database(DatabaseInput={"Name": lake.database})
    make_table(lake, "mine", PartitionKeys=[{"Name": "day", "Type": "string"}])
    make_table(lake, "twin", PartitionKeys=[{"Name": "day", "Type": "string"}])
    lake.put("sales/day=1/a.json", '{"a": 1}')
    lake.put("sales/day=2/a.json", '{"b": "x"}')
    name = create(lake, "mine")
    assert lake.run(name)["LastCrawl"]["Status"] == "SUCCEEDED"
    tables = lake.tables()
    assert tables.keys() == {"mine", "twin"}
    assert columns(tables["mine"]) == {"a": "int", "b": "string"}
    assert columns(tables["twin"]) == {}
    assert keys(tables["mine"]) == ["day"]
    assert lake.partitions("mine").keys() == {("1",), ("2",)}


def test_a_single_folder_stays_the_tables_own(lake: Lake) -> None:
    lake.glue.create_database(DatabaseInput={"Name": lake.database})
    make_table(lake, "mine")
    lake.put("sales/day=1/a.json", '{"a": 1}')
    lake.run(create(lake, "mine"))
    assert keys(lake.tables()["mine"]) == ["day"]


def test_a_table_that_is_not_there(lake: Lake) -> None:
    lake.glue.create_database(DatabaseInput={"Name": lake.database})
    last = lake.run(create(lake, "none"))["LastCrawl"]
    assert last["Status"] == "FAILED"
    assert "none" in last["ErrorMessage"]


def test_what_is_refused(lake: Lake) -> None:
    targets = {"CatalogTargets": [{"DatabaseName": "d", "Tables": ["t"]}]}
    request = {"Name": "x", "Role": lake.role, "Targets": targets}
    message = refused("InvalidInputException", lake.glue.create_crawler, **request)
    assert "must be LOG" in message
    both = {**targets, "S3Targets": [{"Path": "s3://abc"}]}
    refused("InvalidInputException", lake.glue.create_crawler, **{**request, "Targets": both})
