from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import uvloop

from cloche.engines.objects.store import FileSlice
from cloche.gateway.http.limits import Limits
from cloche.gateway.http.messages import BodyIncomplete, Request, Response
from cloche.gateway.http.server import HttpServer

LIMITS = Limits(head_bytes=16 * 1024, buffered_bytes=64 * 1024, drained_bytes=256 * 1024)


class Echo:
    """An application that shows what came in; `seen` are the requests, `broken` its bodies."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.seen: list[Request] = []
        self.broken: list[str] = []
        self.was_broken = threading.Event()
        self.read_body = threading.Event()
        self.read_body.set()

    async def __call__(self, request: Request) -> Response:
        self.seen.append(request)
        if request.raw_path == "/file":
            return Response(200, [], FileSlice(self.file, 10, self.file.stat().st_size - 10))
        if request.raw_path == "/stream":
            return Response(200, [], stream())
        if request.raw_path == "/endless":
            return Response(200, [], endless_stream())
        if request.raw_path == "/unread":
            return Response(403, [], b"no")
        if not self.read_body.is_set():
            await asyncio.to_thread(self.read_body.wait)
        try:
            body = b"".join([chunk async for chunk in request.body])
        except BodyIncomplete as error:
            self.broken.append(str(error))
            self.was_broken.set()
            return Response(400, [("connection", "close")], b"incomplete")
        text = f"{request.method} {request.raw_path}?{request.query_string} ".encode()
        return Response(200, [("x-length", str(len(body)))], text + body[:100])


async def stream() -> AsyncIterator[bytes]:
    for number in range(5):
        yield f"{number}".encode() * 1000


async def endless_stream() -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(0.01)
        yield b"x" * 1000


class Served:
    """The application behind a listening socket on a loop of its own."""

    def __init__(self, application: Echo) -> None:
        self.application = application
        self.loop = uvloop.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.server, self.port = self.run(self._listen())

    async def _listen(self) -> tuple[HttpServer, int]:
        server = HttpServer(self.application, LIMITS)
        return server, await server.listen("127.0.0.1", 0)

    def run(self, work):  # type: ignore[no-untyped-def]
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def pass_deadlines(self) -> None:
        """As if every client had been silent for ever."""
        self.pass_seconds(10_000)

    def pass_seconds(self, seconds: float) -> None:
        """As if every client had been silent for so long."""

        async def check() -> None:
            for connection in list(self.server.connections):
                connection.check_deadline(self.loop.time() + seconds)

        self.run(check())

    def end(self) -> float:
        """Have the server end, and say how many seconds it took."""
        started = time.monotonic()
        self.run(self.server.close())
        return time.monotonic() - started

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def exchange(self, data: bytes) -> bytes:
        """Send all and read the answers."""
        with self.connect() as connection:
            connection.sendall(data)
            return read_all(connection)

    def close(self) -> None:
        self.run(self.server.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def read_all(connection: socket.socket, seconds: float = 0.5) -> bytes:
    """What comes until the server closes, or for so long nothing comes after the first bytes."""
    connection.settimeout(10)
    received = b""
    try:
        while chunk := connection.recv(1 << 20):
            received += chunk
            connection.settimeout(seconds)
    except TimeoutError:
        pass
    except ConnectionResetError:
        pass
    return received


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Until it is so, for at most so long."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not become so"
        time.sleep(0.01)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    file = tmp_path / "file"
    file.write_bytes(bytes(range(256)) * 20_000)
    served = Served(Echo(file))
    yield served
    served.close()


Connect = Callable[[], socket.socket]
