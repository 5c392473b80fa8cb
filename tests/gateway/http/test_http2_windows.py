"""HTTP/2's flow control, by a client that keeps its own books."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from time import monotonic, sleep

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest

from tests.gateway.http.conftest import LIMITS, Served, wait_until


class Client:
    """A client that does what it is told, and neither more nor less."""

    def __init__(self, connection: socket.socket, window_bytes: int | None = None) -> None:
        self.socket = connection
        self.is_closed = False
        self.events: list[h2.events.Event] = []
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(header_encoding=None, validate_outbound_headers=False)
        )
        self.h2.initiate_connection()
        if window_bytes is not None:
            codes = h2.settings.SettingCodes
            self.h2.update_settings({codes.INITIAL_WINDOW_SIZE: window_bytes})
        self.flush()

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def begin(self, stream: int, method: str, path: bytes, *more: tuple[bytes, bytes]) -> None:
        """Send a request's head; it ends there unless it is a PUT."""
        head = [(b":method", method.encode()), (b":path", path), (b":scheme", b"http")]
        head += [(b":authority", b"h"), *more]
        self.h2.send_headers(stream, head, end_stream=method != "PUT")
        self.flush()

    def send(self, stream: int, size: int) -> int:
        """Send as much of so many bytes as the windows allow."""
        sent = 0
        while sent < size:
            part = min(self.h2.local_flow_control_window(stream), 16_384, size - sent)
            if part <= 0:
                break
            self.h2.send_data(stream, b"z" * part)
            sent += part
        self.flush()
        return sent

    def read(self, seconds: float = 0.2) -> None:
        """Take what comes until for so long nothing comes."""
        self.socket.settimeout(seconds)
        try:
            while data := self.socket.recv(1 << 20):
                self.events += self.h2.receive_data(data)
                self.flush()
            self.is_closed = True
        except TimeoutError:
            pass
        except OSError:
            self.is_closed = True

    def status(self, stream: int) -> bytes:
        """Of a stream's answer; empty if none came yet."""
        for _ in range(50):
            for event in self.events:
                if isinstance(event, h2.events.ResponseReceived) and event.stream_id == stream:
                    return dict(event.headers)[b":status"]
            self.read(0.1)
        return b""

    def resets(self) -> list[int]:
        """The streams that the server reset."""
        return [e.stream_id for e in self.events if isinstance(e, h2.events.StreamReset)]


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with served.connect() as connection:
        yield Client(connection)


@pytest.fixture
def shut(served: Served) -> Iterator[Client]:
    """A client whose streams have no window."""
    with served.connect() as connection:
        yield Client(connection, window_bytes=0)


@pytest.mark.parametrize("is_reset", [False, True])
def test_refused_uploads_leave_the_window_as_it_was(client: Client, is_reset: bool) -> None:
    client.read()
    for number in range(12):
        stream = 2 * number + 1
        client.begin(stream, "PUT", b"/unread")
        assert client.send(stream, 900_000) == 900_000
        assert client.status(stream) == b"403"
        client.h2.reset_stream(stream) if is_reset else client.h2.end_stream(stream)
        client.flush()
        client.read()
    client.begin(101, "PUT", b"/k")
    client.send(101, 1000)
    client.h2.end_stream(101)
    client.flush()
    assert client.status(101) == b"200"


def test_resets_leave_the_window_as_it_was(served: Served, client: Client) -> None:
    client.read()
    served.application.read_body.clear()
    for number in range(12):
        client.begin(2 * number + 1, "PUT", b"/k")
        assert client.send(2 * number + 1, 900_000) == 900_000
        client.h2.reset_stream(2 * number + 1)
        client.flush()
        client.read()
    served.application.read_body.set()
    client.begin(101, "GET", b"/x")
    assert client.status(101) == b"200"


def test_data_behind_an_answer_leaves_the_window_as_it_was(client: Client) -> None:
    client.read()
    client.begin(1, "PUT", b"/unread")
    assert client.status(1) == b"403"
    sent = 0
    for _ in range(20):
        sent += client.send(1, 900_000)
        client.read()
    assert sent > 8_000_000


