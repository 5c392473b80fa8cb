"""HTTP/2 with prior knowledge, without TLS (h2c), on the `h2` library.

SDKs use it for event streams: the JavaScript SDK speaks nothing else to Kinesis.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from cloche.engines.objects.store import FileSlice
from cloche.gateway.http.addresses import address_of
from cloche.gateway.http.body import EMPTY_BODY, EmptyBody, IncomingBody
from cloche.gateway.http.messages import Request, Response

if TYPE_CHECKING:
    from cloche.gateway.http.server import HttpServer

log = logging.getLogger("cloche.http")

_CONCURRENT_STREAMS = 128
_STREAM_WINDOW_BYTES = 1024 * 1024
_READ_BYTES = 256 * 1024
_RESETS = 1000


class StreamClosed(Exception):
    """The client reset the stream or left while it was being answered."""


class _Stream:
    """One request and its answer."""

    __slots__ = ("body", "request", "task", "window_waiter")

    def __init__(self, request: Request, body: IncomingBody | EmptyBody) -> None:
        self.request = request
        self.body = body
        self.task: asyncio.Task[None] | None = None
        self.window_waiter: asyncio.Future[None] | None = None


class Http2Connection(asyncio.Protocol):
    """One client's connection with all its streams."""

    def __init__(self, server: HttpServer, transport: asyncio.Transport) -> None:
        self._server = server
        self._loop = server.loop
        self._transport = transport
        self.source_ip = address_of(transport)
        self._streams: dict[int, _Stream] = {}
        self._resets = 0
        self._closing = False
        self._write_waiters: list[asyncio.Future[None]] = []
        self._write_paused = False
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self._connection = h2.connection.H2Connection(config)
        codes = h2.settings.SettingCodes
        self._connection.local_settings = h2.settings.Settings(
            client=False,
            initial_values={
                codes.MAX_CONCURRENT_STREAMS: _CONCURRENT_STREAMS,
                codes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW_BYTES,
                codes.MAX_HEADER_LIST_SIZE: server.limits.head_bytes,
            },
        )
        self._connection.initiate_connection()
        self._connection.increment_flow_control_window(_STREAM_WINDOW_BYTES * 4)
        self._deadline = self._loop.time() + server.limits.idle_seconds
        self._flush()

    # The connection's life

    def check_deadline(self, now: float) -> None:
        """Ends the connection if nothing came or went on it for too long."""
        if now < self._deadline:
            return
        if self._streams and not self._write_paused:
            self._touch()
            for stream in self._streams.values():
                if isinstance(stream.body, IncomingBody) and not stream.body.is_paused:
                    stream.body.fail("the client stopped sending")
        else:
            self.abort()

    def _touch(self) -> None:
        limits = self._server.limits
        seconds = limits.stall_seconds if self._streams else limits.idle_seconds
        self._deadline = self._loop.time() + seconds

    def shut_down(self, now: float) -> None:
        """Tell the client to go, and close when its streams are done."""
        self._closing = True
        if self._streams:
            return
        self._connection.close_connection()
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close without finishing anything."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._closing = True
        self._server.forget(self)
        for stream in list(self._streams.values()):
            self._end_stream(stream, "the connection ended")
        self._streams.clear()
        self.resume_writing()

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        self._write_paused = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self._write_paused = False
        waiters, self._write_waiters = self._write_waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _flush(self) -> None:
        data = self._connection.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)

    # Reading

    def data_received(self, data: bytes) -> None:
        """Frames came in."""
        self._touch()
        try:
            events = self._connection.receive_data(data)
        except h2.exceptions.ProtocolError as error:
            with suppress(h2.exceptions.ProtocolError):
                self._connection.close_connection(error.error_code)
            self._flush()
            self._transport.close()
            return
        for event in events:
            self._handle(event)
        self._flush()

    def _handle(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                self._begin(event)
            case h2.events.DataReceived():
                self._take_data(event)
            case h2.events.StreamEnded():
                stream = self._streams.get(event.stream_id)
                if stream is not None and isinstance(stream.body, IncomingBody):
                    stream.body.finish()
            case h2.events.StreamReset():
                self._reset(event.stream_id)
            case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                self._wake_windows()
            case h2.events.ConnectionTerminated():
                # The JavaScript SDK says GOAWAY right after its request and still reads the
                # answer; the library would refuse to send it (python-hyper/h2#1181).
                self._closing = True
                self._connection.state_machine.state = h2.connection.ConnectionState.SERVER_OPEN
                if not self._streams:
                    self._transport.close()
            case _:
                pass

    def _begin(self, event: h2.events.RequestReceived) -> None:
        stream_id = event.stream_id
        headers: dict[str, str] = {}
        for raw_name, raw_value in event.headers:
            name, value = str(raw_name), str(raw_value)
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        path, _, query = headers.pop(":path", "/").partition("?")
        method = headers.pop(":method", "GET")
        is_secure = headers.pop(":scheme", "http") == "https"
        headers["host"] = headers.get(":authority", headers.get("host", ""))
        body: IncomingBody | EmptyBody = EMPTY_BODY
        if event.stream_ended is None:
            body = IncomingBody(
                _STREAM_WINDOW_BYTES,
                lambda _body, size_bytes: self._acknowledge(stream_id, size_bytes),
            )
        request = Request(
            method=method,
            raw_path=path,
            query_string=query,
            headers=headers,
            body=body,
            source_ip=self.source_ip,
            http_version="2",
            is_secure=is_secure,
        )
        stream = self._streams[stream_id] = _Stream(request, body)
        stream.task = self._loop.create_task(self._answer(stream_id, stream))

    def _take_data(self, event: h2.events.DataReceived) -> None:
        stream = self._streams.get(event.stream_id)
        padding_bytes = event.flow_controlled_length - len(event.data)
        if stream is None or not isinstance(stream.body, IncomingBody):
            self._acknowledge(event.stream_id, event.flow_controlled_length)
            return
        if padding_bytes:
            self._acknowledge(event.stream_id, padding_bytes)
        if event.data:
            stream.body.feed(event.data)

    def _acknowledge(self, stream_id: int, size_bytes: int) -> None:
        try:
            self._connection.acknowledge_received_data(size_bytes, stream_id)
        except h2.exceptions.ProtocolError:
            return  # the stream or the connection is over; nobody waits for its window
        self._flush()

    def _reset(self, stream_id: int) -> None:
        self._resets += 1
        stream = self._streams.pop(stream_id, None)
        if stream is not None:
            self._end_stream(stream, "the client reset the stream")
        if self._resets > _RESETS:
            self._transport.close()

    def _end_stream(self, stream: _Stream, reason: str) -> None:
        if isinstance(stream.body, IncomingBody):
            stream.body.fail(reason)
        if stream.window_waiter is not None and not stream.window_waiter.done():
            stream.window_waiter.set_result(None)

    def _wake_windows(self) -> None:
        for stream in self._streams.values():
            if stream.window_waiter is not None and not stream.window_waiter.done():
                stream.window_waiter.set_result(None)

    # Answering

    async def _answer(self, stream_id: int, stream: _Stream) -> None:
        try:
            response = await self._server.application(stream.request)
            await self._send(stream_id, stream, response)
        except (StreamClosed, h2.exceptions.ProtocolError):
            pass
        except Exception:
            log.exception("answer on an HTTP/2 stream broke off")
            if stream_id in self._streams:
                self._connection.reset_stream(stream_id, error_code=2)
        finally:
            self._streams.pop(stream_id, None)
            self._flush()
            if self._closing and not self._streams:
                self._transport.close()

    async def _send(self, stream_id: int, stream: _Stream, response: Response) -> None:
        if stream_id not in self._streams:
            raise StreamClosed
        body = response.body
        headers = [(":status", str(response.status))]
        headers += [(name, value) for name, value in response.headers if name != "connection"]
        names = {name for name, _ in response.headers}
        if "content-length" not in names and response.status not in (204, 304):
            if isinstance(body, bytes):
                headers.append(("content-length", str(len(body))))
            elif isinstance(body, FileSlice):
                headers.append(("content-length", str(body.length)))
        is_empty = stream.request.method == "HEAD" or body == b"" or response.status in (204, 304)
        self._connection.send_headers(stream_id, headers, end_stream=is_empty)
        self._flush()
        if is_empty:
            return
        if isinstance(body, bytes):
            await self._send_bytes(stream_id, stream, body)
        else:
            chunks = _read_file(body) if isinstance(body, FileSlice) else body
            async for chunk in chunks:
                await self._send_bytes(stream_id, stream, chunk)
        self._connection.end_stream(stream_id)

    async def _send_bytes(self, stream_id: int, stream: _Stream, data: bytes) -> None:
        view = memoryview(data)
        while view:
            if stream_id not in self._streams:
                raise StreamClosed
            window_bytes = self._connection.local_flow_control_window(stream_id)
            size = min(window_bytes, self._connection.max_outbound_frame_size, len(view))
            if size <= 0:
                stream.window_waiter = self._loop.create_future()
                await stream.window_waiter
                continue
            self._connection.send_data(stream_id, bytes(view[:size]))
            view = view[size:]
            self._flush()
            if self._write_paused:
                waiter = self._loop.create_future()
                self._write_waiters.append(waiter)
                await waiter


async def _read_file(part: FileSlice) -> AsyncIterator[bytes]:
    file = os.open(part.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        offset, end = part.offset, part.offset + part.length
        while offset < end:
            chunk = os.pread(file, min(_READ_BYTES, end - offset), offset)
            if not chunk:
                raise OSError(f"{part.path} is shorter than the answer had announced")
            offset += len(chunk)
            yield chunk
    finally:
        os.close(file)
