"""A server's life, as the command begins and ends it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cloche.cli.server_process import ServerRecord, find_server, stop
from cloche.core.configuration import read_settings
from cloche.core.processes import is_running
from tests.cli.servers import Cloche


@pytest.fixture
def cloche(tmp_path: Path) -> Iterator[Cloche]:
    command = Cloche(tmp_path / "data")
    yield command
    command("down")


def record_of(cloche: Cloche) -> ServerRecord:
    record = find_server(read_settings(cloche.environment))
    assert record is not None
    return record


def get(url: str, path: str) -> tuple[int, bytes]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read()


def test_a_detached_server_answers_and_is_stopped(cloche: Cloche) -> None:
    started = cloche.json("up", "--detach")
    assert started["already_running"] is False
    assert get(started["url"], "/health")[0] == 200

    status = cloche.json("status")
    assert status["url"] == started["url"]
    assert status["pid"] == started["pid"]
    assert status["healthy"] is True

    record = record_of(cloche)
    assert cloche.json("down") == {"was_running": True, "killed": False, "pid": started["pid"]}
    assert not is_running(record.pid, record.started_at)
    assert not (cloche.data / "server.json").exists()
    assert cloche("status").returncode == 3


def test_up_detached_leaves_a_running_server_as_it_is(cloche: Cloche) -> None:
    first = cloche.json("up", "--detach")
    second = cloche.json("up", "--detach")
    assert second["already_running"] is True
    assert second["pid"] == first["pid"]


def test_a_second_server_on_the_same_data_is_refused(cloche: Cloche) -> None:
    first = cloche.json("up", "--detach")
    result = cloche("up")
    assert result.returncode == 1
    assert f"A server already runs on {cloche.data}" in result.stderr
    assert "Hint: `cloche down`" in result.stderr
    assert cloche.json("status")["pid"] == first["pid"]


def test_a_foreground_server_says_where_it_listens_and_ends_at_ctrl_c(cloche: Cloche) -> None:
    process = cloche.start("up")
    assert process.stdout is not None
    line = process.stdout.readline()
    url = record_of(cloche).url
    assert url in line
    assert get(url, "/health")[0] == 200

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)

    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert not (cloche.data / "server.json").exists()


@pytest.mark.parametrize("arguments", [("up",), ("up", "--detach")])
def test_a_port_in_use_is_named(cloche: Cloche, arguments: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        result = cloche(*arguments, CLOCHE_PORT=port)
    assert result.returncode == 1
    assert f"Port {port} on 127.0.0.1 is in use by another program." in result.stderr
    assert "Traceback" not in result.stderr


def test_a_killed_server_is_started_again_with_its_key_and_data(cloche: Cloche) -> None:
    first = cloche.json("up", "--detach")
    key = (cloche.data / "credentials.json").read_text()
    record = record_of(cloche)
    os.kill(first["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 10
    while is_running(record.pid, record.started_at) and time.monotonic() < deadline:
        pass
    assert cloche("status").returncode == 3

    second = cloche.json("up", "--detach")

    assert second["already_running"] is False
    assert (cloche.data / "credentials.json").read_text() == key


def test_a_server_that_does_not_end_is_killed(cloche: Cloche) -> None:
    cloche.json("up", "--detach")
    record = record_of(cloche)
    os.kill(record.pid, signal.SIGSTOP)
    assert stop(record, timeout_seconds=0.2) is False
    assert not is_running(record.pid, record.started_at)


def test_the_root_key_is_for_its_owner_only(cloche: Cloche) -> None:
    cloche.json("up", "--detach")
    assert (cloche.data / "credentials.json").stat().st_mode & 0o777 == 0o600
    report = json.loads(cloche("doctor", "--json").stdout)
    states = {check["name"]: check["state"] for check in report["checks"]}
    assert states["Root key"] == "ok"
    assert states["Port"] == "ok"


def test_logs_of_a_detached_server_are_followed_to_its_end(cloche: Cloche) -> None:
    cloche.json("up", "--detach")
    follower = cloche.start("logs", "--follow")
    cloche("down")
    output, errors = follower.communicate(timeout=20)
    assert follower.returncode == 0, errors
    assert output


def test_two_servers_run_beside_each_other(cloche: Cloche, tmp_path: Path) -> None:
    other = Cloche(tmp_path / "other")
    try:
        assert cloche.json("up", "--detach")["url"] != other.json("up", "--detach")["url"]
        assert cloche.json("status")["pid"] != other.json("status")["pid"]
    finally:
        assert other("down").returncode == 0
    assert cloche.json("status")["healthy"] is True


def test_the_server_answers_within_its_time(cloche: Cloche) -> None:
    cloche.json("up", "--detach")
    cloche.json("down")
    began = time.monotonic()
    process = cloche.start("up")
    assert process.stdout is not None
    process.stdout.readline()
    taken = time.monotonic() - began
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0
    # The goal is 1.5 s on a quiet machine; this only catches a start that became much slower.
    assert taken < 8


def test_a_settings_mistake_is_wrong_usage(cloche: Cloche) -> None:
    result: subprocess.CompletedProcess[str] = cloche("up", "--port", "70000")
    assert result.returncode == 2
    assert "--port='70000'" in result.stderr
