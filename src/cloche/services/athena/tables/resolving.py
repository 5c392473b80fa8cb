"""From a table as a statement names it to what the engine reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloche.core.errors import AWSError
from cloche.engines.sql.engine import (
    ErrorKind,
    QueryError,
    TableNotFound,
    TableReference,
    TableSource,
)
from cloche.services.athena.federation.tables import federated_source
from cloche.services.athena.session import CATALOG, Session
from cloche.services.athena.statements.tokens import tokenize
from cloche.services.athena.tables.arrow_tables import rows_table
from cloche.services.athena.tables.hive_tables import hive_table, partitions_of
from cloche.services.athena.tables.iceberg_tables import iceberg_scan, is_iceberg, load_iceberg
from cloche.services.athena.tables.information_columns import NAME
from cloche.services.athena.tables.information_schema import information_table
from cloche.services.athena.tables.presto_views import is_view, read_view
from cloche.services.glue import catalog

if TYPE_CHECKING:
    from pyiceberg.table import Table

_ABOUT_NAMES = (
    ErrorKind.CATALOG_NOT_FOUND,
    ErrorKind.SCHEMA_NOT_FOUND,
    ErrorKind.TABLE_NOT_FOUND,
)


class Resolver:
    """Finds tables for a session.

    Args:
        session: in whose name.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._iceberg: dict[tuple[str, str], Table] = {}

    def resolve(self, reference: TableReference) -> TableSource:
        """What the engine reads for a table.

        Raises:
            QueryError: there is none, or it cannot be read.
            QueryFailed: the caller may not read it.
        """
        try:
            return self._resolved(reference)
        except QueryError as error:
            if error.kind in _ABOUT_NAMES and not error.line:
                error.line, error.column = place_of(self._session.query.sql, reference.name)
            raise

    def _resolved(self, reference: TableReference) -> TableSource:
        session = self._session
        federated = session.federated_catalog(reference.catalog)
        if federated is not None:
            return federated_source(session, federated, reference)
        if reference.schema == NAME:
            return information_table(session, reference)
        table = find_table(session, reference.schema, reference.name)
        if table is not None:
            return self._source(table, reference)
        name, mark, suffix = reference.name.rpartition("$")
        table = find_table(session, reference.schema, name) if mark else None
        if table is None:
            raise table_not_found(session, reference.schema, reference.name)
        hidden = self._hidden(table, suffix) if is_iceberg(table) else None
        if hidden is not None:
            return hidden
        if suffix == "partitions" and table.get("PartitionKeys") and not is_iceberg(table):
            return self._partitions(table, reference)
        raise QueryError(
            ErrorKind.NOT_SUPPORTED,
            f'Cloche does not have "{name}${suffix}" of table {reference.schema}.{name}',
        )

    def _source(self, table: Mapping[str, Any], reference: TableReference) -> TableSource:
        if is_iceberg(table):
            return self.iceberg(table, reference)
        if reference.timestamp is not None or reference.version is not None:
            raise QueryError(
                ErrorKind.NOT_SUPPORTED, "This connector does not support versioned tables"
            )
        if is_view(table):
            return read_view(table)
        return hive_table(self._session, table, reference.filters)

    def iceberg(self, table: Mapping[str, Any], reference: TableReference) -> TableSource:
        """What the engine reads for an Iceberg table."""
        return iceberg_scan(self._session, self.loaded(table), reference).table

    def loaded(self, table: Mapping[str, Any]) -> Table:
        """An Iceberg table, at the same snapshot wherever the statement names it."""
        name = (table["DatabaseName"], table["Name"])
        if name not in self._iceberg:
            self._iceberg[name] = load_iceberg(self._session, table)
        return self._iceberg[name]

    def _hidden(self, table: Mapping[str, Any], suffix: str) -> TableSource | None:
        from cloche.services.athena.tables.iceberg_metadata_tables import metadata_table

        return metadata_table(self.loaded(table), suffix)

    def _partitions(self, table: Mapping[str, Any], reference: TableReference) -> TableSource:
        names = [key["Name"].lower() for key in table["PartitionKeys"]]
        return rows_table(
            [(key["Name"].lower(), key["Type"].lower()) for key in table["PartitionKeys"]],
            lambda: (
                [folder.values[name] for name in names]
                for folder in partitions_of(self._session, table, reference.filters)
            ),
        )


def place_of(sql: str, name: str) -> tuple[int, int]:
    """Line and column at which a statement first names a table; zeros where it doesn't."""
    try:
        tokens = tokenize(sql, is_hive=False)
    except QueryError:
        return 0, 0
    for index, token in enumerate(tokens):
        if token.kind in ("word", "name") and token.text.strip('`"').lower() == name:
            # A name of several parts is where its first part is.
            while index >= 2 and tokens[index - 1].text == ".":
                index -= 2
            return tokens[index].line, tokens[index].column
    return 0, 0


def table_not_found(session: Session, schema: str, name: str) -> QueryError:
    """The error of a table that does not exist, at its place in the statement.

    Raises:
        QueryError: its database doesn't exist either.
    """
    check_schema(session, schema)
    error = TableNotFound(TableReference(CATALOG, schema, name))
    error.line, error.column = place_of(session.query.sql, name)
    return error


def find_table(session: Session, schema: str, name: str) -> dict[str, Any] | None:
    """A table of the catalog; None if there is none.

    Raises:
        QueryFailed: the caller may not see it.
    """
    session.check_glue("GetTable", schema, name)
    return catalog.find_table(*session.where, schema, name)


def check_schema(session: Session, schema: str) -> None:
    """Refuse a database that does not exist.

    Raises:
        QueryError: it doesn't.
    """
    try:
        catalog.get_database(*session.where, schema)
    except AWSError:
        raise QueryError(ErrorKind.SCHEMA_NOT_FOUND, f"Schema '{schema}' does not exist") from None
