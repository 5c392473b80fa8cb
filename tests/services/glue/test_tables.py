from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.glue.conftest import partition_input, refused, table_input


def test_table_is_kept_as_it_was_given(glue: Any, database: str) -> None:
    given = table_input("Flights", Description="d", Owner="me", Retention=3)
    glue.create_table(DatabaseName=database, TableInput=given)
    found = glue.get_table(DatabaseName=database.upper(), Name="FLIGHTS")["Table"]
    assert found["Name"] == "flights"
    assert found["DatabaseName"] == database
    for member in ("Description", "Owner", "Retention", "PartitionKeys", "Parameters", "TableType"):
        assert found[member] == given[member]
    storage = found["StorageDescriptor"]
    assert given["StorageDescriptor"].items() <= storage.items()
    assert storage["Compressed"] is False
    assert found["VersionId"] == "0"
    assert found["CreatedBy"] == "arn:aws:iam::000000000000:root"
    assert found["CreateTime"] == found["UpdateTime"]
    assert found["IsRegisteredWithLakeFormation"] is False
    message = refused(
        "AlreadyExistsException", glue.create_table, DatabaseName=database, TableInput=given
    )
    assert message == "Table already exists."


def test_times_that_are_given_come_back(glue: Any, database: str) -> None:
    given = {"Name": "t", "LastAccessTime": 1_700_000_000, "LastAnalyzedTime": 1_600_000_000}
    glue.create_table(DatabaseName=database, TableInput=given)
    found = glue.get_table(DatabaseName=database, Name="t")["Table"]
    assert found["LastAccessTime"].timestamp() == 1_700_000_000
    assert found["LastAnalyzedTime"].timestamp() == 1_600_000_000


def test_what_is_not_there_is_not_found(glue: Any, database: str) -> None:
    where = {"DatabaseName": database}
    given = table_input("nothing")
    assert "nothing" in refused("EntityNotFoundException", glue.get_table, **where, Name="nothing")
    refused("EntityNotFoundException", glue.delete_table, **where, Name="nothing")
    refused("EntityNotFoundException", glue.update_table, **where, TableInput=given)
    nowhere = {"DatabaseName": "nowhere"}
    refused("EntityNotFoundException", glue.create_table, **nowhere, TableInput=given)
    refused("EntityNotFoundException", glue.get_table, **nowhere, Name="nothing")
    refused("EntityNotFoundException", glue.get_tables, **nowhere)


def test_tables_are_found_by_expression_and_listed_in_pages(glue: Any, database: str) -> None:
    for name in ("flights_2013", "flights_2014", "planes", "weather"):
        glue.create_table(DatabaseName=database, TableInput=table_input(name))

    def names(**request: Any) -> list[str]:
        pages = glue.get_paginator("get_tables").paginate(
            DatabaseName=database, PaginationConfig={"PageSize": 1}, **request
        )
        return [each["Name"] for page in pages for each in page["TableList"]]

    assert names() == ["flights_2013", "flights_2014", "planes", "weather"]
    assert names(Expression="flights.*") == ["flights_2013", "flights_2014"]
    assert names(Expression=".*ea.*|PLANES") == ["planes", "weather"]
    assert names(Expression="plane") == []
    assert names(Expression="fli*") == ["flights_2013", "flights_2014"]
    assert names(Expression="*ea*|planes") == ["planes", "weather"]
    assert names(Expression="flights_201[3-9]*") == ["flights_2013", "flights_2014"]
    only = glue.get_tables(DatabaseName=database, AttributesToGet=["NAME", "TABLE_TYPE"])
    assert only["TableList"][0] == {
        "Name": "flights_2013",
        "DatabaseName": database,
        "CatalogId": "000000000000",
        "TableType": "EXTERNAL_TABLE",
    }
    refused("InvalidInputException", glue.get_tables, DatabaseName=database, Expression="(")


def test_pattern_that_backtracks_for_ever_is_given_up(glue: Any, database: str) -> None:
    glue.create_table(DatabaseName=database, TableInput=table_input("a" * 60 + "b"))
    message = refused(
        "InvalidInputException", glue.get_tables, DatabaseName=database, Expression="(a|aa)+$"
    )
    assert "too long" in message


def test_update_replaces_the_whole_definition(glue: Any, table: dict[str, str]) -> None:
    database = table["DatabaseName"]
    before = glue.get_table(DatabaseName=database, Name="flights")["Table"]
    changed = {"Name": "Flights", "Parameters": {"a": "b"}, "PartitionKeys": []}
    glue.update_table(DatabaseName=database, TableInput=changed)
    found = glue.get_table(DatabaseName=database, Name="flights")["Table"]
    assert found["VersionId"] == "1"
    assert found["Parameters"] == {"a": "b"}
    assert "TableType" not in found
    assert "StorageDescriptor" not in found
    assert found["CreateTime"] == before["CreateTime"]
    assert found["CreatedBy"] == before["CreatedBy"]


def test_update_of_another_version_is_refused_and_changes_nothing(
    glue: Any, table: dict[str, str]
) -> None:
    database = table["DatabaseName"]
    given = table_input(Description="first")
    glue.update_table(DatabaseName=database, TableInput=given, VersionId="0")
    late = table_input(Description="late")
    message = refused(
        "ConcurrentModificationException",
        glue.update_table,
        DatabaseName=database,
        TableInput=late,
        VersionId="0",
    )
    assert message == "Update table failed due to concurrent modifications."
    found = glue.get_table(DatabaseName=database, Name="flights")["Table"]
    assert (found["VersionId"], found["Description"]) == ("1", "first")


