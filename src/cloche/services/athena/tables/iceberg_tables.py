"""Iceberg tables: a snapshot's rows, read by pyiceberg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cloche.engines.sql.engine import (
    ArrowTable,
    Column,
    ErrorKind,
    Filter,
    QueryError,
    TableReference,
)
from cloche.services.athena.session import Session

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot


def is_iceberg(table: Mapping[str, Any]) -> bool:
    """Whether a table of the catalog is Iceberg's."""
    return str((table.get("Parameters") or {}).get("table_type", "")).upper() == "ICEBERG"


def iceberg_table(
    session: Session, table: Mapping[str, Any], reference: TableReference
) -> ArrowTable:
    """The rows of the snapshot that a reference means, those that may meet its conditions.

    Raises:
        QueryError: there is no such snapshot, or its files are not there.
        QueryFailed: the caller may not read them.
    """
    loaded = load_iceberg(session, table)
    snapshot = _past_snapshot(loaded, reference)
    schema = loaded.schema()
    if snapshot is not None and snapshot.schema_id is not None:
        schema = loaded.schemas()[snapshot.schema_id]
    condition = _condition(schema, reference.filters)
    columns = tuple(Column(field.name.lower(), str(field.field_type)) for field in schema.fields)

    def read() -> pa.RecordBatchReader:
        scan = loaded.scan(
            row_filter=condition,
            snapshot_id=None if snapshot is None else snapshot.snapshot_id,
        )
        return scan.to_arrow_batch_reader()

    return ArrowTable(columns, read)


def load_iceberg(session: Session, table: Mapping[str, Any]) -> Table:
    """A table of the catalog as pyiceberg has it.

    Raises:
        QueryError: its metadata is not there.
    """
    from cloche.services.athena.tables.iceberg_catalog import ServiceCatalog

    return ServiceCatalog(session).table_of(table)


def _past_snapshot(table: Table, reference: TableReference) -> Snapshot | None:
    """The snapshot of `FOR … AS OF`; None for the current one, which has the current schema.

    Raises:
        QueryError: there is no such snapshot.
    """
    if reference.timestamp is not None:
        instant = datetime.fromisoformat(reference.timestamp.replace("Z", "+00:00"))
        found = table.snapshot_as_of_timestamp(round(instant.timestamp() * 1000))
        if found is None:
            raise _no_snapshot(
                f"No version history table {'.'.join(table.name())} at or before "
                f"{reference.timestamp}"
            )
        return found
    if reference.version is not None:
        name = reference.version.strip("'")
        found = table.snapshot_by_id(int(name)) if name.isdigit() else table.snapshot_by_name(name)
        if found is None:
            raise _no_snapshot(f"Iceberg snapshot ID does not exists: {name}")
        return found
    return None


def _no_snapshot(message: str) -> QueryError:
    return QueryError(ErrorKind.GENERIC_USER_ERROR, f"INVALID_ARGUMENTS: {message}")


def _condition(schema: Schema, filters: Sequence[Filter]) -> BooleanExpression:
    """What pyiceberg can leave out files and rows by; the engine checks all conditions again."""
    from pyiceberg.expressions import AlwaysTrue, And

    condition: BooleanExpression = AlwaysTrue()
    for each in filters:
        one = _one_condition(schema, each)
        if one is not None:
            condition = And(condition, one)
    return condition


def _one_condition(schema: Schema, condition: Filter) -> BooleanExpression | None:
    from pyiceberg import expressions
    from pyiceberg.expressions.visitors import bind

    kinds: dict[str, Any] = {
        "=": expressions.EqualTo,
        "<": expressions.LessThan,
        "<=": expressions.LessThanOrEqual,
        ">": expressions.GreaterThan,
        ">=": expressions.GreaterThanOrEqual,
        "in": expressions.In,
        "is null": expressions.IsNull,
        "is not null": expressions.NotNull,
    }
    name = _name(schema, condition.column)
    make = kinds.get(condition.operator)
    if name is None or make is None:
        return None
    arguments: list[Any] = [*condition.values]
    if condition.operator == "in":
        arguments = [set(condition.values)]
    try:
        made: BooleanExpression = make(name, *arguments)
        bind(schema, made, case_sensitive=True)
    except (ValueError, TypeError):
        return None
    return made


def _name(schema: Schema, column: str) -> str | None:
    return next((f.name for f in schema.fields if f.name.lower() == column), None)
