from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from cloche.core.clock import Clock
from cloche.core.documents import Documents
from cloche.core.shared_clock import SharedClock
from cloche.engines.documents.postgresql import PostgreSQLDocuments
from tests.core.conftest import Wall, unreadable, until


def test_advances_survive_a_restart(
    open_documents: Callable[[], Documents], clock: Clock, wall: Wall
) -> None:
    documents = open_documents()
    shared = SharedClock(clock, documents)
    asyncio.run(shared.advance(100))
    wall.time += 10
    asyncio.run(shared.advance(0.25))
    documents.close()
    again = Clock(wall_time=wall)
    SharedClock(again, open_documents())
    assert again.time() == clock.time() == wall.time + 100.25
    assert again.from_wall(wall.time - 1) == wall.time + 99


def test_refuses_to_go_back(documents: Documents, clock: Clock) -> None:
    with pytest.raises(ValueError, match="only be advanced"):
        asyncio.run(SharedClock(clock, documents).advance(-1))
    assert clock.offset_seconds == 0


def test_other_servers_notice(open_documents: Callable[[], Documents], wall: Wall) -> None:
    documents = open_documents()
    if not documents.is_shared:
        asyncio.run(SharedClock(Clock(), documents).follow())
        pytest.skip("there is no other server on a SQLite file")

    async def scenario() -> None:
        mine, others = Clock(wall_time=wall), Clock(wall_time=wall)
        ours, theirs = SharedClock(mine, documents), SharedClock(others, open_documents())
        following = asyncio.create_task(theirs.follow())
        sleeping = asyncio.create_task(others.sleep(3600))
        await ours.advance(1800)
        await theirs.advance(1800)  # on top of what it may not have noticed yet
        await asyncio.wait_for(sleeping, 10)
        assert others.offset_seconds == 3600
        ours.refresh()
        assert mine.time() == others.time()
        following.cancel()

    asyncio.run(scenario())


def test_goes_on_once_the_database_is_back(
    postgresql_url: str, wall: Wall, caplog: pytest.LogCaptureFixture
) -> None:
    documents = Documents(PostgreSQLDocuments(postgresql_url))

    async def scenario() -> None:
        mine, others = Clock(wall_time=wall), Clock(wall_time=wall)
        ours, theirs = SharedClock(mine, documents), SharedClock(others, documents)
        following = asyncio.create_task(theirs.follow())
        with unreadable(postgresql_url):
            await asyncio.to_thread(until, lambda: "cannot read the clock" in caplog.text)
        sleeping = asyncio.create_task(others.sleep(3600))
        await ours.advance(3600)
        await asyncio.wait_for(sleeping, 10)
        following.cancel()

    asyncio.run(scenario())
    documents.close()
