from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cloche.core.clock import Clock
from cloche.core.documents import Documents
from cloche.core.events import Event, EventBus
from cloche.core.jobs import (
    Again,
    Job,
    JobCall,
    JobExists,
    JobFailed,
    JobInterrupted,
    JobNotFinished,
    JobNotFound,
    Jobs,
)

ONE = ("test.work", "1", "r", "one")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def state_change(job: Job) -> Event:
    return Event(
        source="aws.test",
        detail_type="Job State Change",
        account=job.account,
        region=job.region,
        detail={"name": job.name, "state": job.state},
    )


@asynccontextmanager
async def running(
    documents: Documents, clock: Clock, folder: Path, handler: Any, **options: Any
) -> AsyncIterator[Jobs]:
    jobs = Jobs(documents, clock, EventBus(documents, clock), folder)
    jobs.register("test.work", handler, **options)
    await jobs.start()
    try:
        yield jobs
    finally:
        await jobs.stop()


async def run_one(
    documents: Documents, clock: Clock, folder: Path, handler: Any, **options: Any
) -> Job:
    async with running(documents, clock, folder, handler, **options) as jobs:
        await jobs.submit_async(*ONE, {"n": 20})
        return await asyncio.wait_for(jobs.wait(*ONE), 30)


def test_runs_a_function_in_a_thread(documents: Documents, clock: Clock, tmp_path: Path) -> None:
    def handler(call: JobCall) -> dict[str, Any]:
        assert threading.current_thread() is not threading.main_thread()
        call.log("first\nsecond")
        return {"double": call.job.payload["n"] * 2}

    job = asyncio.run(run_one(documents, clock, tmp_path, handler))
    assert (job.state, job.result, job.attempts) == ("Succeeded", {"double": 40}, 1)
    assert (tmp_path / "jobs" / job.id / "log").read_text() == "first\nsecond\n"


def test_runs_a_coroutine_on_the_loop(documents: Documents, clock: Clock, tmp_path: Path) -> None:
    async def handler(call: JobCall) -> int:
        await call.save_async({"half": 10})
        return call.job.payload["n"]

    job = asyncio.run(run_one(documents, clock, tmp_path, handler))
    assert (job.state, job.result, job.checkpoint) == ("Succeeded", 20, {"half": 10})


def test_fails_with_a_reason(documents: Documents, clock: Clock, tmp_path: Path) -> None:
    def handler(call: JobCall) -> None:
        raise JobFailed("AlgorithmError: no data")

    job = asyncio.run(run_one(documents, clock, tmp_path, handler, max_attempts=5))
    assert (job.state, job.error, job.attempts) == ("Failed", "AlgorithmError: no data", 1)


@pytest.mark.parametrize("result", [object(), {1j: 2}, Again(0.0, {"x": object()})])
def test_fails_when_its_result_cannot_be_kept(
    documents: Documents, clock: Clock, tmp_path: Path, result: object
) -> None:
    job = asyncio.run(run_one(documents, clock, tmp_path, lambda call: result))
    assert job.state == "Failed"
    assert job.error.startswith("its result cannot be kept")


@pytest.mark.parametrize("error", [StopIteration(3), KeyError("x"), SystemExit(1)])
def test_whatever_is_raised_is_the_reason(
    documents: Documents, clock: Clock, tmp_path: Path, error: BaseException
) -> None:
    def handler(call: JobCall) -> None:
        raise error

    job = asyncio.run(run_one(documents, clock, tmp_path, handler))
    assert job.state == "Failed"
    assert type(error).__name__ in job.error


def test_tries_again_after_pauses_of_cloche_time(
    documents: Documents, clock: Clock, tmp_path: Path
) -> None:
    began: list[float] = []

    def handler(call: JobCall) -> str:
        began.append(call.clock.time())
        if len(began) < 3:
            raise ConnectionError("not yet")
        return "done"

    async def scenario() -> Job:
        async with running(documents, clock, tmp_path, handler, max_attempts=3) as jobs:
            await jobs.submit_async(*ONE, {})
            while not (job := jobs.get(*ONE)) or not job.is_finished:
                await asyncio.sleep(0.01)
                if job and job.state == "Queued" and job.attempts:
                    clock.advance(max(0.0, job.run_at - clock.time()))
            return job

    job = asyncio.run(asyncio.wait_for(scenario(), 30))
    assert (job.state, job.result, job.attempts, job.error) == ("Succeeded", "done", 3, "")
    assert began[1] - began[0] >= 1 and began[2] - began[1] >= 2


def test_waits_for_its_time(documents: Documents, clock: Clock, tmp_path: Path) -> None:
    async def scenario() -> tuple[Job | None, Job]:
        async with running(documents, clock, tmp_path, lambda call: None) as jobs:
            await jobs.submit_async(*ONE, {}, run_at=clock.time() + 86_400)
            await jobs.submit_async("test.work", "1", "r", "soon", {})
            await asyncio.wait_for(jobs.wait("test.work", "1", "r", "soon"), 30)
            before = jobs.get(*ONE)
            clock.advance(86_400)
            return before, await asyncio.wait_for(jobs.wait(*ONE), 30)

    before, after = asyncio.run(scenario())
    assert before is not None and before.state == "Queued"
    assert after.state == "Succeeded"


def test_runs_again_as_long_as_it_asks_for(
    documents: Documents, clock: Clock, tmp_path: Path
) -> None:
    def handler(call: JobCall) -> object:
        count = call.job.checkpoint.get("count", 0) + 1
        return count if count == 5 else Again(call.clock.time(), {"count": count})

    job = asyncio.run(run_one(documents, clock, tmp_path, handler))
    assert (job.state, job.result) == ("Succeeded", 5)


