"""Documents in PostgreSQL, shared by any number of servers.

A server writes through one connection: what waits is run in one serializable transaction against
a view that holds its changes back, and these are sent together just before the commit. When
another server was faster, PostgreSQL refuses the transaction and it is run again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import DeadlockDetected, QueryCanceled, SerializationFailure
from psycopg_pool import ConnectionPool

from cloche.engines.documents.batching import BatchingWriter, Submission
from cloche.engines.documents.migrations import pending_migrations
from cloche.engines.documents.pending import PendingTransaction
from cloche.engines.documents.ranges import NameRange, name_range
from cloche.engines.documents.revisions import Revisions
from cloche.engines.errors import StartError

R = TypeVar("R")

Key = tuple[str, str, str, str]
Stored = tuple[bytes, int, int]
Row = tuple[str, str, str, bytes, int, int]
Connection = psycopg.Connection[tuple[Any, ...]]

MIGRATIONS: tuple[tuple[LiteralString, ...], ...] = (
    (
        'CREATE TABLE documents (table_name text COLLATE "C" NOT NULL,'
        ' account text COLLATE "C" NOT NULL, region text COLLATE "C" NOT NULL,'
        ' name text COLLATE "C" NOT NULL, value bytea NOT NULL, version integer NOT NULL,'
        " revision bigint NOT NULL, PRIMARY KEY (table_name, account, region, name))",
        "CREATE SEQUENCE document_openings",
    ),
)
"""Statements that lead from each schema version to the next. Only ever added to."""

_GET = (
    "SELECT value, version, revision FROM documents"
    " WHERE table_name = %s AND account = %s AND region = %s AND name = %s"
)
_SCAN = (
    "SELECT account, region, name, value, version, revision FROM documents"
    " WHERE table_name = %s AND account = %s AND region = %s AND name >= %s"
    " ORDER BY name LIMIT %s"
)
_SCAN_UP_TO = (
    "SELECT account, region, name, value, version, revision FROM documents"
    " WHERE table_name = %s AND account = %s AND region = %s AND name >= %s AND name < %s"
    " ORDER BY name LIMIT %s"
)
_SCAN_ALL = (
    "SELECT account, region, name, value, version, revision FROM documents"
    " WHERE table_name = %s AND (account, region, name) > (%s, %s, %s)"
    " ORDER BY account, region, name LIMIT %s"
)
# All changes of a batch go in one statement each, as columns.
_PUT = (
    "INSERT INTO documents SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[],"
    " %s::bytea[], %s::integer[], %s::bigint[])"
    " ON CONFLICT (table_name, account, region, name) DO UPDATE SET"
    " value = excluded.value, version = excluded.version, revision = excluded.revision"
)
_DELETE = (
    "DELETE FROM documents WHERE (table_name, account, region, name) IN"
    " (SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]))"
)
_MIGRATION_LOCK = 0x636C6F636865
_CONNECTIONS = 16
_CONNECT_TIMEOUT_SECONDS = 10
# A database that is stuck must not hold up the server for ever, and its event loop (which reads
# what is not in the cache) only shortly.
_READ_SECONDS = 5.0
_WRITE_SECONDS = 30.0
_ATTEMPTS_TOGETHER = 3
_ATTEMPTS_ALONE = 100
_LONGEST_PAUSE_SECONDS = 0.05


class UnreachableDatabase(StartError):
    """There is no connection to be had."""

    hint = "Start it, or let CLOCHE_DATABASE_URL name another database."


class UnsuitableDatabase(StartError):
    """The database cannot keep documents."""

    hint = "Let CLOCHE_DATABASE_URL name a database of encoding UTF8, in which its user may write."


class PostgreSQLReads:
    """Reads over anything that runs a statement."""

    def __init__(
        self, fetch: Callable[[LiteralString, tuple[Any, ...]], list[tuple[Any, ...]]]
    ) -> None:
        self._fetch = fetch

    def get(self, key: Key) -> Stored | None:
        """Value, record version and revision of a key."""
        rows: list[Any] = self._fetch(_GET, key)
        return rows[0] if rows else None

    def scan(self, place: tuple[str, str, str], names: NameRange, limit: int) -> list[Row]:
        """Rows in name order."""
        lower = names.lower
        further = 1 if names.is_exclusive else 0  # the row of `lower` itself may come first
        rows: list[Any]
        if names.upper is None:
            rows = self._fetch(_SCAN, (*place, lower, limit + further))
        else:
            rows = self._fetch(_SCAN_UP_TO, (*place, lower, names.upper, limit + further))
        if names.is_exclusive:
            rows = [row for row in rows if row[2] != lower]
        return rows[:limit]

    def scan_all(self, table: str, after: tuple[str, str, str] | None, limit: int) -> list[Row]:
        """Rows of all accounts and regions, in key order."""
        rows: list[Any] = self._fetch(_SCAN_ALL, (table, *(after or ("", "", "")), limit))
        return rows


class PostgreSQLDocuments:
    """Documents in the default schema of a database.

    Args:
        url: `postgresql://…`, as libpq reads it.

    Raises:
        UnreachableDatabase: there is no connection to be had.
        UnsuitableDatabase: its encoding is not UTF8, or its user may not write.
        NewerSchema: a newer Cloche wrote it.
    """

    is_shared = True

    def __init__(self, url: str) -> None:
        with _explained(UnreachableDatabase, "doesn't answer"):
            self._url = _with_limits(url, _CONNECT_TIMEOUT_SECONDS)
            self._connection = self._connect()
        try:
            with _explained(UnsuitableDatabase, "can't keep documents"):
                revisions = Revisions(_prepare(self._connection))
        except BaseException:
            self._connection.close()
            raise
        self._pool = ConnectionPool[Connection](
            self._url,
            min_size=1,
            max_size=_CONNECTIONS,
            timeout=_CONNECT_TIMEOUT_SECONDS,
            kwargs={"autocommit": True, "prepare_threshold": 1},
            configure=lambda connection: _limit(connection, _READ_SECONDS),
            name="documents",
            open=True,
        )
        self._reads = PostgreSQLReads(self._fetch)
        stored = PostgreSQLReads(self._fetch_within)
        self._transaction = PendingTransaction(stored, revisions)
        self._writer = BatchingWriter[PendingTransaction]("documents-writer", self._commit)

    def get(self, key: Key) -> Stored | None:
        """Value, record version and revision of a key."""
        return self._reads.get(key)

    def scan(
        self, table: str, account: str, region: str, prefix: str, after: str, limit: int
    ) -> list[Row]:
        """Rows in name order."""
        return self._reads.scan((table, account, region), name_range(prefix, after), limit)

    def scan_all(self, table: str, after: tuple[str, str, str] | None, limit: int) -> list[Row]:
        """Rows of all accounts and regions, in key order."""
        return self._reads.scan_all(table, after, limit)

    def submit(
        self, work: Callable[[PendingTransaction], R], committed: Callable[[], None]
    ) -> Future[R]:
        """Queue a transaction for the writer thread."""
        return self._writer.submit(work, committed)

    def close(self) -> None:
        """Commit what was submitted and disconnect."""
        self._writer.close()
        self._connection.close()
        self._pool.close()

    def _fetch(
        self, statement: LiteralString, parameters: tuple[Any, ...]
    ) -> list[tuple[Any, ...]]:
        try:
            return self._fetch_once(statement, parameters)
        except QueryCanceled:
            raise  # it has taken its time already
        except psycopg.OperationalError:
            # The connection may have been lost since it was last used; a read can be repeated.
            self._pool.check()
            return self._fetch_once(statement, parameters)

    def _fetch_once(
        self, statement: LiteralString, parameters: tuple[Any, ...]
    ) -> list[tuple[Any, ...]]:
        with self._pool.connection() as connection:
            return _execute(connection, statement, parameters)

    def _fetch_within(
        self, statement: LiteralString, parameters: tuple[Any, ...]
    ) -> list[tuple[Any, ...]]:
        return _execute(self._connection, statement, parameters)

    def _connect(self) -> Connection:
        connection = psycopg.connect(self._url, prepare_threshold=1, autocommit=True)
        connection.execute("SET synchronous_commit = on")
        connection.execute("SET client_encoding = 'UTF8'")
        _limit(connection, _WRITE_SECONDS)
        connection.autocommit = False
        connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        return connection

    def _commit(self, batch: Sequence[Submission[PendingTransaction]]) -> None:
        attempts = _ATTEMPTS_TOGETHER if len(batch) > 1 else _ATTEMPTS_ALONE
        try:
            self._attempt(batch, attempts)
        except _CommitFailed as error:
            # Whether it was written is not known: running it again could do it twice.
            for submission in batch:
                submission.fail(error.reason)
            return
        except psycopg.Error as error:
            if len(batch) == 1:
                batch[0].fail(error)
                return
            for submission in batch:
                self._commit([submission])
            return
        for submission in batch:
            submission.resolve()

    def _attempt(self, batch: Sequence[Submission[PendingTransaction]], attempts: int) -> None:
        """Run and commit a batch, again if it conflicts or the connection was lost before."""
        for attempt in range(1, attempts + 1):
            try:
                if self._connection.closed:
                    self._connection = self._connect()
                self._run_together(batch)
                return
            except (SerializationFailure, DeadlockDetected):
                self._connection.rollback()
                if attempt == attempts:
                    raise
                _pause(attempt)
            except psycopg.Error:
                if not self._connection.closed:
                    self._connection.rollback()
                if attempt >= 2 or not self._connection.closed:
                    raise

    def _run_together(self, batch: Sequence[Submission[PendingTransaction]]) -> None:
        transaction = self._transaction
        transaction.begin()
        for submission in batch:
            succeeded = submission.run(transaction)
            if isinstance(submission.error, psycopg.Error):
                raise submission.error
            transaction.finish(succeeded)
        puts, deletes = transaction.changes()
        if puts:
            self._connection.execute(_PUT, [list(column) for column in zip(*puts, strict=True)])
        if deletes:
            columns = zip(*deletes, strict=True)
            self._connection.execute(_DELETE, [list(column) for column in columns])
        try:
            self._connection.commit()
        except psycopg.OperationalError as error:
            if isinstance(error, SerializationFailure | DeadlockDetected):
                raise
            raise _CommitFailed(error) from error


class _CommitFailed(Exception):
    """The connection was lost between the commit and its answer."""

    def __init__(self, reason: psycopg.Error) -> None:
        self.reason = reason
        super().__init__(str(reason))


def check_connection(url: str, timeout_seconds: int) -> None:
    """Ask a database something, on a connection of its own.

    Raises:
        UnreachableDatabase: it does not answer.
    """
    with _explained(UnreachableDatabase, "doesn't answer"):
        psycopg.connect(_with_limits(url, timeout_seconds)).close()


def _with_limits(url: str, seconds: int) -> str:
    """The URL's parameters; unless it says how long connecting may take, this does.

    A machine that has vanished is given up after thirty seconds, where the system allows it.
    """
    defaults = {"connect_timeout": seconds, "tcp_user_timeout": 30_000}
    parameters: dict[str, Any] = {**defaults, **conninfo_to_dict(url)}
    return make_conninfo(**parameters)


@contextmanager
def _explained(kind: type[StartError], what: str) -> Generator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise kind(f"PostgreSQL {what}: {' '.join(str(error).split())}") from error


def _execute(
    connection: Connection, statement: LiteralString, parameters: tuple[Any, ...]
) -> list[tuple[Any, ...]]:
    return connection.execute(statement, parameters, binary=True).fetchall()


def _limit(connection: Connection, seconds: float) -> None:
    """Have the database give up any statement that takes longer."""
    milliseconds = str(round(seconds * 1000))
    connection.execute("SELECT set_config('statement_timeout', %s, false)", (milliseconds,))


def _pause(attempt: int) -> None:
    longest_seconds = min(0.001 * 2**attempt, _LONGEST_PAUSE_SECONDS)
    time.sleep(random.uniform(0, longest_seconds))  # noqa: S311  # only keeps servers apart


def _prepare(connection: Connection) -> int:
    """Bring the schema up to date and count the opening."""
    with connection.transaction():
        (encoding,) = connection.execute("SHOW server_encoding").fetchone() or ("",)
        if encoding != "UTF8":
            raise UnsuitableDatabase(f"The database's encoding is {encoding}, not UTF8.")
    # One server at a time; in read committed, so that it sees what the one before it did.
    connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
        connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)")
        row = connection.execute("SELECT version FROM schema_version").fetchone()
        version: int | None = None if row is None else row[0]
        for statements in pending_migrations(MIGRATIONS, version, "database"):
            for statement in statements:
                connection.execute(statement)
        connection.execute("DELETE FROM schema_version")
        connection.execute("INSERT INTO schema_version VALUES (%s)", (len(MIGRATIONS),))
        (opening,) = connection.execute("SELECT nextval('document_openings')").fetchone() or (0,)
    connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
    return opening
