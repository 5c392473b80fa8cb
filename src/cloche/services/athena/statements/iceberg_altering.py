"""ALTER TABLE of Iceberg tables: only the metadata changes, and files of any age are still read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException, ValidationError
from pyiceberg.io.pyarrow import _pyarrow_to_schema_without_ids
from pyiceberg.schema import Schema
from pyiceberg.table.update.schema import UpdateSchema
from pyiceberg.types import IcebergType, NestedField

from cloche.engines.sql.formats.hive_types import parse_hive_type
from cloche.services.athena.failures import QueryFailed, ddl_failed
from cloche.services.athena.session import Session
from cloche.services.athena.statements.iceberg_definitions import check_columns_of_iceberg
from cloche.services.athena.statements.iceberg_properties import (
    iceberg_properties,
    removed_properties,
)
from cloche.services.athena.statements.statement_types import (
    AddColumns,
    ChangeColumn,
    DropColumn,
    SetProperties,
)
from cloche.services.athena.tables.iceberg_tables import load_iceberg


def add_columns(session: Session, table: Mapping[str, Any], statement: AddColumns) -> None:
    """ADD COLUMNS.

    Raises:
        QueryFailed: there is such a column already, or it is REPLACE COLUMNS.
    """
    if statement.is_replacing:
        raise ddl_failed(
            "SemanticException REPLACE COLUMNS is not supported for Iceberg tables: "
            "use ADD COLUMNS, DROP COLUMN and CHANGE COLUMN"
        )

    check_columns_of_iceberg(statement.columns)

    def change(update: UpdateSchema, schema: Schema) -> None:
        for column in statement.columns:
            if _found(schema, column.name) is not None:
                raise ddl_failed(
                    f"SemanticException [Error 10036]: Duplicate column name: {column.name}"
                )
            update.add_column(column.name, iceberg_type(column.type), doc=column.comment)

    _change_schema(session, table, change)


def drop_column(session: Session, table: Mapping[str, Any], statement: DropColumn) -> None:
    """DROP COLUMN.

    Raises:
        QueryFailed: there is no such column, or the table is partitioned by it.
    """

    def change(update: UpdateSchema, schema: Schema) -> None:
        field = _existing(schema, statement.column)
        loaded = load_iceberg(session, table)
        if any(each.source_id == field.field_id for each in loaded.spec().fields):
            raise ddl_failed(f"SemanticException Cannot drop partition field: {statement.column}")
        if len(schema.fields) == 1:
            raise ddl_failed("SemanticException Cannot drop the only column in a table")
        update.delete_column(field.name)

    _change_schema(session, table, change)


def change_column(session: Session, table: Mapping[str, Any], statement: ChangeColumn) -> None:
    """CHANGE COLUMN: its name, its type to a wider one, its comment and its place.

    Raises:
        QueryFailed: there is no such column, or its type cannot become the other.
    """
    check_columns_of_iceberg([statement.column])

    def change(update: UpdateSchema, schema: Schema) -> None:
        field = _existing(schema, statement.old_name)
        column = statement.column
        other = _found(schema, column.name)
        if other is not None and other.field_id != field.field_id:
            raise ddl_failed(
                f"SemanticException [Error 10036]: Duplicate column name: {column.name}"
            )
        kind = iceberg_type(column.type)
        doc = field.doc if column.comment is None else column.comment
        wider = None if _is_same(kind, field.field_type) else kind
        if wider is not None or doc != field.doc:
            update.update_column(field.name, field_type=wider, doc=doc)
        if statement.after == "":
            update.move_first(field.name)
        elif statement.after is not None:
            update.move_after(field.name, _existing(schema, statement.after).name)
        if column.name != field.name:
            update.rename_column(field.name, column.name)

    _change_schema(session, table, change)


def set_properties(session: Session, table: Mapping[str, Any], statement: SetProperties) -> None:
    """SET TBLPROPERTIES, or UNSET.

    Raises:
        QueryFailed: Athena has no such property, or it cannot have that value.
    """
    session.check_glue("UpdateTable", table["DatabaseName"], table["Name"])
    made = iceberg_properties(statement.properties)
    loaded = load_iceberg(session, table)
    removed = removed_properties(statement.removed) & loaded.properties.keys()
    transaction = loaded.transaction()
    if made:
        transaction.set_properties(made)
    if removed:
        transaction.remove_properties(*removed)
    _commit(loaded.name(), transaction.commit_transaction)


def iceberg_type(hive_type: str) -> IcebergType:
    """The type of a column that a statement declares.

    Raises:
        QueryError: it names none.
    """
    schema = _pyarrow_to_schema_without_ids(
        pa.schema([pa.field("c", parse_hive_type(hive_type).arrow)])
    )
    return schema.fields[0].field_type


def _is_same(a: IcebergType, b: IcebergType) -> bool:
    """Whether two types are, but for the ids of what is within."""
    from cloche.services.athena.tables.iceberg_types import trino_type

    return trino_type(a) == trino_type(b)


def _change_schema(
    session: Session, table: Mapping[str, Any], change: Callable[[UpdateSchema, Schema], None]
) -> None:
    session.check_glue("UpdateTable", table["DatabaseName"], table["Name"])
    loaded = load_iceberg(session, table)
    transaction = loaded.transaction()
    try:
        with transaction.update_schema(allow_incompatible_changes=False) as update:
            change(update, loaded.schema())
    except (ValidationError, ValueError) as error:
        raise ddl_failed(f"SemanticException {error}") from None
    _commit(loaded.name(), transaction.commit_transaction)


def _commit(name: tuple[str, ...], commit: Callable[[], Any]) -> None:
    try:
        commit()
    except CommitFailedException as error:
        raise QueryFailed(
            f"ICEBERG_COMMIT_ERROR: Failed to commit Iceberg update to table: "
            f"{'.'.join(name)}: {error}",
            type=233,
        ) from None


def _found(schema: Schema, name: str) -> NestedField | None:
    return next((field for field in schema.fields if field.name.lower() == name.lower()), None)


def _existing(schema: Schema, name: str) -> NestedField:
    found = _found(schema, name)
    if found is None:
        raise ddl_failed(f"SemanticException [Error 10002]: Invalid column reference {name}")
    return found
