"""What a job's handler is given, and what it may answer besides its result."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cloche.core.clock import Clock
from cloche.core.job_log import JobLogs
from cloche.core.job_states import Job

StopReason = Literal["", "cancelled", "lease lost", "server stopping"]


class JobFailed(Exception):
    """Raised by a handler: the job fails with this text and is not tried again."""


class JobInterrupted(Exception):
    """Raised by a handler that stops because it was told to."""


@dataclass(frozen=True, slots=True)
class Again:
    """Returned by a handler that has more to do later.

    Attributes:
        run_at: when, in Cloche time.
        checkpoint: what it will find in its job then.
    """

    run_at: float
    checkpoint: dict[str, Any] = field(default_factory=dict[str, Any])


class JobCall:
    """One attempt at a job.

    A handler looks at `cancelled` (or calls `check`) from time to time, and raises
    `JobInterrupted` when it is set; an async one is cancelled as tasks are. What it saves is in
    `job.checkpoint` of the next attempt.

    Attributes:
        job: as it was claimed.
        clock: for waits: `call.clock.wait_until(instant, call.cancelled)`.
        cancelled: set when the handler is to stop.
        stop_reason: why.
    """

    def __init__(
        self,
        job: Job,
        clock: Clock,
        logs: JobLogs,
        save: Callable[[dict[str, Any]], None],
        save_async: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        self.job = job
        self.clock = clock
        self.cancelled = threading.Event()
        self.stop_reason: StopReason = ""
        self._stopping: list[Callable[[], None]] = []
        self._logs = logs
        self._save = save
        self._save_async = save_async

    @property
    def folder(self) -> Path:
        """The job's own folder."""
        return self._logs.folder(self.job.id)

    def remove_folder(self) -> None:
        """Remove the job's folder with its log, if there is one."""
        self._logs.remove(self.job.id)

    def log(self, text: str) -> None:
        """Add lines to the job's log."""
        self._logs.append(self.job.id, text)

    def save(self, checkpoint: dict[str, Any]) -> None:
        """Keep what the handler has come to, for a next attempt; returns when it is durable.

        Raises:
            LeaseLost: another server has the job by now.
        """
        self._save(checkpoint)

    async def save_async(self, checkpoint: dict[str, Any]) -> None:
        """As `save`, for async handlers."""
        await self._save_async(checkpoint)

    def check(self) -> None:
        """Go on only if the handler is not to stop.

        Raises:
            JobInterrupted: it is.
        """
        if self.cancelled.is_set():
            raise JobInterrupted(self.stop_reason)

    def on_stop(self, callback: Callable[[], None]) -> None:
        """Have a function called when the handler is told to stop; at once if it has been.

        It runs on the event loop or on the handler's thread, and may not block.
        """
        self._stopping.append(callback)
        if self.cancelled.is_set():
            callback()

    def stop(self, reason: StopReason) -> None:
        """Tell the handler to stop."""
        if not self.cancelled.is_set():
            self.stop_reason = reason
            self.cancelled.set()
            self.clock.wake()
            for callback in list(self._stopping):
                callback()
