"""Query executions as the API shows them."""

from __future__ import annotations

from typing import Any

from cloche.core.job_states import Job
from cloche.core.operations import Call
from cloche.services.athena.query_records import KIND, Query, outcome_of, state_of
from cloche.services.athena.work_group_records import engine_version


def find_job(call: Call, query: Query) -> Job:
    """The job that runs a query."""
    job = call.server.jobs.get(KIND, query.account, query.region, query.id)
    if job is None:
        raise LookupError(f"query {query.id} has no job")
    return job


def shown_query(query: Query, job: Job) -> dict[str, Any]:
    """`QueryExecution` as in the model."""
    outcome = outcome_of(job)
    configuration = dict(query.result_configuration)
    if outcome is not None and outcome.location:
        configuration["OutputLocation"] = outcome.location
    context = {"Catalog": query.catalog.lower()}
    if query.database:
        context["Database"] = query.database
    shown: dict[str, Any] = {
        "QueryExecutionId": query.id,
        "Query": query.sql,
        "StatementType": query.statement_type,
        "ResultConfiguration": configuration,
        "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": _reuse(query.reuse_minutes)},
        "QueryExecutionContext": context,
        "Status": _status(query, job),
        "Statistics": _statistics(query, job, outcome.statistics if outcome else {}),
        "WorkGroup": query.work_group,
        "EngineVersion": engine_version(query.selected_engine_version),
    }
    if query.substatement_type:
        shown["SubstatementType"] = query.substatement_type
    if query.parameters:
        shown["ExecutionParameters"] = list(query.parameters)
    return shown


def _reuse(minutes: int | None) -> dict[str, Any]:
    return {"Enabled": False} if minutes is None else {"Enabled": True, "MaxAgeInMinutes": minutes}


def _status(query: Query, job: Job) -> dict[str, Any]:
    outcome = outcome_of(job)
    status: dict[str, Any] = {"State": state_of(job), "SubmissionDateTime": query.submitted_at}
    if job.is_finished:
        status["CompletionDateTime"] = job.finished_at
    if outcome is not None:
        if outcome.reason:
            status["StateChangeReason"] = outcome.reason
        if outcome.error is not None:
            status["AthenaError"] = outcome.error
    return status


def _statistics(query: Query, job: Job, kept: dict[str, Any]) -> dict[str, Any]:
    if kept:
        return kept
    if job.finished_at is None:
        return {}
    total = round((job.finished_at - query.submitted_at) * 1000)
    return {"TotalExecutionTimeInMillis": total, "QueryQueueTimeInMillis": 0}
