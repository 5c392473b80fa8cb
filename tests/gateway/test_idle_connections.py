"""Ten thousand clients that say nothing."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

import pytest

from tests.kill.server_process import ServerProcess

CONNECTIONS = 10_000


@pytest.fixture
def many_files() -> Iterator[int]:
    """How many connections this process may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + 500
    limit = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))
    yield min(CONNECTIONS, max(soft, limit) - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def process(tmp_path: Path) -> Iterator[ServerProcess]:
    running = ServerProcess(tmp_path / "data").start()
    yield running
    running.kill()


def test_idle_connections_cost_little(process: ServerProcess, many_files: int) -> None:
    sts = process.client("sts")
    sts.get_caller_identity()
    before = process.memory_bytes()
    with ExitStack() as stack:
        for number in range(many_files):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", process.port)))
            if number % 2:
                client.sendall(b"GET / HTTP/1.1\r\nhost: ")  # half of them have begun a request
        started = perf_counter()
        sts.get_caller_identity()
        process.client("s3").list_buckets()
        seconds = perf_counter() - started
        grown = process.memory_bytes() - before
    assert seconds < 2  # two requests, and a client that is made
    assert grown < 150 * 1024 * 1024
    assert sts.get_caller_identity()["Arn"]
