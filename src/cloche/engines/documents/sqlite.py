"""Documents in one SQLite file, in WAL mode.

All writes go through one thread that commits whatever waits together: one fsync for all of them.
Each reading thread has its own connection, whose snapshot is the last commit.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO, TypeVar

from cloche.engines.documents.batching import BatchingWriter, Submission
from cloche.engines.documents.migrations import pending_migrations
from cloche.engines.documents.ranges import NameRange, name_range
from cloche.engines.documents.revisions import Revisions
from cloche.engines.errors import StartError

R = TypeVar("R")

Key = tuple[str, str, str, str]
Stored = tuple[bytes, int, int]
Row = tuple[str, str, str, bytes, int, int]

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE documents ("
        " table_name TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL,"
        " name TEXT NOT NULL, value BLOB NOT NULL, version INTEGER NOT NULL,"
        " revision INTEGER NOT NULL, PRIMARY KEY (table_name, account, region, name))"
        " WITHOUT ROWID",
        "CREATE TABLE openings (count INTEGER NOT NULL)",
        "INSERT INTO openings VALUES (0)",
    ),
)
"""Statements that lead from each schema version to the next. Only ever added to."""

_GET = (
    "SELECT value, version, revision FROM documents"
    " WHERE table_name = ? AND account = ? AND region = ? AND name = ?"
)
_INSERT = "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_PUT = (
    "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (table_name, account, region, name) DO UPDATE SET"
    " value = excluded.value, version = excluded.version, revision = excluded.revision"
)
_REPLACE = (
    "UPDATE documents SET value = ?, version = ?, revision = ?"
    " WHERE table_name = ? AND account = ? AND region = ? AND name = ? AND revision = ?"
)
_DELETE = "DELETE FROM documents WHERE table_name = ? AND account = ? AND region = ? AND name = ?"
_SCAN_FROM = (
    "SELECT account, region, name, value, version, revision FROM documents"
    " WHERE table_name = ? AND account = ? AND region = ? AND name >= ? AND name < ?"
    " ORDER BY name LIMIT ?"
)
_SCAN_AFTER = (
    "SELECT account, region, name, value, version, revision FROM documents"
    " WHERE table_name = ? AND account = ? AND region = ? AND name > ? AND name < ?"
    " ORDER BY name LIMIT ?"
)
_SCAN_ALL = (
    "SELECT account, region, name, value, version, revision FROM documents"
    " WHERE table_name = ? AND (account, region, name) > (?, ?, ?)"
    " ORDER BY account, region, name LIMIT ?"
)
_AFTER_ANY_TEXT = b""  # SQLite orders every blob after every text


class StoreInUse(StartError):
    """Another process has opened the same file."""

    hint = "End it; CLOCHE_DATA or --data names another directory."


class SQLiteDocuments:
    """Documents in the file `documents.sqlite` of a directory, which no other process may open.

    Raises:
        StoreInUse: another process has it open.
        NewerSchema: a newer Cloche wrote it.
    """

    is_shared = False

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / "documents.sqlite"
        self._lock = _lock_file(directory / "documents.lock")
        self._local = threading.local()
        self._readers: dict[threading.Thread, sqlite3.Connection] = {}
        self._readers_lock = threading.Lock()
        try:
            self._connection = _connect(self._path)
            revisions = Revisions(_prepare(self._connection))
            _sync_directory(directory)
        except BaseException:
            self._lock.close()
            raise
        self._transaction = SQLiteTransaction(self._connection, revisions)
        self._writer = BatchingWriter[SQLiteTransaction]("documents-writer", self._commit)

    def get(self, key: Key) -> Stored | None:
        """Value, record version and revision of a key."""
        return self._reader().execute(_GET, key).fetchone()

    def scan(
        self, table: str, account: str, region: str, prefix: str, after: str, limit: int
    ) -> list[Row]:
        """Rows in name order."""
        return _scan(self._reader(), (table, account, region), name_range(prefix, after), limit)

    def scan_all(self, table: str, after: tuple[str, str, str] | None, limit: int) -> list[Row]:
        """Rows of all accounts and regions, in key order."""
        return _scan_all(self._reader(), table, after, limit)

    def submit(
        self, work: Callable[[SQLiteTransaction], R], committed: Callable[[], None]
    ) -> Future[R]:
        """Queue a transaction for the writer thread."""
        return self._writer.submit(work, committed)

    def close(self) -> None:
        """Commit what was submitted, fold the log into the file and unlock it."""
        self._writer.close()
        with self._readers_lock:
            readers, self._readers = self._readers, {}
        for connection in (*readers.values(), self._connection):
            connection.close()
        self._lock.close()

    def _reader(self) -> sqlite3.Connection:
        try:
            return self._local.connection
        except AttributeError:
            connection = self._local.connection = self._connection_of_an_ended_thread()
            if connection is None:
                connection = self._local.connection = _connect(self._path)
                connection.execute("PRAGMA query_only = ON")
            with self._readers_lock:
                self._readers[threading.current_thread()] = connection
            return connection

    def _connection_of_an_ended_thread(self) -> sqlite3.Connection | None:
        """To open one takes longer than all that a short job reads by it; others are closed."""
        with self._readers_lock:
            ended = [thread for thread in self._readers if not thread.is_alive()]
            connections = [self._readers.pop(thread) for thread in ended]
        for connection in connections[1:]:
            connection.close()
        return connections[0] if connections else None

    def _commit(self, batch: Sequence[Submission[SQLiteTransaction]]) -> None:
        try:
            self._run_together(batch)
        except sqlite3.Error as error:
            self._roll_back()
            if len(batch) == 1:
                batch[0].fail(error)
                return
            # One that fails (a full disk, a value too large) must not fail the others.
            for submission in batch:
                self._commit([submission])
            return
        for submission in batch:
            submission.resolve()

    def _run_together(self, batch: Sequence[Submission[SQLiteTransaction]]) -> None:
        transaction = self._transaction
        self._connection.execute("BEGIN IMMEDIATE")
        for submission in batch:
            succeeded = submission.run(transaction)
            if isinstance(submission.error, sqlite3.Error):
                raise submission.error
            transaction.finish(succeeded)
        self._connection.execute("COMMIT")

    def _roll_back(self) -> None:
        self._transaction.forget()
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


class SQLiteTransaction:
    """Reads and writes on the writer thread's connection, within a savepoint."""

    def __init__(self, connection: sqlite3.Connection, revisions: Revisions) -> None:
        self._connection = connection
        self._revisions = revisions
        self._has_savepoint = False

    def get(self, key: Key) -> Stored | None:
        """Value, record version and revision of a key."""
        return self._connection.execute(_GET, key).fetchone()

    def scan(
        self, table: str, account: str, region: str, prefix: str, after: str, limit: int
    ) -> list[Row]:
        """Rows in name order."""
        return _scan(self._connection, (table, account, region), name_range(prefix, after), limit)

    def scan_all(self, table: str, after: tuple[str, str, str] | None, limit: int) -> list[Row]:
        """Rows of all accounts and regions, in key order."""
        return _scan_all(self._connection, table, after, limit)

    def insert(self, key: Key, value: bytes, version: int) -> int | None:
        """The new revision; None if the key is taken."""
        revision = self._writing()
        inserted = self._connection.execute(_INSERT, (*key, value, version, revision)).rowcount
        return revision if inserted == 1 else None

    def put(self, key: Key, value: bytes, version: int) -> int:
        """The new revision."""
        revision = self._writing()
        self._connection.execute(_PUT, (*key, value, version, revision))
        return revision

    def replace(self, key: Key, value: bytes, version: int, revision: int) -> int | None:
        """The new revision; None if the key's revision is another."""
        new_revision = self._writing()
        parameters = (value, version, new_revision, *key, revision)
        replaced = self._connection.execute(_REPLACE, parameters).rowcount
        return new_revision if replaced == 1 else None

    def delete(self, key: Key) -> Stored | None:
        """What was deleted."""
        stored = self.get(key)
        if stored is not None:
            self._writing()
            self._connection.execute(_DELETE, key)
        return stored

    def finish(self, succeeded: bool) -> None:
        """Keep or undo what was written since the last call."""
        if self._has_savepoint:
            self._has_savepoint = False
            if not succeeded:
                self._connection.execute("ROLLBACK TO work")
            self._connection.execute("RELEASE work")

    def forget(self) -> None:
        """Be ready for a new transaction after a rollback."""
        self._has_savepoint = False

    def _writing(self) -> int:
        if not self._has_savepoint:
            self._connection.execute("SAVEPOINT work")
            self._has_savepoint = True
        return self._revisions.next()


