"""What is kept about a query execution, and what state it is in.

What was asked for never changes and is a record of its own; what has become of it is its job's.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cloche.core.documents import Documents, Table, Transaction
from cloche.core.event import Event
from cloche.core.job_states import Job
from cloche.core.principals import Principal
from cloche.services.athena.errors import InvalidRequestException

KIND = "athena.query"

_NEVER = 10**17


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that was asked to be run.

    Attributes:
        sql: as it came.
        principal: who asked, and as whom it reads and writes.
        submitted_at: seconds since 1970.
        catalog: as the context names it.
        database: as the context names it; empty if it names none.
        result_configuration: what holds for it, with the location of its result.
        output_folder: where its result goes, with a slash at the end.
        expected_bucket_owner: account that must own the bucket of the result; empty for any.
        parameters: in the place of `?`, as the request has them.
        reuse_minutes: how old a result may be that is taken instead; None for none.
        scan_limit_bytes: beyond it the query is cancelled.
        selected_engine_version: of the workgroup.
        statement_type: as in the model.
        substatement_type: as Athena calls the statement.
        token: the ClientRequestToken; empty for none.
    """

    id: str
    account: str
    region: str
    sql: str
    work_group: str
    principal: Principal
    submitted_at: float
    catalog: str
    database: str
    result_configuration: dict[str, Any]
    output_folder: str
    expected_bucket_owner: str = ""
    parameters: tuple[str, ...] = ()
    reuse_minutes: int | None = None
    scan_limit_bytes: int | None = None
    selected_engine_version: str = "AUTO"
    statement_type: str = "DML"
    substatement_type: str = ""
    token: str = ""

    @property
    def listing_name(self) -> str:
        """Its name among the workgroup's queries, by which the newest come first."""
        return f"{listing_place(self.work_group, self.submitted_at)}/{self.id}"


class QueryReference(msgspec.Struct, frozen=True):
    """That a query belongs to a workgroup.

    Attributes:
        submitted_at: seconds since 1970.
        digest: the same for the same statement in the same context.
    """

    id: str
    submitted_at: float = 0.0
    digest: str = ""


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What became of a query that was run to its end.

    Attributes:
        state: `SUCCEEDED` or `FAILED`.
        reason: why it failed.
        error: `AthenaError` as in the model.
        columns: `ColumnInfo` of the result, as in the model.
        location: of the result.
        form: `csv`, `txt`, or empty where there is no file of rows.
        has_header: whether the file's first row names the columns.
        update_count: rows written.
        manifest: location of the list of files written.
        statistics: `QueryExecutionStatistics` as in the model.
        row_count: of the result.
        result_bytes: of the result.
        is_reused: the result is an earlier query's.
    """

    state: str
    reason: str = ""
    error: dict[str, Any] | None = None
    columns: tuple[dict[str, Any], ...] = ()
    location: str = ""
    form: str = ""
    has_header: bool = False
    update_count: int | None = None
    manifest: str = ""
    statistics: dict[str, Any] = {}
    row_count: int = 0
    result_bytes: int = 0
    is_reused: bool = False


queries = Table("athena.queries", Query)
queries_by_work_group = Table("athena.queries_by_work_group", QueryReference)
query_tokens = Table("athena.query_tokens", QueryReference)


def listing_place(work_group: str, submitted_at: float) -> str:
    """What the names of queries of an instant begin with among their workgroup's."""
    return f"{work_group}/{_NEVER - round(submitted_at * 1e6):017d}"


def no_such_query(query_id: str) -> InvalidRequestException:
    """The error for an id that no query has."""
    return InvalidRequestException(f"QueryExecution {query_id} was not found")


def find_query(reader: Documents | Transaction, account: str, region: str, query_id: str) -> Query:
    """The query of an id.

    Raises:
        InvalidRequestException: there is none.
    """
    found = reader.get(queries, account, region, query_id)
    if found is None:
        raise no_such_query(query_id)
    return found


def outcome_of(job: Job) -> Outcome | None:
    """What became of a query; None while nothing has."""
    if job.state == "Succeeded":
        return msgspec.convert(job.result, Outcome)
    if job.state == "Failed":
        return Outcome(state="FAILED", reason=f"GENERIC_INTERNAL_ERROR: {job.error}")
    if job.state == "Cancelled":
        return Outcome(state="CANCELLED", reason="Query cancelled by user")
    return None


def state_of(job: Job) -> str:
    """The state that Athena shows."""
    outcome = outcome_of(job)
    if outcome is not None:
        return outcome.state
    is_waiting = job.state == "Queued" or job.checkpoint.get("is_waiting", False)
    return "QUEUED" if is_waiting else "RUNNING"


def event_of(job: Job) -> Event | None:
    """The event that tells of a query's new state."""
    if job.state == "Cancelling":
        return None
    state = state_of(job)
    previous = {"QUEUED": "", "RUNNING": "QUEUED"}.get(
        state, "QUEUED" if job.started_at is None else "RUNNING"
    )
    number = {"": 1, "QUEUED": 2, "RUNNING": 3}[previous]
    detail: dict[str, Any] = {
        "versionId": "0",
        "currentState": state,
        "statementType": job.payload.get("statement_type", "DML"),
        "queryExecutionId": job.name,
        "workgroupName": job.payload.get("work_group", ""),
        "sequenceNumber": str(number),
    }
    if previous:
        detail["previousState"] = previous
    outcome = outcome_of(job)
    if outcome is not None and outcome.error is not None:
        members = {
            "ErrorCategory": "errorCategory",
            "ErrorType": "errorType",
            "ErrorMessage": "errorMessage",
            "Retryable": "retryable",
        }
        detail["athenaError"] = {name: outcome.error[member] for member, name in members.items()}
    return Event(
        source="aws.athena",
        detail_type="Athena Query State Change",
        account=job.account,
        region=job.region,
        detail=detail,
    )
