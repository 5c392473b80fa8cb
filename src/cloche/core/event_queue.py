"""Events that wait for a subscriber, and which server delivers them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cloche.core.documents import Document, Documents, Table, Transaction
from cloche.core.event import Event

RETENTION_SECONDS = 86_400.0
"""How long an event waits for a subscriber that is away, in real time."""

LEASE_SECONDS = 15.0


class Interest(msgspec.Struct, frozen=True):
    """Which events a subscriber wants, kept so that they wait for it while it is away.

    Attributes:
        sources: empty for all.
        detail_types: empty for all.
    """

    sources: frozenset[str] = frozenset()
    detail_types: frozenset[str] = frozenset()

    def includes(self, event: Event) -> bool:
        """Whether an event is wanted."""
        return (not self.sources or event.source in self.sources) and (
            not self.detail_types or event.detail_type in self.detail_types
        )


class WaitingEvent(msgspec.Struct, frozen=True):
    """An event in a subscriber's queue.

    Attributes:
        queued_at: real time.
    """

    event: Event
    queued_at: float


class _Lease(msgspec.Struct, frozen=True):
    owner: str
    expires_at: float


_interests = Table("core.event_subscribers", Interest)
_queue = Table("core.event_queue", WaitingEvent)
_leases = Table("core.event_leases", _Lease)


def interests(documents: Documents) -> dict[str, Interest]:
    """Who has ever subscribed, by name."""
    return {document.name: document.value for document in documents.iterate(_interests, "", "")}


def keep_interest(tx: Transaction, subscriber: str, interest: Interest) -> None:
    """Let a subscriber's events wait for it from now on."""
    if tx.get(_interests, "", "", subscriber) != interest:
        tx.put(_interests, "", "", subscriber, interest)


def drop_interest(tx: Transaction, subscriber: str) -> None:
    """Let no further event wait for a subscriber, and drop the first thousand that do."""
    tx.delete(_interests, "", "", subscriber)
    tx.delete(_leases, "", "", subscriber)
    for document in tx.scan(_queue, "", "", prefix=f"{subscriber}/"):
        tx.delete(_queue, "", "", document.name)


def append(
    tx: Transaction, subscriber: str, number: int, publisher: str, waiting: WaitingEvent
) -> None:
    """Put an event into a subscriber's queue, which is ordered by number and then publisher."""
    tx.put(_queue, "", "", f"{subscriber}/{number:020d}-{publisher}", waiting)


def last_number(documents: Documents) -> int:
    """The highest number of an event that waits; 0 if none does."""
    names = (document.name for document in documents.iterate(_queue, "", ""))
    return max((int(name.split("/")[1][:20]) for name in names), default=0)


def head(documents: Documents, subscriber: str, limit: int) -> list[Document[WaitingEvent]]:
    """The events that have waited longest."""
    return documents.scan(_queue, "", "", prefix=f"{subscriber}/", limit=limit)


def remove(tx: Transaction, subscriber: str, names: Sequence[str], owner: str) -> bool:
    """Take delivered events out of the queue; False if another server delivers by now."""
    lease = tx.get(_leases, "", "", subscriber)
    if lease is not None and lease.owner != owner:
        return False
    for name in names:
        tx.delete(_queue, "", "", name)
    return True


def take_lease(tx: Transaction, subscriber: str, owner: str, wall_time: float) -> bool:
    """Become, or stay, the server that delivers to a subscriber; False if another is."""
    lease = tx.get(_leases, "", "", subscriber)
    if lease is not None and lease.owner != owner and lease.expires_at > wall_time:
        return False
    tx.put(_leases, "", "", subscriber, _Lease(owner, wall_time + LEASE_SECONDS))
    return True


def release_lease(tx: Transaction, subscriber: str, owner: str) -> None:
    """Let another server deliver at once."""
    lease = tx.get(_leases, "", "", subscriber)
    if lease is not None and lease.owner == owner:
        tx.delete(_leases, "", "", subscriber)


def remove_expired(tx: Transaction, subscriber: str, wall_time: float) -> int:
    """Drop the events that have waited for more than a day, a thousand at most; how many."""
    expired = [
        document.name
        for document in tx.scan(_queue, "", "", prefix=f"{subscriber}/")
        if document.value.queued_at + RETENTION_SECONDS < wall_time
    ]
    for name in expired:
        tx.delete(_queue, "", "", name)
    return len(expired)
