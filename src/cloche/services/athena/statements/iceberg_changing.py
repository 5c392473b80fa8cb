"""UPDATE, DELETE and MERGE of Iceberg tables by copy on write.

The engine tells which rows go and which come. A file all of whose rows go is left out of the new
snapshot; of another that a row goes from, those that stay are written anew with those that come.
Everything changes by one swap of the table's metadata. Where somebody else has swapped it first,
the statement is run again on what is there then, so that no change is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pyiceberg.table import Table

from cloche.engines.sql.engine import (
    Change,
    ErrorKind,
    QueryError,
    SnapshotTable,
    Statistics,
    TableReference,
    TableSource,
)
from cloche.services.athena.failures import QueryFailed
from cloche.services.athena.iceberg_recovery import begin_write
from cloche.services.athena.publishing import take_back
from cloche.services.athena.query_records import Outcome
from cloche.services.athena.session import CATALOG, Session
from cloche.services.athena.statements.selecting import executing
from cloche.services.athena.statements.statement_types import ChangeRows
from cloche.services.athena.tables.iceberg_catalog import ConcurrentCommit
from cloche.services.athena.tables.iceberg_commits import commit_files
from cloche.services.athena.tables.iceberg_data_files import DataFileWriter
from cloche.services.athena.tables.iceberg_scans import SnapshotScan
from cloche.services.athena.tables.iceberg_tables import iceberg_scan, load_iceberg
from cloche.services.athena.tables.resolving import Resolver, find_table, table_not_found
from cloche.services.athena.tables.touched_rows import TouchedRows
from cloche.services.athena.tables.writers_in_turn import in_turn
from cloche.services.athena.timing import statistics_of

_ATTEMPTS = 10


class _Target(Resolver):
    """Finds tables, and tells of the one that is changed where its rows are.

    Attributes:
        scan: of the target; None until it was asked for.
    """

    def __init__(self, session: Session, name: tuple[str, str], table: Table) -> None:
        super().__init__(session)
        self._name = name
        self._table = table
        self.scan: SnapshotScan | None = None

    def iceberg(self, table: Mapping[str, Any], reference: TableReference) -> TableSource:
        """See `Resolver.iceberg`."""
        if (table["DatabaseName"], table["Name"]) != self._name:
            return super().iceberg(table, reference)
        is_past = reference.timestamp is not None or reference.version is not None
        if is_past or not reference.is_changed:
            return iceberg_scan(self._session, self._table, reference).table
        self.scan = iceberg_scan(self._session, self._table, reference, has_places=True)
        return self.scan.table


def change_iceberg_rows(
    session: Session, statement: ChangeRows, parameters: tuple[str, ...], schema: str
) -> Outcome:
    """Change rows of an Iceberg table; all of them or none.

    Raises:
        QueryError: the statement cannot be run.
        QueryFailed: the caller may not, or others kept changing the table meanwhile.
    """
    name = statement.table.name
    session.check_glue("UpdateTable", schema, name)
    for attempt in range(_ATTEMPTS):
        table = find_table(session, schema, name)
        if table is None:
            raise table_not_found(session, schema, name)
        try:
            with in_turn(session, (schema, name), is_waiting=attempt > 0):
                return _changed(session, statement, parameters, (schema, name))
        except ConcurrentCommit:
            take_back(session)
    raise QueryFailed(
        f"ICEBERG_COMMIT_ERROR: Failed to commit Iceberg update to table: {schema}.{name}",
        type=233,
    )


def _changed(
    session: Session, statement: ChangeRows, parameters: tuple[str, ...], name: tuple[str, str]
) -> Outcome:
    found = find_table(session, *name)
    if found is None:
        raise table_not_found(session, *name)
    table = load_iceberg(session, found, is_retried=False)
    session.check_writable(table.location())
    begin_write(session, name, table.location())
    if statement.is_of_all and not parameters:
        return _all_deleted(session, table)
    target = _Target(session, name, table)
    writer = DataFileWriter(session, table.metadata)
    touched = TouchedRows()
    count = 0
    with executing(
        session, statement.sql, parameters, resolver=target, is_change=True
    ) as execution:
        for batch in execution.batches():
            count += batch.num_rows
            touched.add(batch.column("$file"), batch.column("$row"))
            comes = _comes(batch)
            if comes is not None:
                writer.write(comes)
        statistics = execution.statistics
    scan = target.scan
    if scan is None:
        raise QueryError(ErrorKind.GENERIC_INTERNAL_ERROR, "The target was not read")
    gone = [scan.data_files[number] for number in touched.numbers]
    partial = [
        number
        for number in touched.numbers
        if touched.count(number) < scan.data_files[number].record_count
    ]
    if partial:
        _keep_rest(session, name, table, scan.of(partial), touched, writer, statistics)
    commit_files(session, table, gone, writer.close(), update_count=count)
    return _outcome(count, statistics)


def _all_deleted(session: Session, table: Table) -> Outcome:
    """DELETE without a condition: the metadata alone tells what to do, save for delete files."""
    reference = TableReference(CATALOG, table.name()[0], table.name()[1])
    scan = iceberg_scan(session, table, reference)
    files = list(scan.data_files.values())
    count = sum(file.record_count for file in files)
    statistics = Statistics()
    if any(file.deletes for file in scan.table.files):
        sql = f"SELECT count(*) FROM {quoted_name(table.name())}"  # noqa: S608 - names are quoted
        with executing(session, sql, ()) as execution:
            count = next(execution.batches()).column(0)[0].as_py()
            statistics = execution.statistics
    commit_files(session, table, files, [], update_count=count)
    return _outcome(count, statistics)


def _comes(batch: Any) -> Any:
    """The rows that come, in the table's columns."""
    comes = batch.column("$change").to_numpy() != Change.DELETE.value
    if not comes.any():
        return None
    rows = batch if comes.all() else batch.filter(pa.array(comes))
    return rows.select(rows.schema.names[3:])


def _keep_rest(
    session: Session,
    name: tuple[str, str],
    table: Table,
    files: SnapshotTable,
    touched: TouchedRows,
    writer: DataFileWriter,
    statistics: Statistics,
) -> None:
    """Write the rows of some files that do not go."""
    columns = ", ".join(_quoted(field.name.lower()) for field in table.schema().fields)
    sql = f'SELECT "$file", "$row", {columns} FROM {quoted_name(name)}'  # noqa: S608 - names are quoted
    with executing(session, sql, (), resolver=FixedResolver(session, files)) as execution:
        for batch in execution.batches():
            stays = batch.filter(touched.missing(batch.column(0), batch.column(1)))
            writer.write(stays.select(stays.schema.names[2:]))
        statistics.planning_seconds += execution.statistics.planning_seconds
        statistics.execution_seconds += execution.statistics.execution_seconds
        statistics.scanned_bytes += execution.statistics.scanned_bytes


class FixedResolver(Resolver):
    """Gives the same for every table.

    Args:
        session: in whose name.
        source: what it gives.
    """

    def __init__(self, session: Session, source: TableSource) -> None:
        super().__init__(session)
        self._source_of_all = source

    def resolve(self, reference: TableReference) -> TableSource:
        """See `Resolver.resolve`."""
        return self._source_of_all


def _outcome(count: int, statistics: Statistics) -> Outcome:
    return Outcome(
        state="SUCCEEDED",
        update_count=count,
        statistics=statistics_of(statistics),
        row_count=count,
    )


def quoted_name(name: tuple[str, ...]) -> str:
    """A name of one or more parts, as SQL has it."""
    return ".".join(map(_quoted, name))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
