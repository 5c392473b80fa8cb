"""Query executions are kept for 45 days, as in AWS; their results in S3 stay."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from cloche.core.documents import Document, Documents, Transaction
from cloche.core.job_store import JobNotFinished
from cloche.core.jobs import Jobs
from cloche.core.operations import Call
from cloche.services.athena.query_records import (
    KIND,
    Query,
    QueryReference,
    find_query,
    listing_place,
    no_such_query,
    queries,
    queries_by_work_group,
    query_tokens,
)

RETENTION_SECONDS = 45 * 86_400
_FORGOTTEN_AT_ONCE = 50


def is_kept(submitted_at: float, now: float) -> bool:
    """Whether a query of an instant is still to be seen."""
    return submitted_at > now - RETENTION_SECONDS


def find_kept_query(call: Call, query_id: str) -> Query:
    """The query of an id.

    Raises:
        InvalidRequestException: there is none, or it is older than queries are kept.
    """
    query = find_query(call.documents, call.account_id, call.region, query_id)
    if not is_kept(query.submitted_at, call.clock.time()):
        raise no_such_query(query_id)
    return query


def forget_old_queries(documents: Documents, jobs: Jobs, newest: Query) -> None:
    """Remove some of the queries that were in the workgroup of a new one and are too old.

    Args:
        documents: the metadata store.
        jobs: of the queries.
        newest: which has just been submitted; several are removed for each that is added.
    """
    where = (newest.account, newest.region)
    cutoff = newest.submitted_at - RETENTION_SECONDS
    old = documents.scan(
        queries_by_work_group,
        *where,
        prefix=f"{newest.work_group}/",
        after=listing_place(newest.work_group, cutoff),
        limit=_FORGOTTEN_AT_ONCE,
    )
    for entry in old:
        # One that runs still is left to the next time.
        with suppress(JobNotFinished):
            documents.transact(partial(_forget, jobs, entry))


def _forget(jobs: Jobs, entry: Document[QueryReference], tx: Transaction) -> None:
    where = (entry.account, entry.region)
    query = tx.get(queries, *where, entry.value.id)
    if query is not None:
        jobs.delete_in(tx, KIND, *where, query.id)
        tx.delete(queries, *where, query.id)
        if query.token:
            started = tx.get(query_tokens, *where, query.token)
            if started is not None and started.id == query.id:
                tx.delete(query_tokens, *where, query.token)
    tx.delete(queries_by_work_group, *where, entry.name)
