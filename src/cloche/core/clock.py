"""The only source of time.

Cloche time is real time plus an offset that can be advanced, so that expiries, schedules, waits
and retention are tested in milliseconds. All instants are seconds since 1970 unless they are
`datetime`s, which are always in UTC and aware.
"""

from __future__ import annotations

import asyncio
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

_LONGEST_WAIT_SECONDS = 3600.0
_STOP_POLL_SECONDS = 0.25
_KEPT_ADVANCES = 1000
_LATEST_SECONDS = datetime(9000, 1, 1, tzinfo=UTC).timestamp()


class Advance(NamedTuple):
    """From a real instant on, Cloche time is real time plus `offset_seconds` in all."""

    wall_time: float
    offset_seconds: float


class Clock:
    """Time that can be advanced; never by itself behind real time.

    Every method may be called from any thread.

    Args:
        advances: what was advanced earlier, oldest first, offsets rising.
        wall_time: gives real time; a test may put a time that stands still here.
    """

    def __init__(
        self, advances: Sequence[Advance] = (), *, wall_time: Callable[[], float] = time.time
    ) -> None:
        self.wall_time = wall_time
        self._advances: tuple[Advance, ...] = ()
        self._offset_seconds = 0.0
        self._changed = threading.Condition(threading.RLock())
        self._sleepers: set[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = set()
        self.adopt(advances)

    @property
    def advances(self) -> tuple[Advance, ...]:
        """All that was advanced, oldest first."""
        return self._advances

    @property
    def offset_seconds(self) -> float:
        """How far Cloche time is ahead of real time."""
        return self._offset_seconds

    def time(self) -> float:
        """Cloche time now."""
        return self.wall_time() + self._offset_seconds

    def now(self) -> datetime:
        """Cloche time now, in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def from_wall(self, wall_time: float) -> float:
        """What Cloche time was, or will be, at a real instant (the date a client signed at)."""
        index = bisect_right(self._advances, wall_time, key=lambda advance: advance.wall_time)
        return wall_time + (self._advances[index - 1].offset_seconds if index else 0.0)

    def advance(self, seconds: float) -> None:
        """Move time forward and wake all who wait.

        Raises:
            ValueError: `seconds` is negative or not finite: time never goes back.
        """
        with self._changed:
            self.adopt(advanced(self._advances, self.wall_time(), seconds))

    def adopt(self, advances: Sequence[Advance]) -> None:
        """Take over what was advanced elsewhere (the store, another server); wake all who wait.

        A sequence that would take time back is one that has been overtaken and is ignored.
        """
        with self._changed:
            offset_seconds = advances[-1].offset_seconds if advances else 0.0
            if offset_seconds < self._offset_seconds:
                return
            self._advances = tuple(advances)
            self._offset_seconds = offset_seconds
        self.wake()

    def wake(self) -> None:
        """Let all who wait look again at the time and at their stop events."""
        with self._changed:
            sleepers, self._sleepers = self._sleepers, set()
            self._changed.notify_all()
        for loop, future in sleepers:
            with suppress(RuntimeError):  # the loop has been closed with its sleepers
                loop.call_soon_threadsafe(_finish, future)

    async def sleep_until(self, instant: float) -> None:
        """Return when Cloche time has reached `instant`; at once if an advance takes it there."""
        loop = asyncio.get_running_loop()
        while True:
            future: asyncio.Future[None] = loop.create_future()
            sleeper = (loop, future)
            with self._changed:
                remaining_seconds = instant - self.time()
                if remaining_seconds <= 0:
                    return
                self._sleepers.add(sleeper)
            timer = loop.call_later(min(remaining_seconds, _LONGEST_WAIT_SECONDS), _finish, future)
            try:
                await future
            finally:
                timer.cancel()
                with self._changed:
                    self._sleepers.discard(sleeper)

    async def sleep(self, seconds: float) -> None:
        """Return when this much Cloche time has passed."""
        await self.sleep_until(self.time() + seconds)

    def wait_until(self, instant: float, stop: threading.Event | None = None) -> bool:
        """Block the thread until Cloche time has reached `instant`.

        Args:
            instant: seconds since 1970.
            stop: ends the wait early, within 0.25 s of being set, or at once if `wake` is called
                after it.

        Returns:
            Whether the instant was reached; False when `stop` was set before.
        """
        longest_seconds = _LONGEST_WAIT_SECONDS if stop is None else _STOP_POLL_SECONDS
        with self._changed:
            while (remaining_seconds := instant - self.time()) > 0:
                if stop is not None and stop.is_set():
                    return False
                self._changed.wait(min(remaining_seconds, longest_seconds))
        return True


def advanced(advances: Sequence[Advance], wall_time: float, seconds: float) -> tuple[Advance, ...]:
    """Advances with a further one of `seconds` at a real instant.

    Beyond a thousand the oldest are folded into one that holds since ever.

    Raises:
        ValueError: `seconds` is negative, not finite, or leads beyond the year 9000.
    """
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"time can only be advanced by a finite, positive time, not {seconds!r} s")
    offset_seconds = advances[-1].offset_seconds if advances else 0.0
    if wall_time + offset_seconds + seconds > _LATEST_SECONDS:
        raise ValueError("time cannot be advanced beyond the year 9000")
    # Real time may have been set back since: the instants still have to rise for `from_wall`.
    instant = max(wall_time, advances[-1].wall_time) if advances else wall_time
    kept = (*advances, Advance(instant, offset_seconds + seconds))
    if len(kept) > _KEPT_ADVANCES:
        folded = len(kept) - _KEPT_ADVANCES
        kept = (Advance(0.0, kept[folded].offset_seconds), *kept[folded + 1 :])
    return kept


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
