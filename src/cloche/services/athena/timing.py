"""Statistics of a query: what it has cost, in Athena's members."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloche.engines.sql.engine import Statistics
from cloche.services.athena.query_records import Outcome
from cloche.services.athena.session import Session


def statistics_of(engine: Statistics) -> dict[str, Any]:
    """What the engine has counted."""
    return {
        "EngineExecutionTimeInMillis": round(
            (engine.planning_seconds + engine.execution_seconds) * 1000
        ),
        "QueryPlanningTimeInMillis": round(engine.planning_seconds * 1000),
        "DataScannedInBytes": engine.scanned_bytes,
    }


def with_times(outcome: Outcome, session: Session) -> Outcome:
    """An outcome with all of its times; it ends now."""
    query = session.query
    job = session.call.job
    now = session.server.clock.time()
    began_at = session.began_at or job.started_at or now
    total = round((now - query.submitted_at) * 1000)
    queued = min(round((began_at - query.submitted_at) * 1000), total)
    ran = total - queued
    statistics = {"DataScannedInBytes": 0, **outcome.statistics}
    engine = min(statistics.get("EngineExecutionTimeInMillis", ran), ran)
    shown: dict[str, Any] = {
        **statistics,
        "EngineExecutionTimeInMillis": engine,
        "TotalExecutionTimeInMillis": total,
        "QueryQueueTimeInMillis": queued,
        "ServicePreProcessingTimeInMillis": 0,
        "ServiceProcessingTimeInMillis": ran - engine,
        "ResultReuseInformation": {"ReusedPreviousResult": outcome.is_reused},
    }
    if outcome.manifest:
        shown["DataManifestLocation"] = outcome.manifest
    return replace(outcome, statistics=shown)
