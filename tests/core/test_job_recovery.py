"""Jobs whose server is gone, and servers that share the work."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cloche.core import job_executor
from cloche.core.clock import Clock
from cloche.core.documents import Documents
from cloche.core.events import EventBus
from cloche.core.job_states import LEASE_SECONDS, Claimed
from cloche.core.job_store import JobKey
from cloche.core.jobs import Job, JobCall, Jobs
from cloche.engines.documents.sqlite import SQLiteDocuments
from tests.core.conftest import Wall

WORKER = Path(__file__).with_name("crash_worker.py")
ONE = ("test.work", "1", "r", "one")


def server(documents: Documents, clock: Clock, folder: Path) -> Jobs:
    return Jobs(documents, clock, EventBus(documents, clock), folder)


@pytest.mark.kill
def test_jobs_of_a_killed_server_are_resumed_or_failed_with_a_reason(tmp_path: Path) -> None:
    worker = subprocess.Popen([sys.executable, WORKER, tmp_path], stdout=subprocess.PIPE)
    assert worker.stdout is not None
    began = {worker.stdout.readline(), worker.stdout.readline()}
    assert began == {b"test.work\n", b"test.resumable\n"}
    worker.kill()
    worker.stdout.close()
    worker.wait()

    async def recover() -> list[Job]:
        jobs = server(documents, Clock(), tmp_path)
        assert jobs.unfinished_kinds() == {"test.work", "test.resumable"}
        jobs.register("test.work", lambda call: None)
        await jobs.start()
        # One that is registered only later is taken over as well.
        jobs.register("test.resumable", lambda call: call.job.checkpoint, is_resumable=True)
        finished = [
            await asyncio.wait_for(jobs.wait(kind, "1", "r", "one"), 30)
            for kind in ("test.work", "test.resumable")
        ]
        assert list(jobs.read_log(finished[1])) == ["saved"]
        await jobs.stop()
        return finished

    documents = Documents(SQLiteDocuments(tmp_path))
    failed, resumed = asyncio.run(recover())
    documents.close()
    assert (failed.state, failed.error) == ("Failed", "the server that ran it stopped")
    assert (resumed.state, resumed.result) == ("Succeeded", {"came": "far"})
    assert (resumed.attempts, resumed.interruptions) == (1, 1)


@pytest.fixture
def open_shared(
    open_documents: Callable[[], Documents], request: pytest.FixtureRequest
) -> Callable[[], Documents]:
    if "sqlite" in request.node.callspec.id:
        pytest.skip("there is no other server on a SQLite file")
    return open_documents


def test_servers_share_the_work_and_run_each_job_once(
    open_shared: Callable[[], Documents], tmp_path: Path
) -> None:
    count = 80  # more than one server runs at a time in threads
    runs: list[tuple[int, str]] = []
    both_run = threading.Event()

    async def scenario() -> None:
        clock = Clock()
        servers = [server(open_shared(), clock, tmp_path) for _ in range(2)]
        for index, jobs in enumerate(servers):

            def handler(call: JobCall, index: int = index) -> None:
                runs.append((index, call.job.name))
                if {index for index, _ in runs} == {0, 1}:
                    both_run.set()
                assert both_run.wait(30)

            jobs.register("test.work", handler)
            await jobs.start()
        submitting = [
            servers[n % 2].submit_async("test.work", "1", "r", f"{n}", {}) for n in range(count)
        ]
        await asyncio.gather(*submitting)
        for n in range(count):
            job = await asyncio.wait_for(servers[0].wait("test.work", "1", "r", f"{n}"), 30)
            assert (job.state, job.error) == ("Succeeded", "")
        for jobs in servers:
            await jobs.stop()

    asyncio.run(scenario())
    assert sorted(name for _, name in runs) == sorted(f"{n}" for n in range(count))


def test_an_expired_lease_is_taken_over_and_its_owner_told(
    open_shared: Callable[[], Documents], tmp_path: Path
) -> None:
    async def scenario() -> Job:
        wall, told = Wall(), asyncio.Event()
        started = asyncio.Event()

        async def hang(call: JobCall) -> None:
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                assert call.stop_reason == "lease lost"
                told.set()

        slow = server(open_shared(), Clock(wall_time=Wall(wall.time)), tmp_path)
        slow.register("test.work", hang, max_attempts=2)
        await slow.start()
        await slow.submit_async(*ONE, {})
        await started.wait()
        wall.time += LEASE_SECONDS + 1  # for the other server; this one has been asleep
        other = server(open_shared(), Clock(wall_time=wall), tmp_path)
        other.register("test.work", lambda call: "done", max_attempts=2)
        await other.start()
        job = await asyncio.wait_for(other.wait(*ONE), 30)
        await asyncio.wait_for(told.wait(), 30)
        await slow.stop()
        await other.stop()
        return job

    job = asyncio.run(scenario())
    assert (job.state, job.result, job.attempts, job.interruptions) == ("Succeeded", "done", 2, 1)


def test_what_a_dead_server_leaves_is_done_by_a_server_that_has_not_loaded_its_service(
    open_shared: Callable[[], Documents], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_executor, "_RENEW_EVERY_POLLS", 1)
    other, running = server(open_shared(), Clock(), tmp_path), ("test.running", "1", "r", "one")
    loaded: list[str] = []

    def load(kind: str) -> None:
        loaded.append(kind)
        asyncio.get_running_loop()
        if kind == "other.unknown":
            raise ImportError("no such service here")
        other.register(kind, lambda call: call.job.kind, is_resumable=True)

    async def scenario() -> list[Job]:
        await other.start(load)
        dead = server(open_shared(), Clock(), tmp_path)
        for kind in ("test.work", "test.running", "other.unknown"):
            dead.register(kind, lambda call: None, is_resumable=True)
        for kind in ("test.work", "other.unknown"):
            await dead.submit_async(kind, "1", "r", "one", {})
        wall = Clock(wall_time=Wall(0))  # its lease is over
        leasing = server(open_shared(), wall, tmp_path)
        leasing.register("test.running", lambda call: None, is_resumable=True)
        await leasing.submit_async(*running, {})
        store = leasing._store  # pyright: ignore[reportPrivateUsage]
        documents = store.documents
        await documents.commit(lambda tx: store.apply(tx, JobKey(*running), Claimed("dead")))
        done = [await asyncio.wait_for(other.wait(*key), 30) for key in (ONE, running)]
        await other.stop()
        return done

    finished = asyncio.run(scenario())
    assert [job.result for job in finished] == ["test.work", "test.running"]
    assert sorted(loaded) == ["other.unknown", "test.running", "test.work"]


def test_a_job_that_runs_elsewhere_is_cancelled_there(
    open_shared: Callable[[], Documents], tmp_path: Path
) -> None:
    async def scenario() -> Job:
        clock, started = Clock(), asyncio.Event()

        async def hang(call: JobCall) -> None:
            started.set()
            await asyncio.Event().wait()

        runs, asks = (server(open_shared(), clock, tmp_path) for _ in range(2))
        for jobs in (runs, asks):
            jobs.register("test.work", hang)
        await runs.start()
        await runs.submit_async(*ONE, {})
        await started.wait()
        assert (await asks.cancel_async(*ONE)).state == "Cancelling"
        job = await asyncio.wait_for(asks.wait(*ONE), 30)
        await runs.stop()
        return job

    assert asyncio.run(scenario()).state == "Cancelled"


def test_a_lease_that_holds_is_respected(
    open_documents: Callable[[], Documents], clock: Clock, tmp_path: Path
) -> None:
    documents = open_documents()
    jobs = server(documents, clock, tmp_path)
    jobs.register("test.work", lambda call: None)
    jobs.submit(*ONE, {})
    store, key = jobs._store, JobKey(*ONE)  # pyright: ignore[reportPrivateUsage]
    documents.transact(lambda tx: store.apply(tx, key, Claimed("another server")))
    clock.advance(10 * LEASE_SECONDS)  # is no reason to believe that it is dead

    async def look() -> Job | None:
        await jobs.start()
        await jobs.submit_async("test.work", "1", "r", "two", {})
        await asyncio.wait_for(jobs.wait("test.work", "1", "r", "two"), 30)
        await jobs.stop()
        return jobs.get(*ONE)

    job = asyncio.run(look())
    assert job is not None
    assert job.state == ("Running" if documents.is_shared else "Failed")
