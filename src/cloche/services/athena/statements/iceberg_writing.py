"""CREATE TABLE, INSERT INTO, CREATE TABLE AS and DROP TABLE of Iceberg tables.

Data files are written first; the table changes by one swap of its metadata at the end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from cloche.engines.sql.engine import ErrorKind, Execution, QueryError
from cloche.engines.sql.formats.hive_types import parse_hive_type
from cloche.services.athena.failures import ddl_failed
from cloche.services.athena.iceberg_recovery import begin_write
from cloche.services.athena.query_records import Outcome
from cloche.services.athena.result_configurations import folder
from cloche.services.athena.session import Session
from cloche.services.athena.statements.conforming_rows import conforming
from cloche.services.athena.statements.destinations import Properties, has_objects, split_columns
from cloche.services.athena.statements.iceberg_definitions import check_definition, check_name
from cloche.services.athena.statements.iceberg_properties import KNOWN, iceberg_properties
from cloche.services.athena.statements.query_columns import check_columns
from cloche.services.athena.statements.selecting import executing
from cloche.services.athena.statements.statement_types import (
    ColumnDefinition,
    CreateTable,
    CreateTableAs,
    Insert,
)
from cloche.services.athena.tables.iceberg_tables import load_iceberg
from cloche.services.athena.tables.resolving import find_table
from cloche.services.athena.timing import statistics_of

if TYPE_CHECKING:
    from pyiceberg.partitioning import PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.table import Transaction

_SUFFIXES = {"identity": "", "truncate": "_trunc"}
_TRANSFORM = re.compile(r"(\w+)\s*\(\s*(?:(\d+)\s*,\s*)?[`\"]?(\w+)[`\"]?\s*(?:,\s*(\d+)\s*)?\)")


def create_iceberg_table(session: Session, statement: CreateTable, schema: str) -> None:
    """CREATE TABLE with `'table_type'='ICEBERG'`.

    Raises:
        QueryFailed: the name is taken, or it cannot be made.
    """
    check_definition(statement)
    name = statement.table.name
    if find_table(session, schema, name) is not None:
        if statement.if_not_exists:
            return
        raise ddl_failed(f"SemanticException AlreadyExistsException: Table {name} already exists")
    if statement.location is None:
        raise ddl_failed("SemanticException an Iceberg table needs a LOCATION")
    session.check_writable(statement.location)
    _check_is_empty(session, statement.location)
    properties = {k: v for k, v in statement.properties.items() if k.lower() != "table_type"}
    transaction = _new_table(
        session,
        (schema, name),
        statement.columns,
        statement.partition_transforms,
        statement.location,
    )
    made = iceberg_properties(properties)
    if statement.comment is not None:
        made["comment"] = statement.comment
    if made:
        transaction.set_properties(made)
    transaction.commit_transaction()


def create_iceberg_table_as(
    session: Session, statement: CreateTableAs, parameters: tuple[str, ...], schema: str
) -> Outcome:
    """CREATE TABLE AS with `table_type = 'ICEBERG'`; the table is there with all rows or not.

    Raises:
        QueryError: the query cannot be run, or its rows cannot be written.
    """
    properties = Properties(statement.properties)
    properties.text("table_type")
    if (properties.text("is_external") or "false").lower() != "false":
        raise QueryError(ErrorKind.NOT_SUPPORTED, "Iceberg tables are not external: is_external")
    given = {name: properties.text(name) for name in sorted(KNOWN)}
    made = iceberg_properties({name: text for name, text in given.items() if text is not None})
    query = session.query
    location = properties.text("location") or f"{query.output_folder}tables/{query.id}/"
    transforms = properties.names("partitioning")
    properties.end()
    session.check_writable(location)
    _check_is_empty(session, location)
    sql = statement.sql
    if not statement.has_data:
        sql = f"SELECT * FROM ({sql}) LIMIT 0"  # noqa: S608 - it is the caller's own SQL
    with executing(session, sql, parameters) as execution:
        check_columns(execution.columns, statement.sql)
        typed, _ = split_columns(execution.columns, ())
        columns = [ColumnDefinition(each.name, each.type) for each in typed]
        for column in columns:
            check_name(column.name)
        transaction = _new_table(
            session, (schema, statement.table.name), columns, transforms, location
        )
        if made:
            transaction.set_properties(made)
        return _append(session, transaction, execution)


def insert_into_iceberg(
    session: Session,
    statement: Insert,
    parameters: tuple[str, ...],
    schema: str,
    table: Mapping[str, Any],
) -> Outcome:
    """INSERT INTO an Iceberg table.

    Raises:
        QueryError: the query cannot be run, or its rows do not fit the table.
        QueryFailed: somebody else has changed the table meanwhile.
    """
    session.check_glue("UpdateTable", schema, table["Name"])
    from cloche.services.athena.tables.iceberg_types import trino_type

    loaded = load_iceberg(session, table)
    session.check_writable(loaded.location())
    types = {field.name.lower(): trino_type(field.field_type) for field in loaded.schema().fields}
    sql = conforming(session, statement, parameters, types)
    with executing(session, sql, parameters) as execution:
        return _append(session, loaded.transaction(), execution)


def remove_files(session: Session, table: Mapping[str, Any]) -> None:
    """Remove all objects of a table that was dropped, as Athena does for Iceberg's."""
    location = str((table.get("StorageDescriptor") or {}).get("Location") or "")
    if not location:
        return
    bucket, prefix = session.check_removable(location)
    if not prefix:
        return

    async def remove() -> None:
        records = await session.objects.list(bucket, prefix)
        await session.objects.delete(bucket, [record.key for record in records])

    session.objects.wait(remove())


