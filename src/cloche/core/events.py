"""The event bus: what services tell each other of what happened.

An event waits in a queue for each subscriber that wants it, so that it is delivered after a crash
as well: at least once, and to each subscriber in the order of publication (of each server, where
several share the documents). Nothing is kept of an event that nobody wants. One server at a time
delivers to a subscriber.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Collection
from concurrent.futures import Future
from functools import partial
from uuid import uuid4

import msgspec

from cloche.core import event_queue
from cloche.core.clock import Clock
from cloche.core.documents import Documents, Transaction
from cloche.core.event import Event
from cloche.core.event_delivery import Delivery, Handler
from cloche.core.event_queue import Interest, WaitingEvent

__all__ = ["Event", "EventBus", "Handler"]

_log = logging.getLogger(__name__)

_TRIM_SECONDS = 600.0
_FOLLOW_SECONDS = 1.0


class EventBus:
    """Publishes events and delivers them. All methods but the async ones are for any thread.

    Args:
        documents: where events wait.
        clock: for their time and for the pauses between attempts.
    """

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock
        self._owner = uuid4().hex
        # Real time numbers the events; it may have been set back since the last of those that wait.
        self._last_number = event_queue.last_number(documents)
        self._lock = threading.RLock()
        self._interests = event_queue.interests(documents)
        self._subscribed: dict[str, tuple[Handler, Future[None]]] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def subscribe(
        self,
        name: str,
        sources: str | Collection[str],
        handler: Handler,
        *,
        detail_types: Collection[str] = (),
    ) -> None:
        """Have a handler called with the events of some sources, from now on.

        Under a name that subscribed before, also with what was published while it was away (a day
        at most). A handler that raises is called again with the same event, after longer and
        longer pauses of Cloche time, 185 times; the events after it wait for it.

        Args:
            name: unique, the same after a restart, without `/`.
            sources: empty for all.
            handler: a function (called in a thread) or a coroutine function (on the loop).
            detail_types: empty for all.

        Raises:
            ValueError: the name has subscribed already.
        """
        wanted = frozenset((sources,) if isinstance(sources, str) else sources)
        interest = Interest(wanted, frozenset(detail_types))
        with self._lock:
            if name in self._subscribed or "/" in name or not name:
                raise ValueError(f"there is a subscriber {name!r} already, or it has no valid name")
            # What is published later is also written later: the writer keeps the order.
            self._subscribed[name] = (handler, self._keep(name, interest))
            self._interests = {**self._interests, name: interest}
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._deliver_to, name)

    def _keep(self, name: str, interest: Interest) -> Future[None]:
        return self._documents.submit(lambda tx: event_queue.keep_interest(tx, name, interest))

    def unsubscribe(self, name: str) -> None:
        """End a subscription for good and forget what waits for it."""
        with self._lock:
            self._subscribed.pop(name, None)
            self._interests = {key: kept for key, kept in self._interests.items() if key != name}
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._end_delivery_to, name)
        self._documents.submit(lambda tx: event_queue.drop_interest(tx, name))

    def is_wanted(self, event: Event) -> bool:
        """Whether anybody subscribes to such an event; without, publishing does nothing."""
        return any(interest.includes(event) for interest in self._interests.values())

    def publish(self, event: Event) -> None:
        """Tell an event to all who want it; returns when it is durable."""
        if self.is_wanted(event):
            self._documents.transact(lambda tx: self.publish_in(tx, event))

    async def publish_async(self, event: Event) -> None:
        """As `publish`, for async code."""
        if self.is_wanted(event):
            await self._documents.commit(lambda tx: self.publish_in(tx, event))

    def publish_in(self, tx: Transaction, event: Event) -> None:
        """Tell an event to all who want it if, and only if, a transaction is committed."""
        wanting = [name for name, each in self._interests.items() if each.includes(event)]
        if not wanting:
            return
        if event.time is None:
            event = msgspec.structs.replace(event, time=self._clock.time())
        wall_time = self._clock.wall_time()
        waiting = WaitingEvent(event, wall_time)
        # Transactions run one after the other on the writer's thread, so this is their order.
        self._last_number = max(self._last_number + 1, int(wall_time * 1e6))
        for name in wanting:
            event_queue.append(tx, name, self._last_number, self._owner, waiting)
        tx.after_commit(lambda: self._wake(wanting))

    async def start(self) -> None:
        """Begin to deliver, on the running loop."""
        with self._lock:
            self._loop = asyncio.get_running_loop()
            for name in self._subscribed:
                self._deliver_to(name)
            self._tasks["/trim"] = self._loop.create_task(self._trim())
            if self._documents.is_shared:
                self._tasks["/follow"] = self._loop.create_task(self._follow())

    async def stop(self) -> None:
        """End delivery; an event whose handler is interrupted is delivered again later."""
        with self._lock:
            self._loop = None
            tasks, self._tasks = self._tasks, {}
            self._deliveries = {}
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)

    def _deliver_to(self, name: str) -> None:
        if self._loop is None or name in self._tasks or name not in self._subscribed:
            return
        handler, kept = self._subscribed[name]
        keep = partial(self._keep, name, self._interests[name])
        delivery = Delivery(self._documents, self._clock, self._owner, name, handler, keep, kept)
        self._deliveries[name] = delivery
        self._tasks[name] = self._loop.create_task(delivery.run(), name=f"events for {name}")

    def _end_delivery_to(self, name: str) -> None:
        self._deliveries.pop(name, None)
        if task := self._tasks.pop(name, None):
            task.cancel()

    def _wake(self, names: Collection[str]) -> None:
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._wake_deliveries, names)

    def _wake_deliveries(self, names: Collection[str]) -> None:
        for name in names:
            if delivery := self._deliveries.get(name):
                delivery.wake()

    async def _follow(self) -> None:
        """Learn who has subscribed on other servers."""
        while True:
            await asyncio.sleep(_FOLLOW_SECONDS)
            try:
                kept = await asyncio.to_thread(event_queue.interests, self._documents)
            except Exception:  # noqa: BLE001  # a database that is away must not end it
                _log.exception("cannot learn who subscribes on other servers")
                continue
            with self._lock:
                own = {
                    name: each for name, each in self._interests.items() if name in self._subscribed
                }
                self._interests = kept | own

    async def _trim(self) -> None:
        """Drop what has waited for a day for subscribers that stay away."""
        while True:
            for name in self._interests.keys() - self._subscribed.keys():
                try:
                    await self._trim_queue_of(name)
                except Exception:  # noqa: BLE001  # a database that is away must not end it
                    _log.exception("cannot drop old events for %s", name)
            await asyncio.sleep(_TRIM_SECONDS)

    async def _trim_queue_of(self, name: str) -> None:
        now = self._clock.wall_time()
        while await self._documents.commit(lambda tx: event_queue.remove_expired(tx, name, now)):
            pass
