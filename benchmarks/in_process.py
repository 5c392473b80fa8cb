"""What a small request costs the event loop's thread, with no socket and no client beside it.

    python -m benchmarks.in_process

Sixteen connections are fed with requests and answer into memory; what is shown is the time that
the thread of the loop was at work, for each request. Beside what `python -m benchmarks` measures
over sockets it tells how much is the work itself, and how much the way there and back.
"""

from __future__ import annotations

import asyncio
import gc
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.requests import Key, get_caller_identity, s3
from cloche.core.configuration import Settings
from cloche.gateway.administration import Administration
from cloche.gateway.application import Application
from cloche.gateway.http.http1 import Http1Connection
from cloche.gateway.http.server import HttpServer
from cloche.gateway.request_log import RequestLog
from cloche.gateway.server import running

_CONNECTIONS = 16
_ROUNDS = 7
_SECONDS = 0.5


class _Memory:
    """A transport whose client takes everything at once."""

    def __init__(self, on_answer: Callable[[], None]) -> None:
        self._on_answer = on_answer
        self.last = b""

    def write(self, data: bytes) -> None:
        self.last = data
        self._on_answer()

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str) -> Any:
        return ("127.0.0.1", 1) if name == "peername" else None


class _Clients:
    def __init__(self, server: HttpServer) -> None:
        self._missing = 0
        self._all_there = asyncio.Event()
        self.transports = [_Memory(self._note_answer) for _ in range(_CONNECTIONS)]
        self.connections = [Http1Connection(server) for _ in self.transports]
        for connection, transport in zip(self.connections, self.transports, strict=True):
            connection.connection_made(transport)  # type: ignore[arg-type]

    async def ask(self, requests: list[bytes]) -> None:
        """Send one request on each connection and wait for all answers."""
        self._missing = _CONNECTIONS
        self._all_there.clear()
        for number, connection in enumerate(self.connections):
            connection.data_received(requests[number % len(requests)])
        await self._all_there.wait()
        if b" 200 " not in self.transports[0].last[:20]:
            raise RuntimeError(f"refused: {self.transports[0].last[:500]!r}")

    def _note_answer(self) -> None:
        self._missing -= 1
        if not self._missing:
            self._all_there.set()


def _requests(url: str, key: Key) -> dict[str, list[bytes]]:
    body = b"x" * 1024
    return {
        "s3 PUT 1 KB": [s3(url, key, "PUT", f"/bench/put-{n}", body) for n in range(64)],
        "s3 GET 1 KB": [s3(url, key, "GET", "/bench/put-1")],
        "sts GetCallerIdentity": [get_caller_identity(url, key)],
    }


async def _run() -> None:
    gc.set_threshold(50_000)  # as the server has it
    with tempfile.TemporaryDirectory(prefix="cloche-bench-") as temporary:
        data = Path(temporary) / "data"
        data.mkdir()
        log = RequestLog(io.StringIO(), as_json=True)
        async with running(Settings(data, port=0), log) as server:
            found = json.loads((data / "credentials.json").read_text())
            key = (found["access_key_id"], found["secret_access_key"])
            application = Application(server.runtime, Administration(server.runtime))
            clients = _Clients(HttpServer(application))
            await clients.ask([s3(server.url, key, "PUT", "/bench")])
            for name, requests in _requests(server.url, key).items():
                costs = [await _cost_us(clients, requests) for _ in range(_ROUNDS)]
                print(f"{name}: {statistics.median(costs):.0f} µs, at best {min(costs):.0f} µs")


async def _cost_us(clients: _Clients, requests: list[bytes]) -> float:
    ends = time.perf_counter() + _SECONDS
    begun, asked = time.thread_time(), 0
    while time.perf_counter() < ends:
        await clients.ask(requests)
        asked += _CONNECTIONS
    return (time.thread_time() - begun) / asked * 1e6


if __name__ == "__main__":
    uvloop.run(_run())
