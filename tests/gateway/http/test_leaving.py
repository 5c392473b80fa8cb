"""Clients that leave in the middle, and a server that ends while they do not."""

from __future__ import annotations

import socket
import struct

import pytest

from tests.gateway.http.conftest import Served, read_all, wait_until

PUT = b"PUT /k HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n"
GET = b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n"


def reset(connection: socket.socket) -> None:
    """Leave without a word of parting."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize("leave", [socket.socket.close, reset])
@pytest.mark.parametrize(
    "data",
    [
        PUT + b"\r\nx",
        PUT + b"Expect: 100-continue\r\n\r\n",
        GET % b"/endless",
        GET % b"/file",
        GET % b"/x" * 10,
    ],
    ids=["body", "continue", "chunks", "file", "answers"],
)
@pytest.mark.parametrize("is_late", [False, True])
def test_clients_that_leave_are_no_errors(
    served: Served, caplog: pytest.LogCaptureFixture, data: bytes, leave, is_late: bool
) -> None:
    if is_late:
        served.application.read_body.clear()
    connection = served.connect()
    connection.sendall(data)
    wait_until(lambda: bool(served.application.seen))
    leave(connection)
    # Who closes may only have no more to say, and is still answered.
    served.application.read_body.set()
    wait_until(lambda: not served.server.connections)
    wait_until(lambda: not served.server.requests_under_way)
    if data.startswith(b"PUT"):
        assert served.application.was_broken.wait(10)
    assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


def test_end_does_not_wait_for_who_says_nothing(served: Served) -> None:
    idle, begun, within = served.connect(), served.connect(), served.connect()
    begun.sendall(b"GET / HTT")
    within.sendall(PUT + b"\r\nabc")
    wait_until(lambda: bool(served.application.seen))
    assert served.end() < 2
    assert [read_all(connection) for connection in (idle, begun)] == [b"", b""]
    assert b"200 OK" not in read_all(within)
    assert served.application.was_broken.wait(10)


def test_end_waits_a_little_for_who_does_not_read(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloche.gateway.http.server._SHUT_DOWN_SECONDS", 1.0)
    with served.connect() as slow:
        slow.sendall(GET % b"/file")
        wait_until(lambda: bool(served.application.seen))
        assert 0.9 < served.end() < 10


def test_end_lets_a_request_under_way_finish(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(GET % b"/endless" + b"")
        connection.recv(10)
        served.application.read_body.clear()
        waiting = served.connect()
        waiting.sendall(GET % b"/x")
        wait_until(lambda: len(served.application.seen) == 2)
        reset(connection)
        served.loop.call_soon_threadsafe(
            served.loop.call_later, 0.5, served.application.read_body.set
        )
        assert served.end() < 3
        assert b"GET /x? " in read_all(waiting)
