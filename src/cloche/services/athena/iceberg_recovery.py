"""What becomes of a write to an Iceberg table whose server was killed.

All files that a query writes have its id in their names, and the snapshot that it makes has it in
its summary. So it can be told whether the table was changed; if it wasn't, the files are removed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloche.services.athena.query_records import Outcome
from cloche.services.athena.session import Session, split_location
from cloche.services.glue import catalog

if TYPE_CHECKING:
    from pyiceberg.table import Table

QUERY_PROPERTY = "trino_query_id"
"""In a snapshot's summary: the query that made it, under the name that Trino gives it."""

_KEY = "iceberg"


class IcebergWrite(msgspec.Struct, frozen=True, omit_defaults=True):
    """A write under way.

    Attributes:
        location: of the table.
        update_count: rows that are to change; known just before the table does.
    """

    database: str
    table: str
    location: str
    update_count: int | None = None


def begin_write(
    session: Session, name: tuple[str, ...], location: str, update_count: int | None = None
) -> None:
    """Keep with the job what it is about to write; before the first file and before the commit."""
    write = IcebergWrite(name[0], name[1], location, update_count)
    session.call.save({_KEY: msgspec.to_builtins(write)})


def recover_write(session: Session) -> Outcome | None:
    """Clean up after an earlier attempt; its outcome, if it has changed the table."""
    kept = session.call.job.checkpoint.get(_KEY)
    if kept is None:
        return None
    write = msgspec.convert(kept, IcebergWrite)
    table = _load(session, write)
    if write.update_count is not None and table is not None and _has_changed(session, table):
        count = write.update_count
        return Outcome(state="SUCCEEDED", update_count=count, row_count=count)
    _remove_files(session, write, table)
    return None


def _load(session: Session, write: IcebergWrite) -> Table | None:
    from cloche.services.athena.tables.iceberg_tables import is_iceberg, load_iceberg

    found = catalog.find_table(*session.where, write.database, write.table)
    if found is None or not is_iceberg(found):
        return None
    table = load_iceberg(session, found)
    return table if table.location().rstrip("/") == write.location.rstrip("/") else None


def _has_changed(session: Session, table: Table) -> bool:
    return any(
        snapshot.summary is not None and snapshot.summary.get(QUERY_PROPERTY) == session.query.id
        for snapshot in table.snapshots()
    )


def _remove_files(session: Session, write: IcebergWrite, table: Table | None) -> None:
    from cloche.services.athena.tables.iceberg_references import referenced_files

    bucket, prefix = split_location(write.location)

    async def find() -> list[str]:
        records = await session.objects.list(bucket, prefix)
        return [record.key for record in records if session.query.id in record.key]

    keys = session.objects.wait(find())
    if keys and table is not None:
        needed = referenced_files(table)
        keys = [key for key in keys if f"s3://{bucket}/{key}" not in needed]
    if keys:
        session.objects.wait(session.objects.take_back(bucket, keys))
