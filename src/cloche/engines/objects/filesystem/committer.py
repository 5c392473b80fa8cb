"""The committer: all that wait to change something share one sync.

Changes are decided in order, on the event loop, within a transaction of the index; a thread then
writes their entries to the journal as one frame and syncs it; then the transaction is committed
and everybody is told. While a frame is on its way to the disk the next changes gather.

The index is worked on by the loop's thread, not by one of its own, because Python's interpreter
lock would pass to and fro with each statement, which costs more than the statements do.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, TypeVar

from cloche.engines.objects.filesystem.bodies import BodyFiles
from cloche.engines.objects.filesystem.entries import Entry, encode_entries, sequence_number
from cloche.engines.objects.filesystem.index import Index
from cloche.engines.objects.filesystem.journal import Journal
from cloche.engines.objects.filesystem.staging import StagedFile

_log = logging.getLogger(__name__)

_BATCH_CHANGES = 256
_BATCH_BODY_BYTES = 4 * 1024 * 1024
_BATCH_SECONDS = 0.003

_T = TypeVar("_T")


class Batch:
    """The changes of one frame, and the transaction in which they are decided.

    Attributes:
        index: sees what the changes before this one have made.
    """

    def __init__(self, index: Index, number: int) -> None:
        self.index = index
        self.number = number
        self.entries: list[Entry] = []
        self.bodies: list[bytes] = []
        self.body_bytes = 0
        self.staged: list[StagedFile] = []
        self.outcomes: list[tuple[asyncio.Future[Any], Any]] = []

    @property
    def sequence(self) -> int:
        """The sequence number of the next entry."""
        return sequence_number(self.number, len(self.entries))

    def write(self, entry: Entry, *, body: bytes = b"", staged: StagedFile | None = None) -> None:
        """Make a change; called at most once by a change, and as the last thing it does.

        Args:
            entry: the change.
            body: goes into the journal and the index with it.
            staged: the file that belongs to it.
        """
        if staged is not None:
            staged.claim()
            self.staged.append(staged)
        self.index.apply(entry, self.sequence, body)
        self.entries.append(entry)
        if body:
            self.bodies.append(body)
            self.body_bytes += len(body)


Change = Callable[[Batch], _T]
"""Decides on a change, writes its entry and returns what the caller gets; raises to refuse."""


@dataclass(slots=True)
class _Pause:
    """Keeps changes back while another thread works on the index."""

    gate: threading.Lock = field(default_factory=threading.Lock)
    state: threading.Lock = field(default_factory=threading.Lock)
    is_wanted: bool = False
    held_up: asyncio.AbstractEventLoop | None = None


class Committer:
    """Decides, journals and applies changes in batches. Called on one event loop at a time.

    Attributes:
        applied: number of the last frame that is in the index.
        after_commit: called on the event loop after each batch that changed something.
    """

    def __init__(
        self,
        index: Index,
        journal: Journal,
        files: BodyFiles,
        *,
        applied: int,
    ) -> None:
        self._index = index
        self._journal = journal
        self._files = files
        self.after_commit: Callable[[], None] = lambda: None
        self._waiting: deque[tuple[Change[Any], asyncio.Future[Any]]] = deque()
        self._is_scheduled = False
        self._pause = _Pause()
        self._is_closed = False
        self._jobs: SimpleQueue[tuple[Batch, asyncio.AbstractEventLoop] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write_frames, name="objects-journal")
        self._thread.daemon = True
        self._thread.start()
        self.applied = applied

    def commit(self, change: Change[_T]) -> asyncio.Future[_T]:
        """Queue a change; done when it survives a crash.

        If the future is cancelled before its turn the change is not made.

        Raises:
            OSError: the disk is full, or failed; nothing was changed.
        """
        if self._is_closed:
            raise RuntimeError("the object store is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        self._waiting.append((change, future))
        self._schedule(loop)
        return future

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._is_scheduled and self._waiting:
            self._is_scheduled = True
            loop.call_soon(self._run_batch, loop)

    def _enter(self, loop: asyncio.AbstractEventLoop) -> bool:
        pause = self._pause
        with pause.state:
            if not pause.is_wanted and pause.gate.acquire(blocking=False):
                return True
            pause.held_up = loop
            return False

    def _run_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._enter(loop):
            return  # scheduled again when the pause is over
        batch = Batch(self._index, self.applied + 1)
        try:
            self._index.begin()
            self._decide(batch)
            if not batch.entries:
                self._index.commit()
        except sqlite3.Error as error:
            self._finish(batch, _as_os_error(error), loop)
            return
        if batch.entries:
            self._jobs.put((batch, loop))
        else:
            self._leave(batch, None, loop)

    def _decide(self, batch: Batch) -> None:
        deadline = time.perf_counter() + _BATCH_SECONDS
        waiting = self._waiting
        while waiting and len(batch.outcomes) < _BATCH_CHANGES:
            if batch.body_bytes >= _BATCH_BODY_BYTES or time.perf_counter() > deadline:
                break
            change, future = waiting.popleft()
            if future.done():
                continue
            batch.outcomes.append((future, None))
            try:
                batch.outcomes[-1] = (future, change(batch))
            except sqlite3.Error:
                raise
            except Exception as error:  # noqa: BLE001  # a condition raises what its caller likes
                batch.outcomes.pop()
                future.set_exception(error)

    def _write_frames(self) -> None:
        """The journal's thread."""
        while (job := self._jobs.get()) is not None:
            batch, loop = job
            failure: OSError | None = None
            try:
                if batch.staged:
                    self._files.sync_staged_names()
                entries = encode_entries(batch.entries)
                self._journal.append(batch.number, entries, batch.bodies)
                self._files.place(staged.name for staged in batch.staged)
            except OSError as error:
                failure = error
            loop.call_soon_threadsafe(self._finish, batch, failure, loop)

    def _finish(
        self, batch: Batch, failure: OSError | None, loop: asyncio.AbstractEventLoop
    ) -> None:
        if failure is None:
            try:
                self._index.commit(batch.number)
                self.applied = batch.number
            except sqlite3.Error as error:
                self._journal.rewind()
                self._files.take_back(staged.name for staged in batch.staged)
                failure = _as_os_error(error)
        if failure is not None:
            _log.error("a batch of %d changes failed: %s", len(batch.outcomes), failure)
            self._index.rollback()
            for staged in batch.staged:
                staged.give_back()
        self._leave(batch, failure, loop)

    def _leave(
        self, batch: Batch, failure: OSError | None, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._pause.gate.release()
        for future, outcome in batch.outcomes:
            if future.done():
                continue
            if failure is None:
                future.set_result(outcome)
            else:
                future.set_exception(OSError(failure.errno, failure.strerror))
        if batch.entries:
            self.after_commit()
        self._is_scheduled = False
        self._schedule(loop)

    @contextmanager
    def paused(self) -> Generator[Index]:
        """Keep changes back while the caller, on another thread, works on the index."""
        pause = self._pause
        pause.is_wanted = True
        pause.gate.acquire()
        try:
            yield self._index
        finally:
            with pause.state:
                pause.is_wanted = False
                pause.gate.release()
                loop, pause.held_up = pause.held_up, None
            if loop is not None:
                loop.call_soon_threadsafe(self._run_batch, loop)

    async def close(self) -> None:
        """Let what waits be committed, and stop."""
        if self._waiting or self._is_scheduled:
            await self.commit(lambda _: None)
        self._is_closed = True
        self._jobs.put(None)
        self._thread.join()


def _as_os_error(error: sqlite3.Error) -> OSError:
    is_full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return OSError(errno.ENOSPC if is_full else errno.EIO, str(error))
