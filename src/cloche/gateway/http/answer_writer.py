"""The answering side of an HTTP/1.1 connection: heads, bodies, chunks, and files by sendfile(2)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import TYPE_CHECKING

from cloche.engines.objects.store import FileSlice
from cloche.gateway.http.messages import Request, Response

if TYPE_CHECKING:
    from cloche.gateway.http.server import HttpServer

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
_BODYLESS_STATUSES = {204, 304}
_SENT_TOGETHER_BYTES = 64 * 1024
_SENDFILE_BYTES = 2 * 1024 * 1024


class ConnectionClosed(Exception):
    """The client went away, or stalled, while it was being answered."""


class AnswerWriter:
    """Writes answers to one client, as fast as it reads them.

    Attributes:
        is_paused: the client has not taken what was written yet, and more has to wait.
    """

    __slots__ = (
        "_loop", "_send_fd", "_server", "_transport", "_unsent_bytes", "_waiter", "_waits_since",
        "is_paused",
    )  # fmt: skip

    def __init__(self, server: HttpServer, transport: asyncio.Transport) -> None:
        self._server = server
        self._loop = server.loop
        self._transport = transport
        self._waiter: asyncio.Future[None] | None = None
        self._waits_since = 0.0
        self._unsent_bytes = 0
        self._send_fd = -1
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
        if self._send_fd >= 0:
            # Before the number is free for another connection, whose watch this would end.
            self._loop.remove_writer(self._send_fd)
            os.close(self._send_fd)
            self._send_fd = -1
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
        file = _open(body) if isinstance(body, FileSlice) else -1
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
            self._transport.write(answer)
        if isinstance(body, FileSlice):
            await self._send_file(file, body if has_body else FileSlice(body.path, 0, 0))
        elif has_body and not isinstance(body, bytes):
            await self._send_chunks(body, is_chunked)
        elif self.is_paused:
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

    async def _send_file(self, file: int, part: FileSlice) -> None:
        """Send part of a file by sendfile(2), without the bytes passing through Python.

        uvloop has no sendfile and lets nobody watch its sockets, so that the file is sent through
        a duplicate of the socket's descriptor, once all that the transport had is out.
        """
        try:
            while self._transport.get_write_buffer_size():
                self._transport.set_write_buffer_limits(0)
                await self._drain()
            if self._send_fd < 0:
                if self._transport.is_closing():
                    raise ConnectionClosed
                self._send_fd = os.dup(self._transport.get_extra_info("socket").fileno())
            await self._send_file_bytes(file, part)
        finally:
            os.close(file)
            if not self._transport.is_closing():
                self._transport.set_write_buffer_limits()

    async def _send_file_bytes(self, file: int, part: FileSlice) -> None:
        offset, end = part.offset, part.offset + part.length
        while offset < end:
            if self._transport.is_closing():
                raise ConnectionClosed
            try:
                sent = os.sendfile(self._send_fd, file, offset, min(end - offset, _SENDFILE_BYTES))
            except BlockingIOError:
                await self._wait_writable()
                continue
            except OSError as error:
                raise ConnectionClosed from error
            if sent == 0:
                raise ConnectionClosed(f"{part.path} is shorter than the answer had announced")
            offset += sent

    async def _wait_writable(self) -> None:
        self.is_paused = True
        descriptor = self._send_fd
        self._loop.add_writer(descriptor, self._wake)
        try:
            await self._wait()
        finally:
            if self._send_fd >= 0:
                self._loop.remove_writer(descriptor)
            self.is_paused = False

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


def _open(part: FileSlice) -> int:
    file = os.open(part.path, os.O_RDONLY | os.O_CLOEXEC)
    if part.length > _SENDFILE_BYTES:
        os.posix_fadvise(file, part.offset, part.length, os.POSIX_FADV_SEQUENTIAL)
    return file
