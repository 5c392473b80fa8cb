"""Group commit: a thread that takes all transactions that wait and commits them together."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

Tx = TypeVar("Tx")

_BATCH_LIMIT = 1000


class StoreClosed(Exception):
    """The store was closed before this could be written."""


class Submission(Generic[Tx]):
    """A transaction that waits for its commit.

    Attributes:
        work: does it; may be run several times.
        committed: called after the commit, before anyone is told of it.
        future: told of it.
        result: what `work` returned last.
        error: what `work` raised last.
    """

    __slots__ = ("committed", "error", "future", "result", "work")

    def __init__(self, work: Callable[[Tx], Any], committed: Callable[[], None]) -> None:
        self.work = work
        self.committed = committed
        self.future: Future[Any] = Future()
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self, transaction: Tx) -> bool:
        """Run the work and keep what comes of it; whether it succeeded."""
        self.error = None
        try:
            self.result = self.work(transaction)
        except Exception as error:  # noqa: BLE001  # the caller's own; it is raised to them
            self.error = error
        return self.error is None

    def resolve(self) -> None:
        """Tell the caller."""
        if self.error is None:
            self.committed()
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)

    def fail(self, error: BaseException) -> None:
        """Tell the caller that nothing came of it."""
        self.future.set_exception(error)


class BatchingWriter(Generic[Tx]):
    """One thread that runs everything that is submitted, in order, in batches.

    Args:
        name: of the thread.
        commit: runs and commits a batch and resolves or fails each of its members.
    """

    def __init__(self, name: str, commit: Callable[[Sequence[Submission[Tx]]], None]) -> None:
        self._commit = commit
        self._queue: queue.SimpleQueue[Submission[Tx] | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Tx], Any], committed: Callable[[], None]) -> Future[Any]:
        """Queue a transaction.

        Raises:
            StoreClosed: `close` was called.
            RuntimeError: called from within a transaction, which would wait for itself.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a transaction uses the transaction it is given, not the store")
        submission = Submission(work, committed)
        with self._closing:
            if self._is_closed:
                raise StoreClosed("the document store is closed")
            self._queue.put(submission)
        return submission.future

    def close(self) -> None:
        """Commit what was submitted and end the thread."""
        with self._closing:
            if not self._is_closed:
                self._is_closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            batch, is_last = self._next_batch()
            if batch:
                try:
                    self._commit(batch)
                except Exception as error:  # noqa: BLE001  # else all who wait would wait for ever
                    for submission in batch:
                        if not submission.future.done():
                            submission.fail(error)
            if is_last:
                return

    def _next_batch(self) -> tuple[list[Submission[Tx]], bool]:
        batch: list[Submission[Tx]] = []
        submission = self._queue.get()
        while submission is not None:
            if submission.future.set_running_or_notify_cancel():
                batch.append(submission)
            if len(batch) >= _BATCH_LIMIT:
                return batch, False
            try:
                submission = self._queue.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True
