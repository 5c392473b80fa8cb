"""Results of queries, page by page from the file that they were stored in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cloche.core.errors import AccessDeniedException
from cloche.core.operations import Call
from cloche.engines.objects.store import ObjectRecord
from cloche.services.athena.csv_text import Row, decode_lines, decode_rows
from cloche.services.athena.errors import InvalidRequestException
from cloche.services.athena.objects import Objects
from cloche.services.athena.paging import position_of, token_of
from cloche.services.athena.query_records import Outcome, Query, outcome_of, state_of
from cloche.services.athena.query_retention import find_kept_query
from cloche.services.athena.query_views import find_job
from cloche.services.athena.resources import work_group_of_queries
from cloche.services.athena.result_configurations import bucket_and_key
from cloche.services.athena.service import service
from cloche.services.s3.errors import NoSuchBucket

if TYPE_CHECKING:
    from aws_shapes import athena as shapes

_LONGEST_PAGE = 1000
_PIECE_BYTES = 256 * 1024


@service.operation(resource=work_group_of_queries)
async def get_query_results(
    call: Call, request: shapes.GetQueryResultsInput
) -> shapes.GetQueryResultsOutput:
    """Rows of a query's result; the first row of a SELECT's first page names the columns.

    Raises InvalidRequestException if the query has not succeeded. AWS: Athena GetQueryResults.
    """
    query = find_kept_query(call, request["QueryExecutionId"])
    if request.get("QueryResultType", "DATA_ROWS") != "DATA_ROWS":
        raise InvalidRequestException("QueryResultType DATA_MANIFEST needs managed query results.")
    outcome = _succeeded(call, query)
    position = _position(query, request.get("NextToken"))
    limit = request.get("MaxResults", _LONGEST_PAGE)
    rows, following = [], None
    if outcome.form:
        rows, following = await _page(call, outcome, position, limit)
    shown: Any = [
        {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
        for row in rows
    ]
    answer: Any = {
        "ResultSet": {
            "Rows": shown,
            "ResultSetMetadata": {"ColumnInfo": list(outcome.columns)},
        }
    }
    if outcome.update_count is not None:
        answer["UpdateCount"] = outcome.update_count
    if following is not None:
        answer["NextToken"] = token_of(f"{query.id}/{following}")
    return answer


@service.operation(resource=work_group_of_queries)
def get_query_runtime_statistics(
    call: Call, request: shapes.GetQueryRuntimeStatisticsInput
) -> shapes.GetQueryRuntimeStatisticsOutput:
    """Times and counts of a query that has ended; no stages, as the engine has none.

    Raises InvalidRequestException if there is none. AWS: Athena GetQueryRuntimeStatistics.
    """
    query = find_kept_query(call, request["QueryExecutionId"])
    outcome = outcome_of(find_job(call, query))
    if outcome is None:
        raise InvalidRequestException("Query has not yet finished.")
    timeline: Any = {
        name: value for name, value in outcome.statistics.items() if name.endswith("InMillis")
    }
    rows: Any = {
        "InputBytes": outcome.statistics.get("DataScannedInBytes", 0),
        "OutputRows": outcome.row_count,
        "OutputBytes": outcome.result_bytes,
    }
    return {"QueryRuntimeStatistics": {"Timeline": timeline, "Rows": rows}}


def _succeeded(call: Call, query: Query) -> Outcome:
    job = find_job(call, query)
    state = state_of(job)
    if state in ("QUEUED", "RUNNING"):
        raise InvalidRequestException(
            f"Query has not yet finished. Current state: {state}",
            code="INVALID_QUERY_EXECUTION_STATE",
        )
    outcome = outcome_of(job)
    if outcome is None or state != "SUCCEEDED":
        raise InvalidRequestException(
            f"Query did not finish successfully. Final query state: {state}",
            code="INVALID_QUERY_EXECUTION_STATE",
        )
    return outcome


def _position(query: Query, token: str | None) -> int:
    if not token:
        return 0
    query_id, _, offset = position_of(token).partition("/")
    if query_id != query.id or not offset.isdigit():
        raise InvalidRequestException("Invalid NextToken.")
    return int(offset)


async def _page(
    call: Call, outcome: Outcome, position: int, limit: int
) -> tuple[list[Row], int | None]:
    """Rows from a position on, and the position of the row after them."""
    objects = Objects(call.server, asyncio.get_running_loop(), call.principal, call.region)
    record = await _record(objects, outcome.location)
    decode = decode_rows if outcome.form == "csv" else decode_lines
    piece_bytes = _PIECE_BYTES
    while True:
        length = min(piece_bytes, record.size_bytes - position)
        text = await objects.read(record, position, length) if length > 0 else b""
        is_end = position + length >= record.size_bytes
        rows, taken = decode(text, limit, is_end=is_end)
        if is_end or len(rows) >= limit:
            following = position + taken
            return rows, following if following < record.size_bytes else None
        piece_bytes *= 4


async def _record(objects: Objects, location: str) -> ObjectRecord:
    bucket, key = bucket_and_key(location)
    try:
        is_allowed = await objects.is_allowed_async("GetObject", bucket, key)
    except NoSuchBucket:
        raise _gone(location) from None
    if not is_allowed:
        raise AccessDeniedException(f"Access denied when reading {location}")
    record = await objects.store.head(bucket, key)
    if record is None or record.is_delete_marker:
        raise _gone(location)
    return record


def _gone(location: str) -> InvalidRequestException:
    return InvalidRequestException(f"Could not find results: {location} does not exist")
