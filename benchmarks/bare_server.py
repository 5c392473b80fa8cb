"""The yardstick for small requests: a server that parses HTTP, answers, and does nothing else.

With a file's name it makes each body durable first, as Cloche does: it appends what has come, and
one fdatasync in a thread is for all that wait. What this reaches, no server in Python passes.
"""

from __future__ import annotations

import asyncio
import os
import sys

import httptools
import uvloop

_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: 400\r\n\r\n" + b"x" * 400


class _Durable:
    """Appends bodies to a file; those that come during one sync share the next."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._waiting: list[tuple[bytes, asyncio.Transport]] = []
        self._is_syncing = False

    def keep(self, body: bytes, transport: asyncio.Transport) -> None:
        self._waiting.append((body, transport))
        if not self._is_syncing:
            self._is_syncing = True
            self._task = asyncio.get_running_loop().create_task(self._sync())

    async def _sync(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            await asyncio.to_thread(self._write, b"".join(body for body, _ in batch))
            for _, transport in batch:
                transport.write(_ANSWER)
        self._is_syncing = False

    def _write(self, data: bytes) -> None:
        os.write(self._file, data)
        os.fdatasync(self._file)


class _Connection(asyncio.Protocol):
    def __init__(self, durable: _Durable | None) -> None:
        self.durable = durable

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.parser = httptools.HttpRequestParser(self)
        self.body = b""

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        body, self.body = self.body, b""
        if self.durable is None:
            self.transport.write(_ANSWER)
        else:
            self.durable.keep(body, self.transport)


async def _serve(port: int, path: str) -> None:
    durable = _Durable(path) if path else None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(durable), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""))
