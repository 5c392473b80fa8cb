from __future__ import annotations

from typing import Any

import pytest

from cloche.core.event import Event
from tests.core.conftest import until
from tests.live_server import LiveServer
from tests.services.glue.conftest import partition_input, table_input

ARN = "arn:aws:glue:us-east-1:000000000000"


@pytest.fixture
def events(fresh_server: LiveServer) -> list[Event]:
    """All that Glue tells from now on."""
    told: list[Event] = []
    fresh_server.runtime.events.subscribe("test", "aws.glue", told.append)
    return told


def test_changes_of_the_catalog_are_told(fresh_server: LiveServer, events: list[Event]) -> None:
    glue = fresh_server.client("glue")
    table = {"DatabaseName": "air", "TableName": "flights"}
    glue.create_database(DatabaseInput={"Name": "Air"})
    glue.create_table(DatabaseName="air", TableInput=table_input())
    inputs = [partition_input("2013", "UA"), partition_input("2013"), partition_input("2014", "AA")]
    glue.batch_create_partition(**table, PartitionInputList=inputs)
    glue.update_table(DatabaseName="air", TableInput=table_input())
    glue.delete_partition(**table, PartitionValues=["2014", "AA"])
    glue.delete_table(DatabaseName="air", Name="flights")
    glue.delete_database(Name="air")
    until(lambda: len(events) == 7)
    seen: list[Any] = [(each.detail_type, each.resources, each.detail) for each in events]
    database, flights = f"{ARN}:database/air", f"{ARN}:table/air/flights"
    of_database = "Glue Data Catalog Database State Change"
    of_table = "Glue Data Catalog Table State Change"

    def database_detail(change: str, *tables: str) -> dict[str, Any]:
        return {"databaseName": "air", "typeOfChange": change, "changedTables": list(tables)}

    def table_detail(change: str, *partitions: str) -> dict[str, Any]:
        named = {"databaseName": "air", "tableName": "flights"}
        return {**named, "typeOfChange": change, "changedPartitions": list(partitions)}

    assert seen == [
        (of_database, (database,), database_detail("CreateDatabase")),
        (of_database, (flights,), database_detail("CreateTable", "flights")),
        (of_table, (flights,), table_detail("BatchCreatePartition", "[2013, UA]", "[2014, AA]")),
        (of_table, (flights,), table_detail("UpdateTable")),
        (of_table, (flights,), table_detail("DeletePartition", "[2014, AA]")),
        (of_database, (flights,), database_detail("DeleteTable", "flights")),
        (of_database, (database,), database_detail("DeleteDatabase")),
    ]
    assert {each.account for each in events} == {"000000000000"}


def test_what_was_refused_is_not_told(fresh_server: LiveServer, events: list[Event]) -> None:
    glue = fresh_server.client("glue")
    glue.create_database(DatabaseInput={"Name": "air"})
    with pytest.raises(glue.exceptions.AlreadyExistsException):
        glue.create_database(DatabaseInput={"Name": "air"})
    glue.create_database(DatabaseInput={"Name": "sea"})
    until(lambda: len(events) == 2)
    assert [each.detail["databaseName"] for each in events] == ["air", "sea"]
