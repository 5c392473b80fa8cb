from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime

import pytest

from cloche.core.clock import Advance, Clock, advanced
from tests.core.conftest import Wall

DAY = 86_400.0


def test_is_real_time_until_advanced() -> None:
    assert abs(Clock().time() - time.time()) < 1


def test_advances_add_up(clock: Clock, wall: Wall) -> None:
    clock.advance(DAY)
    wall.time += 10
    clock.advance(0.5)
    assert clock.time() == wall.time + DAY + 0.5
    assert clock.wall_time() == wall.time
    assert clock.now() == datetime.fromtimestamp(clock.time(), UTC)
    assert clock.now().tzinfo is UTC
    assert clock.advances == (
        Advance(1_700_000_000.0, DAY),
        Advance(1_700_000_010.0, DAY + 0.5),
    )


@pytest.mark.parametrize("seconds", [-1, -0.001, float("inf"), float("nan")])
def test_never_goes_back(clock: Clock, seconds: float) -> None:
    before = clock.time()
    with pytest.raises(ValueError, match="only be advanced"):
        clock.advance(seconds)
    assert clock.time() == before


def test_tells_what_it_was_at_a_real_instant(clock: Clock, wall: Wall) -> None:
    start = wall.time
    wall.time += 10
    clock.advance(100)
    wall.time += 10
    clock.advance(1000)
    assert clock.from_wall(start - DAY) == start - DAY
    assert clock.from_wall(start + 9) == start + 9
    assert clock.from_wall(start + 10) == start + 110
    assert clock.from_wall(start + 19) == start + 119
    assert clock.from_wall(start + 20) == start + 1120
    assert clock.from_wall(wall.time) == clock.time()


def test_real_time_that_is_set_back_keeps_advances_in_order(clock: Clock, wall: Wall) -> None:
    clock.advance(100)
    wall.time -= 50
    clock.advance(100)
    instants = [advance.wall_time for advance in clock.advances]
    assert instants == sorted(instants)
    assert clock.from_wall(1_700_000_000.0) == 1_700_000_200.0


def test_old_advances_are_folded() -> None:
    advances: tuple[Advance, ...] = ()
    for n in range(3000):
        advances = advanced(advances, float(n), 1.0)
    assert len(advances) == 1000
    clock = Clock(advances, wall_time=lambda: 3000.0)
    assert clock.time() == 6000.0
    assert clock.from_wall(2999.0) == 2999.0 + 3000.0
    assert clock.from_wall(2500.0) == 2500.0 + 2501.0


def test_takes_over_later_advances_only(clock: Clock, wall: Wall) -> None:
    clock.advance(100)
    clock.adopt([Advance(wall.time, 50.0)])
    assert clock.offset_seconds == 100
    clock.adopt([*clock.advances, Advance(wall.time, 150.0)])
    assert clock.offset_seconds == 150


def test_sleepers_wake_when_time_is_advanced(clock: Clock) -> None:
    async def scenario() -> list[str]:
        woken: list[str] = []

        async def sleeper(name: str, seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append(name)

        tasks = [asyncio.create_task(sleeper(name, s)) for name, s in (("b", 200), ("a", 100))]
        await asyncio.sleep(0)
        clock.advance(150)
        await tasks[1]
        assert woken == ["a"]
        await asyncio.to_thread(clock.advance, 50)
        await tasks[0]
        return woken

    assert asyncio.run(asyncio.wait_for(scenario(), 10)) == ["a", "b"]


def test_sleeping_is_real_too_and_can_be_cancelled() -> None:
    async def scenario() -> None:
        clock = Clock()
        await clock.sleep(0.02)
        await clock.sleep(-1)
        task = asyncio.create_task(clock.sleep(3600))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        clock.advance(7200)

    asyncio.run(asyncio.wait_for(scenario(), 10))


def test_a_loop_that_is_gone_does_not_disturb(clock: Clock) -> None:
    async def leave_a_sleeper() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)
        sleeping = clock.sleep(100)
        sleeping.send(None)
        left.append(sleeping)

    left: list[object] = []
    asyncio.run(leave_a_sleeper())
    clock.advance(100)


def test_waiting_threads_wake_when_time_is_advanced(clock: Clock) -> None:
    reached: list[bool] = []
    threads = [
        threading.Thread(target=lambda: reached.append(clock.wait_until(clock.time() + 3600)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        clock.advance(3600)
    assert reached == [True] * 3


def test_waiting_ends_when_it_is_stopped(clock: Clock) -> None:
    stop = threading.Event()
    reached: list[bool] = []
    thread = threading.Thread(
        target=lambda: reached.append(clock.wait_until(clock.time() + 3600, stop))
    )
    thread.start()
    stop.set()
    clock.wake()
    thread.join(10)
    assert reached == [False]
    assert clock.wait_until(clock.time(), stop)


def test_time_ends_with_the_year_9000() -> None:
    with pytest.raises(ValueError, match="year 9000"):
        advanced((), 0.0, 9000 * 366 * 86400.0)
