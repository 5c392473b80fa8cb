"""Delivery of one subscriber's events: in order, at least once, again when its handler fails."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress

from cloche.core import event_queue
from cloche.core.clock import Clock
from cloche.core.documents import Document, Documents
from cloche.core.event import Event
from cloche.core.event_queue import LEASE_SECONDS, RETENTION_SECONDS, WaitingEvent

Handler = Callable[[Event], Awaitable[None] | None]

_log = logging.getLogger(__name__)

_BATCH_LIMIT = 100
_POLL_SECONDS = 1.0
_SAVE_SECONDS = 1.0
_LAST_ATTEMPT = 185
_LONGEST_PAUSE_SECONDS = 600.0


class Delivery:
    """Calls a subscriber's handler with the events that wait for it, until cancelled.

    Args:
        documents: where they wait.
        clock: for the pauses between attempts.
        owner: this server, in the subscriber's lease.
        subscriber: its name.
        handler: called with each event.
        subscribe: records the subscription; done when that is durable.
        subscribed: what it returned when it was called first.
    """

    def __init__(
        self,
        documents: Documents,
        clock: Clock,
        owner: str,
        subscriber: str,
        handler: Handler,
        subscribe: Callable[[], Future[None]],
        subscribed: Future[None],
    ) -> None:
        self._documents = documents
        self._clock = clock
        self._owner = owner
        self._subscriber = subscriber
        self._handler = handler
        self._subscribe = subscribe
        self._subscribed = subscribed
        self._woken = asyncio.Event()
        self._leased_until = float("-inf")

    def wake(self) -> None:
        """Look for events at once; called on the loop."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        await self._become_subscribed()
        try:
            while True:
                self._woken.clear()
                try:
                    delivered = await self._deliver_next()
                except Exception:  # noqa: BLE001  # a database that is away must not end delivery
                    _log.exception("cannot deliver events to %s", self._subscriber)
                    await asyncio.sleep(_POLL_SECONDS)
                    continue
                if not delivered:
                    await self._wait()
        finally:
            if self._documents.is_shared and self._leased_until > 0:
                self._documents.submit(
                    lambda tx: event_queue.release_lease(tx, self._subscriber, self._owner)
                )

    async def _become_subscribed(self) -> None:
        while True:
            try:
                await asyncio.wrap_future(self._subscribed)
                return
            except Exception:  # noqa: BLE001  # a database that is away must not end delivery
                _log.exception("cannot subscribe %s", self._subscriber)
                await asyncio.sleep(_POLL_SECONDS)
                self._subscribed = self._subscribe()

    async def _wait(self) -> None:
        if not self._documents.is_shared:
            await self._woken.wait()
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), _POLL_SECONDS)

    async def _deliver_next(self) -> bool:
        """Deliver a batch; whether there was one and this server may."""
        batch = await self._head()
        if batch and not self._is_leased():
            # Whoever held the lease until now may have delivered what was just read.
            batch = await self._head() if await self._take_lease() else []
        if not batch:
            return False
        if not self._documents.is_shared:
            await self._deliver(batch)
            return True
        delivering = asyncio.ensure_future(self._deliver(batch))
        try:
            while not delivering.done():
                await asyncio.wait((delivering,), timeout=LEASE_SECONDS / 3)
                if delivering.done() or self._is_leased():
                    continue
                if not await self._take_lease():
                    return False
            delivering.result()
        finally:
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)
        return True

    async def _deliver(self, batch: list[Document[WaitingEvent]]) -> None:
        done: list[str] = []
        try:
            save_at = self._clock.wall_time() + _SAVE_SECONDS
            for document in batch:
                await self._handle(document.value)
                done.append(document.name)
                if self._clock.wall_time() >= save_at:
                    await self._remove(done)
                    done = []
                    save_at = self._clock.wall_time() + _SAVE_SECONDS
        finally:
            if done:
                await self._remove(done)

    async def _remove(self, names: list[str]) -> None:
        done = tuple(names)
        removing = asyncio.ensure_future(
            self._documents.commit(
                lambda tx: event_queue.remove(tx, self._subscriber, done, self._owner)
            )
        )
        try:
            await asyncio.shield(removing)
        except asyncio.CancelledError:
            await removing  # else what has been handled would be delivered again
            raise

    async def _handle(self, waiting: WaitingEvent) -> None:
        event = waiting.event
        for attempt in range(1, _LAST_ATTEMPT + 1):
            if waiting.queued_at + RETENTION_SECONDS < self._clock.wall_time():
                break
            try:
                await self._call(event)
                return
            except Exception as error:  # noqa: BLE001  # whatever it is, the event is tried again
                _log.warning(
                    "%s failed on event %s (%s), attempt %d",
                    *(self._subscriber, event.id, event.detail_type, attempt),
                    exc_info=error,
                )
            await self._clock.sleep(min(2.0 ** (attempt - 1), _LONGEST_PAUSE_SECONDS))
        _log.error("event %s (%s) is dropped for %s", event.id, event.detail_type, self._subscriber)

    async def _call(self, event: Event) -> None:
        if inspect.iscoroutinefunction(self._handler):
            await self._handler(event)
        else:
            answer = await asyncio.to_thread(self._handler, event)
            if answer is not None:
                await answer

    async def _head(self) -> list[Document[WaitingEvent]]:
        return await asyncio.to_thread(
            event_queue.head, self._documents, self._subscriber, _BATCH_LIMIT
        )

    def _is_leased(self) -> bool:
        """Whether no other server delivers, now and for half a lease from now."""
        if not self._documents.is_shared:
            return True
        return self._clock.wall_time() < self._leased_until - LEASE_SECONDS / 2

    async def _take_lease(self) -> bool:
        wall_time = self._clock.wall_time()
        taken = await self._documents.commit(
            lambda tx: event_queue.take_lease(tx, self._subscriber, self._owner, wall_time)
        )
        self._leased_until = wall_time + LEASE_SECONDS if taken else float("-inf")
        return taken
