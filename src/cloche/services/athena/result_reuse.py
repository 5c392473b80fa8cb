"""Results of earlier queries, taken in the place of running the same query again."""

from __future__ import annotations

import hashlib

import msgspec
from msgspec.structs import replace

from cloche.core.operations import Server
from cloche.services.athena.query_records import (
    KIND,
    Outcome,
    Query,
    QueryReference,
    outcome_of,
    queries_by_work_group,
)
from cloche.services.athena.result_configurations import bucket_and_key
from cloche.services.athena.session import Session
from cloche.services.s3.errors import NoSuchBucket

_PAGE = 200


def digest_of(query: Query) -> str:
    """The same for the same statement in the same context, of the same caller.

    In AWS a result is shared among all who may read the tables; here it is the caller's own, so
    that nobody sees by it what he may not read. Where results go counts, as in AWS.
    """
    settings = {k: v for k, v in query.result_configuration.items() if k != "OutputLocation"}
    parts = (
        query.sql,
        query.catalog.lower(),
        query.database.lower(),
        query.parameters,
        query.output_folder,
        settings,
        query.principal.arn,
    )
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def find_reusable(session: Session) -> Outcome | None:
    """The outcome of the newest earlier query whose result will do, or None."""
    minutes = session.query.reuse_minutes
    if minutes is None:
        return None
    for reference in _earlier(session, session.query.submitted_at - minutes * 60):
        outcome = _result_of(session.server, session.query, reference)
        if outcome is not None and _is_readable(session, outcome.location):
            return replace(outcome, is_reused=True, statistics={})
    return None


def _earlier(session: Session, oldest: float) -> list[QueryReference]:
    """Queries like the session's, newest first, that were submitted after an instant."""
    query = session.query
    digest = digest_of(query)
    found: list[QueryReference] = []
    after = query.listing_name
    while page := session.documents.scan(
        queries_by_work_group,
        query.account,
        query.region,
        prefix=f"{query.work_group}/",
        after=after,
        limit=_PAGE,
    ):
        for document in page:
            if document.value.submitted_at < oldest:
                return found
            if document.value.digest == digest:
                found.append(document.value)
        after = page[-1].name
    return found


def _result_of(server: Server, query: Query, reference: QueryReference) -> Outcome | None:
    job = server.jobs.get(KIND, query.account, query.region, reference.id)
    outcome = None if job is None else outcome_of(job)
    if outcome is None or outcome.state != "SUCCEEDED" or outcome.form != "csv":
        return None
    return None if outcome.is_reused else outcome


def _is_readable(session: Session, location: str) -> bool:
    """Whether a result is still there and the caller may read it."""
    bucket, key = bucket_and_key(location)
    try:
        if not session.objects.is_allowed("GetObject", bucket, key):
            return False
    except NoSuchBucket:
        return False
    record = session.objects.wait(session.objects.store.head(bucket, key))
    return record is not None and not record.is_delete_marker