def _scan(
    connection: sqlite3.Connection, place: tuple[str, str, str], names: NameRange, limit: int
) -> list[Row]:
    statement = _SCAN_AFTER if names.is_exclusive else _SCAN_FROM
    upper = _AFTER_ANY_TEXT if names.upper is None else names.upper
    return connection.execute(statement, (*place, names.lower, upper, limit)).fetchall()


def _scan_all(
    connection: sqlite3.Connection, table: str, after: tuple[str, str, str] | None, limit: int
) -> list[Row]:
    # No name is empty, so that this starts before the first.
    start = after or ("", "", "")
    return connection.execute(_SCAN_ALL, (table, *start, limit)).fetchall()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    return connection


def _prepare(connection: sqlite3.Connection) -> int:
    """Bring the schema up to date and count the opening; close the connection if that fails."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
        row: tuple[int] | None = connection.execute("SELECT version FROM schema_version").fetchone()
        version = None if row is None else row[0]
        for statements in pending_migrations(MIGRATIONS, version, "SQLite file"):
            for statement in statements:
                connection.execute(statement)
        connection.execute("DELETE FROM schema_version")
        connection.execute("INSERT INTO schema_version VALUES (?)", (len(MIGRATIONS),))
        connection.execute("UPDATE openings SET count = count + 1")
        (opening,) = connection.execute("SELECT count FROM openings").fetchone()
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return opening


def _lock_file(path: Path) -> IO[bytes]:
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise StoreInUse(f"{path.parent} is in use by another Cloche server.") from error
    return file


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
