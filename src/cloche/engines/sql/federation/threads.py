"""Threads for work that may never end: who waits for a socket can't be interrupted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

T = TypeVar("T")

_LOOK_SECONDS = 0.05


class NotInTime(Exception):
    """The work has not ended; its thread goes on alone."""


class Threads:
    """Threads that the interpreter doesn't wait for when it ends, unlike those of a pool."""

    def __init__(self) -> None:
        self._running: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def start(self, work: Callable[[], None]) -> None:
        """Do some work that raises nothing."""

        def run() -> None:
            try:
                work()
            finally:
                with self._lock:
                    self._running.discard(threading.current_thread())

        thread = threading.Thread(target=run, name="remote", daemon=True)
        with self._lock:
            self._running.add(thread)
        thread.start()

    def bounded(
        self,
        work: Callable[[], T],
        seconds: float,
        check: Callable[[], None],
        late: Callable[[Future[T]], None] = lambda _: None,
    ) -> T:
        """What some work gives, which is done in a thread of its own.

        Args:
            work: blocks, perhaps for ever.
            seconds: how long it may take.
            check: is called while it lasts; what it raises is raised.
            late: is called with the outcome of work that was given up, should it ever come.

        Raises:
            NotInTime: it takes longer.
        """
        future: Future[T] = Future()
        self.start(lambda: _settle(future, work))
        deadline = time.monotonic() + seconds
        while not wait([future], _LOOK_SECONDS).done:
            try:
                check()
                if time.monotonic() > deadline:
                    raise NotInTime
            except BaseException:
                future.add_done_callback(late)
                raise
        return future.result()

    def join(self, seconds: float) -> None:
        """Wait for all to end, for some time at most."""
        deadline = time.monotonic() + seconds
        with self._lock:
            running = list(self._running)
        for thread in running:
            thread.join(max(0.0, deadline - time.monotonic()))


def _settle(future: Future[T], work: Callable[[], T]) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001  # it is raised where the work is waited for
        future.set_exception(error)
    else:
        future.set_result(result)
