"""Whether a trail logs: start, stop, status."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.audit import AuditLog
from cloche.core.audit_names import timestamp
from cloche.core.documents import Transaction
from cloche.core.operations import Call
from cloche.services.cloudtrail import delivery
from cloche.services.cloudtrail.service import service
from cloche.services.cloudtrail.trail_records import (
    Trail,
    find_trail,
    key_of,
    trail_to_change,
    trails,
)
from cloche.services.cloudtrail.trails import TRAIL

if TYPE_CHECKING:
    from aws_shapes import cloudtrail as shapes


@service.operation(resource=TRAIL)
def start_logging(call: Call, request: shapes.StartLoggingRequest) -> shapes.StartLoggingResponse:
    """Begin to deliver what is called from now on, this call included.

    Raises TrailNotFoundException if there is no such trail. AWS: CloudTrail StartLogging.
    """
    _turn(call, request["Name"], is_logging=True)
    return {}


@service.operation(resource=TRAIL)
def stop_logging(call: Call, request: shapes.StopLoggingRequest) -> shapes.StopLoggingResponse:
    """End it; what was called before is still delivered. AWS: CloudTrail StopLogging."""
    _turn(call, request["Name"], is_logging=False)
    return {}


@service.operation(resource=TRAIL)
def get_trail_status(
    call: Call, request: shapes.GetTrailStatusRequest
) -> shapes.GetTrailStatusResponse:
    """What a trail has come to.

    Raises TrailNotFoundException if there is no such trail. AWS: CloudTrail GetTrailStatus.
    """
    trail = find_trail(call, request["Name"])
    status: dict[str, Any] = {
        "IsLogging": trail.is_logging,
        "LatestNotificationAttemptTime": "",
        "LatestNotificationAttemptSucceeded": "",
    }
    _add(status, "StartLoggingTime", "TimeLoggingStarted", trail.started_at)
    _add(status, "StopLoggingTime", "TimeLoggingStopped", trail.stopped_at)
    outcome = delivery.latest_outcome(call.documents, trail)
    _add(status, "LatestDeliveryTime", "LatestDeliveryAttemptSucceeded", outcome.delivered_at)
    _add(status, "", "LatestDeliveryAttemptTime", outcome.attempted_at)
    if outcome.error:
        status["LatestDeliveryError"] = outcome.error
    return status  # pyright: ignore[reportReturnType]


def _turn(call: Call, name: str, *, is_logging: bool) -> None:
    key = key_of(call, name)
    log = call.engine(AuditLog)
    log.flush()
    sequence = log.last_sequence()
    now = call.clock.time()

    def turn(tx: Transaction) -> None:
        trail = trail_to_change(tx, call, key)
        if trail.is_logging != is_logging:
            trail = _turned(trail, now)
            tx.put(trails, call.account_id, "", key, trail)
            delivery.follow(tx, trail, log.log_id, sequence)
            delivery.ensure_job(call.server, tx)

    call.documents.transact(turn)


def _turned(trail: Trail, now: float) -> Trail:
    if trail.is_logging:
        return replace(trail, is_logging=False, stopped_at=now)
    return replace(trail, is_logging=True, started_at=now)


def _add(status: dict[str, Any], name: str, text_name: str, instant: float | None) -> None:
    """Add an instant as a number and, as AWS still does, as text."""
    if instant is not None and name:
        status[name] = datetime.fromtimestamp(instant, UTC)
    status[text_name] = "" if instant is None else timestamp(instant)
