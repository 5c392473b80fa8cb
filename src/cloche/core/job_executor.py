"""The part of a server that claims jobs that are due, runs their handlers and keeps the leases."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import msgspec

from cloche.core.clock import Clock
from cloche.core.documents import Transaction
from cloche.core.job_call import Again, JobCall, JobFailed, JobInterrupted, StopReason
from cloche.core.job_log import JobLogs
from cloche.core.job_states import (
    LEASE_SECONDS,
    Abandoned,
    Broken,
    Claimed,
    Finished,
    Job,
    JobEvent,
    LeaseLost,
    NotClaimable,
    Released,
    Renewed,
    RunAgain,
    Saved,
)
from cloche.core.job_store import JobKey, JobNotFound, JobStore, Kind

_log = logging.getLogger(__name__)

_POLL_SECONDS = 1.0
_RENEW_EVERY_POLLS = int(LEASE_SECONDS / 3 / _POLL_SECONDS)
_THREAD_LIMIT = 64
_TASK_LIMIT = 1000
_STOP_SECONDS = 5.0


class _Attempt:
    """A handler that is running."""

    def __init__(self, key: JobKey, call: JobCall, handling: asyncio.Future[Any]) -> None:
        self.key = key
        self.call = call
        self.handling = handling

    def stop(self, reason: StopReason) -> None:
        self.call.stop(reason)
        if isinstance(self.handling, asyncio.Task):
            self.handling.cancel()


class JobExecutor:
    """Runs jobs on the running loop, and in threads of their own, until it is stopped.

    Args:
        store: where the jobs are.
        clock: for run times.
        logs: for what handlers write.
        kinds: registered kinds by name; more may come while it runs.
        owner: this server, in the leases.
        load: called on the loop with a kind that is not registered and has unfinished jobs.
    """

    def __init__(
        self,
        store: JobStore,
        clock: Clock,
        logs: JobLogs,
        kinds: Mapping[str, Kind],
        owner: str,
        load: Callable[[str], object],
    ) -> None:
        self._store = store
        self._documents = store.documents
        self._clock = clock
        self._logs = logs
        self._kinds = kinds
        self._owner = owner
        self._load = load
        self._asked_to_load: set[str] = set()
        self._attempts: dict[str, _Attempt] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look for jobs that are due at once; called on the loop."""
        self._woken.set()

    def tell(self, job_id: str) -> None:
        """Let a handler know, if it runs here, that its job is to be cancelled."""
        if attempt := self._attempts.get(job_id):
            attempt.stop("cancelled")

    def has_room(self, kind: str) -> bool:
        """Whether a further job of a kind may begin; from any thread."""
        return self._free(self._kinds[kind]) > 0

    def begin(self, key: JobKey, job: Job) -> None:
        """Run a job that this server has claimed; called on the loop."""
        self._begin(self._kinds[key.kind], key, job)

    async def run(self) -> None:
        """Claim and run what is due, until cancelled; then let handlers stop for some seconds."""
        looping = [asyncio.create_task(self._claim_for_ever())]
        if self._documents.is_shared:
            looping.append(asyncio.create_task(self._keep_leases_for_ever()))
        try:
            await asyncio.gather(*looping)
        finally:
            for task in looping:
                task.cancel()
            await asyncio.gather(*looping, return_exceptions=True)
            for attempt in list(self._attempts.values()):
                attempt.stop("server stopping")
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=_STOP_SECONDS)

    async def _claim_for_ever(self) -> None:
        taken_over: set[str] = set()
        while True:
            self._woken.clear()
            try:
                if not self._documents.is_shared and self._kinds.keys() - taken_over:
                    taken_over = set(self._kinds)
                    await self._take_over(is_certain=True)
                next_due = await self._claim_due()
            except Exception:  # noqa: BLE001  # a database that is away must not end the executor
                _log.exception("cannot look for jobs that are due")
                await asyncio.sleep(_POLL_SECONDS)
                continue
            await self._wait(next_due)

    async def _wait(self, next_due: float | None) -> None:
        waiting: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._woken.wait())]
        if next_due is not None:
            waiting.append(asyncio.ensure_future(self._clock.sleep_until(next_due)))
        timeout = _POLL_SECONDS if self._documents.is_shared else None
        try:
            await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for future in waiting:
                future.cancel()

    async def _claim_due(self) -> float | None:
        """Start what is due; when to look again."""
        next_due: float | None = None
        for kind in list(self._kinds.values()):
            free = self._free(kind)
            if free <= 0:
                continue  # an attempt that ends wakes the executor
            keys, later = await asyncio.to_thread(self._store.due, kind.name, free)
            await asyncio.gather(*(self._claim(kind, key) for key in keys))
            if later is not None and (next_due is None or later < next_due):
                next_due = later
        return next_due

    def _free(self, kind: Kind) -> int:
        is_async = inspect.iscoroutinefunction(kind.handler)
        running = sum(
            isinstance(attempt.handling, asyncio.Task) == is_async
            for attempt in list(self._attempts.values())
        )
        return (_TASK_LIMIT if is_async else _THREAD_LIMIT) - running

    async def _claim(self, kind: Kind, key: JobKey) -> None:
        claiming = asyncio.ensure_future(self._apply(key, Claimed(self._owner)))
        with suppress(NotClaimable, JobNotFound):
            try:
                job = await asyncio.shield(claiming)
            except asyncio.CancelledError:
                job = await claiming
                await self._apply(key, Released(self._owner), job.id)
                raise
            self._begin(kind, key, job)

    def _begin(self, kind: Kind, key: JobKey, job: Job) -> None:
        call = JobCall(
            job,
            self._clock,
            self._logs,
            lambda checkpoint: self._save(key, job, checkpoint),
            lambda checkpoint: self._save_async(key, job, checkpoint),
        )
        attempt = _Attempt(key, call, _start(kind, call))
        self._attempts[job.id] = attempt
        task = asyncio.create_task(self._see_through(job, attempt), name=f"end of job {job.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _see_through(self, job: Job, attempt: _Attempt) -> None:
        await asyncio.wait((attempt.handling,))
        self._attempts.pop(job.id, None)
        event = self._outcome(attempt)
        while event is not None:
            try:
                await self._apply(attempt.key, event, job.id)
                break
            except (LeaseLost, JobNotFound) as error:
                _log.warning("job %s: %s", job.id, error)
                break
            except Exception:  # noqa: BLE001  # while the database is away, nothing may be lost
                _log.exception("cannot record the end of job %s", job.id)
                await asyncio.sleep(_POLL_SECONDS)
        self.wake()

    def _outcome(self, attempt: _Attempt) -> JobEvent | None:
        call, handling = attempt.call, attempt.handling
        error = None if handling.cancelled() else handling.exception()
        if call.stop_reason == "lease lost":
            return None
        if handling.cancelled() or error is not None:
            if call.stop_reason == "server stopping":
                return Released(self._owner)
            if error is None or isinstance(error, JobInterrupted):
                return Broken(self._owner, "interrupted")
            if isinstance(error, JobFailed):
                return Broken(self._owner, str(error), is_final=True)
            _log.error("job %s failed", call.job.id, exc_info=error)
            return Broken(self._owner, f"{type(error).__name__}: {error}")
        result = handling.result()
        try:
            msgspec.json.encode(result.checkpoint if isinstance(result, Again) else result)
        except (TypeError, ValueError) as unsuitable:
            return Broken(self._owner, f"its result cannot be kept: {unsuitable}", is_final=True)
        if isinstance(result, Again):
            return RunAgain(self._owner, result.run_at, result.checkpoint)
        return Finished(self._owner, result)

    async def _keep_leases_for_ever(self) -> None:
        """Renew the leases of what runs here, and take over what nobody runs any more."""
        polls = 0
        while True:
            try:
                if polls % _RENEW_EVERY_POLLS == 0:
                    await self._renew()
                    await self._load_unfinished_kinds()
                    await self._take_over(is_certain=False)
                else:
                    await asyncio.to_thread(self._look_for_news)
            except Exception:  # noqa: BLE001  # a database that is away must not end the executor
                _log.exception("cannot renew the leases of jobs")
            await asyncio.sleep(_POLL_SECONDS)
            polls += 1

    async def _renew(self) -> None:
        for job_id, attempt in list(self._attempts.items()):
            try:
                job = await self._apply(attempt.key, Renewed(self._owner), job_id)
            except (LeaseLost, JobNotFound):
                if job_id in self._attempts:
                    attempt.stop("lease lost")
            else:
                if job.state == "Cancelling":
                    attempt.stop("cancelled")

    async def _load_unfinished_kinds(self) -> None:
        """Be able to run what other servers leave when they are gone."""
        unfinished = await asyncio.to_thread(self._store.unfinished_kinds)
        for kind in unfinished - self._kinds.keys() - self._asked_to_load:
            self._asked_to_load.add(kind)
            try:
                self._load(kind)
            except Exception:  # noqa: BLE001  # one service that is broken must not hold up others
                _log.exception("cannot load what runs jobs of kind %s", kind)

    def _look_for_news(self) -> None:
        """Notice what other servers did to the jobs that run here."""
        for job_id, attempt in list(self._attempts.items()):
            job = self._store.get(attempt.key)
            loop = attempt.handling.get_loop()
            if job is None or job.id != job_id or job.owner != self._owner:
                if job_id in self._attempts:  # else it has just ended here
                    loop.call_soon_threadsafe(attempt.stop, "lease lost")
            elif job.state == "Cancelling":
                loop.call_soon_threadsafe(attempt.stop, "cancelled")

    async def _take_over(self, *, is_certain: bool) -> None:
        for key in await asyncio.to_thread(self._store.running):
            job = await asyncio.to_thread(self._store.get, key)
            if job is None or job.owner == self._owner or key.kind not in self._kinds:
                continue
            if is_certain or job.lease_expires_at <= self._clock.wall_time():
                with suppress(JobNotFound):
                    await self._apply(key, Abandoned(is_certain), job.id)

    async def _apply(self, key: JobKey, event: JobEvent, job_id: str | None = None) -> Job:
        def work(tx: Transaction) -> Job:
            return self._store.apply(tx, key, event, job_id)

        return await self._documents.commit(work)

    def _save(self, key: JobKey, job: Job, checkpoint: dict[str, Any]) -> None:
        event = Saved(self._owner, checkpoint)
        self._documents.transact(lambda tx: self._store.apply(tx, key, event, job.id))

    async def _save_async(self, key: JobKey, job: Job, checkpoint: dict[str, Any]) -> None:
        await self._apply(key, Saved(self._owner, checkpoint), job.id)


def _start(kind: Kind, call: JobCall) -> asyncio.Future[Any]:
    handler = kind.handler
    name = f"job {call.job.id}"
    if inspect.iscoroutinefunction(handler):
        return asyncio.create_task(handler(call), name=name)
    done: Future[Any] = Future()

    def work() -> None:
        try:
            done.set_result(handler(call))
        except StopIteration as error:  # which no future can hold
            done.set_exception(RuntimeError(f"the handler raised {error!r}"))
        except BaseException as error:  # noqa: BLE001  # becomes the job's failure
            done.set_exception(error)

    # A thread of its own, as it may be blocked for days; a daemon, as it must not hold up the exit.
    threading.Thread(target=work, name=name, daemon=True).start()
    return asyncio.wrap_future(done)
