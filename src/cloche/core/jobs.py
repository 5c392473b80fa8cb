"""Work that outlives the request that asked for it.

A job is recorded before it is acknowledged, run by one server at a time under a lease, and after
a crash resumed or failed with a reason. Each change of its state is told on the event bus, if its
kind has an event for it, in the same transaction.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from cloche.core.clock import Clock
from cloche.core.documents import Documents, Transaction
from cloche.core.event import Event
from cloche.core.events import EventBus
from cloche.core.job_call import Again, JobCall, JobFailed, JobInterrupted
from cloche.core.job_executor import JobExecutor
from cloche.core.job_log import JobLogs
from cloche.core.job_states import Action, CancelRequested, Claimed, Job, JobState, LeaseLost
from cloche.core.job_store import (
    JobExists,
    JobHandler,
    JobKey,
    JobNotFinished,
    JobNotFound,
    JobStore,
    Kind,
)

__all__ = [
    "Again",
    "Job",
    "JobCall",
    "JobExists",
    "JobFailed",
    "JobInterrupted",
    "JobNotFinished",
    "JobNotFound",
    "JobState",
    "Jobs",
    "LeaseLost",
]

_POLL_SECONDS = 0.5


def _load_nothing(_kind: str) -> None:
    """What a server without services does for the jobs of others."""


class Jobs:
    """The jobs of a server. All methods but the async ones are for any thread.

    Args:
        documents: where jobs are kept.
        clock: for run times and leases.
        events: told of changes of state.
        data_directory: its folder `jobs` gets a folder for each job.
    """

    def __init__(
        self, documents: Documents, clock: Clock, events: EventBus, data_directory: Path
    ) -> None:
        self._documents = documents
        self._clock = clock
        self._kinds: dict[str, Kind] = {}
        self._logs = JobLogs(data_directory)
        self._store = JobStore(documents, clock, events, self._kinds, self._changed)
        self._owner = uuid4().hex
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._executor: JobExecutor | None = None
        self._running: asyncio.Task[None] | None = None
        self._waiters: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def register(
        self,
        kind: str,
        handler: JobHandler,
        *,
        max_attempts: int = 1,
        is_resumable: bool = False,
        event_of: Callable[[Job], Event | None] | None = None,
    ) -> None:
        """Name the handler that runs jobs of a kind.

        Args:
            kind: `service.work`.
            handler: a function (run in a thread of its own) or a coroutine function. It returns
                the result, or `Again`; it raises `JobFailed` with a reason for the user, or
                anything else to be tried again.
            max_attempts: after which a failure is final. Attempts are apart by 1, 2, 4, … seconds
                of Cloche time.
            is_resumable: whether a job goes on after its server stopped; it counts as a failed
                attempt otherwise.
            event_of: the event that tells of a job's new state, None for none. It is called within
                the transaction.

        Raises:
            ValueError: the kind is registered, or no valid name.
        """
        if not re.fullmatch(r"[a-z0-9._-]+", kind) or kind in self._kinds:
            raise ValueError(f"{kind!r} is registered already, or no name for a kind of jobs")
        self._kinds[kind] = Kind(kind, handler, max_attempts, is_resumable, event_of)
        with self._lock:
            if self._loop is not None and self._executor is not None:
                self._loop.call_soon_threadsafe(self._executor.wake)

    def submit(
        self,
        kind: str,
        account: str,
        region: str,
        name: str,
        payload: dict[str, Any],
        run_at: float | None = None,
    ) -> Job:
        """Record a job to be run at once, or at an instant of Cloche time.

        Raises:
            JobExists: the kind has one of this name.
            LookupError: the kind is not registered.
        """
        return self._documents.transact(
            lambda tx: self.submit_in(tx, kind, account, region, name, payload, run_at)
        )

    async def submit_async(
        self,
        kind: str,
        account: str,
        region: str,
        name: str,
        payload: dict[str, Any],
        run_at: float | None = None,
    ) -> Job:
        """As `submit`, for async code."""
        return await self._documents.commit(
            lambda tx: self.submit_in(tx, kind, account, region, name, payload, run_at)
        )

    def submit_in(
        self,
        tx: Transaction,
        kind: str,
        account: str,
        region: str,
        name: str,
        payload: dict[str, Any],
        run_at: float | None = None,
    ) -> Job:
        """As `submit`, together with the other writes of a transaction."""
        key = JobKey(kind, account, region, name)
        return self._store.submit(
            tx, key, payload, self._clock.time() if run_at is None else run_at
        )

    def begin_in(
        self,
        tx: Transaction,
        kind: str,
        account: str,
        region: str,
        name: str,
        payload: dict[str, Any],
    ) -> Job:
        """As `submit_in`, and this server takes the job at once, in the same transaction.

        So a short job starts without the commit by which servers claim what is due. It is left in
        the queue where this server has no room, or runs no jobs.
        """
        key = JobKey(kind, account, region, name)
        job = self._store.submit(tx, key, payload, self._clock.time())
        with self._lock:
            loop, executor = self._loop, self._executor
        if loop is None or executor is None or not executor.has_room(kind):
            return job
        claimed = self._store.apply(tx, key, Claimed(self._owner), job.id)

        def begin() -> None:
            loop.call_soon_threadsafe(executor.begin, key, claimed)

        tx.after_commit(begin)
        return claimed

    def get(self, kind: str, account: str, region: str, name: str) -> Job | None:
        """A job; None if there is none."""
        return self._store.get(JobKey(kind, account, region, name))

    def scan(
        self,
        kind: str,
        account: str,
        region: str,
        prefix: str = "",
        after: str = "",
        limit: int = 1000,
    ) -> list[Job]:
        """At most `limit` jobs of a kind whose names have the prefix and come after `after`."""
        return self._store.scan(kind, account, region, prefix, after, limit)

    def cancel(self, kind: str, account: str, region: str, name: str) -> Job:
        """Ask for a job to end. It is Cancelled at once unless it runs; finished, it stays so.

        Raises:
            JobNotFound: there is none.
        """
        return self._documents.transact(lambda tx: self.cancel_in(tx, kind, account, region, name))

    async def cancel_async(self, kind: str, account: str, region: str, name: str) -> Job:
        """As `cancel`, for async code."""
        return await self._documents.commit(
            lambda tx: self.cancel_in(tx, kind, account, region, name)
        )

    def cancel_in(self, tx: Transaction, kind: str, account: str, region: str, name: str) -> Job:
        """As `cancel`, together with the other writes of a transaction."""
        return self._store.apply(tx, JobKey(kind, account, region, name), CancelRequested())

    def delete_in(self, tx: Transaction, kind: str, account: str, region: str, name: str) -> None:
        """Forget a finished job within a transaction; its folder stays.

        Raises:
            JobNotFinished: it is not finished.
        """
        self._store.delete(tx, JobKey(kind, account, region, name))

    async def wait(self, kind: str, account: str, region: str, name: str) -> Job:
        """A job when it is finished.

        Raises:
            JobNotFound: there is none.
        """
        waiter = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._waiters.add(waiter)
        try:
            while True:
                waiter[1].clear()
                job = await asyncio.to_thread(self.get, kind, account, region, name)
                if job is None:
                    raise JobNotFound(f"{kind} {name}")
                if job.is_finished:
                    return job
                timeout = _POLL_SECONDS if self._documents.is_shared else None
                changed = asyncio.ensure_future(waiter[1].wait())
                await asyncio.wait((changed,), timeout=timeout)
                changed.cancel()
        finally:
            with self._lock:
                self._waiters.discard(waiter)

    def read_log(self, job: Job) -> Iterator[str]:
        """The lines that a job's handler logged on this machine."""
        return self._logs.read(job.id)

    def unfinished_kinds(self) -> set[str]:
        """Kinds that have queued or running jobs, whose services a starting server has to load."""
        return self._store.unfinished_kinds()

    async def start(self, load: Callable[[str], object] = _load_nothing) -> None:
        """Begin to run jobs, on the running loop.

        Register the kinds of `unfinished_kinds` before: what a server that is gone was running is
        taken over now, if there is no other server, and only of kinds that are registered.

        Args:
            load: called on the loop, once with each kind that has unfinished jobs of other servers
                and is not registered here; it may register it.
        """
        executor = JobExecutor(self._store, self._clock, self._logs, self._kinds, self._owner, load)
        with self._lock:
            self._loop = asyncio.get_running_loop()
            self._executor = executor
        self._running = asyncio.create_task(executor.run(), name="jobs")

    async def stop(self) -> None:
        """Stop running jobs; handlers that end within five seconds give theirs back."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        with self._lock:
            self._loop = self._executor = None

    def _changed(self, job: Job, actions: tuple[Action, ...]) -> None:
        with self._lock:
            if self._loop is not None and self._executor is not None:
                if "enqueue" in actions:
                    self._loop.call_soon_threadsafe(self._executor.wake)
                if "tell_owner" in actions:
                    self._loop.call_soon_threadsafe(self._executor.tell, job.id)
            waiters = list(self._waiters)
        for loop, event in waiters:
            loop.call_soon_threadsafe(event.set)
