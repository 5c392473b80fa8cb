"""Data catalogs of Type FEDERATED, and what they show of the databases."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.services.athena.conftest import Lake, refused
from tests.services.athena.federation.conftest import PASSWORD, Remote, arn_of


def connection(lake: Lake, **properties: str) -> str:
    """A new connection's name."""
    name = f"n{uuid4().hex[:10]}"
    url = properties.pop("url", "jdbc:postgresql://db.example/shop")
    given = {"JDBC_CONNECTION_URL": url, "USERNAME": "u", "PASSWORD": PASSWORD, **properties}
    lake.server.client("glue").create_connection(
        ConnectionInput={
            "Name": name,
            "ConnectionType": "JDBC",
            "ConnectionProperties": given,
        }
    )
    return name


def create(lake: Lake, **parameters: str) -> dict[str, Any]:
    return {
        "Name": f"c{uuid4().hex[:10]}",
        "Type": "FEDERATED",
        "Parameters": {name.replace("_", "-"): value for name, value in parameters.items()},
    }


def test_a_catalog_lives_and_dies(lake: Lake) -> None:
    athena = lake.athena
    arns = [arn_of(connection(lake)) for _ in range(2)]
    request = create(lake, connection_arn=arns[0])
    name = request["Name"]
    made = athena.create_data_catalog(**request, Description="the shop")["DataCatalog"]
    expected = {
        "Name": name,
        "Type": "FEDERATED",
        "Description": "the shop",
        "Parameters": {"connection-arn": arns[0]},
        "Status": "CREATE_COMPLETE",
        "ConnectionType": "POSTGRESQL",
    }
    assert made == expected
    assert athena.get_data_catalog(Name=name)["DataCatalog"] == expected
    pages = athena.get_paginator("list_data_catalogs").paginate()
    summaries = {c["CatalogName"]: c for page in pages for c in page["DataCatalogsSummary"]}
    assert summaries[name] == {
        "CatalogName": name,
        "Type": "FEDERATED",
        "Status": "CREATE_COMPLETE",
        "ConnectionType": "POSTGRESQL",
    }
    athena.update_data_catalog(Name=name, Type="FEDERATED", Parameters={"connection-arn": arns[1]})
    changed = athena.get_data_catalog(Name=name)["DataCatalog"]
    assert changed == {**expected, "Parameters": {"connection-arn": arns[1]}}
    message = refused("InvalidRequestException", athena.update_data_catalog, Name=name, Type="GLUE")
    assert message == "The type of a data catalog cannot be changed."
    gone = athena.delete_data_catalog(Name=name, DeleteCatalogOnly=True)["DataCatalog"]
    assert gone["Status"] == "DELETE_COMPLETE"
    refused("InvalidRequestException", athena.get_data_catalog, Name=name)


def test_what_a_catalog_cannot_be_made_of_is_refused(lake: Lake) -> None:
    def told(code: str, **parameters: str) -> str:
        return refused(code, lake.athena.create_data_catalog, **create(lake, **parameters))

    arn = arn_of(connection(lake))
    assert "needs the parameter connection-arn" in told("InvalidRequestException")
    assert "is not the ARN" in told("InvalidRequestException", connection_arn="shop")
    absent = told("InvalidRequestException", connection_arn=arn_of("absent"))
    assert absent == "Connection absent not found."
    assert "other accounts" in told(
        "NotImplementedException", connection_arn=arn_of("shop", "111122223333")
    )
    assert "Secrets Manager" in told(
        "NotImplementedException",
        connection_type="MYSQL",
        connection_properties=json.dumps({"host": "h", "SecretArn": "arn"}),
    )
    told("InvalidRequestException", connection_arn=arn, connection_type="MYSQL")
    told("NotImplementedException", connection_arn=arn, lambda_role_arn="arn:aws:iam::1:role/r")
    told("InvalidRequestException", connection_arn=arn, other="x")
    refused("NotImplementedException", lake.athena.create_data_catalog, Name="l", Type="LAMBDA")


@pytest.mark.parametrize(
    ("properties", "code", "reason"),
    [
        ({"url": "jdbc:oracle:thin://h:1/x"}, "NotImplementedException", "type ORACLE"),
        ({"url": "jdbc:redshift://h:5439/x"}, "NotImplementedException", "type REDSHIFT"),
        ({"url": "jdbc:postgresql://h/"}, "InvalidRequestException", "names no database"),
        ({"url": "jdbc:postgresql:///x"}, "InvalidRequestException", "is not of the form"),
        ({"url": "jdbc:postgresql://a,b/x"}, "InvalidRequestException", "host"),
        ({"url": "jdbc:postgresql://%2Fvar%2Frun/x"}, "InvalidRequestException", "host"),
        ({"url": "jdbc:postgresql://h:99999/x"}, "InvalidRequestException", "port"),
        ({"url": "jdbc:postgresql://169.254.169.254/x"}, "InvalidRequestException", "link-local"),
        ({"url": "jdbc:mysql://0xa9fea9fe/x"}, "InvalidRequestException", "link-local"),
        ({"url": "jdbc:mysql://[::ffff:a9fe:a9fe]/x"}, "InvalidRequestException", "link-local"),
        ({"url": "jdbc:mysql://[fe80::1]/x"}, "InvalidRequestException", "link-local"),
        (
            {"url": "jdbc:postgresql://h/x?options=4711"},
            "NotImplementedException",
            "the parameter options",
        ),
        (
            {"url": "jdbc:mysql://h/x?allowLoadLocalInfile=true"},
            "NotImplementedException",
            "the parameter allowLoadLocalInfile",
        ),
        ({"CUSTOM_JDBC_CERT": "s3://b/k"}, "NotImplementedException", "CUSTOM_JDBC_CERT"),
    ],
)
def test_connections_that_lead_nowhere_are_refused(
    lake: Lake, properties: dict[str, str], code: str, reason: str
) -> None:
    arn = arn_of(connection(lake, **properties))
    message = refused(code, lake.athena.create_data_catalog, **create(lake, connection_arn=arn))
    assert reason in message
    assert "4711" not in message


