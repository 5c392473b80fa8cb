from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Clients
from tests.live_server import LiveServer
from tests.services.glue.conftest import partition_input, refused, table_input


def test_database_is_kept_as_it_was_given_under_its_name_in_lower_case(glue: Any) -> None:
    name = f"Lake_{uuid4().hex}"
    given = {
        "Name": name,
        "Description": "all flights",
        "LocationUri": "s3://lake/",
        "Parameters": {"owner": "me"},
    }
    glue.create_database(DatabaseInput=given)
    found = glue.get_database(Name=name.upper())["Database"]
    assert found["Name"] == name.lower()
    assert found["CatalogId"] == "000000000000"
    assert {key: found[key] for key in ("Description", "LocationUri", "Parameters")} == {
        key: given[key] for key in ("Description", "LocationUri", "Parameters")
    }
    assert found["CreateTime"].year > 2000
    assert refused("AlreadyExistsException", glue.create_database, DatabaseInput=given) == (
        "Database already exists."
    )


def test_update_replaces_all_but_name_and_time(glue: Any, database: str) -> None:
    before = glue.get_database(Name=database)["Database"]
    glue.update_database(Name=database, DatabaseInput={"Name": database, "Description": "another"})
    found = glue.get_database(Name=database)["Database"]
    assert found["Description"] == "another"
    assert found["CreateTime"] == before["CreateTime"]
    refused(
        "InvalidInputException",
        glue.update_database,
        Name=database,
        DatabaseInput={"Name": "other"},
    )
    refused(
        "EntityNotFoundException",
        glue.update_database,
        Name="nowhere",
        DatabaseInput={"Name": "nowhere"},
    )


def test_databases_are_listed_in_pages(fresh_server: LiveServer) -> None:
    glue = fresh_server.client("glue")
    for number in range(7):
        glue.create_database(DatabaseInput={"Name": f"db{number}"})
    first = glue.get_databases(MaxResults=3)
    assert [each["Name"] for each in first["DatabaseList"]] == ["db0", "db1", "db2"]
    pages = glue.get_paginator("get_databases").paginate(PaginationConfig={"PageSize": 3})
    names = [each["Name"] for page in pages for each in page["DatabaseList"]]
    assert names == [f"db{number}" for number in range(7)]
    only = glue.get_databases(AttributesToGet=["NAME"])["DatabaseList"][0]
    assert only == {"Name": "db0", "CatalogId": "000000000000"}
    refused("InvalidInputException", glue.get_databases, NextToken="?!")


def test_deleted_database_takes_its_contents_with_it(
    glue: Any, table: dict[str, str], server: LiveServer
) -> None:
    database = table["DatabaseName"]
    glue.create_partition(**table, PartitionInput=partition_input("2013", "UA"))
    glue.update_table(DatabaseName=database, TableInput=table_input(Description="new"))
    glue.delete_database(Name=database)
    message = refused("EntityNotFoundException", glue.get_database, Name=database)
    assert message == f"Database {database} not found."
    refused("EntityNotFoundException", glue.get_tables, DatabaseName=database)
    glue.create_database(DatabaseInput={"Name": database})
    assert glue.get_tables(DatabaseName=database)["TableList"] == []
    glue.create_table(DatabaseName=database, TableInput=table_input())
    assert glue.get_partitions(**table)["Partitions"] == []
    assert len(glue.get_table_versions(**table)["TableVersions"]) == 1


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("TargetDatabase", {"CatalogId": "000000000000", "DatabaseName": "x"}),
        ("FederatedDatabase", {"Identifier": "x", "ConnectionName": "y"}),
        ("CreateTableDefaultPermissions", []),
    ],
)
def test_what_is_not_done_is_refused(glue: Any, member: str, value: Any) -> None:
    given = {"Name": f"db_{uuid4().hex}", member: value}
    message = refused("NotImplementedException", glue.create_database, DatabaseInput=given)
    assert member in message


def test_catalog_of_another_account_is_closed(
    server: LiveServer, aws: Clients, glue: Any, database: str
) -> None:
    stranger = aws("glue", server.new_account(f"other-{uuid4().hex[:8]}"))
    refused("EntityNotFoundException", stranger.get_database, Name=database)
    refused("AccessDeniedException", stranger.get_database, Name=database, CatalogId="000000000000")
    refused("EntityNotFoundException", glue.get_database, Name=database, CatalogId="s3tables")


def test_only_catalog_is_the_accounts_own(glue: Any) -> None:
    own = glue.get_catalog(CatalogId="000000000000")["Catalog"]
    assert own["ResourceArn"] == "arn:aws:glue:us-east-1:000000000000:catalog"
    assert glue.get_catalogs()["CatalogList"] == []
    assert glue.get_catalogs(IncludeRoot=True, Recursive=True)["CatalogList"] == [own]
    refused("EntityNotFoundException", glue.get_catalog, CatalogId="s3tablescatalog")
    refused("EntityNotFoundException", glue.get_catalogs, ParentCatalogId="s3tablescatalog")


def test_nothing_is_left_to_import(glue: Any) -> None:
    assert glue.get_catalog_import_status()["ImportStatus"]["ImportCompleted"] is True
