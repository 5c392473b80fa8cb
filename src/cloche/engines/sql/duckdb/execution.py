"""One statement under way in DuckDB."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from cloche.engines.sql import trino
from cloche.engines.sql.duckdb.databases import Database, Databases
from cloche.engines.sql.duckdb.errors import reading_error
from cloche.engines.sql.duckdb.plans import as_graph, as_text, plan_nodes
from cloche.engines.sql.duckdb.relations import Relations
from cloche.engines.sql.engine import (
    Column,
    ErrorKind,
    Explanation,
    PlanForm,
    Query,
    QueryCancelled,
    QueryError,
    Statistics,
)
from cloche.engines.sql.federation import Scanners

_BATCH_ROWS = 32_768
_CANCEL_SECONDS = 5.0
_FATAL = ("INTERNAL Error", "FATAL Error")


class DuckDBExecution:
    """See `Execution`; `closed` is called once it has let go of everything."""

    def __init__(
        self,
        databases: Databases,
        scanners: Scanners,
        query: Query,
        closed: Callable[[DuckDBExecution], None],
    ) -> None:
        self._query = query
        self._databases = databases
        self._scanners = scanners
        self._closed = closed
        self._held = ExitStack()
        self._held.callback(closed, self)
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._relations: Relations | None = None
        self._reader: pa.RecordBatchReader | None = None
        self._columns: tuple[Column, ...] = ()
        self._is_cancelled = threading.Event()
        self._is_damaged = False
        self._is_idle = threading.Event()
        self._is_idle.set()
        self._sql = ""

    @property
    def columns(self) -> tuple[Column, ...]:
        """See `Execution.columns`."""
        return self._columns

    @property
    def schema(self) -> pa.Schema:
        """See `Execution.schema`."""
        return self._started_reader().schema

    @property
    def statistics(self) -> Statistics:
        """See `Execution.statistics`."""
        return self._relations.statistics if self._relations else Statistics()

    def start(self) -> None:
        """Parse, plan and begin; on an error everything is let go of.

        Raises:
            QueryError: it cannot be run.
            QueryCancelled: `cancel` was called meanwhile.
        """
        try:
            connection = self._open()
            statement = self._plan(connection)
            with self._running():
                result = connection.execute(statement)
                self._reader = result.to_arrow_reader(_BATCH_ROWS)
        except BaseException:
            self.close()
            raise

    def explain(self, form: PlanForm, *, analyze: bool) -> Explanation:
        """The plan; everything is let go of."""
        try:
            connection = self._open()
            self._plan(connection)
            asked = "ANALYZE, FORMAT json" if analyze else "FORMAT json"
            with self._running():
                rows = connection.execute(f"EXPLAIN ({asked}) {self._sql}").fetchall()
            files = self._relations.files if self._relations else ()
            nodes = plan_nodes(rows[-1][-1], files)
            return Explanation(_plan_text(nodes, form), self.statistics)
        finally:
            self.close()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """See `Execution.batches`."""
        reader = self._started_reader()
        while True:
            try:
                with self._running():
                    batch = reader.read_next_batch()
            except StopIteration:
                return
            self.statistics.row_count += batch.num_rows
            yield batch

    def cancel(self) -> None:
        """See `Execution.cancel`."""
        self._is_cancelled.set()
        if self._relations is not None:
            self._relations.cancel()
        # An interrupt that comes before DuckDB has begun is lost: ask until the call has ended.
        connection = self._connection
        deadline = time.monotonic() + _CANCEL_SECONDS
        while connection is not None and time.monotonic() < deadline:
            connection.interrupt()
            if self._is_idle.wait(0.02):
                return

    def close(self) -> None:
        """See `Execution.close`."""
        self._reader = None
        self._held.close()

    def _started_reader(self) -> pa.RecordBatchReader:
        if self._reader is None:
            raise QueryError(ErrorKind.GENERIC_INTERNAL_ERROR, "The execution is closed")
        return self._reader

    def _open(self) -> duckdb.DuckDBPyConnection:
        query = self._query
        database = self._databases.take()
        self._held.callback(self._give_back, database)
        memory = self._held.enter_context(self._databases.memory(query.memory_limit_bytes))
        connection = database.connection.cursor()
        self._held.callback(connection.close)
        database.limit_memory(memory)
        self._connection = connection
        if self._is_cancelled.is_set():
            raise QueryCancelled
        return connection

    def _give_back(self, database: Database) -> None:
        # After an error within DuckDB itself its database answers nothing more.
        if self._is_damaged:
            database.close()
        else:
            self._databases.give_back(database)

    def _plan(self, connection: duckdb.DuckDBPyConnection) -> duckdb.Statement:
        query = self._query
        self._relations = relations = Relations(query, connection, self._scanners)
        self._held.callback(relations.close)
        started = time.perf_counter()
        try:
            with self._translated_errors():
                self._sql, self._columns = relations.translate(
                    query.sql, query.catalog, query.schema
                )
                statement = _only_query(self._sql)
                trino.set_session(
                    connection,
                    self._sql,
                    time_zone=query.time_zone,
                    now=query.now,
                    user=query.user,
                )
                return statement
        finally:
            self.statistics.planning_seconds += time.perf_counter() - started

    @contextmanager
    def _running(self) -> Generator[None]:
        """While DuckDB works; its time is counted."""
        started = time.perf_counter()
        self._is_idle.clear()
        try:
            if self._is_cancelled.is_set():
                raise QueryCancelled
            with self._translated_errors():
                yield
        finally:
            self._is_idle.set()
            self.statistics.execution_seconds += time.perf_counter() - started

    @contextmanager
    def _translated_errors(self) -> Generator[None]:
        try:
            yield
        except (duckdb.Error, pa.ArrowException, OSError, MemoryError) as error:
            raise self._translated(error) from error

    def _translated(self, error: BaseException) -> BaseException:
        """What to raise in place of an error of DuckDB's or of a stream's."""
        if any(word in str(error) for word in _FATAL):
            self._is_damaged = True
        if self._is_cancelled.is_set():
            return QueryCancelled()
        failure = self._relations.failure() if self._relations else None
        if isinstance(failure, QueryError | QueryCancelled):
            return failure
        if failure is not None:
            return QueryError(
                ErrorKind.GENERIC_INTERNAL_ERROR, f"{type(failure).__name__}: {failure}"
            )
        if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
            return QueryError(
                ErrorKind.EXCEEDED_MEMORY_LIMIT, f"Query exceeded its memory: {error}"
            )
        if not isinstance(error, duckdb.Error):
            error = _as_duckdb(error)
        if trino.is_of_statement(error):
            return trino.query_error(error, self._query.sql)
        about_file = reading_error(error, self._relations.files if self._relations else ())
        return about_file or trino.query_error(error, self._query.sql)


def _plan_text(nodes: list[dict[str, Any]], form: PlanForm) -> str:
    match form:
        case "text":
            return "\n".join(as_text(nodes))
        case "graphviz":
            return "\n".join(as_graph(nodes))
        case "json":
            return json.dumps(nodes, indent=2, ensure_ascii=False)


def _as_duckdb(error: BaseException) -> duckdb.Error:
    """An error that came through an Arrow stream, as the kind that its text names."""
    text = str(error)
    for prefix, kind in _KINDS.items():
        if prefix in text:
            return kind(text[text.index(prefix) :])
    return duckdb.Error(text)


_KINDS: dict[str, type[duckdb.Error]] = {
    "Out of Memory Error": duckdb.OutOfMemoryException,
    "Conversion Error": duckdb.ConversionException,
    "Invalid Input Error": duckdb.InvalidInputException,
    "Out of Range Error": duckdb.OutOfRangeException,
    "IO Error": duckdb.IOException,
    "INTERRUPT Error": duckdb.InterruptException,
    "Constraint Error": duckdb.ConstraintException,
}


def _only_query(sql: str) -> duckdb.Statement:
    """The statement; all but one query is refused, should a translation go wrong."""
    statements = duckdb.extract_statements(sql)
    allowed = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
    if len(statements) != 1 or statements[0].type not in allowed:
        raise QueryError(ErrorKind.NOT_SUPPORTED, "Only queries can be run")
    return statements[0]
