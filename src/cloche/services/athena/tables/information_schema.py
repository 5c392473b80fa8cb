"""`information_schema`: databases, tables, columns and views of the catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cloche.core.errors import AWSError
from cloche.engines.sql.engine import ArrowTable, Filter, TableNotFound, TableReference
from cloche.services.athena.session import CATALOG, Session
from cloche.services.athena.tables.arrow_tables import rows_table
from cloche.services.athena.tables.information_columns import COLUMNS, NAME
from cloche.services.athena.tables.presto_views import is_view, read_view
from cloche.services.athena.tables.pruning import keeps
from cloche.services.athena.tables.types import hive_to_trino
from cloche.services.glue import catalog

_Rows = Iterator[Sequence[object]]


def information_table(session: Session, reference: TableReference) -> ArrowTable:
    """A table of `information_schema`.

    Raises:
        TableNotFound: it has no such table.
    """
    columns = COLUMNS.get(reference.name)
    if columns is None:
        raise TableNotFound(reference)
    read: Callable[[Session, Sequence[Filter]], _Rows] = _READERS[reference.name]
    return rows_table(columns, lambda: read(session, reference.filters))


def _schemata(session: Session, filters: Sequence[Filter]) -> _Rows:
    names = [*_databases(session, filters, "schema_name"), NAME]
    return ((CATALOG, name) for name in sorted(names))


def _tables(session: Session, filters: Sequence[Filter]) -> _Rows:
    for database, table in _found(session, filters):
        kind = "VIEW" if is_view(table) else "BASE TABLE"
        yield CATALOG, database, table["Name"], kind


def _views(session: Session, filters: Sequence[Filter]) -> _Rows:
    for database, table in _found(session, filters):
        if is_view(table):
            yield CATALOG, database, table["Name"], read_view(table).sql


def _columns(session: Session, filters: Sequence[Filter]) -> _Rows:
    for database, table in _found(session, filters):
        own = (table.get("StorageDescriptor") or {}).get("Columns") or []
        keys = table.get("PartitionKeys") or []
        for position, column in enumerate([*own, *keys], 1):
            is_key = position > len(own)
            yield (
                CATALOG,
                database,
                table["Name"],
                column["Name"],
                position,
                None,
                "YES",
                hive_to_trino(column.get("Type") or "string"),
                column.get("Comment"),
                "partition key" if is_key else None,
            )


_READERS: dict[str, Callable[[Session, Sequence[Filter]], _Rows]] = {
    "schemata": _schemata,
    "tables": _tables,
    "views": _views,
    "columns": _columns,
}


def _databases(session: Session, filters: Sequence[Filter], column: str) -> list[str]:
    session.check_glue("GetDatabases")
    own = [each for each in filters if each.column == column]
    names = (each["Name"] for each in catalog.list_databases(*session.where))
    return [name for name in names if all(keeps(name, each, "string") for each in own)]


def _found(session: Session, filters: Sequence[Filter]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Databases and their tables that may meet the conditions."""
    own = [each for each in filters if each.column == "table_name"]
    for database in _databases(session, filters, "table_schema"):
        session.check_glue("GetTables", database, "*")
        try:
            tables = catalog.list_tables(*session.where, database)
        except AWSError:  # it has just been dropped
            continue
        for table in tables:
            if all(keeps(table["Name"], each, "string") for each in own):
                yield database, table
