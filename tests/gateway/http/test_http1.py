from __future__ import annotations

import socket
import threading
from time import sleep

import httpx
import pytest

from tests.gateway.http.conftest import LIMITS, Served, read_all, wait_until

GET = b"GET /a%20b//c?x=%2F HTTP/1.1\r\nHost: h\r\n\r\n"
LAST_GET = GET[:-2] + b"Connection: close\r\n\r\n"


def test_path_and_query_stay_as_they_came(served: Served) -> None:
    assert b"GET /a%20b//c?x=%2F " in served.exchange(GET)
    assert served.application.seen[0].headers == {"host": "h"}


def test_a_connection_serves_many_requests_in_order(served: Served) -> None:
    answers = served.exchange(b"".join(GET.replace(b"//c", b"/%d" % n) for n in range(40)))
    positions = [answers.index(b"GET /a%%20b/%d?" % n) for n in range(40)]
    assert positions == sorted(positions)


@pytest.mark.parametrize("size", [1, 1000, 65536])
def test_request_in_pieces(served: Served, size: int) -> None:
    body = b"z" * 3000
    data = b"PUT /k HTTP/1.1\r\nHost: h\r\nContent-Length: 3000\r\n\r\n" + body
    with served.connect() as connection:
        for start in range(0, len(data), size):
            connection.sendall(data[start : start + size])
        assert b"x-length: 3000" in read_all(connection)


