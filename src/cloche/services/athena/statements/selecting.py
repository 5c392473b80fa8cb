"""SELECT and EXPLAIN: run by the engine, written as CSV."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from msgspec.structs import replace

from cloche.engines.sql import trino
from cloche.engines.sql.engine import (
    Column,
    ErrorKind,
    Execution,
    PlanForm,
    Query,
    QueryCancelled,
    QueryError,
    SqlEngine,
)
from cloche.services.athena.column_info import column_info
from cloche.services.athena.csv_text import encode_row, encode_rows
from cloche.services.athena.query_records import Outcome
from cloche.services.athena.result_files import ResultBody, store_result
from cloche.services.athena.result_reuse import find_reusable
from cloche.services.athena.session import Session
from cloche.services.athena.statements.statement_types import QueryStatement
from cloche.services.athena.statements.text_results import Lines, store_lines
from cloche.services.athena.tables.resolving import Resolver
from cloche.services.athena.timing import statistics_of

# Around a query whose columns are asked for.
_BEFORE, _AFTER = "SELECT*FROM(", ") LIMIT 0"

Formatter = Callable[[Any], "str | None"]


def select(session: Session, statement: QueryStatement, parameters: tuple[str, ...]) -> Outcome:
    """Run a query, or explain it.

    Raises:
        QueryError: it cannot be run.
        QueryCancelled: it was cancelled.
    """
    if statement.explain:
        return _explain(session, statement, parameters)
    reused = find_reusable(session)
    if reused is not None:
        return reused
    location = f"{session.query.output_folder}{session.query.id}.csv"
    body = ResultBody(session)
    try:
        with executing(session, statement.sql, parameters) as execution:
            columns = tuple(column_info(each.name, each.type) for each in execution.columns)
            formats = [trino.formatter(each.type) for each in execution.columns]
            body.write(encode_row(each.name for each in execution.columns))
            for batch in execution.batches():
                if batch.num_rows:
                    body.write(_as_text(batch, formats))
            statistics = execution.statistics
        store_result(session, body, columns, location, content_type="application/octet-stream")
    finally:
        body.close()
    return Outcome(
        state="SUCCEEDED",
        columns=columns,
        location=location,
        form="csv",
        has_header=True,
        update_count=0,
        statistics=statistics_of(statistics),
        row_count=statistics.row_count,
        result_bytes=body.size_bytes,
    )


@contextmanager
def executing(
    session: Session,
    sql: str,
    parameters: tuple[str, ...],
    *,
    resolver: Resolver | None = None,
    is_change: bool = False,
) -> Generator[Execution]:
    """An execution of a query, which ends when the session's job is told to stop.

    Args:
        session: in whose name.
        sql: the query, or with `is_change` an UPDATE, DELETE or MERGE; see `Query`.
        parameters: in the place of `?`.
        resolver: finds its tables.
        is_change: see `sql`.

    Raises:
        QueryError: it cannot be run.
        QueryCancelled: it was cancelled.
    """
    session.call.check()
    query = engine_query(session, sql, parameters, stops_with_job=True, resolver=resolver)
    execution = session.server.engine(SqlEngine).execute(replace(query, is_change=is_change))
    try:
        yield execution
    finally:
        execution.close()
    if session.call.cancelled.is_set():
        raise QueryCancelled


def columns_of(session: Session, sql: str, parameters: tuple[str, ...] = ()) -> tuple[Column, ...]:
    """The columns that a query would have; it is planned and not run.

    Args:
        session: in whose name.
        sql: the query, before which there is room: places in it stay what they are.
        parameters: in the place of `?`.

    Raises:
        QueryError: it cannot be run.
    """
    start = len(sql) - len(sql.lstrip())
    before = sql[:start]
    if len(before.rpartition("\n")[2]) >= len(_BEFORE):
        before = before[: start - len(_BEFORE)]
    with executing(session, f"{before}{_BEFORE}{sql[start:]}{_AFTER}", parameters) as execution:
        return execution.columns


def engine_query(
    session: Session,
    sql: str,
    parameters: tuple[str, ...],
    *,
    stops_with_job: bool = False,
    resolver: Resolver | None = None,
) -> Query:
    """A query as the engine takes it."""

    def begun(execution: Execution) -> None:
        # The callback may come on the event loop, and to interrupt an engine may take a while.
        session.call.on_stop(lambda: threading.Thread(target=execution.cancel).start())

    return Query(
        sql=sql,
        dialect="trino",
        catalog=session.catalog,
        schema=session.schema,
        resolve=(resolver or Resolver(session)).resolve,
        parameters=parameters,
        now=session.now,
        user=session.query.principal.arn,
        scan_limit_bytes=session.query.scan_limit_bytes,
        begun=begun if stops_with_job else None,
    )


_PLAN_FORMS: dict[str, PlanForm] = {"TEXT": "text", "JSON": "json", "GRAPHVIZ": "graphviz"}


def _explain(session: Session, statement: QueryStatement, parameters: tuple[str, ...]) -> Outcome:
    """The plan, or with ANALYZE what it has cost to run it; the plan is the engine's own."""
    kind, form = statement.explain, _PLAN_FORMS.get(statement.explain_format)
    if form is None or (kind == "analyze" and form == "graphviz"):
        raise QueryError(
            ErrorKind.NOT_SUPPORTED,
            f"EXPLAIN does not support the format {statement.explain_format}",
        )
    if kind == "io":
        raise QueryError(
            ErrorKind.NOT_SUPPORTED, "EXPLAIN (TYPE IO) exists in Athena engine version 2 only"
        )
    if kind == "validate":
        columns_of(session, statement.sql, parameters)
        return store_lines(session, Lines(["Valid"], ["true"]))
    is_run = kind == "analyze"
    query = engine_query(session, statement.sql, parameters, stops_with_job=is_run)
    explained = session.server.engine(SqlEngine).explain(query, form, analyze=is_run)
    outcome = store_lines(session, Lines(["Query Plan"], explained.text.split("\n")))
    return replace(outcome, statistics=statistics_of(explained.statistics)) if is_run else outcome


def _as_text(batch: pa.RecordBatch, formats: list[Formatter]) -> bytes:
    columns = [
        [write(value) for value in column.to_pylist()]
        for write, column in zip(formats, batch.columns, strict=True)
    ]
    return encode_rows(columns)
