"""DuckDB behind the interface of SQL engines."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import duckdb

from cloche.engines.sql import trino
from cloche.engines.sql.duckdb.databases import Databases
from cloche.engines.sql.duckdb.execution import DuckDBExecution
from cloche.engines.sql.duckdb.functions import register_functions
from cloche.engines.sql.engine import Explanation, PlanForm, Query
from cloche.engines.sql.federation import ScannedCatalog, Scanners


class DuckDBEngine:
    """Runs statements by DuckDB, in this process.

    Args:
        directory: for what spills to disk; emptied now.
        readable: directories, and beginnings of URLs, that hold tables' files.
        memory_bytes: for all queries together; one has half of what is free at most.
        threads: of a query; as many as there are processors if None.
    """

    def __init__(
        self,
        directory: Path,
        readable: Sequence[str | Path],
        *,
        memory_bytes: int,
        threads: int | None = None,
    ) -> None:
        places = [_as_place(place) for place in readable]
        self._databases = Databases(
            directory / "spill", memory_bytes, threads or os.cpu_count() or 1, places, _initialize
        )
        self._scanners = Scanners()
        self._running: set[DuckDBExecution] = set()
        self._lock = threading.Lock()

    @property
    def remotes(self) -> ScannedCatalog:
        """See `SqlEngine.remotes`."""
        return ScannedCatalog(self._scanners)

    def execute(self, query: Query) -> DuckDBExecution:
        """See `SqlEngine.execute`."""
        execution = self._begin(query)
        execution.start()
        return execution

    def _begin(self, query: Query) -> DuckDBExecution:
        execution = DuckDBExecution(self._databases, self._scanners, query, self._forget)
        with self._lock:
            self._running.add(execution)
        if query.begun is not None:
            query.begun(execution)
        return execution

    def explain(
        self, query: Query, form: PlanForm = "text", *, analyze: bool = False
    ) -> Explanation:
        """See `SqlEngine.explain`."""
        return self._begin(query).explain(form, analyze=analyze)

    def close(self) -> None:
        """End what is running; their databases are closed by the threads that run them."""
        with self._lock:
            running = list(self._running)
        for execution in running:
            execution.cancel()
        self._databases.close()
        self._scanners.close()

    def _forget(self, execution: DuckDBExecution) -> None:
        with self._lock:
            self._running.discard(execution)


def _as_place(place: str | Path) -> str:
    text = str(place)
    return text if "://" in text else str(Path(text).absolute())


def _initialize(connection: duckdb.DuckDBPyConnection) -> None:
    """What every database has, whatever is asked of it."""
    register_functions(connection)
    trino.install_in(connection)
