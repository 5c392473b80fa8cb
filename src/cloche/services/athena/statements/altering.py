"""ALTER TABLE: columns, properties and places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloche.services.athena.failures import ddl_failed
from cloche.services.athena.session import Session, split_location
from cloche.services.athena.statements.catalog_changes import change, load
from cloche.services.athena.statements.partitions import set_partition_location
from cloche.services.athena.statements.statement_types import (
    AddColumns,
    ChangeColumn,
    DropColumn,
    SetLocation,
    SetProperties,
)
from cloche.services.athena.tables.iceberg_tables import is_iceberg


def add_columns(session: Session, statement: AddColumns) -> None:
    """ADD COLUMNS, after those that are there, or REPLACE COLUMNS.

    Raises:
        QueryFailed: there is such a column already, or no such table.
    """
    schema, table = load(session, statement.table)
    if is_iceberg(table):
        _iceberg().add_columns(session, table, statement)
        return
    added = [column.shown() for column in statement.columns]
    columns = added if statement.is_replacing else [*_columns(table), *added]
    _change_columns(session, schema, table, columns)


def change_column(session: Session, statement: ChangeColumn) -> None:
    """CHANGE COLUMN: its name, type, comment and place.

    Raises:
        QueryFailed: there is no such column or table.
    """
    schema, table = load(session, statement.table)
    if is_iceberg(table):
        _iceberg().change_column(session, table, statement)
        return
    columns = _columns(table)
    index = _index(columns, statement.old_name)
    changed = statement.column.shown()
    if statement.column.comment is None and "Comment" in columns[index]:
        changed["Comment"] = columns[index]["Comment"]
    if statement.after is None:
        columns[index] = changed
    else:
        del columns[index]
        place = _index(columns, statement.after) + 1 if statement.after else 0
        columns.insert(place, changed)
    _change_columns(session, schema, table, columns)


def drop_column(session: Session, statement: DropColumn) -> None:
    """DROP COLUMN, which only Iceberg tables have.

    Raises:
        QueryFailed: it is none, or has no such column.
    """
    _, table = load(session, statement.table)
    if is_iceberg(table):
        _iceberg().drop_column(session, table, statement)
        return
    raise ddl_failed(
        "SemanticException DROP COLUMN is for Iceberg tables only: use REPLACE COLUMNS"
    )


def set_location(session: Session, statement: SetLocation) -> None:
    """SET LOCATION of a table or a partition; no file is moved.

    Raises:
        QueryFailed: there is no such table or partition.
        QueryError: it is no S3 location.
    """
    split_location(statement.location)
    schema, table = load(session, statement.table)
    if is_iceberg(table):
        raise ddl_failed("SemanticException SET LOCATION is not supported for Iceberg tables")
    if statement.partition:
        set_partition_location(session, schema, table, statement.partition, statement.location)
        return
    descriptor = {**table["StorageDescriptor"], "Location": statement.location}
    change(session, schema, table, StorageDescriptor=descriptor)


def set_properties(session: Session, statement: SetProperties) -> None:
    """SET TBLPROPERTIES, or UNSET.

    Raises:
        QueryFailed: there is no such table.
    """
    schema, table = load(session, statement.table)
    if is_iceberg(table):
        _iceberg().set_properties(session, table, statement)
        return
    parameters = {**(table.get("Parameters") or {}), **statement.properties}
    for name in statement.removed:
        parameters.pop(name, None)
    change(session, schema, table, Parameters=parameters)


def _iceberg() -> Any:
    """What does the same for Iceberg tables; imported by the first that needs it."""
    from cloche.services.athena.statements import iceberg_altering

    return iceberg_altering


def _columns(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [dict(each) for each in table["StorageDescriptor"].get("Columns") or ()]


def _index(columns: list[dict[str, Any]], name: str) -> int:
    for index, column in enumerate(columns):
        if column["Name"].lower() == name:
            return index
    raise ddl_failed(f"SemanticException [Error 10002]: Invalid column reference {name}")


def _change_columns(
    session: Session, schema: str, table: Mapping[str, Any], columns: list[dict[str, Any]]
) -> None:
    keys = [key["Name"].lower() for key in table.get("PartitionKeys") or ()]
    names = [column["Name"].lower() for column in columns] + keys
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ddl_failed(f"SemanticException [Error 10036]: Duplicate column name: {twice}")
    descriptor = {**table["StorageDescriptor"], "Columns": columns}
    change(session, schema, table, StorageDescriptor=descriptor)