def _check_is_empty(session: Session, location: str) -> None:
    """Refuse a table where something is: DROP TABLE would remove it with the table.

    Raises:
        QueryError: there is something.
    """
    if has_objects(session, folder(location)):
        raise QueryError(
            ErrorKind.GENERIC_USER_ERROR,
            "ICEBERG_FILESYSTEM_ERROR: Cannot create a table on a non-empty location: "
            f"{location}, set 'iceberg.unique-table-location=true' in your Iceberg catalog "
            "properties to use unique table locations for every table.",
        )


def _new_table(
    session: Session,
    name: tuple[str, str],
    columns: Sequence[ColumnDefinition],
    transforms: Sequence[str],
    location: str,
) -> Transaction:
    """The transaction that makes a table."""
    from pyiceberg.io.pyarrow import _pyarrow_to_schema_without_ids
    from pyiceberg.schema import assign_fresh_schema_ids

    from cloche.services.athena.tables.iceberg_catalog import ServiceCatalog

    arrow = pa.schema(
        [
            pa.field(
                each.name,
                parse_hive_type(each.type).arrow,
                metadata=None if each.comment is None else {"doc": each.comment},
            )
            for each in columns
        ]
    )
    schema = assign_fresh_schema_ids(_pyarrow_to_schema_without_ids(arrow))
    return ServiceCatalog(session).create_table_transaction(
        name, schema, location.rstrip("/"), _partition_spec(schema, transforms)
    )


def _partition_spec(schema: Schema, transforms: Sequence[str]) -> PartitionSpec:
    from pyiceberg.partitioning import PartitionField, PartitionSpec
    from pyiceberg.transforms import parse_transform

    fields: list[PartitionField] = []
    for number, text in enumerate(transforms):
        match = _TRANSFORM.fullmatch(text.strip())
        transform, column = (
            ("identity", text.strip(' `"'))
            if match is None
            else (
                match[1].lower(),
                match[3],
            )
        )
        width = None if match is None else match[2] or match[4]
        shown = transform if width is None else f"{transform}[{width}]"
        try:
            source = schema.find_field(column.lower())
            made = parse_transform(shown)
        except ValueError:
            raise ddl_failed(f"SemanticException the partition {text!r} cannot be made") from None
        if not made.can_transform(source.field_type):
            raise ddl_failed(
                f"SemanticException cannot partition by {text!r}: "
                f"the type of {source.name} is {source.field_type}"
            )
        if any(each.source_id == source.field_id and each.transform == made for each in fields):
            raise ddl_failed(f"SemanticException the partition {text!r} comes twice")
        suffix = _SUFFIXES.get(transform, f"_{transform}")
        fields.append(
            PartitionField(
                source_id=source.field_id,
                field_id=1000 + number,
                transform=made,
                name=f"{source.name}{suffix}",
            )
        )
    return PartitionSpec(*fields)


def _append(session: Session, transaction: Transaction, execution: Execution) -> Outcome:
    """Write an execution's rows as one snapshot, and commit."""
    from cloche.services.athena.tables.iceberg_commits import add_files, commit
    from cloche.services.athena.tables.iceberg_data_files import DataFileWriter

    metadata = transaction.table_metadata
    name = transaction._table.name()
    begin_write(session, name, metadata.location)
    writer = DataFileWriter(session, metadata)
    for batch in execution.batches():
        writer.write(batch)
    files = writer.close()
    begin_write(session, name, metadata.location, writer.row_count)
    add_files(session, transaction, files)
    commit(session, transaction)
    return Outcome(
        state="SUCCEEDED",
        update_count=writer.row_count,
        statistics=statistics_of(execution.statistics),
        row_count=writer.row_count,
    )