def test_chunked_body(served: Served) -> None:
    data = (
        b"PUT /k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )
    answer = served.exchange(data + GET)
    assert b"PUT /k? hello" in answer
    assert b"GET /a%20b" in answer


def test_continue_is_said_when_the_body_is_wanted(served: Served) -> None:
    head = b"PUT /k HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    with served.connect() as connection:
        connection.sendall(head)
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert b"hello" in read_all(connection)


def test_continue_is_not_said_when_it_is_not(served: Served) -> None:
    head = b"PUT /unread HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    answer = served.exchange(head)
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"connection: close" in answer


def test_unread_body_does_not_disturb_the_next_request(served: Served) -> None:
    data = b"PUT /unread HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + b"y" * 100_000
    answer = served.exchange(data + GET)
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"GET /a%20b" in answer


def test_endless_unread_body_ends_the_connection(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"PUT /unread HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999\r\n\r\n")
        with pytest.raises((ConnectionError, TimeoutError)):
            for _ in range(100_000):
                connection.sendall(b"y" * 65536)


def test_file_goes_out_whole(served: Served) -> None:
    url = f"http://127.0.0.1:{served.port}/file"
    expected = served.application.file.read_bytes()[10:]
    with httpx.Client() as client:
        for _ in range(3):
            assert client.get(url).content == expected
        assert client.head(url).headers["content-length"] == str(len(expected))
        assert client.get(f"http://127.0.0.1:{served.port}/x").status_code == 200


def test_file_to_a_client_that_reads_slowly(served: Served) -> None:
    with served.connect() as slow:
        slow.sendall(b"GET /file HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        expected = served.application.file.read_bytes()[10:]
        received = b""
        while len(received) < len(expected) + 50 and (chunk := slow.recv(500_000)):
            received += chunk
            assert b"200 OK" in served.exchange(LAST_GET)
        received += read_all(slow)
        assert received.endswith(b"\r\n\r\n" + expected)


def test_stream_is_chunked_and_whole(served: Served) -> None:
    answer = httpx.get(f"http://127.0.0.1:{served.port}/stream")
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.text == "".join(str(n) * 1000 for n in range(5))


def test_http_1_0_gets_no_chunks(served: Served) -> None:
    answer = served.exchange(b"GET /stream HTTP/1.0\r\n\r\n")
    assert b"transfer-encoding" not in answer
    assert answer.endswith(b"4" * 1000)


def test_offer_of_an_upgrade_is_not_taken_up(served: Served) -> None:
    head = b"POST /k HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    data = head + b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
    answer = served.exchange(data + b"Content-Length: 5\r\n\r\nhello" + GET)
    assert b"POST /k? hello" in answer
    assert b"GET /a%20b" in answer


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: nonsense\r\n\r\nabc",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(served: Served, data: bytes) -> None:
    answer = served.exchange(data)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"connection: close" in answer
    assert served.application.seen == []


def test_bad_chunk_after_the_request_was_begun(served: Served) -> None:
    data = b"PUT /k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX"
    assert b"200 OK" not in served.exchange(data)
    assert served.application.was_broken.wait(10)


@pytest.mark.parametrize("name_bytes", [100, 1_000_000])
def test_headers_without_end_are_refused(served: Served, name_bytes: int) -> None:
    header = b"X-" + b"a" * name_bytes + b": b\r\n"
    with served.connect() as connection:
        try:
            connection.sendall(b"GET / HTTP/1.1\r\n")
            for _ in range(100_000_000 // len(header)):
                connection.sendall(header)
        except ConnectionError:
            pass
        answer = read_all(connection)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431")
    assert served.application.seen == []


def test_head_just_over_the_limit_is_refused(served: Served) -> None:
    big = b"a" * (LIMITS.head_bytes + 1)
    answer = served.exchange(b"GET / HTTP/1.1\r\nHost: h\r\nX: %s\r\n\r\n" % big)
    assert answer.startswith(b"HTTP/1.1 431")


def test_body_that_ends_early(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"PUT /k HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        connection.shutdown(socket.SHUT_WR)
        read_all(connection)
    assert served.application.was_broken.wait(10)


def test_silent_clients_are_let_go(served: Served) -> None:
    idle, begun, within = served.connect(), served.connect(), served.connect()
    begun.sendall(b"GET / HTT")
    within.sendall(b"PUT /k HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
    assert b"GET" in served.exchange(GET)
    served.pass_deadlines()
    assert read_all(idle) == b""
    assert read_all(begun).startswith(b"HTTP/1.1 408")
    assert read_all(within).startswith(b"HTTP/1.1 400")
    assert served.application.broken == ["the client stopped sending"]


def test_client_that_stops_reading_a_file_is_let_go(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"GET /file HTTP/1.1\r\nHost: h\r\n\r\n")
        wait_until(lambda: served.server.requests_under_way == 1)
        sleep(0.5)  # until the sockets' buffers are full
        served.pass_deadlines()
        wait_until(lambda: not served.server.connections)


def test_client_that_reads_a_file_slowly_is_kept(served: Served) -> None:
    expected = served.application.file.read_bytes()[10:]
    with served.connect() as connection:
        connection.sendall(b"GET /file HTTP/1.1\r\nHost: h\r\n\r\n")
        received = connection.recv(1000)
        for _ in range(4):
            served.pass_seconds(LIMITS.stall_seconds * 0.9)
            received += connection.recv(200_000)
        assert (received + read_all(connection)).endswith(b"\r\n\r\n" + expected)


def test_body_is_held_back_until_it_is_read(served: Served) -> None:
    served.application.read_body.clear()
    size = 64 * 1024 * 1024
    sent = []

    def send() -> None:
        with served.connect() as connection:
            connection.sendall(b"PUT /k HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size // 65536):
                connection.sendall(b"q" * 65536)
                sent.append(65536)
            assert b"x-length: %d" % size in read_all(connection, 2)

    sender = threading.Thread(target=send)
    sender.start()
    sender.join(0.5)
    assert sum(sent) < size / 2
    served.application.read_body.set()
    sender.join(20)
    assert sum(sent) == size


def test_one_byte_at_a_time_holds_nobody_up(served: Served) -> None:
    with served.connect() as slow:
        for byte in GET[:-1]:
            slow.sendall(bytes([byte]))
            assert b"200 OK" in served.exchange(LAST_GET)
        slow.sendall(GET[-1:])
        assert b"GET /a%20b" in read_all(slow)


def test_headers_that_repeat_are_joined(served: Served) -> None:
    served.exchange(b"GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: x\r\na: 2\r\nA: 3\r\n\r\n")
    assert served.application.seen[0].headers == {"host": "h", "a": "1,2,3", "b": "x"}


def test_what_follows_a_refused_request_is_not_taken(served: Served) -> None:
    get = b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n"
    coded = b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"
    long = b"GET /x HTTP/1.1\r\nHost: h\r\nA: " + b"a" * 20_000 + b"\r\n\r\n"
    for refused in (coded, long):
        with served.connect() as connection:
            connection.sendall(refused + get)
            answers = read_all(connection)
        assert answers.startswith(b"HTTP/1.1 4")
        assert answers.count(b"HTTP/1.1 ") == 1
    assert served.application.seen == []


def test_who_sends_no_more_still_gets_the_answer(served: Served) -> None:
    served.application.read_body.clear()
    with served.connect() as connection:
        connection.sendall(b"PUT /k HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
        wait_until(lambda: bool(served.application.seen))
        connection.shutdown(socket.SHUT_WR)
        served.application.read_body.set()
        assert b"PUT /k? abc" in read_all(connection)
    with served.connect() as connection:
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection) == b""
