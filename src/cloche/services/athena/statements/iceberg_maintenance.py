"""OPTIMIZE and VACUUM of Iceberg tables.

Source: "Optimize Iceberg tables" and "VACUUM" in Athena's user guide.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from cloche.engines.sql import trino
from cloche.engines.sql.engine import ErrorKind, QueryError, Statistics
from cloche.services.athena.failures import QueryFailed, ddl_failed
from cloche.services.athena.iceberg_recovery import begin_write
from cloche.services.athena.publishing import take_back
from cloche.services.athena.query_records import Outcome
from cloche.services.athena.session import CATALOG, Session
from cloche.services.athena.statements.catalog_changes import load
from cloche.services.athena.statements.iceberg_changing import FixedResolver, quoted_name
from cloche.services.athena.statements.iceberg_properties import number_of
from cloche.services.athena.statements.selecting import executing
from cloche.services.athena.statements.statement_types import Optimize, Vacuum
from cloche.services.athena.tables.iceberg_catalog import ConcurrentCommit
from cloche.services.athena.tables.iceberg_commits import commit_files
from cloche.services.athena.tables.iceberg_data_files import TARGET_FILE_BYTES, DataFileWriter
from cloche.services.athena.tables.iceberg_expiry import expire_snapshots, remove_orphans
from cloche.services.athena.tables.iceberg_scans import SnapshotScan, scan_snapshot
from cloche.services.athena.tables.iceberg_tables import is_iceberg, load_iceberg
from cloche.services.athena.timing import statistics_of

_ATTEMPTS = 10
_DATA_FILE_THRESHOLD = 5
_DELETE_FILE_THRESHOLD = 2
_SMALL_SHARE = 0.75
_LARGE_SHARE = 1.8
_AGE_SECONDS = 5 * 24 * 3600


def optimize(session: Session, statement: Optimize, parameters: tuple[str, ...]) -> Outcome:
    """OPTIMIZE … REWRITE DATA USING BIN_PACK: small files become few large ones.

    Files are left as they are where there are fewer than the table's
    `optimize_rewrite_data_file_threshold` to rewrite, 5 by default.

    Raises:
        QueryError: the condition is not one on partitions.
        QueryFailed: there is no such Iceberg table, or others kept changing it meanwhile.
    """
    for _ in range(_ATTEMPTS):
        schema, table = _loaded(session, statement.table, "OPTIMIZE")
        try:
            return _optimized(session, statement, parameters, (schema, statement.table.name), table)
        except ConcurrentCommit:
            take_back(session)
    raise _commit_failed(session.schema_of(statement.table), statement.table.name)


def vacuum(session: Session, statement: Vacuum) -> Outcome:
    """VACUUM: old snapshots go, with the files that only they need, and files that nothing needs.

    Raises:
        QueryFailed: there is no such Iceberg table, or others kept changing it meanwhile.
    """
    for _ in range(_ATTEMPTS):
        _, table = _loaded(session, statement.table, "VACUUM")
        properties = table.properties
        age = number_of(properties, "vacuum_max_snapshot_age_seconds", _AGE_SECONDS)
        kept = number_of(properties, "vacuum_min_snapshots_to_keep", 1)
        before = session.now - age
        try:
            table = expire_snapshots(session, table, before, kept)
        except ConcurrentCommit:
            take_back(session)
            continue
        remove_orphans(session, table, before)
        return Outcome(state="SUCCEEDED")
    raise _commit_failed(session.schema_of(statement.table), statement.table.name)


def _loaded(session: Session, name: Any, verb: str) -> tuple[str, Table]:
    schema, found = load(session, name)
    session.check_glue("UpdateTable", schema, name.name)
    if not is_iceberg(found):
        raise ddl_failed(f"SemanticException {verb} is only supported for Iceberg tables")
    table = load_iceberg(session, found, is_retried=False)
    session.check_writable(table.location())
    if verb == "VACUUM":
        session.check_removable(table.location())
    return schema, table


def _commit_failed(schema: str, name: str) -> QueryFailed:
    return QueryFailed(
        f"ICEBERG_COMMIT_ERROR: Failed to commit Iceberg update to table: {schema}.{name}",
        type=233,
    )


def _optimized(
    session: Session,
    statement: Optimize,
    parameters: tuple[str, ...],
    name: tuple[str, str],
    table: Table,
) -> Outcome:
    scan = scan_snapshot(session, table, None, has_places=True)
    statistics = Statistics()
    numbers = set(scan.data_files)
    if statement.condition:
        numbers = _chosen(session, statement, parameters, name, table, scan, statistics)
    numbers = _worth_it(table, scan, numbers)
    if not numbers:
        return Outcome(state="SUCCEEDED", statistics=statistics_of(statistics))
    begin_write(session, name, table.location())
    writer = DataFileWriter(session, table.metadata)
    columns = ", ".join(quoted_name((f.name.lower(),)) for f in table.schema().fields)
    sql = f"SELECT {columns} FROM {quoted_name(name)}"  # noqa: S608 - names are quoted
    with executing(session, sql, (), resolver=FixedResolver(session, scan.of(numbers))) as rows:
        for batch in rows.batches():
            writer.write(batch)
        _add(statistics, rows.statistics)
    gone: list[DataFile] = [scan.data_files[number] for number in sorted(numbers)]
    files = writer.close()
    commit_files(session, table, gone, files, update_count=0, is_same_data=True)
    return Outcome(state="SUCCEEDED", statistics=statistics_of(statistics))


def _chosen(
    session: Session,
    statement: Optimize,
    parameters: tuple[str, ...],
    name: tuple[str, str],
    table: Table,
    scan: SnapshotScan,
    statistics: Statistics,
) -> set[int]:
    """The files that have rows which meet the condition."""
    sql = statement.condition
    uses = trino.parse(sql, catalog=CATALOG, schema=name[0], parameters=parameters).uses
    schema = table.schema()
    known = {
        schema.find_field(field.source_id).name.lower()
        for spec in table.specs().values()
        for field in spec.fields
        if field.source_id in schema._lazy_id_to_field
    }
    others = set(uses[0].columns or ()) - known - {"$file"} if len(uses) == 1 else {"a subquery"}
    if others:
        raise QueryError(
            ErrorKind.NOT_SUPPORTED,
            f"OPTIMIZE: conditions on partition columns only, not on {', '.join(sorted(others))}",
        )
    resolver = FixedResolver(session, scan.table)
    with executing(session, sql, parameters, resolver=resolver) as rows:
        found = {value for batch in rows.batches() for value in batch.column(0).to_pylist()}
        _add(statistics, rows.statistics)
    return found


def _worth_it(table: Table, scan: SnapshotScan, numbers: set[int]) -> set[int]:
    """Files that are too small, too large, or have deletes, where fewer come of them."""
    properties = table.properties
    target = number_of(properties, "write.target-file-size-bytes", TARGET_FILE_BYTES)
    small = number_of(
        properties, "optimize_rewrite_min_data_file_size_bytes", round(target * _SMALL_SHARE)
    )
    large = number_of(
        properties, "optimize_rewrite_max_data_file_size_bytes", round(target * _LARGE_SHARE)
    )
    deleted = {file.number for file in scan.table.files if file.deletes} & numbers
    groups: dict[Any, list[int]] = defaultdict(list)
    current = table.spec().spec_id
    for number in numbers:
        file = scan.data_files[number]
        size = file.file_size_in_bytes
        if number in deleted or size < small or size > large or file.spec_id != current:
            key = (file.spec_id, str(file.partition)) if file.spec_id == current else None
            groups[key].append(number)
    chosen: set[int] = set()
    for key, group in groups.items():
        size = sum(scan.data_files[number].file_size_in_bytes for number in group)
        if key is None or set(group) & deleted or len(group) > _count(size, target):
            chosen |= set(group)
    least = number_of(properties, "optimize_rewrite_data_file_threshold", _DATA_FILE_THRESHOLD)
    least_deletes = number_of(
        properties, "optimize_rewrite_delete_file_threshold", _DELETE_FILE_THRESHOLD
    )
    delete_files = {p for f in scan.table.files if f.number in deleted for p in f.deletes}
    if len(chosen) >= least or len(delete_files) >= least_deletes:
        return chosen
    return set()


def _count(size_bytes: int, target_bytes: int) -> int:
    """How many files rows of a size become."""
    return max(1, -(-size_bytes // target_bytes))


def _add(statistics: Statistics, more: Statistics) -> None:
    statistics.planning_seconds += more.planning_seconds
    statistics.execution_seconds += more.execution_seconds
    statistics.scanned_bytes += more.scanned_bytes
