"""What databases elsewhere have, read from their own catalogs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.federation import postgresql
from cloche.engines.sql.federation.conditions import DIALECTS
from cloche.engines.sql.federation.scanners import Attachment, Scanners
from cloche.engines.sql.remote import RemoteColumn, RemoteDatabase, RemoteTable

_Rows = list[tuple[Any, ...]]


class ScannedCatalog:
    """See `RemoteCatalog`."""

    def __init__(self, scanners: Scanners) -> None:
        self._scanners = scanners

    def schemas(self, database: RemoteDatabase) -> list[str]:
        """See `RemoteCatalog.schemas`."""
        rows = self._rows(database, DIALECTS[database.kind].SCHEMAS)
        return sorted({str(row[0]).lower() for row in rows})

    def tables(self, database: RemoteDatabase, schema: str) -> list[RemoteTable]:
        """See `RemoteCatalog.tables`."""
        sql = DIALECTS[database.kind].tables_sql(schema.lower(), None)
        return sorted(_tables(database, self._rows(database, sql)), key=lambda t: t.name.lower())

    def find_table(self, database: RemoteDatabase, schema: str, name: str) -> RemoteTable | None:
        """See `RemoteCatalog.find_table`."""
        sql = DIALECTS[database.kind].tables_sql(schema.lower(), name.lower())
        found = list(_tables(database, self._rows(database, sql)))
        if len(found) > 1:
            # Of names that differ by their case alone, that in lower case is meant.
            found = [t for t in found if (t.schema, t.name) == (schema.lower(), name.lower())]
            if not found:
                raise QueryError(
                    ErrorKind.NOT_SUPPORTED,
                    f"Several tables of {database.catalog} are called {schema}.{name} but for case",
                )
        return found[0] if found else None

    def _rows(self, database: RemoteDatabase, sql: str) -> _Rows:
        attachment: Attachment = self._scanners.attach(database, check=lambda: None)
        try:
            _check_encoding(attachment, database)
            return attachment.rows(sql)
        finally:
            attachment.close()


def _check_encoding(attachment: Attachment, database: RemoteDatabase) -> None:
    """Refuse a database that doesn't know what its texts mean.

    Raises:
        QueryError: it is one, or it cannot be asked.
    """
    if database.kind == "postgresql" and attachment.rows(postgresql.ENCODING) == [("SQL_ASCII",)]:
        raise QueryError(
            ErrorKind.NOT_SUPPORTED,
            f"Catalog '{database.catalog}' ({database.place}): the database's encoding is "
            "SQL_ASCII, in which texts are bytes of no known meaning; it cannot be read",
        )


def _tables(database: RemoteDatabase, rows: Iterable[tuple[Any, ...]]) -> Iterable[RemoteTable]:
    transfer = DIALECTS[database.kind].transfer
    groups: dict[tuple[str, str], _Rows] = {}
    for row in rows:
        groups.setdefault((row[0], row[1]), []).append(row)
    for (schema, name), own in groups.items():
        columns: list[RemoteColumn] = []
        for _, _, _, column, kind, is_nullable, comment, _, is_unicode in own:
            found = transfer(kind)
            shown = found.type if found is not None else ""
            columns.append(
                RemoteColumn(
                    column.lower(),
                    column,
                    kind,
                    shown,
                    bool(is_nullable),
                    comment,
                    bool(is_unicode),
                )
            )
        yield RemoteTable(database, schema, name, tuple(columns), bool(own[0][2]), bool(own[0][7]))
