"""A server's life, as the command begins and ends it."""

from __future__ import annotations

import http.client
import json
import os
import shlex
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


def test_flags_that_a_running_server_does_not_follow_are_an_error(cloche: Cloche) -> None:
    first = cloche.json("up", "--detach", "--region", "eu-west-1")
    port = str(urlsplit(first["url"]).port)
    same = ("--region", "eu-west-1", "--port", port, "--data", str(cloche.data))
    assert cloche.json("up", "--detach", *same)["pid"] == first["pid"]
    assert cloche.json("up", "--detach")["pid"] == first["pid"]
    result = cloche(
        "up", "--detach", "--region", "eu-west-2", "--log-level", "debug", "--port", "1"
    )
    assert result.returncode == 1
    told = (
        f"port is {port}, not 1; region is eu-west-1, not eu-west-2; log_level is info, not debug"
    )
    assert told in result.stderr
    assert "Hint: `cloche down`" in result.stderr
    report = json.loads(cloche("doctor", "--json").stdout)
    shown = {one["name"]: (one["value"], one["running"]) for one in report["settings"]}
    assert shown["region"] == ("us-east-1", "eu-west-1")
    assert shown["log_level"] == ("info", "info")
    assert "OF THE RUNNING SERVER" in cloche("doctor").stdout


def test_a_stalled_client_does_not_have_the_server_killed(cloche: Cloche) -> None:
    url = urlsplit(cloche.json("up", "--detach")["url"])
    with socket.create_connection((url.hostname or "", url.port or 0)) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert cloche.json("down")["killed"] is False


def test_hints_work_as_they_are_printed(tmp_path: Path) -> None:
    data = tmp_path / "my data"
    cloche = Cloche(tmp_path / "unused")
    started = cloche("up", "--detach", "--data", str(data))
    try:
        assert f"`cloche down --data '{data}'` stops it." in started.stdout
        assert f"eval \"$(cloche env --data '{data}')\"" in started.stdout
        made = cloche("account", "create", "--data", str(data), "their's")
        line = made.stdout.splitlines()[-1]
        command = line.removeprefix('Use it: eval "$(').removesuffix(')"')
        words = shlex.split(command)
        assert words == ["cloche", "env", "--account", "their's", "--data", str(data)]
        assert cloche(*words[1:]).returncode == 0
    finally:
        down = cloche("down", "--data", str(data))
    assert down.stdout.startswith("Stopped")


@pytest.mark.parametrize("arguments", [("up",), ("up", "--detach")])
def test_what_keeps_it_from_starting_is_told_in_two_lines(
    cloche: Cloche, arguments: tuple[str, ...]
) -> None:
    result = cloche(*arguments, "--data", "/proc/nowhere")
    assert result.returncode == 1
    assert "/proc/nowhere" in result.stderr
    assert len(result.stderr.splitlines()) == 2
    cloche.data.mkdir()
    (cloche.data / "documents.sqlite").write_bytes(os.urandom(8192))
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    for variables, cause in (
        ({}, "documents.sqlite can't be used: file is not a database."),
        ({"CLOCHE_DATABASE_URL": f"postgresql://127.0.0.1:{port}/x"}, "PostgreSQL doesn't answer"),
    ):
        result = cloche(*arguments, **variables)
        assert result.returncode == 1
        assert cause in result.stderr
        assert "Hint: " in result.stderr
        assert "Traceback" not in result.stderr


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
