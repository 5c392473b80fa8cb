"""CREATE and DROP of databases and tables."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from cloche.core.errors import AWSError
from cloche.engines.sql.engine import QueryError
from cloche.services.athena.failures import ddl_failed
from cloche.services.athena.session import DEFAULT_SCHEMA, Session, split_location
from cloche.services.athena.statements.catalog_changes import load, task_failed
from cloche.services.athena.statements.iceberg_writing import (
    create_iceberg_table,
    remove_files,
)
from cloche.services.athena.statements.statement_types import (
    AlterDatabase,
    CreateDatabase,
    CreateTable,
    DropDatabase,
    DropTable,
)
from cloche.services.athena.tables.iceberg_tables import is_iceberg
from cloche.services.athena.tables.presto_views import is_view
from cloche.services.athena.tables.resolving import check_schema, find_table
from cloche.services.glue import catalog


def create_database(session: Session, statement: CreateDatabase) -> None:
    """CREATE DATABASE.

    Raises:
        QueryFailed: the name is taken.
    """
    session.check_own_catalog()
    session.check_glue("CreateDatabase", statement.name)
    made: dict[str, Any] = {"Name": statement.name}
    if statement.comment is not None:
        made["Description"] = statement.comment
    if statement.location is not None:
        split_location(statement.location)
        made["LocationUri"] = statement.location
    if statement.properties:
        made["Parameters"] = statement.properties
    if statement.if_not_exists and _has_database(session, statement.name):
        return
    try:
        catalog.create_database(*session.where, made, session.now, events=session.events)
    except AWSError as error:
        if statement.if_not_exists and error.code == "AlreadyExistsException":
            return
        raise task_failed(f"Database {statement.name} already exists") from None


def ensure_default_database(session: Session) -> None:
    """Make the database `default` for a query that names it as its own, if it is not there.

    Clients such as PyAthena name it unless they are told another; Hive's client of the Data
    Catalog, which AWS's services use, makes it likewise.
    """
    is_named = session.query.database.strip('`"').lower() == DEFAULT_SCHEMA
    if not is_named or session.federated_catalog() is not None:
        return
    if not _has_database(session, DEFAULT_SCHEMA):
        made = {"Name": DEFAULT_SCHEMA, "Description": "Default Hive database"}
        with suppress(AWSError):  # another query has made it meanwhile
            catalog.create_database(*session.where, made, session.now, events=session.events)


_DATABASE_INPUT = ("Name", "Description", "LocationUri", "Parameters")


def alter_database(session: Session, statement: AlterDatabase) -> None:
    """ALTER DATABASE … SET DBPROPERTIES: those that are named; the others stay.

    Raises:
        QueryFailed: there is no such database, or the caller may not.
    """
    session.check_glue("UpdateDatabase", statement.name)
    try:
        found = catalog.get_database(*session.where, statement.name)
    except AWSError:
        raise ddl_failed(
            f"SemanticException [Error 10072]: Database does not exist: {statement.name}"
        ) from None
    changed = {name: found[name] for name in _DATABASE_INPUT if name in found}
    changed["Parameters"] = {**(found.get("Parameters") or {}), **statement.properties}
    catalog.update_database(*session.where, changed)


def drop_database(session: Session, statement: DropDatabase) -> None:
    """DROP DATABASE; its tables with CASCADE.

    Raises:
        QueryFailed: there is none, or it is not empty.
    """
    session.check_own_catalog()
    session.check_glue("DeleteDatabase", statement.name)
    if not _has_database(session, statement.name):
        if statement.if_exists:
            return
        raise ddl_failed(
            f"SemanticException [Error 10072]: Database does not exist: {statement.name}"
        )
    if not statement.is_cascade and catalog.list_tables(*session.where, statement.name):
        raise task_failed(
            f"InvalidOperationException(message:Database {statement.name} is not empty. "
            "One or more tables exist.)"
        )
    catalog.delete_database(*session.where, statement.name, events=session.events)


def create_table(session: Session, statement: CreateTable) -> None:
    """CREATE EXTERNAL TABLE.

    Raises:
        QueryFailed: the name is taken, or it cannot be made.
        QueryError: there is no such catalog or database, or the location is none.
    """
    schema = session.schema_of(statement.table)
    session.check_glue("CreateTable", schema, statement.table.name)
    if statement.properties.get("table_type", "").upper() == "ICEBERG":
        create_iceberg_table(session, statement, schema)
        return
    if not statement.is_external:
        raise ddl_failed(
            "SemanticException CREATE TABLE without EXTERNAL makes Iceberg tables only: "
            "use CREATE EXTERNAL TABLE, or TBLPROPERTIES ('table_type'='ICEBERG')"
        )
    if statement.partition_transforms:
        raise ddl_failed("ParseException partition columns of a Hive table need types")
    check_schema(session, schema)
    try:
        catalog.create_table(
            *session.where,
            schema,
            _table_input(session, statement, schema),
            session.now,
            created_by=session.query.principal.arn,
            events=session.events,
        )
    except AWSError as error:
        if error.code != "AlreadyExistsException":
            raise
        if not statement.if_not_exists:
            raise table_exists(statement.table.name) from None


def table_exists(name: str) -> Exception:
    """The error for a table whose name is taken."""
    return task_failed(f"AlreadyExistsException(message:Table {name} already exists.)")


def drop_table(session: Session, statement: DropTable) -> None:
    """DROP TABLE, whose files stay, or DROP VIEW.

    Raises:
        QueryFailed: there is none, or it is the other of both.
        QueryError: there is no such catalog or database.
    """
    schema = session.schema_of(statement.table)
    found = find_table(session, schema, statement.table.name)
    if found is None and statement.if_exists:
        return
    if found is None:
        schema, found = load(session, statement.table)
    if statement.is_view != is_view(found):
        kind = "view" if statement.is_view else "table"
        raise ddl_failed(f"SemanticException {schema}.{statement.table.name} is not a {kind}")
    session.check_glue("DeleteTable", schema, statement.table.name)
    location = (found.get("StorageDescriptor") or {}).get("Location")
    if is_iceberg(found) and location:
        session.check_removable(location)  # before the catalog forgets where the files are
    catalog.delete_table(*session.where, schema, statement.table.name, events=session.events)
    if is_iceberg(found):
        remove_files(session, found)


def _has_database(session: Session, name: str) -> bool:
    try:
        check_schema(session, name)
    except QueryError:
        return False
    return True


def _table_input(session: Session, statement: CreateTable, schema: str) -> dict[str, Any]:
    parameters = {
        "EXTERNAL": "TRUE",
        "transient_lastDdlTime": str(int(session.now)),
        **statement.properties,
    }
    if statement.comment is not None:
        parameters["comment"] = statement.comment
    return {
        "Name": statement.table.name,
        "Owner": "hadoop",
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [each.shown() for each in statement.partition_columns],
        "Parameters": parameters,
        "StorageDescriptor": {
            "Columns": [each.shown() for each in statement.columns],
            "Location": _location(session, statement, schema),
            "InputFormat": statement.input_format,
            "OutputFormat": statement.output_format,
            "Compressed": False,
            "NumberOfBuckets": statement.bucket_count if statement.bucket_columns else -1,
            "SerdeInfo": {
                "SerializationLibrary": statement.serde,
                "Parameters": statement.serde_properties,
            },
            "BucketColumns": list(statement.bucket_columns),
            "SortColumns": [{"Column": name, "SortOrder": 1} for name in statement.sort_columns],
            "Parameters": {},
            "SkewedInfo": {
                "SkewedColumnNames": [],
                "SkewedColumnValues": [],
                "SkewedColumnValueLocationMaps": {},
            },
            "StoredAsSubDirectories": False,
        },
    }


def _location(session: Session, statement: CreateTable, schema: str) -> str:
    """Where the table is: as it says, or in its database's place.

    A slash at the end is dropped, as Hive does; drivers compare the location with one without.

    Raises:
        QueryFailed: neither says it.
        QueryError: it is no S3 location.
    """
    if statement.location is not None:
        _, prefix = split_location(statement.location)
        return statement.location.rstrip("/") if prefix else statement.location
    database = catalog.get_database(*session.where, schema)
    if not database.get("LocationUri"):
        raise ddl_failed("SemanticException the table has no LOCATION and neither has its database")
    return f"{database['LocationUri'].rstrip('/')}/{statement.table.name}"
