"""The log of calls in a SQLite file.

Events are kept in compressed chunks of those that were written together, each chunk of management
or of data events alone. What management events are found by is a term: scope, attribute and value.
For each term and second there is one row for each chunk, with the places of its events in it, so
that writing a chunk of like calls costs a dozen rows, not eight for each call. (Each row costs a
turn of the interpreter's lock as well: sqlite3 lets go of it for every row.) A lookup reads at
most as many chunks as it returns events.

Management events are kept for 90 days, data events (which are read only to be delivered) for 30,
and these up to a total size. `synchronous=NORMAL`: what was written survives the process, not
always the machine.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
import zlib
from array import array
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar
from uuid import UUID

MANAGEMENT_SECONDS = 90 * 24 * 3600
DATA_SECONDS = 30 * 24 * 3600
DATA_LIMIT_BYTES = 256 * 1024 * 1024

_PURGE_EVERY_SECONDS = 3600
_PLACES = 1 << 16
_CHUNK_EVENTS = 256
_KEPT_TERMS = 50_000
_CHUNKS_SEARCHED_FOR_ID = 16
_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE identity (log_id TEXT NOT NULL);
INSERT INTO identity VALUES (lower(hex(randomblob(8))));
CREATE TABLE chunks (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    is_data INTEGER NOT NULL,
    first_time INTEGER NOT NULL,
    last_time INTEGER NOT NULL,
    first_event_id BLOB NOT NULL,
    event_ids BLOB NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX data_chunks ON chunks (sequence) WHERE is_data;
CREATE INDEX management_chunks ON chunks (sequence) WHERE NOT is_data;
CREATE INDEX chunks_by_event_id ON chunks (first_event_id) WHERE NOT is_data;
CREATE TABLE terms (id INTEGER PRIMARY KEY, term TEXT NOT NULL UNIQUE);
CREATE TABLE postings (
    term INTEGER NOT NULL,
    time INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    places BLOB NOT NULL,
    PRIMARY KEY (term, time, sequence)
) WITHOUT ROWID;
"""

Entry = tuple[bytes, bytes, str, int, Sequence[tuple[str, str]]]
"""Event, event id, scope, time in seconds, and terms that it is found by."""

Found = tuple[int, int, bytes]
"""Time, number and event."""

_Event = TypeVar("_Event")


class AuditLogUnavailable(OSError):
    """The file cannot be read or written: the disk is full, or it is damaged."""


