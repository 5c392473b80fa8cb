"""Delivery: log files in the trails' buckets, every five minutes of Cloche time.

One job for each log delivers what it holds for all trails. Which chunks make the next objects is
recorded before they are written and that they were after, so that a crash between repeats the same
objects under the same names: nothing is lost, and nothing is in two objects. An error of the
bucket is told by GetTrailStatus and tried again at the next round; management events wait for
90 days, data events for 30 and as far as there is room for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple
from uuid import uuid4

from msgspec.structs import replace

from cloche.core.audit import AuditLog
from cloche.core.documents import Documents, Transaction
from cloche.core.errors import AWSError
from cloche.core.job_call import Again, JobCall
from cloche.core.jobs import JobNotFinished
from cloche.core.operations import Server
from cloche.services.cloudtrail import log_files
from cloche.services.cloudtrail.bucket_access import DELIVERY_ACL, delivery_principal
from cloche.services.cloudtrail.delivery_records import (
    Batch,
    Progress,
    delivered,
    following,
    progresses,
)
from cloche.services.cloudtrail.selection import compile_selection, takes_data_events
from cloche.services.cloudtrail.trail_records import Trail, trails

ROUND_SECONDS = 300
MAXIMUM_EVENTS_IN_BATCH = 10_000
MAXIMUM_BYTES_IN_BATCH = 32 * 1024 * 1024

_JOB_NAME = "all-trails"
_MAXIMUM_ATTEMPTS = 100


class Outcome(NamedTuple):
    """What GetTrailStatus tells of deliveries; see `Progress`."""

    delivered_at: float | None = None
    attempted_at: float | None = None
    error: str = ""


def start(server: Server) -> None:
    """Have this server deliver what its log holds."""
    server.jobs.register(
        _kind(server),
        partial(_deliver_all, server),
        max_attempts=_MAXIMUM_ATTEMPTS,
        is_resumable=True,
    )
    # Trails that were made while another server, on the same store, was the only one.
    server.documents.submit(partial(_ensure_if_needed, server))


def ensure_job(server: Server, tx: Transaction) -> None:
    """Have deliveries begin if they have not yet."""
    kind, run_at = _kind(server), _next_round(server)
    try:
        server.jobs.delete_in(tx, kind, "", "", _JOB_NAME)  # one that failed for good
        server.jobs.submit_in(tx, kind, "", "", _JOB_NAME, {}, run_at)
    except JobNotFinished:
        return


def follow(tx: Transaction, trail: Trail, log_id: str, sequence: int) -> None:
    """Note that a trail was turned on or off when the log had come to a sequence number."""
    key = _key(trail, log_id)
    progress = tx.get(progresses, trail.account_id, "", key) or Progress()
    changed = following(progress, trail.is_logging, sequence)
    tx.put(progresses, trail.account_id, "", key, changed)


def forget(tx: Transaction, account_id: str, trail_key: str) -> None:
    """Drop what is known of a deleted trail's deliveries."""
    for document in tx.scan(progresses, account_id, "", f"{trail_key}/"):
        tx.delete(progresses, account_id, "", document.name)


def latest_outcome(documents: Documents, trail: Trail) -> Outcome:
    """What came of the last attempt to deliver, from whichever log."""
    found = [
        Outcome(each.value.delivered_at, each.value.attempted_at, each.value.error)
        for each in documents.scan(progresses, trail.account_id, "", f"{trail.key}/")
    ]
    if not found:
        return Outcome()
    latest = max(found, key=lambda outcome: outcome.attempted_at or 0.0)
    times = [outcome.delivered_at for outcome in found if outcome.delivered_at is not None]
    return latest._replace(delivered_at=max(times, default=None))


def _kind(server: Server) -> str:
    return f"cloudtrail.delivery.{server.engine(AuditLog).log_id}"


def _key(trail: Trail, log_id: str) -> str:
    return f"{trail.key}/{log_id}"


