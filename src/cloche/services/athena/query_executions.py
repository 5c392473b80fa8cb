"""Query executions: start, stop, get, list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cloche.core.documents import Transaction
from cloche.core.operations import Call
from cloche.services.athena.errors import InvalidRequestException
from cloche.services.athena.paging import page_of_documents
from cloche.services.athena.query_records import (
    KIND,
    Query,
    QueryReference,
    queries,
    queries_by_work_group,
    query_tokens,
)
from cloche.services.athena.query_requests import new_query
from cloche.services.athena.query_retention import (
    find_kept_query,
    forget_old_queries,
    is_kept,
)
from cloche.services.athena.query_views import find_job, shown_query
from cloche.services.athena.resources import work_group_of_queries
from cloche.services.athena.result_reuse import digest_of
from cloche.services.athena.service import service
from cloche.services.athena.work_group_records import WORK_GROUP, find_work_group

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import athena as shapes

_LONGEST_PAGE = 50


def _asked_work_group(call: Call, request: Mapping[str, Any]) -> list[str]:
    return work_group_of_queries(call, {"WorkGroup": request.get("WorkGroup")})


@service.operation(resource=_asked_work_group)
def start_query_execution(
    call: Call, request: shapes.StartQueryExecutionInput
) -> shapes.StartQueryExecutionOutput:
    """Have a statement run; it is recorded when this answers.

    The same ClientRequestToken gives the same execution. Raises InvalidRequestException if the
    workgroup is disabled or there is nowhere for the result. AWS: Athena StartQueryExecution.
    """
    query = new_query(call, request, str(uuid4()))
    where = (call.account_id, call.region)
    reference = QueryReference(query.id, query.submitted_at, digest_of(query))
    jobs = call.server.jobs
    payload = {"work_group": query.work_group, "statement_type": query.statement_type}

    def insert(tx: Transaction) -> str:
        if query.token:
            earlier = _started_earlier(tx, query)
            if earlier is not None:
                return earlier
            tx.put(query_tokens, *where, query.token, reference)
        tx.insert(queries, *where, query.id, query)
        tx.insert(queries_by_work_group, *where, query.listing_name, reference)
        jobs.begin_in(tx, KIND, *where, query.id, payload)
        return query.id

    query_id = call.documents.transact(insert)
    forget_old_queries(call.documents, jobs, query)
    return {"QueryExecutionId": query_id}


@service.operation(resource=work_group_of_queries)
def stop_query_execution(call: Call, request: shapes.StopQueryExecutionInput) -> Empty:
    """End a query; one that has ended stays as it is.

    Raises InvalidRequestException if there is none. AWS: Athena StopQueryExecution.
    """
    query = find_kept_query(call, request["QueryExecutionId"])
    call.server.jobs.cancel(KIND, query.account, query.region, query.id)
    return {}


@service.operation(resource=work_group_of_queries)
def get_query_execution(
    call: Call, request: shapes.GetQueryExecutionInput
) -> shapes.GetQueryExecutionOutput:
    """A query and what has become of it.

    Raises InvalidRequestException if there is none. AWS: Athena GetQueryExecution.
    """
    return {"QueryExecution": _shown(call, request["QueryExecutionId"])}


@service.operation(resource=work_group_of_queries)
def batch_get_query_execution(
    call: Call, request: shapes.BatchGetQueryExecutionInput
) -> shapes.BatchGetQueryExecutionOutput:
    """Queries; those that do not exist are told apart. AWS: Athena BatchGetQueryExecution."""
    found: list[Any] = []
    missing: list[Any] = []
    for query_id in request["QueryExecutionIds"]:
        try:
            found.append(_shown(call, query_id))
        except InvalidRequestException as error:
            missing.append(
                {
                    "QueryExecutionId": query_id,
                    "ErrorCode": "INVALID_INPUT",
                    "ErrorMessage": error.message,
                }
            )
    return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}


@service.operation(resource=WORK_GROUP)
def list_query_executions(
    call: Call, request: shapes.ListQueryExecutionsInput
) -> shapes.ListQueryExecutionsOutput:
    """Ids of a workgroup's queries, newest first. AWS: Athena ListQueryExecutions."""
    work_group = find_work_group(call, request.get("WorkGroup")).name
    limit = request.get("MaxResults", _LONGEST_PAGE)
    page, following = page_of_documents(
        call, queries_by_work_group, request.get("NextToken"), limit, prefix=f"{work_group}/"
    )
    now = call.clock.time()
    kept = [each.value.id for each in page if is_kept(each.value.submitted_at, now)]
    if len(kept) < len(page):  # the newest come first: nothing that is kept follows
        following = {}
    answer: Any = {"QueryExecutionIds": kept, **following}
    return answer


def _shown(call: Call, query_id: str) -> Any:
    query = find_kept_query(call, query_id)
    return shown_query(query, find_job(call, query))


def _started_earlier(tx: Transaction, asked: Query) -> str | None:
    """The id of the query that the same token started.

    Raises:
        InvalidRequestException: it started another one.
    """
    where = (asked.account, asked.region)
    reference = tx.get(query_tokens, *where, asked.token)
    earlier = None if reference is None else tx.get(queries, *where, reference.id)
    if earlier is None or not is_kept(earlier.submitted_at, asked.submitted_at):
        return None
    same = (earlier.sql, earlier.work_group, earlier.database, earlier.output_folder)
    if same != (asked.sql, asked.work_group, asked.database, asked.output_folder):
        raise InvalidRequestException("Idempotent parameters do not match")
    return earlier.id
