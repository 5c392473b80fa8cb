"""The answering side of an HTTP/1.1 connection: heads, bodies, chunks, and files by sendfile(2)."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import TYPE_CHECKING

from cloche.engines.objects.store import FileSlice
from cloche.gateway.http.addresses import LOOPBACK_ADDRESSES, address_of
from cloche.gateway.http.limits import LOOPBACK_SEND_BUFFER_BYTES
from cloche.gateway.http.messages import Request, Response

if TYPE_CHECKING:
    from cloche.gateway.http.server import HttpServer

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
_BODYLESS_STATUSES = {204, 304}
_SENT_TOGETHER_BYTES = 64 * 1024
_MORE_FOLLOWS: int = getattr(socket, "MSG_MORE", 0)
"""Linux alone has it."""
_SENDFILE_BYTES = 2 * 1024 * 1024


class ConnectionClosed(Exception):
    """The client went away, or stalled, while it was being answered."""


class AnswerWriter:
    """Writes answers to one client, as fast as it reads them.

    Attributes:
        is_paused: the client has not taken what was written yet, and more has to wait.
    """

    __slots__ = (
        "_loop", "_server", "_socket", "_transport", "_unsent_bytes", "_waiter", "_waits_since",
        "is_paused",
    )  # fmt: skip

    def __init__(self, server: HttpServer, transport: asyncio.Transport) -> None:
        self._server = server
        self._loop = server.loop
        self._transport = transport
        self._waiter: asyncio.Future[None] | None = None
        self._waits_since = 0.0
        self._unsent_bytes = 0
        self._socket: socket.socket | None = None
        self.is_paused = False

    # What the connection tells

    def pause(self) -> None:
        """The client reads more slowly than we write."""
        self.is_paused = True

    def resume(self) -> None:
        """It has caught up."""
        self.is_paused = False
        self._wake()

    def end(self) -> None:
        """The client is gone: whoever waits for it is told."""
        if self._socket is not None:
            # Before the number is free for another connection, whose watch this would end.
            self._loop.remove_writer(self._socket.fileno())
            self._socket.close()
            self._socket = None
        self._wake()

    def has_stalled(self, now: float, seconds: float) -> bool:
        """Whether the client is waited for and has taken nothing for so many seconds."""
        if not self.is_paused:
            return False
        unsent_bytes = self._transport.get_write_buffer_size()
        if unsent_bytes < self._unsent_bytes:
            self._unsent_bytes = unsent_bytes
            self._waits_since = now
        return now - self._waits_since >= seconds

    # Whole answers

    def say(self, text: bytes) -> None:
        """Send what is no answer to a request: a refusal, or the word to continue."""
        if not self._transport.is_closing():
            self._server.send_all()
            self._transport.write(text)

    def refuse(self, status: int, reason: str) -> None:
        """Answer what is no request."""
        text = reason.encode("ascii", "replace")
        self.say(
            _STATUS_LINES[status]
            + b"content-type: text/plain\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"
            % (len(text), text)
        )

    async def write(self, request: Request, response: Response, keep_alive: bool) -> bool:
        """Answer a request; False if the connection has to end with this answer.

        Raises:
            ConnectionClosed: the client is gone.
        """
        if self._transport.is_closing():
            raise ConnectionClosed
        if self.is_paused:
            await self._drain()
        body = response.body
        if request.body.awaits_continue:
            # The client may or may not send the body now: only a new connection tells.
            keep_alive = False
        status = response.status
        head = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
        has_length = status in _BODYLESS_STATUSES
        for name, value in response.headers:
            head.append(f"{name}: {value}\r\n".encode("utf-8", "surrogateescape"))
            if name == "content-length":
                has_length = True
        has_body = request.method != "HEAD" and status not in _BODYLESS_STATUSES
        is_chunked = False
        if not has_length:
            if isinstance(body, bytes):
                head.append(b"content-length: %d\r\n" % len(body))
            elif isinstance(body, FileSlice):
                head.append(b"content-length: %d\r\n" % body.length)
            elif request.http_version == "1.1":
                is_chunked = has_body
                head.append(b"transfer-encoding: chunked\r\n" if is_chunked else b"")
            else:
                keep_alive = False
        head.append(self._server.date_header())
        head.append(b"\r\n" if keep_alive else b"connection: close\r\n\r\n")
        if has_body and isinstance(body, bytes):
            head.append(body)
        answer = b"".join(head)
        is_whole = not has_body or isinstance(body, bytes)
        if keep_alive and is_whole and len(answer) <= _SENT_TOGETHER_BYTES:
            self._server.send_soon(self._transport, answer)
        else:
            self._server.send_all()
            if has_body and isinstance(body, FileSlice) and body.length:
                await self._send_file(answer, body)
                return keep_alive
            self._transport.write(answer)
            if has_body and not isinstance(body, (bytes, FileSlice)):
                await self._send_chunks(body, is_chunked)
        if self.is_paused:
            await self._drain()
        return keep_alive

    async def _send_chunks(self, body: AsyncIterator[bytes], is_chunked: bool) -> None:
        async for chunk in body:
            if self.is_paused or self._transport.is_closing():
                await self._drain()
            if chunk:
                self._transport.write(
                    b"%x\r\n%s\r\n" % (len(chunk), chunk) if is_chunked else chunk
                )
        if self.is_paused or self._transport.is_closing():
            await self._drain()
        if is_chunked:
            self._transport.write(b"0\r\n\r\n")

    # Files

    async def _send_file(self, head: bytes, part: FileSlice) -> None:
        """Send part of a file by sendfile(2), without the bytes passing through Python.

        uvloop has no sendfile and lets nobody watch its sockets, so that the file is sent through
        a duplicate of the socket's descriptor, once all that the transport had is out.
        """
        file = _open(part)
        try:
            await self._empty_transport()
            if self._socket is None:
                self._socket = _duplicate(self._transport)
            sending = _Sending(self._socket, head, file, part)
            if not sending.go_on():
                await self._send_as_it_is_read(self._socket.fileno(), sending)
        except OSError as error:
            raise ConnectionClosed from error
        finally:
            os.close(file)

    async def _empty_transport(self) -> None:
        if not self._transport.get_write_buffer_size():
            return
        self._transport.set_write_buffer_limits(0)
        while self._transport.get_write_buffer_size():
            await self._drain()
        self._transport.set_write_buffer_limits()

    async def _send_as_it_is_read(self, descriptor: int, sending: _Sending) -> None:
        self.is_paused = True
        self._loop.add_writer(descriptor, self._send_more, sending)
        try:
            await self._wait()
        finally:
            if self._socket is not None:
                self._loop.remove_writer(descriptor)
            self.is_paused = False
        if self._transport.is_closing():
            raise ConnectionClosed

    def _send_more(self, sending: _Sending) -> None:
        """The client has read something: called by the loop, without a turn of the task."""
        self._waits_since = self._loop.time()
        try:
            if sending.go_on():
                self._wake()
        except (OSError, ConnectionClosed) as error:
            waiter, self._waiter = self._waiter, None
            if waiter is not None and not waiter.done():
                waiter.set_exception(error)

    # Waiting for the client

    async def _drain(self) -> None:
        if self._transport.is_closing():
            raise ConnectionClosed
        if self.is_paused:
            await self._wait()
        if self._transport.is_closing():
            raise ConnectionClosed

    async def _wait(self) -> None:
        self._waits_since = self._loop.time()
        self._unsent_bytes = self._transport.get_write_buffer_size()
        self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


class _Sending:
    """An answer from a file, as far as it is out."""

    __slots__ = ("_end", "_file", "_head", "_offset", "_socket")

    def __init__(self, connection: socket.socket, head: bytes, file: int, part: FileSlice) -> None:
        self._socket = connection
        self._head = head
        self._file = file
        self._offset = part.offset
        self._end = part.offset + part.length

    def go_on(self) -> bool:
        """Send what the socket takes, and not so much that others wait; True at the end.

        Raises:
            OSError: the client is gone.
            ConnectionClosed: the file is shorter than the answer had announced.
        """
        try:
            if self._head:
                # With the file's first bytes: a head alone would wake the client for nothing.
                self._head = self._head[self._socket.send(self._head, _MORE_FOLLOWS) :]
            if not self._head:
                size = min(self._end - self._offset, _SENDFILE_BYTES)
                sent = os.sendfile(self._socket.fileno(), self._file, self._offset, size)
                if not sent:
                    raise ConnectionClosed("the file is shorter than the answer had announced")
                self._offset += sent
        except BlockingIOError:
            return False
        return self._offset == self._end


def _duplicate(transport: asyncio.Transport) -> socket.socket:
    if transport.is_closing():
        raise ConnectionClosed
    connection = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
    if address_of(transport) in LOOPBACK_ADDRESSES:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LOOPBACK_SEND_BUFFER_BYTES)
    return connection


def _open(part: FileSlice) -> int:
    file = os.open(part.path, os.O_RDONLY | os.O_CLOEXEC)
    if part.length > _SENDFILE_BYTES and hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file, part.offset, part.length, os.POSIX_FADV_SEQUENTIAL)
    return file
