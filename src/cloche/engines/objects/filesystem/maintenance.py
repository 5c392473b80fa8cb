"""What is done behind the committer's back: checkpoints, and removing what nobody needs.

A checkpoint makes the index's file and the names of the body files durable, so that the journal
up to there may be written over. It comes when a segment is full, and after a pause in writing.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from pathlib import Path

from cloche.engines.objects.filesystem.bodies import BodyFiles
from cloche.engines.objects.filesystem.committer import Committer
from cloche.engines.objects.filesystem.index import Index
from cloche.engines.objects.filesystem.journal import Journal
from cloche.engines.objects.filesystem.schema import open_for_checkpoints

_log = logging.getLogger(__name__)

IDLE_SECONDS = 5.0
FILE_GRACE_SECONDS = 60.0
"""How long the file of a version that is gone stays, for those who were given its path."""
BODY_GRACE_SECONDS = 5.0
"""How long a small body stays for those who know its record and haven't read it yet."""

_DEAD_FILES_AT_ONCE = 200
_DEAD_BODIES_AT_ONCE = 2000
_RETRY_SECONDS = 10.0


class GracePeriod:
    """Up to which row of a table of the dead the time is over. Rows of a second go together."""

    def __init__(self, seconds: float, newest: int) -> None:
        """What is dead at the start, through the row `newest`, is due at once."""
        self._seconds = seconds
        self._lock = threading.Lock()
        self._newest = newest
        self._marks: deque[tuple[float, float, int]] = deque()  # first and last death, row
        if newest:
            self._marks.append((-seconds, -seconds, newest))

    def note(self, newest: int) -> None:
        """Say that the rows up to this one are dead now."""
        if newest <= self._newest:
            return
        now = time.monotonic()
        with self._lock:
            self._newest = newest
            begun = now
            if self._marks and now - self._marks[-1][0] < 1.0:
                begun = self._marks.pop()[0]
            self._marks.append((begun, now, newest))

    def wait_seconds(self) -> float | None:
        """How long until something is due; None if nothing is dead."""
        with self._lock:
            if not self._marks:
                return None
            return max(0.0, self._marks[0][1] + self._seconds - time.monotonic())

    def due(self) -> int:
        """The row up to which the dead may be removed; 0 if none."""
        with self._lock:
            if self._marks and self._marks[0][1] + self._seconds <= time.monotonic():
                return self._marks[0][2]
            return 0

    def done(self, through: int) -> None:
        """Say that the dead up to this row were removed."""
        with self._lock:
            while self._marks and self._marks[0][2] <= through:
                self._marks.popleft()


class Maintenance:
    """A thread that does the work when it is due."""

    def __init__(
        self,
        index_path: Path,
        index: Index,
        journal: Journal,
        files: BodyFiles,
        committer: Committer,
    ) -> None:
        self._connection = open_for_checkpoints(index_path)
        self._index = index
        self._journal = journal
        self._files = files
        self._dead_files = GracePeriod(FILE_GRACE_SECONDS, index.newest_dead_file)
        self._dead_bodies = GracePeriod(BODY_GRACE_SECONDS, index.newest_dead_body)
        self._wake = threading.Event()
        self._is_dirty = False
        self._is_closing = False
        self._last_commit = 0.0
        self._thread = threading.Thread(target=self._run, name="objects-maintenance", daemon=True)
        self._committer = committer
        committer.after_commit = self.after_commit
        self._thread.start()

    def after_commit(self) -> None:
        """Note, on the event loop, that a batch was committed."""
        self._last_commit = time.monotonic()
        self._dead_files.note(self._index.newest_dead_file)
        self._dead_bodies.note(self._index.newest_dead_body)
        if not self._is_dirty:
            self._is_dirty = True
            self._wake.set()
        elif self._journal.full_segments:
            self._wake.set()

    def close(self) -> None:
        """Make a last checkpoint and stop."""
        self._is_closing = True
        self._wake.set()
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        pause = self._pause_seconds()
        while not self._is_closing:
            self._wake.wait(pause)
            self._wake.clear()
            try:
                self.work()
                pause = self._pause_seconds()
            except (OSError, sqlite3.Error) as error:
                _log.warning("the object store's maintenance will be tried again: %s", error)
                pause = _RETRY_SECONDS
        try:
            if self._is_dirty:
                self.checkpoint()
        except (OSError, sqlite3.Error) as error:
            _log.warning("no checkpoint at the end, the next start replays: %s", error)

    def _pause_seconds(self) -> float | None:
        waits = [self._dead_files.wait_seconds(), self._dead_bodies.wait_seconds()]
        if self._is_dirty:
            waits.append(max(0.0, self._last_commit + IDLE_SECONDS - time.monotonic()))
        return min((wait for wait in waits if wait is not None), default=None)

    def work(self) -> None:
        """Do what is due.

        Raises:
            OSError: the disk is full, or failed.
            sqlite3.Error: the index could not be written.
        """
        is_idle = self._last_commit + IDLE_SECONDS <= time.monotonic()
        if self._journal.full_segments or (self._is_dirty and is_idle):
            self.checkpoint()
        self._journal.prepare_spare()
        self._remove_dead_bodies()
        self._remove_dead_files()

    def checkpoint(self) -> None:
        """Make everything that is committed durable without the journal.

        Most of it is done while changes go on; they wait only for the rest.

        Raises:
            OSError: a file could not be moved or synced.
            sqlite3.Error: the index could not be written.
        """
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self._files.sync_placed()
        with self._committer.paused() as index:
            if not self._files.sync_placed():
                raise OSError("a body could not be moved to its place")
            self._is_dirty = False
            number = self._committer.applied
            index.note_checkpoint(number)
            query = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (is_busy, _, _) = query.fetchone()
            if is_busy:
                self._is_dirty = True
                raise sqlite3.OperationalError("a reader keeps the index from being written")
        self._journal.recycle(number)

    def _remove_dead_bodies(self) -> None:
        while through := self._dead_bodies.due():
            with self._committer.paused() as index:
                rows = index.dead_bodies(through, _DEAD_BODIES_AT_ONCE)
                if rows:
                    index.remove_dead_bodies(rows[-1][0])
            self._files.remove_local_copies(str(body) for _, body in rows)
            if len(rows) < _DEAD_BODIES_AT_ONCE:
                self._dead_bodies.done(through)

    def _remove_dead_files(self) -> None:
        while through := self._dead_files.due():
            with self._committer.paused() as index:
                rows = index.dead_files(through, _DEAD_FILES_AT_ONCE)
            for _, location in rows:
                self._files.remove(location)
            if rows:
                with self._committer.paused() as index:
                    index.forget_dead_files(rows[-1][0])
            if len(rows) < _DEAD_FILES_AT_ONCE:
                self._dead_files.done(through)