def _next_round(server: Server) -> float:
    return (server.clock.time() // ROUND_SECONDS + 1) * ROUND_SECONDS


def _ensure_if_needed(server: Server, tx: Transaction) -> None:
    if tx.scan_all(trails, limit=1):
        ensure_job(server, tx)


async def _deliver_all(server: Server, call: JobCall) -> Again:
    """One round: all trails of all accounts."""
    log = server.engine(AuditLog)
    await asyncio.to_thread(log.flush)
    for trail in await asyncio.to_thread(_all_trails, server.documents):
        await _deliver(server, log, trail)
    return Again(_next_round(server))


def _all_trails(documents: Documents) -> list[Trail]:
    found: list[Trail] = []
    page = documents.scan_all(trails)
    while page:
        found += [document.value for document in page]
        page = documents.scan_all(trails, page[-1])
    return found


async def _deliver(server: Server, log: AuditLog, trail: Trail) -> None:
    """Deliver all that a log holds for a trail, batch by batch, until an error of the bucket."""
    last = await asyncio.to_thread(log.last_sequence)
    progress = await _change(
        server, log, trail, lambda progress, now: following(progress, now.is_logging, last)
    )
    while progress is not None and progress.stretches:
        stretch = progress.stretches[0]
        until = last if stretch.until is None else min(stretch.until, last)
        if progress.batch is not None:
            until = progress.batch.until
        batch = await asyncio.to_thread(_read, log, trail, stretch.after, until)
        if batch.until == stretch.after and stretch.until is None:
            return
        stamp = server.clock.time() if progress.batch is None else progress.batch.stamp
        progress = await _deliver_batch(server, log, trail, batch, stamp)
        if progress is None or progress.error:
            return


class _Events(NamedTuple):
    """Events of a batch, by region, and the chunks that it stands for."""

    after: int
    until: int
    by_region: dict[str, list[bytes]]


def _read(log: AuditLog, trail: Trail, after: int, until: int) -> _Events:
    """The events that a trail takes of the next chunks, as many as a batch may have."""
    takes = compile_selection(trail)
    by_region: dict[str, list[bytes]] = {}
    events = size_bytes = 0
    at = after
    for sequence, chunk in _chunks(log, after, until, takes_data_events(trail)):
        for region, taken in log_files.by_region(chunk, takes).items():
            by_region.setdefault(region, []).extend(taken)
            events += len(taken)
            size_bytes += sum(map(len, taken))
        at = sequence
        if events >= MAXIMUM_EVENTS_IN_BATCH or size_bytes >= MAXIMUM_BYTES_IN_BATCH:
            return _Events(after, at, by_region)
    return _Events(after, until, by_region)


def _chunks(
    log: AuditLog, after: int, until: int, include_data: bool
) -> Iterator[tuple[int, list[bytes]]]:
    while (chunk := log.chunk_after(after, include_data=include_data)) and chunk[0] <= until:
        after = chunk[0]
        yield after, list(chunk[1])


async def _deliver_batch(
    server: Server, log: AuditLog, trail: Trail, batch: _Events, stamp: float
) -> Progress | None:
    def finish(progress: Progress, _: Trail) -> Progress:
        return delivered(progress, batch.after, batch.until)

    if not batch.by_region:
        return await _change(server, log, trail, finish)
    begun = Batch(batch.until, stamp)
    if await _change(server, log, trail, lambda old, _: replace(old, batch=begun)) is None:
        return None
    error = ""
    try:
        for region, events in batch.by_region.items():
            await _write(server, log, trail, region, events, batch, stamp)
    except AWSError as raised:
        error = raised.code
    now = server.clock.time()

    def conclude(progress: Progress, trail: Trail) -> Progress:
        if error:
            return replace(progress, attempted_at=now, error=error)
        return replace(finish(progress, trail), attempted_at=now, delivered_at=now, error="")

    return await _change(server, log, trail, conclude)


async def _write(
    server: Server,
    log: AuditLog,
    trail: Trail,
    region: str,
    events: list[bytes],
    batch: _Events,
    stamp: float,
) -> None:
    """Write one log file, as CloudTrail itself would through S3's front door."""
    body = await asyncio.to_thread(log_files.contents, events, stamp)
    identity = f"{log.log_id} {batch.after} {batch.until}"
    await server.dispatcher.invoke(
        delivery_principal(trail),
        trail.home_region,
        "s3",
        "PutObject",
        {
            "Bucket": trail.bucket,
            "Key": log_files.key(trail, region, stamp, identity),
            "Body": body,
            "ACL": DELIVERY_ACL,
            "ContentType": "application/json",
            "ContentEncoding": "gzip",
        },
        request_id=str(uuid4()),
    )


async def _change(
    server: Server, log: AuditLog, trail: Trail, change: Callable[[Progress, Trail], Progress]
) -> Progress | None:
    """Change what is known of a trail's deliveries; None if the trail is gone."""
    key = _key(trail, log.log_id)

    def apply(tx: Transaction) -> Progress | None:
        current = tx.get(trails, trail.account_id, "", trail.key)
        if current is None:
            return None
        progress = tx.get(progresses, trail.account_id, "", key) or Progress()
        changed = change(progress, current)
        if changed != progress:
            tx.put(progresses, trail.account_id, "", key, changed)
        return changed

    return await server.documents.commit(apply)