class SQLiteEventStore:
    """Keeps events in one file. Its methods may be called from any thread.

    Attributes:
        log_id: sixteen hexadecimal digits, of this file alone.

    Args:
        path: of the file; made if it is not there.
        clock_time: seconds since 1970, by which events grow old.
        data_limit_bytes: how much is kept of data events, compressed.

    Raises:
        AuditLogUnavailable: the file cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        clock_time: Callable[[], float],
        *,
        data_limit_bytes: int = DATA_LIMIT_BYTES,
    ) -> None:
        self._clock_time = clock_time
        self._data_limit_bytes = data_limit_bytes
        self._term_ids: dict[str, int] = {}
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        with _translated():
            self._writer = _connect(path)
            _migrate(self._writer)
            self._reader = _connect(path)
            self._data_bytes = _data_bytes(self._writer)
            self.log_id: str = self._writer.execute("SELECT log_id FROM identity").fetchone()[0]
        self._purge_at = 0.0

    def append(self, management: Sequence[Entry], data: Sequence[bytes]) -> None:
        """Keep events in one transaction; the time of data events is now."""
        with self._write_lock, _translated():
            try:
                with self._transaction():
                    for chunk in _chunks(management):
                        self._append_management(chunk)
                    for chunk in _chunks(data):
                        self._append_chunk(chunk, times=[int(self._clock_time())])
                    self._purge_if_due()
            except BaseException:
                self._term_ids.clear()  # what was given within the transaction is void
                self._purge_at = 0.0
                raise

    def lookup(
        self,
        scope: str,
        term: tuple[str, str] | None,
        start: int,
        end: int,
        before: tuple[int, int] | None,
        limit: int,
    ) -> Sequence[Found]:
        """Management events of a scope with `start <= time <= end`, newest first.

        Args:
            scope: as it was appended.
            term: as it was appended, or `EventId` and a UUID; None for all of the scope.
            start: seconds.
            end: seconds.
            before: time and number of the event after which to go on.
            limit: at most so many.
        """
        before = before or (end + 1, 0)
        with self._read_lock, _translated():
            if term is not None and term[0] == "EventId":
                positions = self._positions_by_id(scope, term[1], start, end)
            else:
                positions = self._positions(_term(scope, term), start, end, before)
            wanted = (position for position in positions if position < before)
            return list(self._events(islice(wanted, limit)))

    def chunk_after(self, sequence: int, include_data: bool) -> tuple[int, Sequence[bytes]] | None:
        """The next chunk after a sequence number, of management events or of any."""
        condition = "" if include_data else "AND NOT is_data "
        with self._read_lock, _translated():
            row = self._reader.execute(
                "SELECT sequence, body FROM chunks WHERE sequence > ? "  # noqa: S608
                f"{condition}ORDER BY sequence LIMIT 1",
                (sequence,),
            ).fetchone()
        return None if row is None else (row[0], _unpacked(row[1]))

    def last_sequence(self) -> int:
        """Sequence number of the newest chunk there has ever been; 0 if there was none."""
        with self._read_lock, _translated():
            row = self._reader.execute(
                "SELECT seq FROM sqlite_sequence WHERE name = 'chunks'"
            ).fetchone()
        return 0 if row is None else row[0]

    def purge(self) -> None:
        """Drop what is too old, or too much; happens by itself about once in an hour."""
        with self._write_lock, _translated(), self._transaction():
            self._purge()

    def close(self) -> None:
        """Close the file."""
        with self._write_lock, self._read_lock:
            self._reader.close()
            self._writer.close()

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise
        self._writer.execute("COMMIT")

    def _append_management(self, entries: Sequence[Entry]) -> None:
        sequence = self._append_chunk(
            [entry[0] for entry in entries],
            times=[entry[3] for entry in entries],
            event_ids=[entry[1] for entry in entries],
        )
        places: dict[tuple[str, tuple[str, str] | None, int], array[int]] = {}
        for place, (_, _, scope, time, terms) in enumerate(entries):
            for term in (None, *terms):
                found = places.get((scope, term, time))
                if found is None:
                    found = places[scope, term, time] = array("H")
                found.append(place)
        self._writer.executemany(
            "INSERT INTO postings VALUES (?, ?, ?, ?)",
            [
                (self._term_id(_term(scope, term)), time, sequence, _bytes(found))
                for (scope, term, time), found in places.items()
            ],
        )

    def _append_chunk(
        self, events: Sequence[bytes], times: Sequence[int], event_ids: Sequence[bytes] = ()
    ) -> int:
        """Append a chunk, of data events if they have no ids, and return its sequence number."""
        body = zlib.compress(b"\n".join(events), 1)
        first_event_id = event_ids[0] if event_ids else b""
        cursor = self._writer.execute(
            "INSERT INTO chunks"
            " (is_data, first_time, last_time, first_event_id, event_ids, body)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (not event_ids, min(times), max(times), first_event_id, b"".join(event_ids), body),
        )
        if not event_ids:
            self._data_bytes += len(body)
        return cursor.lastrowid or 0

    def _term_id(self, term: str) -> int:
        term_id = self._term_ids.get(term)
        if term_id is None:
            if len(self._term_ids) >= _KEPT_TERMS:
                self._term_ids.clear()
            self._writer.execute("INSERT OR IGNORE INTO terms (term) VALUES (?)", (term,))
            term_id = _only(self._writer.execute("SELECT id FROM terms WHERE term = ?", (term,)))
            self._term_ids[term] = term_id
        return term_id

    def _positions(
        self, term: str, start: int, end: int, before: tuple[int, int]
    ) -> Iterator[tuple[int, int]]:
        """Time and number of the events of a term, newest first."""
        rows = self._reader.execute(
            "SELECT time, sequence, places FROM postings"
            " WHERE term = (SELECT id FROM terms WHERE term = ?)"
            " AND time >= ? AND time <= ? AND (time, sequence) <= (?, ?)"
            " ORDER BY time DESC, sequence DESC",
            (term, start, end, before[0], before[1] // _PLACES),
        )
        with closing(rows):
            for time, sequence, places in rows:
                for place in reversed(_array(places)):
                    yield time, sequence * _PLACES + place

    def _positions_by_id(
        self, scope: str, event_id: str, start: int, end: int
    ) -> Iterator[tuple[int, int]]:
        try:
            key = UUID(event_id).bytes
        except ValueError:
            return
        # Ids rise from chunk to chunk, unless the machine's clock was set back at a restart.
        candidates = self._reader.execute(
            "SELECT sequence, first_time, last_time, event_ids FROM chunks"
            " WHERE NOT is_data AND first_event_id <= ?"
            " ORDER BY first_event_id DESC LIMIT ?",
            (key, _CHUNKS_SEARCHED_FOR_ID),
        ).fetchall()
        for sequence, first_time, last_time, event_ids in candidates:
            place = _place_of(key, event_ids)
            if place is not None:
                number = sequence * _PLACES + place
                times = (max(start, first_time), min(end, last_time))
                found = self._positions(_term(scope, None), *times, (times[1] + 1, 0))
                yield from (position for position in found if position[1] == number)
                return

    def _events(self, rows: Iterable[tuple[int, int]]) -> Iterator[Found]:
        chunks: dict[int, Sequence[bytes]] = {}
        for time, number in rows:
            sequence, place = divmod(number, _PLACES)
            events = chunks.get(sequence)
            if events is None:
                body = self._reader.execute(
                    "SELECT body FROM chunks WHERE sequence = ?", (sequence,)
                ).fetchone()
                if body is None:  # purged since its number was read
                    continue
                events = chunks[sequence] = _unpacked(body[0])
            yield time, number, events[place]

    def _purge_if_due(self) -> None:
        if self._clock_time() >= self._purge_at or self._data_bytes > self._data_limit_bytes:
            self._purge()

    def _purge(self) -> None:
        now = int(self._clock_time())
        oldest = now - MANAGEMENT_SECONDS
        delete = self._writer.execute
        if delete("DELETE FROM chunks WHERE NOT is_data AND last_time < ?", (oldest,)).rowcount:
            for (term_id,) in self._writer.execute("SELECT id FROM terms").fetchall():
                delete("DELETE FROM postings WHERE term = ? AND time < ?", (term_id, oldest))
            delete("DELETE FROM terms WHERE id NOT IN (SELECT DISTINCT term FROM postings)")
            self._term_ids.clear()
        delete("DELETE FROM chunks WHERE is_data AND last_time < ?", (now - DATA_SECONDS,))
        self._data_bytes = _data_bytes(self._writer)
        self._drop_data_over(self._data_limit_bytes)
        self._purge_at = now + _PURGE_EVERY_SECONDS

    def _drop_data_over(self, limit_bytes: int) -> None:
        """Drop the oldest data chunks; a tenth more than must be, so that it is not done often."""
        if self._data_bytes <= limit_bytes:
            return
        last_sequence = 0
        rows = self._writer.execute(
            "SELECT sequence, length(body) FROM chunks WHERE is_data ORDER BY sequence"
        )
        with closing(rows):
            for sequence, size_bytes in rows:
                last_sequence = sequence
                self._data_bytes -= size_bytes
                if self._data_bytes <= limit_bytes * 9 // 10:
                    break
        self._writer.execute("DELETE FROM chunks WHERE is_data AND sequence <= ?", (last_sequence,))


def _chunks(events: Sequence[_Event]) -> Iterator[Sequence[_Event]]:
    for start in range(0, len(events), _CHUNK_EVENTS):
        yield events[start : start + _CHUNK_EVENTS]


def _term(scope: str, term: tuple[str, str] | None) -> str:
    """A term as text; scopes and attributes hold no line breaks, so that it has one meaning."""
    return scope if term is None else f"{scope}\n{term[0]}\n{term[1]}"


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -8000")
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    """Make the tables of a new file.

    Raises:
        AuditLogUnavailable: a newer Cloche wrote it.
    """
    version = _only(connection.execute("PRAGMA user_version"))
    if version > _SCHEMA_VERSION:
        raise AuditLogUnavailable("the audit log was written by a newer version of Cloche")
    if version == 0:
        connection.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {_SCHEMA_VERSION};COMMIT;")


def _only(cursor: sqlite3.Cursor) -> int:
    return int(cursor.fetchone()[0])


def _data_bytes(connection: sqlite3.Connection) -> int:
    return _only(connection.execute("SELECT total(length(body)) FROM chunks WHERE is_data"))


def _place_of(event_id: bytes, event_ids: bytes) -> int | None:
    """Which of the ids, laid end to end, one is."""
    offsets = range(0, len(event_ids), len(event_id))
    found = (place for place, at in enumerate(offsets) if event_ids.startswith(event_id, at))
    return next(found, None)


def _bytes(places: array[int]) -> bytes:
    """Places as they are stored: two bytes each, little-endian."""
    if sys.byteorder == "big":
        places.byteswap()
    return places.tobytes()


def _array(places: bytes) -> array[int]:
    found = array("H", places)
    if sys.byteorder == "big":
        found.byteswap()
    return found


def _unpacked(body: bytes) -> Sequence[bytes]:
    return zlib.decompress(body).split(b"\n")


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise AuditLogUnavailable(f"the audit log cannot be used: {error}") from error
