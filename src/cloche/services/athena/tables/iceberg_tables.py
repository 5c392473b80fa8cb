"""Iceberg tables as statements name them: the current snapshot's rows, or a past one's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cloche.engines.sql.engine import ErrorKind, QueryError, TableReference
from cloche.services.athena.session import Session

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

    from cloche.services.athena.tables.iceberg_scans import SnapshotScan


def is_iceberg(table: Mapping[str, Any]) -> bool:
    """Whether a table of the catalog is Iceberg's."""
    return str((table.get("Parameters") or {}).get("table_type", "")).upper() == "ICEBERG"


def iceberg_scan(
    session: Session, table: Table, reference: TableReference, *, has_places: bool = False
) -> SnapshotScan:
    """The files of the snapshot that a reference means, those that may meet its conditions.

    Raises:
        QueryError: there is no such snapshot, or its files are not there.
        QueryFailed: the caller may not read them.
    """
    from cloche.services.athena.tables.iceberg_scans import scan_snapshot

    snapshot = _past_snapshot(table, reference)
    return scan_snapshot(session, table, snapshot, reference.filters, has_places=has_places)


def load_iceberg(session: Session, table: Mapping[str, Any], *, is_retried: bool = True) -> Table:
    """A table of the catalog as pyiceberg has it.

    Args:
        session: in whose name.
        table: as the catalog has it.
        is_retried: whether a commit that somebody else came before is tried again.

    Raises:
        QueryError: its metadata is not there.
    """
    from cloche.services.athena.tables.iceberg_catalog import ServiceCatalog

    return ServiceCatalog(session, is_retried=is_retried).table_of(table)


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
        found = _snapshot_named(table, name)
        if found is None:
            raise _no_snapshot(f"Iceberg snapshot ID does not exists: {name}")
        return found
    return None


def _snapshot_named(table: Table, name: str) -> Snapshot | None:
    # `isdigit` alone takes `²`, which is no number.
    if name.isascii() and name.isdigit():
        return table.snapshot_by_id(int(name))
    return table.snapshot_by_name(name)


def _no_snapshot(message: str) -> QueryError:
    return QueryError(ErrorKind.GENERIC_USER_ERROR, f"INVALID_ARGUMENTS: {message}")
