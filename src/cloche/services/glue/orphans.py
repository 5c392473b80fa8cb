"""What was in dropped tables and databases: noted when they are dropped, removed in pieces after.

What a table held is out of sight as soon as the table is gone, and may be 100,000 partitions: too
much for one transaction that others wait for. A server that is killed in between goes on with it
when it is started again.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cloche.core.documents import Documents, Table, Transaction
from cloche.services.glue.catalog_records import partitions, table_versions, tables
from cloche.services.glue.column_statistics_records import column_statistics
from cloche.services.glue.keys import key_of, prefix_of
from cloche.services.glue.user_defined_function_records import user_defined_functions

_PIECE = 500
_OF_DATABASE: tuple[Table[Any], ...] = (user_defined_functions,)
_OF_TABLE: tuple[Table[Any], ...] = (partitions, table_versions, column_statistics)


class Orphan(msgspec.Struct, frozen=True):
    """A dropped database or table whose contents may still be there."""

    is_database: bool


orphans = Table("glue.orphans", Orphan)


def leave(tx: Transaction, account: str, region: str, owner_id: str, *, is_database: bool) -> None:
    """Note that a database or table is dropped by this transaction."""
    tx.put(orphans, account, region, key_of(owner_id), Orphan(is_database))


def remove(documents: Documents, account: str, region: str, owner_id: str) -> None:
    """Remove what a dropped database or table held."""
    orphan = documents.get(orphans, account, region, key_of(owner_id))
    if orphan is None:
        return
    if orphan.is_database:
        _remove_tables(documents, account, region, owner_id)
    for table in _OF_DATABASE if orphan.is_database else _OF_TABLE:
        while _remove_piece(documents, table, account, region, prefix_of(owner_id)):
            pass
    documents.delete(orphans, account, region, key_of(owner_id))


def remove_all(documents: Documents) -> None:
    """Go on with what a server that was killed has left."""
    while found := documents.scan_all(orphans):
        for each in found:
            remove(documents, each.account, each.region, each.name)


def _remove_tables(documents: Documents, account: str, region: str, database_id: str) -> None:
    while page := documents.scan(tables, account, region, prefix_of(database_id), limit=_PIECE):

        def drop(tx: Transaction, names: list[str]) -> None:
            for name in names:
                table = tx.delete(tables, account, region, name)
                if table is not None:
                    leave(tx, account, region, table.id, is_database=False)

        names = [each.name for each in page]
        documents.transact(lambda tx, names=names: drop(tx, names))
        for each in page:
            remove(documents, account, region, each.value.id)


def _remove_piece(
    documents: Documents, table: Table[Any], account: str, region: str, prefix: str
) -> bool:
    page = documents.scan(table, account, region, prefix, limit=_PIECE)

    def drop(tx: Transaction) -> None:
        for each in page:
            tx.delete(table, account, region, each.name)

    if page:
        documents.transact(drop)
    return len(page) == _PIECE
