"""Tables of federated catalogs as statements name them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cloche.engines.sql.engine import (
    ArrowTable,
    ErrorKind,
    Filter,
    QueryError,
    SqlEngine,
    TableNotFound,
    TableReference,
    TableSource,
)
from cloche.engines.sql.remote import RemoteCatalog, RemoteTable
from cloche.services.athena.session import Session
from cloche.services.athena.tables.arrow_tables import rows_table
from cloche.services.athena.tables.information_columns import COLUMNS, NAME
from cloche.services.athena.tables.pruning import keeps

_Rows = Iterator[Sequence[object]]


def federated_source(session: Session, catalog: str, reference: TableReference) -> TableSource:
    """What the engine reads for a table of a federated catalog.

    Raises:
        QueryError: there is none, or its database can't be reached.
        QueryFailed: the caller may not use the connection.
    """
    if reference.schema == NAME:
        return _information_table(session, catalog, reference)
    if reference.timestamp is not None or reference.version is not None:
        raise QueryError(
            ErrorKind.NOT_SUPPORTED, "This connector does not support versioned tables"
        )
    return federated_table(session, catalog, reference.schema, reference.name, reference)


def federated_table(
    session: Session,
    catalog: str,
    schema: str,
    name: str,
    reference: TableReference | None = None,
) -> RemoteTable:
    """A table of a federated catalog.

    Raises:
        QueryError: there is none, or its database can't be reached.
        QueryFailed: the caller may not use the connection.
    """
    database = session.remote_database(catalog)
    remotes = _remotes(session)
    found = remotes.find_table(database, schema, name)
    if found is None:
        if schema not in remotes.schemas(database):
            raise QueryError(ErrorKind.SCHEMA_NOT_FOUND, f"Schema '{schema}' does not exist")
        raise TableNotFound(reference or TableReference(catalog, schema, name))
    return found


def federated_schemas(session: Session, catalog: str) -> list[str]:
    """Schemas of a federated catalog, in order.

    Raises:
        QueryError: its database can't be reached.
        QueryFailed: the caller may not use the connection.
    """
    return _remotes(session).schemas(session.remote_database(catalog))


def federated_tables(session: Session, catalog: str, schema: str) -> list[RemoteTable]:
    """Tables and views of a schema, in order.

    Raises:
        QueryError: there is no such schema, or its database can't be reached.
        QueryFailed: the caller may not use the connection.
    """
    database = session.remote_database(catalog)
    found = _remotes(session).tables(database, schema)
    if not found and schema not in _remotes(session).schemas(database):
        raise QueryError(ErrorKind.SCHEMA_NOT_FOUND, f"Schema '{schema}' does not exist")
    return found


def _remotes(session: Session) -> RemoteCatalog:
    return session.server.engine(SqlEngine).remotes


def _information_table(session: Session, catalog: str, reference: TableReference) -> ArrowTable:
    columns = COLUMNS.get(reference.name)
    if columns is None:
        raise TableNotFound(reference)
    read = _READERS[reference.name]
    return rows_table(columns, lambda: read(session, catalog, reference.filters))


def _schemata(session: Session, catalog: str, filters: Sequence[Filter]) -> _Rows:
    names = [*_schemas(session, catalog, filters, "schema_name"), NAME]
    return ((catalog, name) for name in sorted(names))


def _tables(session: Session, catalog: str, filters: Sequence[Filter]) -> _Rows:
    for schema, table in _found(session, catalog, filters):
        kind = "VIEW" if table.is_view else "BASE TABLE"
        yield catalog, schema, table.name.lower(), kind


def _views(session: Session, catalog: str, filters: Sequence[Filter]) -> _Rows:
    for schema, table in _found(session, catalog, filters):
        if table.is_view:
            yield catalog, schema, table.name.lower(), None


def _columns(session: Session, catalog: str, filters: Sequence[Filter]) -> _Rows:
    for schema, table in _found(session, catalog, filters):
        for position, column in enumerate(table.columns, 1):
            yield (
                catalog,
                schema,
                table.name.lower(),
                column.name,
                position,
                None,
                "YES" if column.is_nullable else "NO",
                column.type or column.remote_type.partition("|")[0],
                column.comment or None,
                None,
            )


_READERS: dict[str, Callable[[Session, str, Sequence[Filter]], _Rows]] = {
    "schemata": _schemata,
    "tables": _tables,
    "views": _views,
    "columns": _columns,
}


def _schemas(session: Session, catalog: str, filters: Sequence[Filter], column: str) -> list[str]:
    own = [each for each in filters if each.column == column]
    names = federated_schemas(session, catalog)
    return [name for name in names if all(keeps(name, each, "string") for each in own)]


def _found(
    session: Session, catalog: str, filters: Sequence[Filter]
) -> Iterator[tuple[str, RemoteTable]]:
    """Schemas and their tables that may meet the conditions."""
    own = [each for each in filters if each.column == "table_name"]
    database = session.remote_database(catalog)
    for schema in _schemas(session, catalog, filters, "table_schema"):
        for table in _remotes(session).tables(database, schema):
            if all(keeps(table.name.lower(), each, "string") for each in own):
                yield schema, table
