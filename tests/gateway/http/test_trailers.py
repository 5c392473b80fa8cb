from __future__ import annotations

from time import monotonic

import pytest

from tests.gateway.http.conftest import Served, read_all, wait_until

LAST_GET = b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
CHUNKED = b"PUT /k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("is_late", [False, True])
def test_trailers_are_no_headers(served: Served, is_late: bool) -> None:
    if is_late:
        served.application.read_body.clear()
    with served.connect() as connection:
        connection.sendall(CHUNKED + b"5\r\nhello\r\n")
        if is_late:
            wait_until(lambda: bool(served.application.seen))
        connection.sendall(b"0\r\nX-Evil: yes\r\nHost: other\r\n\r\n" + LAST_GET)
        served.application.read_body.set()
        answers = read_all(connection)
    assert b"PUT /k? hello" in answers
    assert b"GET /last" in answers
    assert served.application.seen[0].headers == {"host": "h", "transfer-encoding": "chunked"}


@pytest.mark.parametrize("trailer", [b"a: b\r\n" * 1000, b"a" * 6000], ids=["many", "endless"])
@pytest.mark.parametrize("path", [b"/k", b"/unread"])
def test_trailers_without_end_are_refused(served: Served, trailer: bytes, path: bytes) -> None:
    ends = monotonic() + 10
    with served.connect() as connection, pytest.raises(OSError):
        connection.sendall(CHUNKED.replace(b"/k", path) + b"5\r\nhello\r\n0\r\na: ")
        while monotonic() < ends:
            connection.sendall(trailer)
    if path == b"/k":
        assert served.application.was_broken.wait(10)


def test_trailers_just_over_the_limit_fail_the_body(served: Served) -> None:
    trailers = b"".join(b"x-%d: %s\r\n" % (n, b"a" * 1000) for n in range(17))
    answer = served.exchange(CHUNKED + b"5\r\nhello\r\n0\r\n" + trailers + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert served.application.was_broken.wait(10)


def test_chunks_whose_heads_do_not_end_are_refused(served: Served) -> None:
    with served.connect() as connection:
        try:
            connection.sendall(CHUNKED + b"5;")
            for _ in range(1000):
                connection.sendall(b"a" * 50_000)
        except OSError:
            pass
    assert served.application.was_broken.wait(10)


def test_small_chunks_are_no_trailers(served: Served) -> None:
    body = b"1\r\nx\r\n" * 50_000
    assert b"x-length: 50000" in served.exchange(CHUNKED + body + b"0\r\n\r\n")
