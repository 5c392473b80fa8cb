"""Who may work on the index: the event loop, or for a moment another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager


class Gate:
    """Held by the event loop's thread while a batch is under way, else by whoever comes.

    A thread that wants it gets it before the next batch. When it has it, it first prepares what
    the event loop needs to read in the meantime without the gate.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = threading.Lock()
        self._one_thread = threading.Lock()
        self._preparing = threading.Lock()
        self._is_wanted = False
        self._is_entered = False
        self._when_open: Callable[[], object] | None = None

    def enter(self, when_open: Callable[[], object]) -> bool:
        """Begin a batch. If another thread holds or wants the gate, `when_open` is called later."""
        with self._state:
            self._is_entered = not self._is_wanted and self._lock.acquire(blocking=False)
            if not self._is_entered:
                self._when_open = when_open
            return self._is_entered

    def leave(self) -> None:
        """End the batch."""
        self._is_entered = False
        self._lock.release()

    def try_hold(self) -> bool:
        """Take the gate for a moment, on the event loop; within a batch it is there already.

        If not, another thread has it and has prepared.
        """
        if self._is_entered or self._lock.acquire(blocking=False):
            return True
        with self._preparing:
            return self._lock.acquire(blocking=False)

    def let_go(self) -> None:
        """End what `try_hold` began."""
        if not self._is_entered:
            self._lock.release()

    @contextmanager
    def closed(self, prepare: Callable[[], None]) -> Generator[None]:
        """Hold the gate on a thread other than the event loop's.

        Args:
            prepare: called before the event loop does without the gate; if it raises, the gate is
                open again before the loop goes on.
        """
        with self._one_thread:
            with self._preparing:
                self._is_wanted = True
                self._lock.acquire()
                try:
                    prepare()
                except BaseException:
                    self._open()
                    raise
            try:
                yield
            finally:
                self._open()

    def _open(self) -> None:
        with self._state:
            self._is_wanted = False
            self._lock.release()
            when_open, self._when_open = self._when_open, None
        if when_open is not None:
            when_open()
