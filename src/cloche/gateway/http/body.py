"""A request's body on its way from the socket to whoever reads it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from cloche.gateway.http.messages import BodiesTooMany, BodyIncomplete, BodyTooLarge

_FREE_BYTES = 64 * 1024
_PATIENCE_SECONDS = 60.0
_SLOWEST_BYTES_A_SECOND = 16 * 1024
"""Of a client whose body waits in memory for the rest of it."""


class Budget:
    """Memory for all bodies that are being read whole.

    Args:
        limit_bytes: beyond the first 64 KiB of each.
    """

    __slots__ = ("_left_bytes",)

    def __init__(self, limit_bytes: int) -> None:
        self._left_bytes = limit_bytes

    def take(self, size_bytes: int) -> None:
        """Take memory.

        Raises:
            BodiesTooMany: there is not so much left.
        """
        if size_bytes > self._left_bytes:
            raise BodiesTooMany("the bodies of other requests take all memory that bodies may have")
        self._left_bytes -= size_bytes

    def give_back(self, size_bytes: int) -> None:
        """Give back what was taken."""
        self._left_bytes += size_bytes


class IncomingBody:
    """Chunks fed by a connection and read by one reader.

    The connection is told to pause when more than `limit_bytes` wait unread, and to go on when
    the reader has caught up. `on_first_read` lets HTTP/1.1 answer `Expect: 100-continue` only
    when somebody wants the body.
    """

    __slots__ = (
        "_budget", "_chunks", "_error", "_held_bytes", "_limit_bytes", "_on_drain",
        "_on_first_read", "_waiter",
        "buffered_bytes", "is_complete", "is_paused",
    )  # fmt: skip

    def __init__(
        self,
        limit_bytes: int,
        on_drain: Callable[[IncomingBody, int], None] | None = None,
        on_first_read: Callable[[], None] | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._chunks: deque[bytes] = deque()
        self._error: str | None = None
        self._budget = budget
        self._held_bytes = 0
        self._limit_bytes = limit_bytes
        self._on_drain = on_drain
        self._on_first_read = on_first_read
        self._waiter: asyncio.Future[None] | None = None
        self.buffered_bytes = 0
        self.is_complete = False
        self.is_paused = False

    @property
    def awaits_continue(self) -> bool:
        """Whether the client holds the body back until it is asked for it."""
        return self._on_first_read is not None and not self.is_complete and not self._chunks

    @property
    def is_awaited(self) -> bool:
        """Whether its reader waits for the client."""
        return self._waiter is not None

    def feed(self, chunk: bytes) -> bool:
        """Take bytes from the connection; True if it should pause."""
        self._chunks.append(chunk)
        self.buffered_bytes += len(chunk)
        self._wake()
        if self.buffered_bytes > self._limit_bytes:
            self.is_paused = True
        return self.is_paused

    def finish(self) -> None:
        """The body has arrived whole."""
        self.is_complete = True
        self._wake()

    def fail(self, reason: str) -> None:
        """The rest of the body will never come."""
        if not self.is_complete:
            self._error = reason
            self._wake()

    def discard(self) -> int:
        """Drop what nobody will read any more; how many bytes it was."""
        size_bytes, self.buffered_bytes = self.buffered_bytes, 0
        self._chunks.clear()
        return size_bytes

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    async def _next(self) -> bytes | None:
        """The next chunk, or None at the end."""
        if self._on_first_read is not None:
            first_read, self._on_first_read = self._on_first_read, None
            if not self._chunks and not self.is_complete:
                first_read()
        while not self._chunks:
            if self.is_complete:
                return None
            if self._error is not None:
                raise BodyIncomplete(self._error)
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        chunk = self._chunks.popleft()
        self.buffered_bytes -= len(chunk)
        if self._on_drain is not None:
            self._on_drain(self, len(chunk))
        return chunk

    async def _iterate(self) -> AsyncIterator[bytes]:
        while (chunk := await self._next()) is not None:
            yield chunk

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._iterate()

    async def read(self, limit_bytes: int) -> bytes:
        """See `Body.read`."""
        first = await self._next()
        if first is None:
            return b""
        size = len(first)
        self.hold(size)
        if self.is_complete and not self._chunks and size <= limit_bytes:
            return first
        chunks = [first]
        loop = asyncio.get_running_loop()
        started = loop.time()
        while size <= limit_bytes and (chunk := await self._next()) is not None:
            chunks.append(chunk)
            size += len(chunk)
            self.hold(size)
            if loop.time() - started > _PATIENCE_SECONDS + size / _SLOWEST_BYTES_A_SECOND:
                raise BodyIncomplete("the client sends too slowly")
        if size > limit_bytes:
            raise BodyTooLarge(f"the body has more than {limit_bytes} bytes")
        return b"".join(chunks)

    def hold(self, size_bytes: int) -> None:
        """See `Body.hold`."""
        more_bytes = size_bytes - _FREE_BYTES - self._held_bytes
        if more_bytes > 0 and self._budget is not None:
            self._budget.take(more_bytes)
            self._held_bytes += more_bytes

    def let_go(self) -> None:
        """The request is answered: what was read of its body is no longer held."""
        if self._budget is not None and self._held_bytes:
            self._budget.give_back(self._held_bytes)
            self._held_bytes = 0


class EmptyBody:
    """The body of a request that has none."""

    __slots__ = ()
    is_complete = True
    is_awaited = False
    awaits_continue = False

    async def _iterate(self) -> AsyncIterator[bytes]:
        return
        yield b""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._iterate()

    def hold(self, size_bytes: int) -> None:
        """Nothing is held."""

    async def read(self, limit_bytes: int) -> bytes:
        """Nothing."""
        return b""


EMPTY_BODY = EmptyBody()