def test_one_of_many_who_update_the_same_version_wins(glue: Any, table: dict[str, str]) -> None:
    database = table["DatabaseName"]

    def update(number: int) -> str | None:
        given = table_input(Description=str(number))
        try:
            glue.update_table(
                DatabaseName=database, TableInput=given, VersionId="0", SkipArchive=True
            )
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ConcurrentModificationException"
            return None
        return str(number)

    with ThreadPoolExecutor(8) as threads:
        won = [each for each in threads.map(update, range(8)) if each is not None]
    assert len(won) == 1
    found = glue.get_table(DatabaseName=database, Name="flights")["Table"]
    assert (found["VersionId"], found["Description"]) == ("1", won[0])


def test_partition_keys_have_no_parameters(glue: Any, database: str) -> None:
    keys = [{"Name": "year", "Type": "int", "Parameters": {"a": "b"}}]
    message = refused(
        "InvalidInputException",
        glue.create_table,
        DatabaseName=database,
        TableInput=table_input(PartitionKeys=keys),
    )
    assert message == "Parameters not supported for partition columns"


def test_partition_keys_stay_as_many_as_the_partitions_have_values(
    glue: Any, table: dict[str, str]
) -> None:
    glue.create_partition(**table, PartitionInput=partition_input("2013", "UA"))
    given = table_input(PartitionKeys=[{"Name": "year", "Type": "int"}])
    refused(
        "InvalidInputException",
        glue.update_table,
        DatabaseName=table["DatabaseName"],
        TableInput=given,
    )


def test_deleted_table_is_gone_with_all_it_held(glue: Any, table: dict[str, str]) -> None:
    database = table["DatabaseName"]
    glue.create_partition(**table, PartitionInput=partition_input("2013", "UA"))
    glue.delete_table(DatabaseName=database, Name="Flights")
    refused("EntityNotFoundException", glue.get_table, DatabaseName=database, Name="flights")
    glue.create_table(DatabaseName=database, TableInput=table_input())
    assert glue.get_partitions(**table)["Partitions"] == []


def test_batch_delete_tells_those_that_are_not_there(glue: Any, database: str) -> None:
    for name in ("a", "b", "c"):
        glue.create_table(DatabaseName=database, TableInput={"Name": name})
    answer = glue.batch_delete_table(DatabaseName=database, TablesToDelete=["a", "x", "C"])
    assert [each["TableName"] for each in answer["Errors"]] == ["x"]
    assert answer["Errors"][0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    left = glue.get_tables(DatabaseName=database)["TableList"]
    assert [each["Name"] for each in left] == ["b"]
    refused(
        "EntityNotFoundException",
        glue.batch_delete_table,
        DatabaseName="nowhere",
        TablesToDelete=["a"],
    )


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("TargetTable", {"CatalogId": "0", "DatabaseName": "x", "Name": "y"}),
        ("ViewDefinition", {"IsProtected": True}),
        ("FederatedTable", {"Identifier": "x", "ConnectionName": "y"}),
        ("StorageDescriptor", {"SchemaReference": {"SchemaVersionNumber": 1}}),
    ],
)
def test_what_is_not_done_is_refused(glue: Any, database: str, member: str, value: Any) -> None:
    given = {"Name": "t", member: value}
    message = refused(
        "NotImplementedException", glue.create_table, DatabaseName=database, TableInput=given
    )
    assert member in message or "SchemaReference" in message


def test_versions_are_archived_newest_first(glue: Any, table: dict[str, str]) -> None:
    database = table["DatabaseName"]
    for number in (1, 2):
        glue.update_table(DatabaseName=database, TableInput=table_input(Description=str(number)))
    skipped = table_input(Description="3")
    glue.update_table(DatabaseName=database, TableInput=skipped, SkipArchive=True)
    for size in (1, 2, 3, 100):
        pages = glue.get_paginator("get_table_versions").paginate(
            **table, PaginationConfig={"PageSize": size}
        )
        found = [each for page in pages for each in page["TableVersions"]]
        # Version 2 was not archived when version 3 took its place.
        assert [each["VersionId"] for each in found] == ["3", "1", "0"]
    assert [each["Table"].get("Description") for each in found] == ["3", "1", None]
    assert glue.get_table_version(**table)["TableVersion"]["VersionId"] == "3"
    old = glue.get_table_version(**table, VersionId="1")["TableVersion"]["Table"]
    assert (old["Description"], old["VersionId"]) == ("1", "1")
    refused("EntityNotFoundException", glue.get_table_version, **table, VersionId="2")
    refused("InvalidInputException", glue.get_table_version, **table, VersionId="two")


def test_versions_are_forgotten_but_for_the_current_one(glue: Any, table: dict[str, str]) -> None:
    database = table["DatabaseName"]
    for number in range(3):
        glue.update_table(DatabaseName=database, TableInput=table_input(Description=str(number)))
    glue.delete_table_version(**table, VersionId="1")
    refused("EntityNotFoundException", glue.delete_table_version, **table, VersionId="1")
    refused("InvalidInputException", glue.delete_table_version, **table, VersionId="3")
    answer = glue.batch_delete_table_version(**table, VersionIds=["0", "1", "3"])
    assert [(each["VersionId"], each["ErrorDetail"]["ErrorCode"]) for each in answer["Errors"]] == [
        ("1", "EntityNotFoundException"),
        ("3", "InvalidInputException"),
    ]
    left = glue.get_table_versions(**table)["TableVersions"]
    assert [each["VersionId"] for each in left] == ["3", "2"]
