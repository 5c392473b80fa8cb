"""Named queries, prepared statements and data catalogs."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Clients
from tests.services.athena.conftest import Lake, refused


@pytest.fixture
def athena(aws: Clients) -> Any:
    return aws("athena")


@pytest.fixture
def work_group(athena: Any) -> str:
    name = f"group-{uuid4().hex[:12]}"
    athena.create_work_group(Name=name)
    return name


def test_a_named_query_is_found_changed_and_forgotten(athena: Any, work_group: str) -> None:
    made = athena.create_named_query(
        Name="q", Database="d", QueryString="SELECT 1", WorkGroup=work_group, Description="x"
    )["NamedQueryId"]
    assert athena.list_named_queries(WorkGroup=work_group)["NamedQueryIds"] == [made]
    athena.update_named_query(NamedQueryId=made, Name="r", QueryString="SELECT 2")
    found = athena.get_named_query(NamedQueryId=made)["NamedQuery"]
    assert (found["Name"], found["QueryString"], found["Description"]) == ("r", "SELECT 2", "x")
    athena.delete_named_query(NamedQueryId=made)
    assert athena.list_named_queries(WorkGroup=work_group)["NamedQueryIds"] == []
    batch = athena.batch_get_named_query(NamedQueryIds=[made])
    assert batch["NamedQueries"] == []
    assert batch["UnprocessedNamedQueryIds"][0]["NamedQueryId"] == made


def test_the_same_token_makes_one_named_query(athena: Any) -> None:
    request = {"Name": "q", "Database": "d", "QueryString": "SELECT 1"}
    token = uuid4().hex
    one = athena.create_named_query(**request, ClientRequestToken=token)
    other = athena.create_named_query(**request, ClientRequestToken=token)
    assert one["NamedQueryId"] == other["NamedQueryId"]
    changed = {**request, "QueryString": "SELECT 2", "ClientRequestToken": token}
    refused("InvalidRequestException", athena.create_named_query, **changed)


def test_prepared_statements(athena: Any, work_group: str) -> None:
    key = {"StatementName": "first", "WorkGroup": work_group}
    athena.create_prepared_statement(**key, QueryStatement="SELECT ?")
    refused(
        "InvalidRequestException",
        athena.create_prepared_statement,
        **key,
        QueryStatement="SELECT ?",
    )
    athena.update_prepared_statement(**key, QueryStatement="SELECT ?, ?")
    found = athena.get_prepared_statement(**key)["PreparedStatement"]
    assert found["QueryStatement"] == "SELECT ?, ?"
    listed = athena.list_prepared_statements(WorkGroup=work_group)["PreparedStatements"]
    assert [each["StatementName"] for each in listed] == ["first"]
    batch = athena.batch_get_prepared_statement(
        PreparedStatementNames=["first", "none"], WorkGroup=work_group
    )
    assert [each["StatementName"] for each in batch["PreparedStatements"]] == ["first"]
    assert batch["UnprocessedPreparedStatementNames"][0]["StatementName"] == "none"
    athena.delete_prepared_statement(**key)
    refused("ResourceNotFoundException", athena.get_prepared_statement, **key)


def test_statements_prepare_and_deallocate(lake: Lake) -> None:
    name = f"p{uuid4().hex[:8]}"
    lake.run(f"PREPARE {name} FROM SELECT 1 AS a")
    assert lake.rows(f"EXECUTE {name}") == [["1"]]
    lake.run(f"DEALLOCATE PREPARE {name}")
    assert name in lake.fail(f"EXECUTE {name}")


def test_data_catalogs(lake: Lake) -> None:
    athena = lake.athena
    name = f"catalog_{uuid4().hex[:8]}"
    athena.create_data_catalog(Name=name, Type="GLUE", Parameters={"catalog-id": "000000000000"})
    names = [each["CatalogName"] for each in athena.list_data_catalogs()["DataCatalogsSummary"]]
    assert {name, "AwsDataCatalog"} <= set(names)
    database = athena.get_database(CatalogName=name, DatabaseName=lake.name)["Database"]
    assert database["Name"] == lake.name
    athena.delete_data_catalog(Name=name)
    refused("InvalidRequestException", athena.get_data_catalog, Name=name)
    message = refused(
        "NotImplementedException",
        athena.create_data_catalog,
        Name=name,
        Type="LAMBDA",
        Parameters={"function": "f"},
    )
    assert "LAMBDA" in message


def test_metadata_of_tables(lake: Lake) -> None:
    lake.run(
        f"CREATE EXTERNAL TABLE t (a int COMMENT 'first', b string) PARTITIONED BY (d date)"
        f" STORED AS PARQUET LOCATION 's3://{lake.name}/t/'"
    )
    where = {"CatalogName": "AwsDataCatalog", "DatabaseName": lake.name}
    found = lake.athena.get_table_metadata(**where, TableName="t")["TableMetadata"]
    assert found["Columns"] == [
        {"Name": "a", "Type": "int", "Comment": "first"},
        {"Name": "b", "Type": "string"},
    ]
    assert found["PartitionKeys"] == [{"Name": "d", "Type": "date"}]
    assert found["Parameters"]["location"] == f"s3://{lake.name}/t"
    listed = lake.athena.list_table_metadata(**where, Expression="x*")["TableMetadataList"]
    assert listed == []
    # Drivers tell a missing table from a failure by what stands in the parentheses.
    absent = (
        r"\(Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException; "
    )
    message = refused(
        "MetadataException", lake.athena.get_table_metadata, **where, TableName="none"
    )
    assert re.search(absent, message)
    nowhere = {**where, "DatabaseName": "none"}
    message = refused("MetadataException", lake.athena.list_table_metadata, **nowhere)
    assert re.search(absent, message)
    message = refused("MetadataException", lake.athena.get_database, **nowhere)
    assert re.search(absent, message)


def test_metadata_of_a_table_tells_its_storage_among_the_parameters(
    lake: Lake, aws: Clients
) -> None:
    aws("glue").create_table(
        DatabaseName=lake.name,
        TableInput={
            "Name": "told",
            "Parameters": {"location": "elsewhere", "serde.param.k": "old", "own": "kept"},
            "StorageDescriptor": {
                "Columns": [
                    {"Name": "a", "Type": "int"},
                    {
                        "Name": "was",
                        "Type": "int",
                        "Parameters": {"iceberg.field.current": "false"},
                    },
                ],
                "Location": "s3://b/told",
                "InputFormat": "",
                "SerdeInfo": {"SerializationLibrary": "a.b.C", "Parameters": {"k": "v"}},
            },
        },
    )
    found = lake.athena.get_table_metadata(
        CatalogName="AwsDataCatalog", DatabaseName=lake.name, TableName="told"
    )["TableMetadata"]
    assert found["Columns"] == [{"Name": "a", "Type": "int"}]
    assert found["Parameters"] == {
        "own": "kept",
        "location": "s3://b/told",
        "inputformat": "",
        "serde.serialization.lib": "a.b.C",
        "serde.param.k": "v",
    }
