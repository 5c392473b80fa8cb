"""DuckDB databases whose extensions speak to PostgreSQL and MySQL.

They are apart from those that run queries, whose SQL is the users': nothing that a user writes is
run here, and secrets are known here alone. To load an extension takes 200 to 300 ms, so that there
is one database for each kind, for as long as the engine lives. What is attached to it is attached
for one query under a name of its own, which takes 5 to 15 ms, and holds its connections; nothing
of it is kept for the next.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.federation import mysql, postgresql
from cloche.engines.sql.federation.pumps import ROWS_AT_A_TIME, Pump
from cloche.engines.sql.federation.threads import NotInTime, Threads
from cloche.engines.sql.formats.sql_text import literal
from cloche.engines.sql.remote import RemoteDatabase, RemoteKind

_EXTENSIONS: dict[RemoteKind, str] = {"postgresql": "postgres_scanner", "mysql": "mysql_scanner"}
_TYPES: dict[RemoteKind, str] = {"postgresql": "postgres", "mysql": "mysql"}
_SSL_MODES = {
    "disable": "disabled",
    "prefer": "preferred",
    "require": "required",
    "verify-ca": "verify_ca",
    "verify-full": "verify_identity",
}
_ROWS_SECONDS = 30.0
_END_SECONDS = 5.0
_MEMORY = "512MB"


class Scanners:
    """The databases by kind, opened when they are first needed."""

    def __init__(self) -> None:
        self._opened: dict[RemoteKind, duckdb.DuckDBPyConnection] = {}
        self._threads = Threads()
        self._lock = threading.Lock()

    def attach(self, database: RemoteDatabase, check: Callable[[], None]) -> Attachment:
        """Connect to a database, for one query.

        Args:
            database: where it is.
            check: is called while this blocks; what it raises is raised.

        Raises:
            QueryError: it does not answer in time or refuses, or an extension is not installed.
        """
        attachment = Attachment(self._threads, self._scanner(database.kind), database)
        try:
            self._threads.bounded(
                attachment.open, database.connect_seconds + 1, check, attachment.late
            )
        except NotInTime:
            raise attachment.unreachable(
                f"it did not answer within {database.connect_seconds:g} seconds"
            ) from None
        except duckdb.Error as error:
            raise attachment.unreachable(attachment.said(error)) from None
        return attachment

    def close(self) -> None:
        """Close all; waits some seconds for threads that are still at work."""
        self._threads.join(_END_SECONDS)
        with self._lock:
            opened, self._opened = self._opened, {}
        for connection in opened.values():
            connection.close()

    def _scanner(self, kind: RemoteKind) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if kind not in self._opened:
                self._opened[kind] = _open(kind)
            return self._opened[kind].cursor()


def _open(kind: RemoteKind) -> duckdb.DuckDBPyConnection:
    name = _EXTENSIONS[kind]
    found = find_spec(f"duckdb_extension_{name}")
    if found is None or not found.submodule_search_locations:
        raise QueryError(
            ErrorKind.NOT_SUPPORTED,
            f"DuckDB's extension {name} is not installed: pip install 'cloche[federation]'",
        )
    folder = Path(found.submodule_search_locations[0]) / "extensions"
    file = folder / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    connection = duckdb.connect(
        ":memory:",
        config={
            # A scan has a thread of its own, which does the work.
            "threads": 1,
            "memory_limit": _MEMORY,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
            "allow_persistent_secrets": False,
        },
    )
    connection.execute(f"LOAD {literal(str(file))}")
    connection.execute("SET TimeZone = 'UTC'")
    if kind == "mysql":
        connection.execute("SET GLOBAL mysql_session_time_zone = '+00:00'")
        connection.execute("SET GLOBAL mysql_tinyint1_as_boolean = false")
        connection.execute("SET GLOBAL mysql_bit1_as_boolean = false")
    return connection


class Attachment:
    """A database that is connected to, for one query.

    Args:
        threads: where it works.
        connection: a connection of the scanner's own.
        database: what it is connected to.
    """

    def __init__(
        self, threads: Threads, connection: duckdb.DuckDBPyConnection, database: RemoteDatabase
    ) -> None:
        self._threads = threads
        self._connection = connection
        self._database = database
        self._token = f"cloche-{secrets.token_hex(8)}"
        self._name = self._token.replace("-", "_")
        self._pumps: list[Pump] = []

    def open(self) -> None:
        """Connect; blocks for as long as the network does."""
        _attach(self._connection, self._database, self._name, self._token)

    def late(self, opened: Future[None]) -> None:
        """Let go of what was opened when nobody waited for it any more."""
        if opened.exception() is None:
            self._let_go()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query, which are few.

        Raises:
            QueryError: it fails, or takes longer than 30 seconds.
        """

        def fetch() -> list[tuple[Any, ...]]:
            cursor = self._connection.cursor()
            try:
                return cursor.execute(self._select(), [self._name, sql]).fetchall()
            finally:
                cursor.close()

        try:
            return self._threads.bounded(fetch, _ROWS_SECONDS, lambda: None)
        except NotInTime:
            raise self.unreachable(f"it did not answer within {_ROWS_SECONDS:g} seconds") from None
        except duckdb.Error as error:
            raise self.failed(error) from None

    def batches(
        self, sql: str, schema: pa.Schema, check: Callable[[], None]
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a query in batches of a schema, read ahead by a thread.

        Args:
            sql: in the database's dialect.
            schema: what the values are cast to; its names are those of the query's columns.
            check: is called while this blocks; what it raises is raised.

        Raises:
            QueryError: it fails.
        """
        casts = ", ".join(f"CAST({f.name} AS {_duckdb_type(f.type)}) AS {f.name}" for f in schema)
        marked = f"/* {self._token} */ {sql}" if self._database.kind == "mysql" else sql
        pump = Pump(
            self._threads,
            self._connection.cursor(),
            f"SELECT {casts} FROM ({self._select()})",
            [self._name, marked],
            self.kill,
        )
        self._pumps.append(pump)
        pump.start()
        try:
            while (batch := pump.take(check)) is not None:
                yield batch.cast(schema) if batch.schema != schema else batch
        except duckdb.OutOfMemoryException:
            raise self._too_wide() from None
        except duckdb.Error as error:
            raise self.failed(error) from None
        except (pa.ArrowException, OSError) as error:
            raise self.failed(error) from None
        finally:
            pump.stop()

    def close(self) -> None:
        """End what is running and let go of the connections; waits a moment at most."""
        for pump in self._pumps:
            pump.stop()
        for pump in self._pumps:
            if not pump.has_ended(0.3):
                # The other side has not yet noticed: the last connection is let go of then.
                self._threads.start(self._close_later)
                return
        self._let_go()

    def kill(self) -> None:
        """End what the other side is running; blocks."""
        connection = self._connection.cursor()
        name, token = f"{self._name}_kill", f"{self._token}-kill"
        try:
            _attach(connection, self._database, name, token, is_read_only=False)
            if self._database.kind == "postgresql":
                connection.execute(self._select(), [name, postgresql.kill_sql(self._token)])
                connection.fetchall()
            else:
                running = connection.execute(
                    self._select(), [name, mysql.running_sql(self._token)]
                ).fetchall()
                for (connection_id,) in running:
                    killing = mysql.kill_sql(connection_id)
                    connection.execute("CALL mysql_execute(?, ?)", [name, killing])
            connection.execute(f"DETACH {name}")
        except duckdb.Error:
            return  # it is asked, no more: it may be gone, or not let itself be asked
        finally:
            connection.close()

    def unreachable(self, why: str) -> QueryError:
        """The error for a database that cannot be connected to."""
        database = self._database
        return QueryError(
            ErrorKind.JDBC_ERROR,
            f"Catalog '{database.catalog}' cannot connect to {database.place}: {why}",
        )

    def failed(self, error: BaseException) -> QueryError:
        """The error for a query that the database refuses or does not end."""
        database = self._database
        return QueryError(
            ErrorKind.JDBC_ERROR,
            f"Catalog '{database.catalog}' ({database.place}): {self.said(error)}",
        )

    def _too_wide(self) -> QueryError:
        """The error for rows of which the scanner can't keep as many as it takes at a time."""
        database = self._database
        return QueryError(
            ErrorKind.EXCEEDED_MEMORY_LIMIT,
            f"Catalog '{database.catalog}' ({database.place}): {ROWS_AT_A_TIME} rows, which are "
            f"read at a time, take more than {_MEMORY}",
        )

    def said(self, error: BaseException) -> str:
        """What the database says, without what DuckDB and its driver add; no password is in it."""
        text = str(error).partition("\nLINE ")[0].strip()
        _, has_error, told = text.partition("ERROR:")
        if has_error:
            text = told
        else:
            # `Unable to connect to … at "options": reason`
            text = re.sub(r"^[\w ]*Error: ", "", text)
            text = re.sub(r'^[^"]* "[^"]*": ', "", text)
        text = " ".join(text.split())
        password = self._database.password
        return text.replace(password, "***") if len(password) >= 4 else text

    def _select(self) -> str:
        kind = _TYPES[self._database.kind]
        return f"SELECT * FROM {kind}_query(?, ?)"

    def _close_later(self) -> None:
        for pump in self._pumps:
            pump.has_ended(None)
        self._let_go()

    def _let_go(self) -> None:
        try:
            self._connection.execute(f"DETACH DATABASE IF EXISTS {self._name}")
        except duckdb.Error:
            return  # the engine was closed meanwhile
        finally:
            self._connection.close()


def _attach(
    connection: duckdb.DuckDBPyConnection,
    database: RemoteDatabase,
    name: str,
    token: str,
    *,
    is_read_only: bool = True,
) -> None:
    """Attach under a name; the secret is gone again when this returns."""
    kind = _TYPES[database.kind]
    members = {
        "HOST": database.host,
        "PORT": str(database.port),
        "DATABASE": database.database,
        "USER": database.user,
        "PASSWORD": database.password,
    }
    given = ", ".join(f"{key} {literal(value)}" for key, value in members.items())
    if database.kind == "postgresql":
        options = (
            f"connect_timeout={max(1, round(database.connect_seconds))} "
            f"sslmode={database.encryption} gssencmode=disable application_name={token} "
            "keepalives_idle=30 keepalives_interval=10 keepalives_count=3 client_encoding=UTF8"
        )
    else:
        options = f"ssl_mode={_SSL_MODES[database.encryption]}"
    only = ", READ_ONLY" if is_read_only else ""
    connection.execute(f"CREATE TEMPORARY SECRET {name} (TYPE {kind}, {given})")
    try:
        connection.execute(
            f"ATTACH {literal(options)} AS {name} (TYPE {kind}, SECRET {name}{only})"
        )
    finally:
        connection.execute(f"DROP SECRET IF EXISTS {name}")


def _duckdb_type(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMPTZ" if kind.tz else "TIMESTAMP"
    return _DUCKDB[kind]


_DUCKDB: dict[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.date32(): "DATE",
    pa.time64("us"): "TIME",
}
