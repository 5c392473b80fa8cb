"""How many queries run at once."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

from cloche.core.job_call import JobInterrupted
from cloche.services.athena.session import Session


class Slots:
    """Lets some queries run and others wait, the longest first.

    Args:
        count: that run at once.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: list[object] = []
        self._changed = threading.Condition()

    @contextmanager
    def slot(self, session: Session) -> Generator[None]:
        """While within, one of the slots is taken; a query that has to wait for it says so.

        Raises:
            JobInterrupted: the query is to stop, while it waits.
        """
        self._enter(session)
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _enter(self, session: Session) -> None:
        call = session.call
        with self._changed:
            if self._free > 0 and not self._waiting:
                self._free -= 1
                return
            ticket = object()
            self._waiting.append(ticket)
        call.on_stop(self._notify)
        try:
            call.save({"is_waiting": True})
            with self._changed:
                self._changed.wait_for(
                    lambda: (
                        call.cancelled.is_set() or (self._free > 0 and self._waiting[0] is ticket)
                    )
                )
                if call.cancelled.is_set():
                    raise JobInterrupted(call.stop_reason)
                self._free -= 1
        finally:
            with self._changed:
                self._waiting.remove(ticket)
                self._changed.notify_all()
        session.began_at = call.clock.time()
        call.save({"began_at": session.began_at})

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()