def test_window_that_never_opens(served: Served, shut: Client) -> None:
    shut.begin(1, "GET", b"/file")
    assert shut.status(1) == b"200"
    for _ in range(3):
        shut.h2.ping(b"progress")  # which it is not
        shut.flush()
        shut.read(0.1)
    served.pass_deadlines()
    shut.read()
    assert shut.is_closed
    wait_until(lambda: not served.server.connections)


def test_window_that_never_opens_beside_one_that_does(served: Served, shut: Client) -> None:
    for stream in (1, 3):
        shut.begin(stream, "GET", b"/file")
        assert shut.status(stream) == b"200"
    served.application.read_body.clear()
    shut.begin(5, "GET", b"/x")
    wait_until(lambda: len(served.application.seen) == 3)
    served.pass_deadlines()
    shut.read()
    assert sorted(shut.resets()) == [1, 3]
    shut.h2.increment_flow_control_window(1000, 5)
    shut.flush()
    served.application.read_body.set()
    assert shut.status(5) == b"200"
    assert not shut.is_closed


def test_window_that_opens_slowly(served: Served, shut: Client) -> None:
    shut.begin(1, "GET", b"/file")
    assert shut.status(1) == b"200"
    for _ in range(5):
        served.pass_seconds(LIMITS.stall_seconds * 0.9)
        shut.h2.increment_flow_control_window(10, 1)
        shut.flush()
        shut.read(0.1)
    assert shut.resets() == []
    served.pass_seconds(LIMITS.stall_seconds + 1)
    shut.read()
    assert shut.is_closed


def test_body_that_stops(served: Served, client: Client) -> None:
    client.begin(1, "PUT", b"/k")
    client.send(1, 10)
    wait_until(lambda: bool(served.application.seen))
    served.pass_deadlines()
    assert client.status(1) == b"400"
    assert served.application.broken == ["the client stopped sending"]


@pytest.mark.parametrize("pings", [0, 3])
def test_idle_connections_are_let_go(served: Served, client: Client, pings: int) -> None:
    client.begin(1, "GET", b"/x")
    assert client.status(1) == b"200"
    for _ in range(pings):
        client.h2.ping(b"are you?")
        client.flush()
        client.read(0.1)
    served.pass_seconds(LIMITS.stall_seconds + 1)
    client.read()
    assert not client.is_closed
    served.pass_seconds(LIMITS.idle_seconds)
    client.read()
    assert client.is_closed
    assert any(isinstance(event, h2.events.ConnectionTerminated) for event in client.events)


def test_client_that_does_not_read(served: Served) -> None:
    with served.connect() as connection:
        client = Client(connection, window_bytes=1 << 30)
        client.h2.increment_flow_control_window(1 << 30)
        for number in range(4):
            client.begin(2 * number + 1, "GET", b"/file")
        sleep(0.5)  # until the sockets' buffers are full
        served.pass_deadlines()
        wait_until(lambda: not served.server.connections)


@pytest.mark.parametrize("path", [b"/\xff\xfe", b"/x"])
def test_bytes_that_are_no_utf8(served: Served, client: Client, path: bytes) -> None:
    client.begin(1, "GET", path, (b"x-b", b"\xff\xfe"), (b"x-c", "é".encode()))
    assert client.status(1) == b"200"
    seen = served.application.seen[0]
    assert seen.raw_path == path.decode("latin-1")
    assert seen.headers["x-b"] == "\udcff\udcfe"
    assert seen.headers["x-c"] == "é"


def test_end_does_not_wait_for_silent_streams(served: Served, shut: Client) -> None:
    shut.begin(1, "GET", b"/file")
    shut.begin(3, "PUT", b"/k")
    assert shut.status(1) == b"200"
    started = monotonic()
    assert served.end() < 2
    shut.read()
    assert shut.is_closed
    assert monotonic() - started < 3
