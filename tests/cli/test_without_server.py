"""Commands on a data directory on which no server runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("env",),
        ("clock", "show"),
        ("clock", "advance", "3d"),
        ("account", "list"),
        ("account", "create", "team"),
        ("aws", "s3", "ls"),
    ],
)
def test_a_command_that_needs_a_server_exits_with_3(
    run: Run, data: Path, arguments: tuple[str, ...]
) -> None:
    result = run(*arguments)
    assert result.exit_code == 3
    assert result.stdout == ""
    assert f"No server is running on {data}." in result.stderr
    assert "Hint: Start one with `cloche up --detach`" in result.stderr


def test_status_says_so_in_json(run: Run, data: Path) -> None:
    result = run("status", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout) == {"running": False, "data_directory": str(data)}


def test_down_succeeds(run: Run) -> None:
    result = run("down", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"was_running": False, "killed": False}


def test_a_record_of_a_process_that_ended_is_no_server(run: Run, data: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    write_record(data, pid=ended.pid, started_at=1.0)
    assert run("status").exit_code == 3


def test_a_pid_that_was_used_again_is_not_taken_for_the_server(run: Run, data: Path) -> None:
    write_record(data, pid=os.getpid(), started_at=1.0)
    assert run("down").exit_code == 0
    assert run("status").exit_code == 3


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pid": "x"}', "\0"])
def test_a_broken_record_is_no_server(run: Run, data: Path, content: str) -> None:
    data.mkdir()
    (data / "server.json").write_text(content)
    assert run("status").exit_code == 3


def test_a_bad_setting_is_wrong_usage(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOCHE_PORT", "many")
    result = run("status")
    assert result.exit_code == 2
    assert "CLOCHE_PORT='many': is not a port" in result.stderr


@pytest.mark.parametrize("duration", ["", "3", "0s", "-1d", "3x", "d3", "3d 2h"])
def test_a_duration_is_read_before_a_server_is_asked(run: Run, duration: str) -> None:
    result = run("clock", "advance", "--", duration)
    assert result.exit_code == (3 if duration == "3" else 2)


def test_logs_say_where_there_would_be_some(run: Run, data: Path) -> None:
    result = run("logs")
    assert result.exit_code == 1
    assert str(data / "server.log") in result.stderr


def test_logs_print_the_last_lines(run: Run, data: Path) -> None:
    data.mkdir()
    (data / "server.log").write_text("".join(f"line {number}\n" for number in range(300)))
    assert run("logs", "-n", "2").stdout == "line 298\nline 299\n"
    assert run("logs", "--follow", "-n", "1").stdout == "line 299\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(run: Run, shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert f"_CLOCHE_COMPLETE={shell}_complete" in result.stdout


def test_completion_of_an_unknown_shell_is_wrong_usage(run: Run) -> None:
    assert run("completion", "tcsh").exit_code == 2


def test_the_aws_cli_is_asked_for_if_it_is_absent(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    result = run("aws", "s3", "ls")
    assert result.exit_code == 1
    assert "The AWS CLI is not installed." in result.stderr
    assert "pip install awscli" in result.stderr


def write_record(data: Path, **values: object) -> None:
    data.mkdir()
    record = {"host": "127.0.0.1", "port": 1, "url": "http://127.0.0.1:1", "version": "0"}
    (data / "server.json").write_text(json.dumps({**record, **values}))
