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
import h2.errors
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
_RESETS_SECONDS = 60.0
"""A client that makes streams and resets them only makes work (CVE-2023-44487)."""


class StreamClosed(Exception):
    """The client reset the stream or left while it was being answered."""


class _Stream:
    """One request and its answer.

    Attributes:
        progress_at: when the client last sent of the body, had it read, or took of the answer;
            or when we began to wait for its window.
        window_waiter: there while the client's window is too small for the answer.
    """

    __slots__ = ("body", "progress_at", "request", "task", "window_waiter")

    def __init__(self, request: Request, body: IncomingBody | EmptyBody, now: float) -> None:
        self.request = request
        self.body = body
        self.progress_at = now
        self.task: asyncio.Task[None] | None = None
        self.window_waiter: asyncio.Future[None] | None = None

    def has_stalled(self, now: float, seconds: float) -> bool:
        """Whether its client is waited for and has done nothing for so many seconds."""
        is_waiting = self.window_waiter is not None or self.body.is_awaited
        return is_waiting and now - self.progress_at >= seconds


class Http2Connection(asyncio.Protocol):
    """One client's connection with all its streams."""

    def __init__(self, server: HttpServer, transport: asyncio.Transport) -> None:
        self._server = server
        self._loop = server.loop
        self._transport = transport
        self.source_ip = address_of(transport)
        self._streams: dict[int, _Stream] = {}
        self._resets = 0
        self._resets_since = self._loop.time()
        self._closing = False
        self._write_waiters: list[asyncio.Future[None]] = []
        self._write_paused = False
        self._write_progress_at = 0.0
        self._unsent_bytes = 0
        config = h2.config.H2Configuration(client_side=False, header_encoding=None)
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
        self._idle_since = self._loop.time()
        self._flush()

    # The connection's life

    def check_deadline(self, now: float) -> None:
        """Called every few seconds: ends streams, or all, if the client made no progress.

        Only what moves an answer or a body on is progress; frames such as PING are none.
        """
        limits = self._server.limits
        if self._transport.is_closing() or self._write_paused:
            if self._has_stopped_reading(now):
                self.abort()
        elif self._streams:
            for stream_id, stream in self._stalled(now, limits.stall_seconds):
                if stream.window_waiter is not None:
                    self._give_up(stream_id)
                elif isinstance(stream.body, IncomingBody):
                    stream.body.fail("the client stopped sending")
            if not self._streams:
                self._say_goodbye()
        elif now - self._idle_since >= limits.idle_seconds:
            self._say_goodbye()

    def _stalled(self, now: float, seconds: float) -> list[tuple[int, _Stream]]:
        return [each for each in self._streams.items() if each[1].has_stalled(now, seconds)]

    def _has_stopped_reading(self, now: float) -> bool:
        unsent_bytes = self._transport.get_write_buffer_size()
        if unsent_bytes < self._unsent_bytes:
            self._write_progress_at = now
        self._unsent_bytes = unsent_bytes
        return now - self._write_progress_at >= self._server.limits.stall_seconds

    def shut_down(self, now: float) -> None:
        """Finish the streams under way, then close; called until that is done.

        Streams whose clients have fallen silent cannot be finished.
        """
        self._closing = True
        for stream_id, _ in self._stalled(now, self._server.limits.silence_seconds):
            self._give_up(stream_id)
        if not self._streams:
            self._say_goodbye()

    def _give_up(self, stream_id: int) -> None:
        with suppress(h2.exceptions.ProtocolError):
            self._connection.reset_stream(stream_id, h2.errors.ErrorCodes.CANCEL)
        self._end_stream(stream_id, "the client made no progress")
        self._flush()

    def _say_goodbye(self) -> None:
        self._closing = True
        if self._transport.is_closing():
            return
        with suppress(h2.exceptions.ProtocolError):
            self._connection.close_connection()
        self._flush()
        self._note_unsent()
        self._transport.close()

    def abort(self) -> None:
        """Close without finishing anything."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._closing = True
        self._server.forget(self)
        for stream_id in list(self._streams):
            self._end_stream(stream_id, "the connection ended")
        self.resume_writing()

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        self._write_paused = True
        self._note_unsent()

    def _note_unsent(self) -> None:
        self._write_progress_at = self._loop.time()
        self._unsent_bytes = self._transport.get_write_buffer_size()

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
        try:
            events = self._connection.receive_data(data)
        except h2.exceptions.ProtocolError as error:
            with suppress(h2.exceptions.ProtocolError):
                self._connection.close_connection(error.error_code)
            self._flush()
            self._note_unsent()
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
                    self._say_goodbye()
            case _:
                pass

    def _begin(self, event: h2.events.RequestReceived) -> None:
        stream_id = event.stream_id
        headers: dict[str, str] = {}
        target = "/"
        for raw_name, raw_value in event.headers:
            if raw_name == b":path":
                target = bytes(raw_value).decode("latin-1")
                continue
            name = bytes(raw_name).decode("latin-1")
            value = bytes(raw_value).decode("utf-8", "surrogateescape")
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        path, _, query = target.partition("?")
        method = headers.pop(":method", "GET")
        is_secure = headers.pop(":scheme", "http") == "https"
        headers["host"] = headers.get(":authority", headers.get("host", ""))
        body: IncomingBody | EmptyBody = EMPTY_BODY
        if event.stream_ended is None:
            body = IncomingBody(
                _STREAM_WINDOW_BYTES,
                lambda _body, size_bytes: self._on_body_read(stream_id, size_bytes),
                budget=self._server.budget,
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
        stream = self._streams[stream_id] = _Stream(request, body, self._loop.time())
        stream.task = self._loop.create_task(self._answer(stream_id, stream))

    def _take_data(self, event: h2.events.DataReceived) -> None:
        stream = self._streams.get(event.stream_id)
        padding_bytes = event.flow_controlled_length - len(event.data)
        if stream is None or not isinstance(stream.body, IncomingBody):
            self._acknowledge(event.stream_id, event.flow_controlled_length)
            return
        stream.progress_at = self._loop.time()
        if padding_bytes:
            self._acknowledge(event.stream_id, padding_bytes)
        if event.data:
            stream.body.feed(event.data)

    def _on_body_read(self, stream_id: int, size_bytes: int) -> None:
        stream = self._streams.get(stream_id)
        if stream is not None:
            stream.progress_at = self._loop.time()
        self._acknowledge(stream_id, size_bytes)

    def _acknowledge(self, stream_id: int, size_bytes: int) -> None:
        try:
            self._connection.acknowledge_received_data(size_bytes, stream_id)
        except h2.exceptions.ProtocolError:
            return  # the stream or the connection is over; nobody waits for its window
        self._flush()

    def _reset(self, stream_id: int) -> None:
        now = self._loop.time()
        if now - self._resets_since > _RESETS_SECONDS:
            self._resets, self._resets_since = 0, now
        self._resets += 1
        self._end_stream(stream_id, "the client reset the stream")
        if self._resets > _RESETS:
            self._say_goodbye()

    def _end_stream(self, stream_id: int, reason: str) -> None:
        """Forget a stream; what it holds of the connection's window goes back to the client."""
        stream = self._streams.pop(stream_id, None)
        if stream is None:
            return
        self._idle_since = self._loop.time()
        if isinstance(stream.body, IncomingBody):
            stream.body.fail(reason)
            if unread_bytes := stream.body.discard():
                self._acknowledge(stream_id, unread_bytes)
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
                with suppress(h2.exceptions.ProtocolError):
                    self._connection.reset_stream(stream_id, h2.errors.ErrorCodes.INTERNAL_ERROR)
        finally:
            if isinstance(stream.request.body, IncomingBody):
                stream.request.body.let_go()
            self._end_stream(stream_id, "the request was answered")
            self._flush()
            if self._closing and not self._streams:
                self._say_goodbye()

    async def _send(self, stream_id: int, stream: _Stream, response: Response) -> None:
        if stream_id not in self._streams:
            raise StreamClosed
        body = response.body
        headers = [(b":status", b"%d" % response.status)]
        headers += [
            (name.encode(), value.encode("utf-8", "surrogateescape"))
            for name, value in response.headers
            if name != "connection"
        ]
        names = {name for name, _ in headers}
        if b"content-length" not in names and response.status not in (204, 304):
            if isinstance(body, bytes):
                headers.append((b"content-length", b"%d" % len(body)))
            elif isinstance(body, FileSlice):
                headers.append((b"content-length", b"%d" % body.length))
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
                if stream.window_waiter is None:
                    stream.progress_at = self._loop.time()
                stream.window_waiter = self._loop.create_future()
                await stream.window_waiter
                continue
            stream.window_waiter = None
            stream.progress_at = self._loop.time()
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
