"""The log of calls at work: notes them on the event loop, writes them in a thread."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloche.core.audit import (
    RETENTION_SECONDS,
    Chunk,
    EventStore,
    Found,
    IndexedEvent,
    Position,
)
from cloche.core.audit_events import EventBuilder, FinishedCall, ModelOf

if TYPE_CHECKING:
    from cloche.core.errors import AWSError
    from cloche.core.operations import Call

GATHERING_SECONDS = 0.5
_WRITTEN_TOGETHER = 1024
_ENOUGH_CALLS = 2000
_MOST_CALLS_WAITING = 50_000
_CALLS_BETWEEN_PAUSES = 64
_RETRY_SECONDS = 5.0

log = logging.getLogger(__name__)


class AuditRecorder:
    """The log of calls of one server; an `AuditLog`.

    `record` costs a microsecond or two. A thread wakes at the first call after a pause, lets more
    gather for half a second or two thousand calls, and writes them (the fewer transactions, the
    fewer pages). It gives up the interpreter
    about every millisecond, so that the event loop never waits for it for long.

    While the store cannot be written the calls are kept and tried again; beyond 50,000 the oldest
    are dropped and their number is logged.

    Args:
        store: keeps the events.
        clock_time: Cloche time.
        model_of: the model of a service's operation, by which parameters are written.
        account_id: whose log has the calls of nobody's account (anonymous ones).
    """

    def __init__(
        self,
        store: EventStore,
        clock_time: Callable[[], float],
        model_of: ModelOf,
        account_id: str,
    ) -> None:
        self._store = store
        self._clock_time = clock_time
        self._builder = EventBuilder(model_of, account_id)
        self._waiting: deque[FinishedCall] = deque()
        self._built: list[IndexedEvent] = []
        self._writing = threading.Lock()
        self._is_awake = False
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    @property
    def log_id(self) -> str:
        """Tells this log from those of other servers."""
        return self._store.log_id

    def record(
        self,
        call: Call,
        read_only: bool,
        request: Mapping[str, Any],
        response: Mapping[str, Any] | None,
        error: AWSError | None,
        started_at: float,
    ) -> None:
        """Note a finished call; see `AuditLog.record`."""
        waiting = self._waiting
        if read_only:
            response = None  # no event tells it, and a listing is large
        waiting.append(FinishedCall(call, read_only, request, response, error, started_at))
        if not self._is_awake:
            self._is_awake = True
            self._wake.set()
        elif len(waiting) == _ENOUGH_CALLS:
            self._hurry.set()

    def flush(self) -> None:
        """Return when all that was recorded before is in the log.

        Raises:
            OSError: the log cannot be written; what was recorded is kept to be tried again.
        """
        with self._writing:
            self._write()

    def lookup(
        self,
        account_id: str,
        region: str,
        *,
        attribute: tuple[str, str] | None = None,
        start: int | None = None,
        end: int | None = None,
        before: Position | None = None,
        limit: int = 50,
    ) -> Sequence[Found]:
        """Management events, newest first; see `AuditLog.lookup`."""
        now = int(self._clock_time())
        oldest = now - RETENTION_SECONDS
        return self._store.lookup(
            f"{account_id}/{region}",
            attribute,
            oldest if start is None else max(start, oldest),
            now if end is None else end,
            before,
            limit,
        )

    def chunk_after(self, sequence: int, *, include_data: bool) -> Chunk | None:
        """The next stretch of the log; see `AuditLog.chunk_after`."""
        return self._store.chunk_after(sequence, include_data)

    def last_sequence(self) -> int:
        """Sequence number of the newest chunk of what was flushed."""
        return self._store.last_sequence()

    def close(self) -> None:
        """Flush and stop."""
        self._is_closed = True
        self._wake.set()
        self._hurry.set()
        self._thread.join()
        try:
            self.flush()
        except OSError:
            log.exception("the audit log cannot be written; the last calls are lost to it")
        self._store.close()

    def _run(self) -> None:
        while not self._is_closed:
            self._wake.wait()
            self._hurry.wait(GATHERING_SECONDS)
            self._hurry.clear()
            self._wake.clear()
            self._is_awake = False  # before reading: a call noted from here on wakes it again
            try:
                self.flush()
            except OSError:
                log.exception("the audit log cannot be written; %d calls wait", len(self._waiting))
                self._drop_oldest()
                self._is_awake = True
                self._wake.set()
                self._hurry.wait(_RETRY_SECONDS)

    def _write(self) -> None:
        """Write what waits, some at a time; what was built stays until it is written."""
        while self._waiting or self._built:
            self._build()
            management = [event for event in self._built if event.terms]
            data = [event.event for event in self._built if not event.terms]
            self._store.append(management, data)
            self._built.clear()

    def _build(self) -> None:
        now = self._clock_time()
        while self._waiting and len(self._built) < _WRITTEN_TOGETHER:
            self._built.append(self._builder.build(self._waiting.popleft(), now))
            if len(self._built) % _CALLS_BETWEEN_PAUSES == 0:
                time.sleep(0)

    def _drop_oldest(self) -> None:
        dropped = 0
        while len(self._waiting) > _MOST_CALLS_WAITING:
            self._waiting.popleft()
            dropped += 1
        if dropped:
            log.error("the audit log cannot be written: %d calls are lost to it", dropped)
