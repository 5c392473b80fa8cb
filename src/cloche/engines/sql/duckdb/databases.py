"""DuckDB databases in memory: each serves one query at a time and is used again.

A query has a database to itself, so that its memory limit is its own and its end leaves nothing.
To open one costs some 15 ms and its functions as much again; those that are idle are kept.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import duckdb

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.formats.sql_text import listed, literal

_IDLE_MAXIMUM = 4
_LEAST_BYTES = 128 * 2**20


class Database:
    """An open database.

    Attributes:
        connection: its first; queries take cursors of it.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, spill_directory: Path) -> None:
        self.connection = connection
        self._spill_directory = spill_directory
        self._memory_bytes = 0

    def limit_memory(self, limit_bytes: int) -> None:
        """Have it spill beyond so many bytes."""
        if limit_bytes != self._memory_bytes:
            self.connection.execute(f"SET memory_limit = '{limit_bytes}B'")
            self._memory_bytes = limit_bytes

    def close(self) -> None:
        """Close it, and remove what it has spilled."""
        self.connection.close()
        shutil.rmtree(self._spill_directory, ignore_errors=True)


class Databases:
    """All databases of an engine, which share its memory and its directory for spilling.

    Args:
        spill_directory: emptied now; each database has a folder in it.
        memory_bytes: for all queries together.
        threads: of each database.
        readable: directories, and beginnings of URLs, that hold tables' files; nothing else can
            be read.
        initialize: is called for each new database.
    """

    def __init__(
        self,
        spill_directory: Path,
        memory_bytes: int,
        threads: int,
        readable: Sequence[str],
        initialize: Callable[[duckdb.DuckDBPyConnection], None],
    ) -> None:
        shutil.rmtree(spill_directory, ignore_errors=True)
        spill_directory.mkdir(parents=True, mode=0o700)
        self._spill_directory = spill_directory
        self._threads = threads
        self._readable = readable
        self._initialize = initialize
        self._free_bytes = memory_bytes
        self._idle: list[Database] = []
        self._numbers = count()
        self._lock = threading.Lock()
        self._is_closed = False

    def take(self) -> Database:
        """A database for one query; `give_back` it."""
        with self._lock:
            if self._is_closed:
                raise QueryError(ErrorKind.GENERIC_INTERNAL_ERROR, "The server is stopping")
            if self._idle:
                return self._idle.pop()
        return self._open()

    def give_back(self, database: Database) -> None:
        """Keep a database for the next query, or close it if there are enough."""
        with self._lock:
            if not self._is_closed and len(self._idle) < _IDLE_MAXIMUM:
                self._idle.append(database)
                return
        database.close()

    def close(self) -> None:
        """Close those that are idle; the others are closed when they are given back."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for database in idle:
            database.close()

    @contextmanager
    def memory(self, wanted_bytes: int | None) -> Iterator[int]:
        """Memory for one query: what it wants, but half of what is free at most."""
        with self._lock:
            limit = self._free_bytes // 2
            granted = max(_LEAST_BYTES, min(limit, wanted_bytes or limit))
            self._free_bytes -= granted
        try:
            yield granted
        finally:
            with self._lock:
                self._free_bytes += granted

    def _open(self) -> Database:
        folder = self._spill_directory / str(next(self._numbers))
        connection = duckdb.connect(
            ":memory:",
            config={
                "threads": self._threads,
                "temp_directory": str(folder),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "python_enable_replacements": False,
            },
        )
        if any("://" in place for place in self._readable):
            _load_extension(connection, "httpfs")
        self._initialize(connection)
        # No secrets of the user's home are of any concern to a query.
        connection.execute("SET allow_persistent_secrets = false")
        # Its cache of files takes one that was overwritten within a second for the old one.
        connection.execute("SET enable_external_file_cache = false")
        # From here on nothing else can be read, and this cannot be taken back.
        connection.execute(f"SET allowed_directories = {listed(self._readable)}")
        connection.execute("SET enable_external_access = false")
        return Database(connection, folder)


def _load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    found = find_spec(f"duckdb_extension_{name}")
    if found is None or not found.submodule_search_locations:
        raise QueryError(
            ErrorKind.NOT_SUPPORTED,
            f"DuckDB's extension {name} is not installed: pip install 'cloche[s3]'",
        )
    folder = Path(found.submodule_search_locations[0]) / "extensions"
    file = folder / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    connection.execute(f"LOAD {literal(str(file))}")
