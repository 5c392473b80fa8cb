"""Listens on one port for HTTP/1.1 and HTTP/2 and hands requests to one application."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from email.utils import formatdate
from typing import TYPE_CHECKING

from cloche.gateway.http.body import Budget
from cloche.gateway.http.http1 import Application, Http1Connection
from cloche.gateway.http.limits import Limits

if TYPE_CHECKING:
    from cloche.gateway.http.http2 import Http2Connection

_SWEEP_SECONDS = 2.0
_SHUT_DOWN_SECONDS = 5.0
_SHUT_DOWN_SWEEP_SECONDS = 0.25


class HttpServer:
    """The listening socket and all connections.

    Attributes:
        connections: those that are open.
        loop: the event loop that all of them share.
        requests_under_way: how many of HTTP/1.1 are being answered.
        budget: memory for the bodies of all connections that are read whole.
    """

    def __init__(self, application: Application, limits: Limits | None = None) -> None:
        self.application = application
        self.limits = limits or Limits()
        self.loop = asyncio.get_running_loop()
        self.connections: set[Http1Connection | Http2Connection] = set()
        self._listener: asyncio.Server | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self._all_gone: asyncio.Event | None = None
        self.requests_under_way = 0
        self.budget = Budget(self.limits.held_bytes)
        self._unsent: list[tuple[asyncio.Transport, bytes]] = []
        self._date_at = 0
        self._date = b""

    async def listen(self, host: str, port: int) -> int:
        """Listen, and say on which port (the one asked for, or any for 0).

        Raises:
            OSError: the port is taken or the address is not ours.
        """
        self._listener = await self.loop.create_server(
            lambda: Http1Connection(self), host, port, backlog=4096, reuse_address=True
        )
        self._sweep = self.loop.call_later(_SWEEP_SECONDS, self._check_deadlines)
        sockets = self._listener.sockets
        for listening in sockets:
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return int(sockets[0].getsockname()[1])

    def switch_to_http2(
        self, connection: Http1Connection, transport: asyncio.Transport, data: bytes
    ) -> None:
        """The client speaks HTTP/2: give its connection to the other protocol class."""
        from cloche.gateway.http.http2 import Http2Connection

        self.forget(connection)
        successor = Http2Connection(self, transport)
        self.connections.add(successor)
        transport.set_protocol(successor)
        successor.data_received(data)

    def forget(self, connection: Http1Connection | Http2Connection) -> None:
        """The connection is no longer ours to watch."""
        self.connections.discard(connection)
        if self._all_gone is not None and not self.connections:
            self._all_gone.set()

    def send_soon(self, transport: asyncio.Transport, answer: bytes) -> None:
        """Send a whole answer, at the end of the loop's turn if others are being made in it.

        Each send wakes a client, which on few cores takes the processor from the server's next
        answer: sent together, sixteen answers take a quarter less time.
        """
        if self.requests_under_way == 1 and not self._unsent:
            transport.write(answer)
            return
        if not self._unsent:
            self.loop.call_soon(self.send_all)
        self._unsent.append((transport, answer))

    def send_all(self) -> None:
        """Send what waits; called before anything else is written to a connection."""
        unsent, self._unsent = self._unsent, []
        for transport, answer in unsent:
            if not transport.is_closing():
                transport.write(answer)

    def date_header(self) -> bytes:
        """The `Date` header line of this second."""
        now = int(time.time())
        if now != self._date_at:
            self._date_at = now
            self._date = f"date: {formatdate(now, usegmt=True)}\r\n".encode("ascii")
        return self._date

    def _check_deadlines(self) -> None:
        now = self.loop.time()
        for connection in list(self.connections):
            connection.check_deadline(now)
        self._sweep = self.loop.call_later(_SWEEP_SECONDS, self._check_deadlines)

    async def close(self) -> None:
        """Take no new connections, finish the requests under way, close all.

        Clients that say nothing are not waited for, others for a few seconds: `cloche down`
        kills a server that has not ended after ten.
        """
        if self._listener is not None:
            self._listener.close()
        if self._sweep is not None:
            self._sweep.cancel()
        self.send_all()
        self._all_gone = asyncio.Event()
        ends = self.loop.time() + _SHUT_DOWN_SECONDS
        while self.connections and (now := self.loop.time()) < ends:
            for connection in list(self.connections):
                connection.shut_down(now)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_gone.wait(), _SHUT_DOWN_SWEEP_SECONDS)
        for connection in list(self.connections):
            connection.abort()
