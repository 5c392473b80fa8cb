"""The committer: all that wait to change something share one sync.

Changes are decided on the event loop against the index; a thread writes their entries to the
journal as one frame and syncs it; then the index is changed on the loop, and everybody is told.
While a frame is on its way to the disk the next changes gather. A batch has no two changes of the
same thing, so that each is decided knowing all that came before it.

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
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from cloche.engines.objects.filesystem.batches import ALONE, Batch, Change
from cloche.engines.objects.filesystem.bodies import BodyFiles
from cloche.engines.objects.filesystem.entries import encode_entries
from cloche.engines.objects.filesystem.gate import Gate
from cloche.engines.objects.filesystem.index import Index
from cloche.engines.objects.filesystem.journal import Journal
from cloche.engines.objects.filesystem.queries import Queries
from cloche.engines.objects.filesystem.saving import Saver, as_os_error

_log = logging.getLogger(__name__)

_BATCH_CHANGES = 256
_BATCH_BODY_BYTES = 4 * 1024 * 1024
_BATCH_SECONDS = 0.003
_BACKLOG_SEGMENTS = 8
_BACKLOG_SECONDS = 0.01


_T = TypeVar("_T")


class _Waiting(NamedTuple):
    change: Change[Any]
    subject: Hashable
    future: asyncio.Future[Any]


class Committer:
    """Decides, journals and applies changes in batches. Called on one event loop at a time.

    Attributes:
        after_commit: called on the event loop after each batch that changed something.
    """

    def __init__(self, index: Index, journal: Journal, files: BodyFiles, *, applied: int) -> None:
        self.after_commit: Callable[[], None] = lambda: None
        self._index = index
        self._journal = journal
        self._files = files
        self._gate = Gate()
        self._saver = Saver(index, self._gate, applied)
        self._waiting: deque[_Waiting] = deque()
        self._is_scheduled = False
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = threading.get_ident()
        self._jobs: SimpleQueue[tuple[Batch, asyncio.AbstractEventLoop] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write_frames, name="objects-journal")
        self._thread.daemon = True
        self._thread.start()

    @property
    def applied(self) -> int:
        """Number of the last frame that is in the index."""
        return self._saver.applied

    def commit(self, change: Change[_T], subject: Hashable = ALONE) -> asyncio.Future[_T]:
        """Queue a change; done when it survives a crash.

        If the future is cancelled before its turn the change is not made.

        Args:
            change: decides when its turn has come.
            subject: what it reads and changes, usually bucket and key.

        Raises:
            OSError: the disk is full, or failed; nothing was changed.
        """
        if self._is_closed:
            raise RuntimeError("the object store is closed")
        loop = asyncio.get_running_loop()
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop, self._loop_thread = loop, threading.get_ident()
            self._schedule(loop)
        elif loop is not self._loop:
            raise RuntimeError("the object store is at work on another event loop")
        future: asyncio.Future[_T] = loop.create_future()
        self._waiting.append(_Waiting(change, subject, future))
        return future

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run a batch soon; later, the more segments of the journal wait for a checkpoint."""
        backlog = self._journal.full_segments - _BACKLOG_SEGMENTS
        if backlog < 0:
            loop.call_soon(self._run_batch, loop)
        else:
            loop.call_later(_BACKLOG_SECONDS * (backlog + 1) ** 2, self._run_batch, loop)

    def _run_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._gate.enter(lambda: loop.call_soon_threadsafe(self._run_batch, loop)):
            return  # called again when the gate is open
        batch = Batch(self._index, self._saver.applied + 1)
        failure: OSError | None = None
        try:
            self._saver.check()
        except OSError as error:
            failure = error
            batch.outcomes += [(waiting.future, None) for waiting in self._waiting]
            self._waiting.clear()
        self._decide(batch)
        if failure is None and batch.changes:
            self._jobs.put((batch, loop))
        else:
            self._leave(batch, failure, loop)

    def _decide(self, batch: Batch) -> None:
        deadline = time.perf_counter() + _BATCH_SECONDS
        subjects: set[Hashable] = set()
        deferred: list[_Waiting] = []
        while self._waiting and len(batch.outcomes) < _BATCH_CHANGES:
            if batch.body_bytes >= _BATCH_BODY_BYTES or time.perf_counter() > deadline:
                break
            waiting = self._waiting[0]
            if waiting.subject is ALONE and (batch.changes or deferred):
                break
            self._waiting.popleft()
            if waiting.subject in subjects:
                deferred.append(waiting)
            elif not waiting.future.done():
                subjects.add(waiting.subject)
                _decide_one(batch, waiting)
                if waiting.subject is ALONE and batch.changes:
                    break
        self._waiting.extendleft(reversed(deferred))

    def _write_frames(self) -> None:
        """The journal's thread."""
        while (job := self._jobs.get()) is not None:
            batch, loop = job
            failure: OSError | None = None
            try:
                if batch.staged:
                    self._files.sync_staged_names()
                entries = encode_entries(batch.encoded)
                bodies = [body for _, body in batch.changes if body]
                self._journal.append(batch.number, entries, bodies)
                self._files.place(staged.name for staged in batch.staged)
            except OSError as error:
                failure = error
            except Exception as error:  # noqa: BLE001  # otherwise all would wait for ever
                _log.critical("the journal could not be written", exc_info=error)
                failure = OSError(errno.EIO, str(error))
            loop.call_soon_threadsafe(self._finish, batch, failure, loop)

    def _finish(
        self, batch: Batch, failure: OSError | None, loop: asyncio.AbstractEventLoop
    ) -> None:
        if failure is None:
            try:
                self._saver.apply(batch, loop)
            except Exception as error:  # noqa: BLE001  # otherwise all would wait for ever
                _log.critical("the index could not be changed", exc_info=error)
                self._journal.rewind()
                self._files.take_back(staged.name for staged in batch.staged)
                failure = as_os_error(error)
        self._leave(batch, failure, loop)

    def _leave(
        self, batch: Batch, failure: OSError | None, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._gate.leave()
        if failure is not None:
            _log.error("%d changes of objects failed: %s", len(batch.outcomes), failure)
            for staged in batch.staged:
                staged.give_back()
        for future, outcome in batch.outcomes:
            if future.done():
                continue
            if failure is None:
                future.set_result(outcome)
            else:
                future.set_exception(OSError(failure.errno, failure.strerror))
        if batch.changes:
            self.after_commit()
        self._is_scheduled = bool(self._waiting)
        if self._is_scheduled:
            self._schedule(loop)

    def read(self, query: Callable[[Queries], _T], otherwise: Callable[[], Queries]) -> _T:
        """Read, on the event loop, what was acknowledged.

        Args:
            query: reads.
            otherwise: opens another connection, for when a thread has the index. Then that one
                sees everything too.
        """
        if not self._gate.try_hold():
            return query(otherwise())
        try:
            return query(self._index)
        finally:
            self._gate.let_go()

    @property
    def is_on_loop(self) -> bool:
        """Whether the caller is on the thread of the event loop that makes the changes."""
        return threading.get_ident() == self._loop_thread

    def publish(self) -> bool:
        """Make what was acknowledged visible to other connections; on the event loop.

        Returns whether that was possible.
        """
        if not self._gate.try_hold():
            return True  # whoever holds the gate has seen to it
        try:
            return self._saver.save()
        finally:
            self._gate.let_go()

    @contextmanager
    def paused(self) -> Generator[Index]:
        """Keep changes back while the caller, on another thread, works on the index.

        Raises:
            OSError: the index can't be written now.
        """
        with self._gate.closed(self._saver.save_all):
            yield self._index

    async def close(self) -> None:
        """Let what waits be committed, and stop."""
        while self._is_scheduled:
            await self.commit(lambda _: None)
        self._is_closed = True
        self._jobs.put(None)
        self._thread.join()
        is_held = self._gate.try_hold()
        self._saver.close()  # a thread that holds the gate has left nothing to commit
        if is_held:
            self._gate.let_go()


def _decide_one(batch: Batch, waiting: _Waiting) -> None:
    try:
        outcome = waiting.change(batch)
    except sqlite3.Error as error:
        waiting.future.set_exception(as_os_error(error))
    except Exception as error:  # noqa: BLE001  # a condition raises what its caller likes
        waiting.future.set_exception(error)
    else:
        batch.outcomes.append((waiting.future, outcome))
