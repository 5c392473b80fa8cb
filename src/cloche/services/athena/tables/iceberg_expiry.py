"""Removes snapshots of an Iceberg table that are too old, and files that nothing needs."""

from __future__ import annotations

import re

from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot, ancestors_of

from cloche.services.athena.query_records import KIND
from cloche.services.athena.result_configurations import bucket_and_key
from cloche.services.athena.session import Session, split_location
from cloche.services.athena.tables.iceberg_references import files_of_snapshots, referenced_files

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def expire_snapshots(session: Session, table: Table, before: float, kept: int) -> Table:
    """Remove snapshots from before a moment, with the files that only they need.

    Args:
        session: in whose name.
        table: loaded so as to tell of conflicts.
        before: seconds since 1970.
        kept: how many of each branch stay however old they are.

    Returns:
        The table as it then is.

    Raises:
        ConcurrentCommit: somebody else has changed the table.
    """
    expired = _expired(table, before, kept)
    if not expired:
        return table
    files = files_of_snapshots(table, expired)
    ids = [snapshot.snapshot_id for snapshot in expired]
    table.maintenance.expire_snapshots().by_ids(ids).commit()
    files -= referenced_files(table)
    _delete(session, files)
    return table


def remove_orphans(session: Session, table: Table, before: float) -> None:
    """Remove files in the table's folder that are from before a moment and that nothing needs.

    Those of queries that still run are left: their commit is to come.
    """
    bucket, prefix = split_location(table.location())
    if not prefix:
        return
    records = session.objects.wait(session.objects.list(bucket, prefix))
    old = {
        f"s3://{record.bucket}/{record.key}" for record in records if record.last_modified < before
    }
    if not old:
        return
    old -= referenced_files(table)
    _delete(session, {url for url in old if not _is_of_running_query(session, url)})


def _expired(table: Table, before: float, kept: int) -> list[Snapshot]:
    metadata = table.metadata
    stays: set[int] = set()
    for ref in metadata.refs.values():
        head = metadata.snapshot_by_id(ref.snapshot_id)
        least = kept if ref.snapshot_ref_type.value == "branch" else 1
        for position, snapshot in enumerate(ancestors_of(head, metadata)):
            if position >= least and (
                ref.snapshot_ref_type.value == "tag" or snapshot.timestamp_ms < before * 1000
            ):
                break
            stays.add(snapshot.snapshot_id)
    return [
        snapshot
        for snapshot in metadata.snapshots
        if snapshot.snapshot_id not in stays and snapshot.timestamp_ms < before * 1000
    ]


def _is_of_running_query(session: Session, url: str) -> bool:
    account, region = session.query.account, session.query.region
    for found in _UUID.findall(url.rpartition("/")[2]):
        job = session.server.jobs.get(KIND, account, region, found)
        if job is not None and not job.is_finished:
            return True
    return False


def _delete(session: Session, urls: set[str]) -> None:
    by_bucket: dict[str, list[str]] = {}
    for url in sorted(urls):
        bucket, key = bucket_and_key(url)
        by_bucket.setdefault(bucket, []).append(key)
    for bucket, keys in by_bucket.items():
        session.objects.wait(session.objects.delete(bucket, keys))
