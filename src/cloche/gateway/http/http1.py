"""HTTP/1.1 on asyncio, parsed by httptools (llhttp).

One request of a connection is handled at a time; the next ones wait. What a slow or hostile
client can hold is bounded by `Limits`; deadlines are kept by one sweep over all connections, so
that an idle connection costs its memory and nothing else.

The reasons for a protocol class of our own are in docs/decisions/0002-http-server.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

import httptools

from cloche.gateway.http.addresses import address_of
from cloche.gateway.http.answer_writer import AnswerWriter, ConnectionClosed
from cloche.gateway.http.body import EMPTY_BODY, EmptyBody, IncomingBody
from cloche.gateway.http.messages import Request, Response

if TYPE_CHECKING:
    from cloche.gateway.http.server import HttpServer

log = logging.getLogger("cloche.http")

Application = Callable[[Request], Awaitable[Response]]

_HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_RESUME_BELOW_BYTES = 64 * 1024


class _TrailersTooLong(Exception):
    """The fields behind a chunked body exceed what a head may have."""


class Http1Connection(asyncio.Protocol):
    """One client's connection: reads requests, writes answers in order."""

    __slots__ = (
        "_body", "_closing", "_deadline", "_framing_bytes", "_head_bytes", "_headers", "_in_head",
        "_is_fresh", "_limits", "_loop", "_parser", "_preface", "_queue", "_repeated", "_server",
        "_task", "_trailer_bytes", "_transport", "_unread_bytes", "_upgrade_bytes", "_url",
        "_writer", "source_ip",
    )  # fmt: skip

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._loop = server.loop
        self._limits = server.limits
        self._parser = httptools.HttpRequestParser(self)
        self._queue: deque[tuple[Request, bool]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._body: IncomingBody | None = None
        self._headers: dict[str, str] = {}
        self._repeated: dict[str, list[str]] = {}
        self._url = b""
        self._head_bytes = 0
        self._in_head = True
        self._framing_bytes = 0
        self._trailer_bytes = 0
        self._upgrade_bytes = 0
        self._unread_bytes = 0
        self._closing = False
        self._preface = b""
        self._is_fresh = True
        self._deadline = 0.0
        self.source_ip = ""

    # The connection's life

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self._transport = cast("asyncio.Transport", transport)
        self._writer = AnswerWriter(self._server, self._transport)
        self.source_ip = address_of(transport)
        self._server.connections.add(self)
        self._wait_until(self._limits.idle_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; whoever reads from it or writes to it is told."""
        self._closing = True
        self._server.forget(self)
        if self._body is not None:
            self._body.fail("the connection ended within the body")
        self._writer.end()
        self._queue.clear()

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        self._writer.pause()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writer.resume()

    def _wait_until(self, seconds: float) -> None:
        self._deadline = self._loop.time() + seconds

    def check_deadline(self, now: float) -> None:
        """Called every few seconds: ends the connection if the client made no progress."""
        if now < self._deadline:
            return
        if self._task is None:
            if self._head_bytes and self._in_head:
                self._refuse(408, "Request Time-out")
            elif self._transport.get_write_buffer_size():
                self._transport.abort()  # closing would wait for a client that does not read
            else:
                self._close()
        elif self._body is not None and not self._body.is_complete and not self._body.is_paused:
            self._body.fail("the client stopped sending")
            self._wait_until(self._limits.stall_seconds)
        elif self._writer.has_stalled(now, self._limits.stall_seconds):
            self._transport.abort()
        elif not self._writer.is_paused:
            self._wait_until(self._limits.stall_seconds)

    def shut_down(self, now: float) -> None:
        """Finish the request under way and take no further one; called until that is done.

        A request whose client has fallen silent within its body cannot be finished.
        """
        self._closing = True
        silent_since = self._deadline - self._limits.stall_seconds
        if self._task is None:
            self._close()
        elif (
            self._body is not None
            and self._body.is_awaited
            and now - silent_since >= self._limits.silence_seconds
        ):
            self._transport.abort()

    def abort(self) -> None:
        """Close without finishing anything."""
        self._transport.abort()

    # Reading

    def data_received(self, data: bytes) -> None:
        """Bytes came in."""
        if self._closing and self._task is None:
            return
        if self._is_fresh:
            data, self._preface = self._preface + data, b""
            if not self._is_http1(data):
                return
        if self._upgrade_bytes:
            data = self._feed_upgraded(data)
            if not data:
                return
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            self._refuse(400, f"Bad Request: {error.__class__.__name__}")

    def _is_http1(self, data: bytes) -> bool:
        """Hand the connection over where the client begins with HTTP/2's preface."""
        preface_bytes = len(_HTTP2_PREFACE)
        if data[:preface_bytes] != _HTTP2_PREFACE[: len(data)]:
            self._is_fresh = False
            return True
        if len(data) < preface_bytes:
            self._preface = data
        else:
            self._server.switch_to_http2(self, self._transport, data)
        return False

    def _feed(self, data: bytes) -> None:
        if self._in_head:
            if not self._head_bytes and self._task is None:
                self._wait_until(self._limits.head_seconds)
            self._head_bytes += len(data)
            # A chunk may hold the end of the head and much of the body, so that only a head
            # that goes on beyond a whole chunk can be told to be too long before it is parsed.
            if self._head_bytes - len(data) > self._limits.head_bytes:
                self._refuse(431, "Request Header Fields Too Large")
                return
        else:
            self._wait_until(self._limits.stall_seconds)
            # Since the body's last byte: the heads of chunks, and trailers.
            self._framing_bytes += len(data)
            if self._framing_bytes - len(data) > self._limits.head_bytes:
                self._refuse(400, "Bad Request: trailers without end")
                return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :]
            self._parser = httptools.HttpRequestParser(self)
            if self._upgrade_bytes:
                rest = self._feed_upgraded(rest)
            if rest:
                self._feed(rest)

    def on_message_begin(self) -> None:
        """Parser: a request begins."""
        self._headers = {}
        self._url = b""

    def on_url(self, url: bytes) -> None:
        """Parser: part of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Parser: a header, or a trailer of a chunked body."""
        if not self._in_head:
            self._pass_trailer(name, value)
            return
        key = name.decode("latin-1").lower()
        text = value.decode("utf-8", "surrogateescape")
        headers = self._headers
        if key in headers:
            self._repeated.setdefault(key, [headers[key]]).append(text)
        else:
            headers[key] = text

    def _pass_trailer(self, name: bytes, value: bytes) -> None:
        """Trailers are not kept: no signature covers them, and the request is under way."""
        self._trailer_bytes += len(name) + len(value) + 4
        if self._trailer_bytes > self._limits.head_bytes:
            raise _TrailersTooLong

    def on_headers_complete(self) -> None:
        """Parser: a request's head is there; its handling begins before its body has come."""
        headers = self._headers
        if self._repeated:
            # Joined once: a name that comes thousands of times would be copied as often.
            headers.update((key, ",".join(texts)) for key, texts in self._repeated.items())
            self._repeated = {}
        if (
            self._head_bytes > self._limits.head_bytes
            and self._head_size() > self._limits.head_bytes
        ):
            self._refuse(431, "Request Header Fields Too Large")
            return
        parser = self._parser
        version = parser.get_http_version()
        length = headers.get("content-length")
        coding = headers.get("transfer-encoding")
        if coding is not None and coding.strip().lower() != "chunked":
            self._refuse(400, "Bad Request: unknown transfer coding")
            return
        has_body = coding is not None or (length is not None and length != "0")
        if parser.should_upgrade():
            # The protocol offered is not taken up; llhttp leaves the body to us.
            if coding is not None:
                self._refuse(501, "Upgrade with a chunked body is not supported")
                return
            self._upgrade_bytes = int(length or 0)
        self._in_head = False
        self._framing_bytes = self._trailer_bytes = 0
        body: IncomingBody | EmptyBody = EMPTY_BODY
        if has_body:
            body = self._body = IncomingBody(
                self._limits.buffered_bytes,
                self._on_body_read,
                self._send_continue
                if "100-continue" in headers.get("expect", "").lower()
                else None,
                self._server.budget,
            )
        path, _, query = self._url.decode("latin-1").partition("?")
        if not path.startswith("/"):
            path = _path_of_absolute_target(path)
        request = Request(
            method=parser.get_method().decode("ascii"),
            raw_path=path,
            query_string=query,
            headers=headers,
            body=body,
            source_ip=self.source_ip,
            http_version=version,
        )
        self._accept(request, parser.should_keep_alive())

    def _head_size(self) -> int:
        return len(self._url) + sum(
            len(key) + len(value) + 4 for key, value in self._headers.items()
        )

    def on_body(self, chunk: bytes) -> None:
        """Parser: part of the body."""
        self._framing_bytes = 0
        self._take_body(chunk)

    def on_message_complete(self) -> None:
        """Parser: the request has come whole."""
        if not self._upgrade_bytes:
            self._finish_request()

    def _finish_request(self) -> None:
        if self._body is not None:
            self._body.finish()
        self._in_head = True
        self._head_bytes = 0

    def _feed_upgraded(self, data: bytes) -> bytes:
        chunk, rest = data[: self._upgrade_bytes], data[self._upgrade_bytes :]
        self._upgrade_bytes -= len(chunk)
        self._take_body(chunk)
        if not self._upgrade_bytes:
            self._finish_request()
        return rest

    def _take_body(self, chunk: bytes) -> None:
        if self._closing and self._task is None:
            return
        if self._body is None:
            self._unread_bytes += len(chunk)
            if self._unread_bytes > self._limits.drained_bytes:
                self._close()
        elif self._body.feed(chunk):
            self._transport.pause_reading()

    def _on_body_read(self, body: IncomingBody, size_bytes: int) -> None:
        if body.is_paused and body.buffered_bytes < _RESUME_BELOW_BYTES:
            body.is_paused = False
            self._wait_until(self._limits.stall_seconds)
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def _send_continue(self) -> None:
        self._writer.say(b"HTTP/1.1 100 Continue\r\n\r\n")

    def eof_received(self) -> bool:
        """The client sends no more; what it has asked for is still answered."""
        self._closing = True
        if self._body is not None:
            self._body.fail("the connection ended within the body")
        if self._task is None:
            self._server.send_all()
        return self._task is not None

    def _close(self) -> None:
        """Close, behind what waits to be sent."""
        self._server.send_all()
        self._transport.close()

    # Answering

    def _accept(self, request: Request, keep_alive: bool) -> None:
        if self._closing:  # the parser goes on with what came behind a request that was refused
            return
        if self._task is None:
            self._server.requests_under_way += 1
            self._task = self._loop.create_task(self._answer_all(request, keep_alive))
            self._wait_until(self._limits.stall_seconds)
            return
        self._queue.append((request, keep_alive))
        if len(self._queue) >= self._limits.pipelined_requests:
            self._transport.pause_reading()

    async def _answer_all(self, request: Request, keep_alive: bool) -> None:
        """Answer a request and those that were pipelined behind it."""
        try:
            while True:
                response = await self._server.application(request)
                keep_alive = keep_alive and not self._closing
                keep_alive = await self._writer.write(request, response, keep_alive)
                if not await self._settle_body(request, keep_alive):
                    return
                if not self._queue:
                    break
                request, keep_alive = self._queue.popleft()
                if len(self._queue) == self._limits.pipelined_requests - 1:
                    self._transport.resume_reading()
        except ConnectionClosed:
            self._transport.abort()
            return
        except Exception:
            # The application answers its own errors; this one is the connection's, or a body's
            # that broke off after its head was sent, and only the client's end can tell.
            log.exception("answer to %s %s broke off", request.method, request.raw_path)
            self._transport.abort()
            return
        finally:
            if isinstance(request.body, IncomingBody):
                request.body.let_go()
            self._server.requests_under_way -= 1
            self._task = None
        self._wait_until(self._limits.idle_seconds)
        if self._closing:
            self._close()

    async def _settle_body(self, request: Request, keep_alive: bool) -> bool:
        """Get a body that nobody read out of the way; False if the connection ends here."""
        body = request.body
        if isinstance(body, IncomingBody):
            body.let_go()
            if self._body is body:
                self._body = None
            if not body.is_complete:
                keep_alive = keep_alive and not body.awaits_continue and not self._closing
                self._unread_bytes = body.buffered_bytes
                if body.is_paused and not self._transport.is_closing():
                    self._transport.resume_reading()
        if not keep_alive:
            self._closing = True
            if isinstance(body, IncomingBody) and not body.is_complete:
                # Closing at once would reset the connection under the answer's last bytes.
                self._loop.call_later(1.0, self._close)
            else:
                self._close()
        return keep_alive

    def _refuse(self, status: int, reason: str) -> None:
        """Answer what is no request, and close; nothing is read any more."""
        if self._body is not None:
            self._body.fail(reason)
        if self._closing:
            return
        self._closing = True
        if self._task is None and not self._in_head:
            self._close()  # the request was answered, and only its body went wrong
        elif self._task is None:
            self._writer.refuse(status, reason)
            self._transport.pause_reading()
            self._loop.call_later(0.5, self._close)


def _path_of_absolute_target(target: str) -> str:
    """`http://host/path` → `/path`; `*` stays as it is."""
    _, separator, rest = target.partition("://")
    if not separator:
        return target
    return "/" + rest.partition("/")[2]
