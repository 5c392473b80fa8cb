"""Databases and tables of federated catalogs, in the shapes that the Data Catalog has."""

from __future__ import annotations

from typing import Any

from cloche.core.operations import Call
from cloche.engines.sql.engine import QueryError, SqlEngine
from cloche.engines.sql.remote import RemoteColumn, RemoteDatabase, RemoteTable
from cloche.services.athena.data_catalog_records import DataCatalog
from cloche.services.athena.errors import AccessDeniedException, MetadataException
from cloche.services.athena.federation.catalogs import ConnectionDenied, database_of
from cloche.services.athena.federation.connections import UnusableConnection
from cloche.services.athena.tables.types import trino_to_hive


def databases(call: Call, found: DataCatalog) -> list[dict[str, Any]]:
    """Glue's Databases for the schemas of a federated catalog.

    Raises:
        AccessDeniedException: the caller may not use the connection.
        MetadataException: the database can't be reached.
    """
    database = _database(call, found)
    try:
        return [{"Name": name} for name in call.engine(SqlEngine).remotes.schemas(database)]
    except QueryError as error:
        raise MetadataException(error.message) from None


def tables(call: Call, found: DataCatalog, schema: str) -> list[dict[str, Any]]:
    """Glue's Tables for the tables of a schema.

    Raises:
        AccessDeniedException: the caller may not use the connection.
        MetadataException: there is no such schema, or the database can't be reached.
    """
    database = _database(call, found)
    remotes = call.engine(SqlEngine).remotes
    try:
        listed = remotes.tables(database, schema)
        if not listed and schema not in remotes.schemas(database):
            raise MetadataException(f"Database {schema} not found.")
    except QueryError as error:
        raise MetadataException(error.message) from None
    return [as_glue_table(each) for each in listed]


def table(call: Call, found: DataCatalog, schema: str, name: str) -> dict[str, Any]:
    """Glue's Table for a table.

    Raises:
        AccessDeniedException: the caller may not use the connection.
        MetadataException: there is none, or the database can't be reached.
    """
    database = _database(call, found)
    try:
        got = call.engine(SqlEngine).remotes.find_table(database, schema, name)
    except QueryError as error:
        raise MetadataException(error.message) from None
    if got is None:
        raise MetadataException(f"Table {name} not found.")
    return as_glue_table(got)


def as_glue_table(table: RemoteTable) -> dict[str, Any]:
    """A table as the Data Catalog would have it; types in Hive's names, where there are any."""
    return {
        "Name": table.name.lower(),
        "DatabaseName": table.schema.lower(),
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": {"Columns": [_column(each) for each in table.columns]},
        "PartitionKeys": [],
        "Parameters": {},
    }


def _column(column: RemoteColumn) -> dict[str, str]:
    shown = trino_to_hive(column.type) if column.type else column.remote_type.partition("|")[0]
    comment = {"Comment": column.comment} if column.comment else {}
    return {"Name": column.name, "Type": shown, **comment}


def _database(call: Call, found: DataCatalog) -> RemoteDatabase:
    try:
        return database_of(call.server, call.principal, call.account_id, call.region, found)
    except ConnectionDenied as error:
        raise AccessDeniedException(error.message) from None
    except UnusableConnection as error:
        raise MetadataException(error.message) from None
