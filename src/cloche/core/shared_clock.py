"""What was advanced, kept in the documents: it survives a restart and reaches other servers."""

from __future__ import annotations

import asyncio
import logging

import msgspec

from cloche.core.clock import Advance, Clock, advanced
from cloche.core.documents import Documents, Table, Transaction

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5


class _Advances(msgspec.Struct, frozen=True):
    advances: tuple[Advance, ...] = ()


_advances = Table("core.clock", _Advances)


class SharedClock:
    """Advances a server's clock for good and for all servers on the same documents.

    Args:
        clock: the server's clock, which takes over what was advanced before.
        documents: where it is kept.
    """

    def __init__(self, clock: Clock, documents: Documents) -> None:
        self._clock = clock
        self._documents = documents
        self.refresh()

    def refresh(self) -> None:
        """Take over what has been advanced elsewhere."""
        record = self._documents.get(_advances, "", "", "clock")
        if record is not None and record.advances != self._clock.advances:
            self._clock.adopt(record.advances)

    async def advance(self, seconds: float) -> None:
        """Move time forward; returns when that is durable.

        Raises:
            ValueError: `seconds` is negative or not finite.
        """

        def append(tx: Transaction) -> tuple[Advance, ...]:
            record = tx.get(_advances, "", "", "clock") or _Advances()
            advances = advanced(record.advances, self._clock.wall_time(), seconds)
            tx.put(_advances, "", "", "clock", _Advances(advances))
            return advances

        self._clock.adopt(await self._documents.commit(append))

    async def follow(self) -> None:
        """Take over what other servers advance, within half a second, until cancelled.

        Returns at once where there can be no other servers.
        """
        while self._documents.is_shared:
            await asyncio.sleep(_POLL_SECONDS)
            try:
                await asyncio.to_thread(self.refresh)
            except Exception:  # noqa: BLE001  # a database that is away must not end it
                _log.exception("cannot read the clock")