def test_cancels_what_is_queued_at_once(documents: Documents, clock: Clock, tmp_path: Path) -> None:
    async def scenario() -> Job:
        async with running(documents, clock, tmp_path, lambda call: None) as jobs:
            await jobs.submit_async(*ONE, {}, run_at=clock.time() + 5)
            return await jobs.cancel_async(*ONE)

    assert asyncio.run(scenario()).state == "Cancelled"


@pytest.mark.parametrize("is_async", [True, False])
def test_cancels_what_runs(
    documents: Documents, clock: Clock, tmp_path: Path, is_async: bool
) -> None:
    async def on_loop(call: JobCall) -> None:
        started.set()
        await asyncio.Event().wait()

    def in_thread(call: JobCall) -> None:
        started.set()
        if not call.clock.wait_until(call.clock.time() + 3600, call.cancelled):
            raise JobInterrupted(call.stop_reason)

    async def scenario() -> tuple[Job, Job]:
        handler = on_loop if is_async else in_thread
        async with running(documents, clock, tmp_path, handler) as jobs:
            await jobs.submit_async(*ONE, {})
            await asyncio.to_thread(started.wait, 30)
            cancelling = await jobs.cancel_async(*ONE)
            return cancelling, await asyncio.wait_for(jobs.wait(*ONE), 30)

    started = threading.Event()
    cancelling, cancelled = asyncio.run(scenario())
    assert (cancelling.state, cancelled.state) == ("Cancelling", "Cancelled")


def test_begins_at_once_in_the_transaction_that_records_it(
    documents: Documents, clock: Clock, tmp_path: Path
) -> None:
    stopped = threading.Event()

    def handler(call: JobCall) -> None:
        call.on_stop(stopped.set)
        stopped.wait(30)
        raise JobInterrupted(call.stop_reason)

    async def scenario() -> tuple[Job, Job, Job]:
        async with running(documents, clock, tmp_path, handler) as jobs:
            begun = await documents.commit(lambda tx: jobs.begin_in(tx, *ONE, {}))
            kept = jobs.get(*ONE)
            assert kept is not None
            await jobs.cancel_async(*ONE)
            return begun, kept, await asyncio.wait_for(jobs.wait(*ONE), 30)

    begun, kept, ended = asyncio.run(scenario())
    assert (begun.state, kept.state, kept.attempts) == ("Running", "Running", 1)
    assert stopped.is_set()
    assert ended.state == "Cancelled"


def test_what_no_server_runs_is_queued(documents: Documents, clock: Clock, tmp_path: Path) -> None:
    jobs = Jobs(documents, clock, EventBus(documents, clock), tmp_path)
    jobs.register("test.work", lambda call: None)
    assert documents.transact(lambda tx: jobs.begin_in(tx, *ONE, {})).state == "Queued"


def test_tells_of_each_state_on_the_bus(documents: Documents, clock: Clock, tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        states: list[str] = []
        done = asyncio.Event()

        async def note(event: Event) -> None:
            states.append(event.detail["state"])
            if event.detail["state"] == "Succeeded":
                done.set()

        events = EventBus(documents, clock)
        events.subscribe("noter", "aws.test", note)
        jobs = Jobs(documents, clock, events, tmp_path)
        jobs.register("test.work", lambda call: None, event_of=state_change)
        await events.start()
        await jobs.start()
        await jobs.submit_async(*ONE, {})
        await asyncio.wait_for(done.wait(), 30)
        await jobs.stop()
        await events.stop()
        return states

    assert asyncio.run(scenario()) == ["Queued", "Running", "Succeeded"]


def test_names_are_taken_until_deleted(documents: Documents, clock: Clock, tmp_path: Path) -> None:
    jobs = Jobs(documents, clock, EventBus(documents, clock), tmp_path)
    jobs.register("test.work", lambda call: None)
    jobs.submit(*ONE, {})
    with pytest.raises(JobExists):
        jobs.submit(*ONE, {})
    with pytest.raises(JobNotFinished):
        documents.transact(lambda tx: jobs.delete_in(tx, *ONE))
    jobs.cancel(*ONE)
    documents.transact(lambda tx: jobs.delete_in(tx, *ONE))
    with pytest.raises(JobNotFound):
        jobs.cancel(*ONE)
    jobs.submit(*ONE, {})
    assert [job.name for job in jobs.scan("test.work", "1", "r", prefix="o")] == ["one"]
    assert jobs.unfinished_kinds() == {"test.work"}


def test_a_server_that_stops_gives_its_jobs_back(
    open_documents: Callable[[], Documents], clock: Clock, tmp_path: Path
) -> None:
    started = threading.Event()

    async def for_ever(call: JobCall) -> None:
        await call.save_async({"came": "far"})
        started.set()
        await asyncio.Event().wait()

    async def stop_within() -> None:
        async with running(documents, clock, tmp_path, for_ever) as jobs:
            await jobs.submit_async(*ONE, {})
            await asyncio.to_thread(started.wait, 30)

    async def go_on() -> Job:
        async with running(documents, clock, tmp_path, lambda call: call.job.checkpoint) as jobs:
            return await asyncio.wait_for(jobs.wait(*ONE), 30)

    documents = open_documents()
    asyncio.run(stop_within())
    documents.close()
    documents = open_documents()
    job = asyncio.run(go_on())
    assert (job.state, job.result, job.attempts) == ("Succeeded", {"came": "far"}, 1)
