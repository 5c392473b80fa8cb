"""Makes a new snapshot of an Iceberg table out of files that go and files that come."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table, Transaction
from pyiceberg.table.snapshots import Operation

from cloche.services.athena.failures import QueryFailed
from cloche.services.athena.iceberg_recovery import QUERY_PROPERTY, begin_write
from cloche.services.athena.session import Session
from cloche.services.athena.tables.iceberg_producers import (
    AppendFiles,
    ChangeFiles,
    ReplaceFiles,
)


def commit_files(
    session: Session,
    table: Table,
    gone: Sequence[DataFile],
    come: Sequence[DataFile],
    *,
    update_count: int,
    is_same_data: bool = False,
) -> None:
    """Commit a snapshot; nothing is done where no file goes or comes.

    Args:
        session: in whose name.
        table: at the snapshot that the files were chosen by.
        gone: files that are no part of it any more.
        come: files that were written.
        update_count: rows that change.
        is_same_data: whether the files that come have the rows of those that go.

    Raises:
        ConcurrentCommit: somebody else has changed the table, which was loaded so as to tell.
        QueryFailed: somebody else has changed the table.
    """
    if not gone and not come:
        return
    begin_write(session, table.name(), table.location(), update_count)
    transaction = table.transaction()
    if gone:
        producer = ReplaceFiles if is_same_data else ChangeFiles
        with producer(
            operation=Operation.OVERWRITE if come or is_same_data else Operation.DELETE,
            transaction=transaction,
            io=table.io,
            commit_uuid=UUID(session.query.id),
            snapshot_properties={QUERY_PROPERTY: session.query.id},
        ) as snapshot:
            for file in gone:
                snapshot.delete_data_file(file)
            for file in come:
                snapshot.append_data_file(file)
    else:
        add_files(session, transaction, come)
    commit(session, transaction)


def add_files(session: Session, transaction: Transaction, files: Sequence[DataFile]) -> None:
    """Add files to a transaction, as a snapshot that only appends."""
    with AppendFiles(
        operation=Operation.APPEND,
        transaction=transaction,
        io=transaction._table.io,
        commit_uuid=UUID(session.query.id),
        snapshot_properties={QUERY_PROPERTY: session.query.id},
    ) as snapshot:
        for file in files:
            snapshot.append_data_file(file)


def commit(session: Session, transaction: Transaction) -> None:
    """Commit a transaction.

    Raises:
        ConcurrentCommit: as `commit_files`.
        QueryFailed: as `commit_files`.
    """
    session.call.check()
    try:
        transaction.commit_transaction()
    except CommitFailedException as error:
        raise QueryFailed(f"ICEBERG_COMMIT_ERROR: {error}", type=233) from None
