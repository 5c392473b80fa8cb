from __future__ import annotations

import shutil
import subprocess

import httpx
import pytest

from tests.gateway.http.conftest import Served


@pytest.fixture
def client(served: Served) -> httpx.Client:
    return httpx.Client(
        http1=False, http2=True, base_url=f"http://127.0.0.1:{served.port}", timeout=20
    )


def test_request_without_tls(client: httpx.Client, served: Served) -> None:
    answer = client.get("/a%20b//c?x=%2F")
    assert answer.http_version == "HTTP/2"
    assert answer.content == b"GET /a%20b//c?x=%2F "
    seen = served.application.seen[0]
    assert seen.headers["host"] == seen.headers[":authority"] == f"127.0.0.1:{served.port}"


def test_bodies_larger_than_the_windows(client: httpx.Client, served: Served) -> None:
    assert client.put("/k", content=b"x" * 5_000_000).headers["x-length"] == "5000000"
    assert client.get("/file").content == served.application.file.read_bytes()[10:]
    assert len(client.get("/stream").content) == 5000


def test_unread_body(client: httpx.Client) -> None:
    assert client.put("/unread", content=b"x" * 10_000).status_code == 403
    assert client.get("/after").status_code == 200


def test_head_has_no_body(client: httpx.Client, served: Served) -> None:
    answer = client.head("/file")
    assert answer.content == b""
    assert int(answer.headers["content-length"]) == served.application.file.stat().st_size - 10


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_with_prior_knowledge(served: Served) -> None:
    url = f"http://127.0.0.1:{served.port}/k"
    command = ["curl", "-s", "--http2-prior-knowledge", "-d", "hello", url]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"POST /k? hello"


def test_nonsense_after_the_preface_ends_the_connection(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\1\0\0\0\0\0\0x")
        while connection.recv(1000):
            pass
    assert served.server.connections == set()


def test_preface_in_pieces(served: Served) -> None:
    with served.connect() as connection:
        for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert connection.recv(9)[3] == 4  # SETTINGS
