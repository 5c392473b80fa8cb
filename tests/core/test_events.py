from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cloche.core import event_queue
from cloche.core import events as event_bus
from cloche.core.clock import Clock
from cloche.core.documents import Documents, Table
from cloche.core.event_queue import RETENTION_SECONDS
from cloche.core.events import Event, EventBus
from cloche.engines.documents.postgresql import PostgreSQLDocuments
from tests.core.conftest import Wall, unreadable, until

things = Table("test.things", int)


def event(n: int, source: str = "aws.test", detail_type: str = "Thing Done") -> Event:
    return Event(source=source, detail_type=detail_type, account="1", region="r", detail={"n": n})


class Received:
    """A subscriber that can be waited for."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.events: list[Event] = []
        self._changed = asyncio.Event()

    async def note(self, event: Event) -> None:
        self.events.append(event)
        self.numbers.append(event.detail["n"])
        self._changed.set()

    async def until(self, count: int) -> list[int]:
        async def wait() -> None:
            while len(self.numbers) < count:
                self._changed.clear()
                await self._changed.wait()

        await asyncio.wait_for(wait(), 30)
        return self.numbers


def run(scenario: Callable[[], Awaitable[Any]]) -> Any:
    async def limited() -> Any:
        return await asyncio.wait_for(scenario(), 60)

    return asyncio.run(limited())


def waiting(documents: Documents, subscriber: str) -> list[int]:
    return [
        document.value.event.detail["n"]
        for document in event_queue.head(documents, subscriber, 1000)
    ]


def test_looks_as_eventbridge_tells_it() -> None:
    told = Event(
        **{"source": "aws.s3", "detail_type": "Object Created", "account": "123456789012"},
        **{"region": "us-east-1", "detail": {"key": "a"}, "resources": ("arn:aws:s3:::b",)},
        **{"time": 1_700_000_000.9, "id": "17793124-05d4-b198-2fde-7ededc63b103"},
    )
    assert told.envelope() == {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "123456789012",
        "time": "2023-11-14T22:13:20Z",
        "region": "us-east-1",
        "resources": ["arn:aws:s3:::b"],
        "detail": {"key": "a"},
    }


def test_delivers_in_order_to_all_who_want_it(documents: Documents, clock: Clock) -> None:
    async def scenario() -> None:
        events = EventBus(documents, clock)
        everything, some = Received(), Received()
        in_thread: list[tuple[int, bool]] = []

        def note(event: Event) -> None:
            on_main = threading.current_thread() is threading.main_thread()
            in_thread.append((event.detail["n"], on_main))

        events.subscribe("everything", (), everything.note)
        events.subscribe("in-thread", ["aws.test"], note)
        events.subscribe("some", "aws.test", some.note, detail_types=["Thing Begun"])
        await events.start()
        for n in range(20):
            kind = "Thing Begun" if n % 2 else "Thing Done"
            await events.publish_async(event(n, detail_type=kind))
        await asyncio.to_thread(events.publish, event(20, source="aws.other"))
        assert await everything.until(21) == list(range(21))
        assert await some.until(10) == list(range(1, 20, 2))
        await asyncio.to_thread(until, lambda: len(in_thread) == 20)
        assert in_thread == [(n, False) for n in range(20)]
        assert everything.events[0].time == clock.time()
        await events.stop()

    run(scenario)


def test_nothing_is_written_for_nobody(documents: Documents, clock: Clock) -> None:
    events = EventBus(documents, clock)
    before = documents.put(things, "", "", "x", 1)
    events.publish(event(1))
    assert not events.is_wanted(event(1))
    # Revisions are given out one by one: not a single other document was written.
    assert documents.put(things, "", "", "x", 1) == before + 1


def test_events_wait_for_who_is_away(open_documents: Callable[[], Documents], clock: Clock) -> None:
    async def first() -> None:
        events = EventBus(documents, clock)
        received = Received()
        events.subscribe("test", "aws.test", received.note)
        await events.start()
        await events.publish_async(event(1))
        await received.until(1)
        await events.stop()
        await events.publish_async(event(2))

    async def second() -> None:
        events = EventBus(documents, clock)
        await events.start()
        await events.publish_async(event(3))  # before its service has been loaded
        received = Received()
        events.subscribe("test", "aws.test", received.note)
        await events.publish_async(event(4))
        assert await received.until(3) == [2, 3, 4]
        await events.stop()

    documents = open_documents()
    run(first)
    assert waiting(documents, "test") == [2]
    documents.close()
    documents = open_documents()
    run(second)
    assert waiting(documents, "test") == []


def test_a_failing_handler_is_tried_again_and_holds_up_only_itself(
    documents: Documents, clock: Clock
) -> None:
    async def scenario() -> None:
        events = EventBus(documents, clock)
        well, ill = Received(), Received()
        failures: list[float] = []

        async def fail_thrice(event: Event) -> None:
            if event.detail["n"] == 1 and len(failures) < 3:
                failures.append(clock.time())
                raise ConnectionError("no")
            await ill.note(event)

        events.subscribe("well", "aws.test", well.note)
        events.subscribe("ill", "aws.test", fail_thrice)
        await events.start()
        for n in range(3):
            await events.publish_async(event(n))
        await well.until(3)
        while len(ill.numbers) < 3:
            await asyncio.sleep(0.01)
            clock.advance(0.5)
        assert ill.numbers == [0, 1, 2]
        assert failures[1] - failures[0] >= 1
        assert failures[2] - failures[1] >= 2
        await events.stop()

    run(scenario)


def test_an_event_is_published_with_its_transaction_or_not_at_all(
    documents: Documents, clock: Clock
) -> None:
    events = EventBus(documents, clock)
    events.subscribe("test", "aws.test", Received)  # pyright: ignore[reportArgumentType]

    def publish(tx: Any, n: int) -> None:
        events.publish_in(tx, event(n))
        if n == 1:
            raise LookupError

    with pytest.raises(LookupError):
        documents.transact(lambda tx: publish(tx, 1))
    documents.transact(lambda tx: publish(tx, 2))
    assert waiting(documents, "test") == [2]


def test_a_subscription_can_be_ended(documents: Documents, clock: Clock) -> None:
    async def scenario() -> None:
        events = EventBus(documents, clock)
        received = Received()
        events.subscribe("test", "aws.test", received.note)
        with pytest.raises(ValueError, match="already"):
            events.subscribe("test", "aws.test", received.note)
        await events.start()
        await events.publish_async(event(1))
        await received.until(1)
        events.unsubscribe("test")
        assert not events.is_wanted(event(2))
        events.subscribe("test", "aws.test", received.note)
        await events.publish_async(event(3))
        assert await received.until(2) == [1, 3]
        await events.stop()

    run(scenario)


def test_what_has_waited_for_a_day_is_dropped(
    documents: Documents, clock: Clock, wall: Wall
) -> None:
    async def scenario() -> None:
        gone = EventBus(documents, clock)
        gone.subscribe("gone", "aws.test", Received().note)
        await gone.publish_async(event(1))
        clock.advance(10 * 86_400)  # only real time counts: an advance loses nothing
        await gone.publish_async(event(2))
        wall.time += 86_401
        await gone.publish_async(event(3))
        events = EventBus(documents, clock)
        await events.start()
        await asyncio.to_thread(until, lambda: waiting(documents, "gone") == [3])
        await events.stop()

    run(scenario)


def test_several_servers_deliver_each_event_once(
    open_documents: Callable[[], Documents], clock: Clock
) -> None:
    documents = open_documents()
    if not documents.is_shared:
        pytest.skip("there is no other server on a SQLite file")

    async def scenario() -> None:
        received = Received()
        buses = [EventBus(documents, clock), EventBus(open_documents(), clock)]
        for bus in buses:
            bus.subscribe("test", "aws.test", received.note)
            await bus.start()
        for n in range(20):
            await buses[n % 2].publish_async(event(n))
        assert sorted(await received.until(20)) == list(range(20))
        await buses[0].stop()
        await buses[1].publish_async(event(20))
        await received.until(21)  # what the one that stopped had leased is free
        await buses[1].stop()
        assert sorted(received.numbers) == list(range(21))

    run(scenario)


def test_subscribes_once_the_database_is_back(
    postgresql_url: str, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    documents = Documents(PostgreSQLDocuments(postgresql_url))

    async def scenario() -> None:
        received, events = Received(), EventBus(documents, clock)
        await events.start()
        with unreadable(postgresql_url):
            events.subscribe("test", "aws.test", received.note)
            await asyncio.to_thread(until, lambda: "cannot subscribe test" in caplog.text)
        await events.publish_async(event(1))
        assert await received.until(1) == [1]
        assert EventBus(documents, clock).is_wanted(event(2))
        await events.stop()

    run(scenario)
    documents.close()


def test_goes_on_once_the_database_is_back(
    postgresql_url: str,
    clock: Clock,
    wall: Wall,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_bus, "_TRIM_SECONDS", 0.01)
    monkeypatch.setattr(event_bus, "_FOLLOW_SECONDS", 0.01)
    documents = Documents(PostgreSQLDocuments(postgresql_url))

    async def nobody(event: Event) -> None:
        raise AssertionError

    async def scenario() -> None:
        away = EventBus(documents, clock)
        away.subscribe("away", "aws.test", nobody)
        await away.publish_async(event(1))
        wall.time += RETENTION_SECONDS + 1
        events = EventBus(documents, clock)
        with unreadable(postgresql_url):
            await events.start()
            for what in ("cannot learn who subscribes", "cannot drop old events"):
                await asyncio.to_thread(until, lambda what=what: what in caplog.text)
        await asyncio.to_thread(until, lambda: not waiting(documents, "away"))
        away.subscribe("new", "aws.new", nobody)
        await asyncio.to_thread(until, lambda: events.is_wanted(event(2, source="aws.new")))
        await events.stop()

    run(scenario)
    documents.close()