@pytest.fixture
def shop(remote: Remote) -> Remote:
    comment = " COMMENT 'how many'" if remote.kind == "mysql" else ""
    remote.run(f"CREATE TABLE {remote.own('Goods')} (id bigint NOT NULL, n decimal(5,1){comment})")
    remote.run(f"CREATE VIEW {remote.own('few')} AS SELECT id FROM {remote.own('Goods')}")
    if remote.kind == "postgresql":
        remote.run(f"COMMENT ON COLUMN {remote.own('Goods')}.n IS 'how many'")
    return remote


def test_databases_and_tables_are_listed(shop: Remote) -> None:
    athena, catalog, schema = shop.lake.athena, shop.catalog, shop.schema
    listed = athena.list_databases(CatalogName=catalog)["DatabaseList"]
    assert {"Name": schema} in listed
    assert {"Name": "information_schema"} not in listed
    found = athena.get_database(CatalogName=catalog, DatabaseName=schema)["Database"]
    assert found == {"Name": schema}
    goods = {
        "Name": "goods",
        "TableType": "EXTERNAL_TABLE",
        "Columns": [
            {"Name": "id", "Type": "bigint"},
            {"Name": "n", "Type": "decimal(5,1)", "Comment": "how many"},
        ],
        "PartitionKeys": [],
        "Parameters": {},
    }
    tables = athena.list_table_metadata(CatalogName=catalog, DatabaseName=schema)
    assert [t["Name"] for t in tables["TableMetadataList"]] == ["few", "goods"]
    assert tables["TableMetadataList"][1] == goods
    some = athena.list_table_metadata(CatalogName=catalog, DatabaseName=schema, Expression="g*")
    assert [t["Name"] for t in some["TableMetadataList"]] == ["goods"]
    got = athena.get_table_metadata(CatalogName=catalog, DatabaseName=schema, TableName="GOODS")
    assert got["TableMetadata"] == goods
    for operation, request in (
        (athena.get_database, {"DatabaseName": "nowhere"}),
        (athena.list_table_metadata, {"DatabaseName": "nowhere"}),
        (athena.get_table_metadata, {"DatabaseName": schema, "TableName": "nothing"}),
    ):
        refused("MetadataException", operation, CatalogName=catalog, **request)


def test_statements_show_them(shop: Remote) -> None:
    lake, catalog, schema = shop.lake, shop.catalog, shop.schema
    context = {"QueryExecutionContext": {"Catalog": catalog, "Database": schema}}
    assert schema in lake.lines(f"SHOW DATABASES IN `{catalog}`")
    assert schema in lake.lines("SHOW SCHEMAS", **context)
    assert lake.lines(f"SHOW TABLES IN `{catalog}`.`{schema}`") == ["few", "goods"]
    assert lake.lines("SHOW TABLES 'g*'", **context) == ["goods"]
    assert lake.lines("SHOW VIEWS", **context) == ["few"]
    described = [
        [cell.strip() for cell in line.split("\t")]
        for line in lake.lines(f"DESCRIBE `{catalog}`.`{schema}`.goods")
    ]
    assert described == [["id", "bigint", ""], ["n", "decimal(5,1)", "how many"]]
    columns = lake.lines("SHOW COLUMNS IN goods", **context)
    assert [line.strip() for line in columns] == ["id", "n"]
    lake.fail(f"SHOW TABLES IN `{catalog}`.nowhere")
    lake.fail(f"SHOW CREATE TABLE `{catalog}`.`{schema}`.goods")


def test_information_schema_is_the_catalogs_own(shop: Remote) -> None:
    lake, catalog, schema = shop.lake, shop.catalog, shop.schema
    where = f"WHERE table_schema = '{schema}'"
    tables = lake.rows(f"SELECT * FROM {catalog}.information_schema.tables {where} ORDER BY 3")
    assert tables == [
        [catalog, schema, "few", "VIEW"],
        [catalog, schema, "goods", "BASE TABLE"],
    ]
    columns = lake.rows(
        "SELECT column_name, ordinal_position, is_nullable, data_type, comment "
        f"FROM {catalog}.information_schema.columns {where} AND table_name = 'goods' ORDER BY 2"
    )
    assert columns == [
        ["id", "1", "NO", "bigint", None],
        ["n", "2", "YES", "decimal(5,1)", "how many"],
    ]
    schemata = lake.rows(f"SELECT schema_name FROM {catalog}.information_schema.schemata")
    assert [schema] in schemata
    assert lake.rows(f"SELECT table_name FROM {catalog}.information_schema.views {where}") == [
        ["few"]
    ]
