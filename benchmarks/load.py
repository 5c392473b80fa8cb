"""A load of prepared requests over keep-alive connections, from a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import time
from dataclasses import dataclass

import uvloop


@dataclass(frozen=True)
class Measured:
    """What a load came to.

    Attributes:
        requests_per_second: answered with 2xx.
        median_ms: of one request.
        p99_ms: of one request.
        requests: how many were answered.
        failures: answered with anything else.
    """

    requests_per_second: float
    median_ms: float
    p99_ms: float
    requests: int
    failures: int


class _Connection(asyncio.Protocol):
    """Sends a request when the answer to the one before is there."""

    def __init__(self, load: _Load, requests: list[bytes], first: int) -> None:
        self.load = load
        self.requests = requests
        self.next = first
        self.buffer = b""
        self.left = -1
        self.is_last = False
        self.is_finished = False
        self.ended = load.loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.started = time.perf_counter()
        self.transport.write(self.requests[self.next % len(self.requests)])  # type: ignore[attr-defined]
        self.next += 1

    def data_received(self, data: bytes) -> None:
        if self.left < 0:
            self.buffer += data
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.buffer[:end].lower()
            self.is_success = head[9:10] == b"2"
            self.is_last = b"\r\nconnection: close" in head
            position = head.find(b"\r\ncontent-length:")
            if position < 0:
                self.chunked = b"transfer-encoding: chunked" in head
                length = 0
            else:
                self.chunked = False
                length = int(head[position + 17 :].split(b"\r\n", 1)[0])
            body = len(self.buffer) - end - 4
            if self.chunked:
                if not self.buffer.endswith(b"0\r\n\r\n"):
                    return
                length = body
            self.left = length - body
            self.buffer = b""
        else:
            self.left -= len(data)
        if self.left <= 0:
            self.left = -1
            self.done()

    def done(self) -> None:
        now = time.perf_counter()
        self.load.note(now - self.started, self.is_success)
        if now >= self.load.ends:
            self.is_finished = True
            self.transport.close()
        elif self.is_last:
            self.transport.close()
        else:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_finished and time.perf_counter() < self.load.ends:
            # The server closes after each answer (or broke off): go on with a new connection.
            self.buffer, self.left = b"", -1
            self.load.loop.create_task(self.reconnect())
        elif not self.ended.done():
            self.ended.set_result(None)

    async def reconnect(self) -> None:
        await self.load.loop.create_connection(lambda: self, "127.0.0.1", self.load.port)


class _Load:
    def __init__(self, port: int, seconds: float) -> None:
        self.port = port
        self.loop = asyncio.get_running_loop()
        self.latencies: list[float] = []
        self.failures = 0
        self.ends = time.perf_counter() + seconds

    def note(self, seconds: float, is_success: bool) -> None:
        if is_success:
            self.latencies.append(seconds)
        else:
            self.failures += 1


async def _run(port: int, requests: list[bytes], connections: int, seconds: float) -> Measured:
    load = _Load(port, seconds)
    begun = time.perf_counter()
    made = [
        await load.loop.create_connection(
            lambda number=number: _Connection(load, requests, number * 7), "127.0.0.1", port
        )
        for number in range(connections)
    ]
    await asyncio.wait_for(asyncio.gather(*(c.ended for _, c in made)), seconds + 60)
    took = time.perf_counter() - begun
    latencies = sorted(load.latencies) or [0.0]
    return Measured(
        requests_per_second=len(load.latencies) / took,
        median_ms=statistics.median(latencies) * 1000,
        p99_ms=latencies[int(len(latencies) * 0.99)] * 1000,
        requests=len(load.latencies) + load.failures,
        failures=load.failures,
    )


def _in_process(arguments: tuple[int, list[bytes], int, float]) -> Measured:
    return uvloop.run(_run(*arguments))


def run(port: int, requests: list[bytes], connections: int, seconds: float) -> Measured:
    """Load a server of this machine for some seconds.

    Args:
        port: of 127.0.0.1.
        requests: whole HTTP/1.1 requests, sent in turn.
        connections: how many at once.
        seconds: for how long.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_in_process, ((port, requests, connections, seconds),))
