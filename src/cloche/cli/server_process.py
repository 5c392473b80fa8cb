"""The server as its commands see it: a record in the data directory, and a process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from cloche.cli.hints import command
from cloche.cli.http_client import is_healthy
from cloche.cli.options import settings_environment
from cloche.cli.output import CommandError
from cloche.core.configuration import SETTINGS, Settings
from cloche.core.processes import is_running

LOG_SIZE_MAXIMUM_BYTES = 64 * 1024 * 1024

# The server itself waits for clients for ten seconds, and then for jobs and background work.
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """What a running server wrote to `server.json` once it listened.

    Attributes:
        pid: its process.
        started_at: start of the process, seconds since 1970.
        host: address it listens on.
        port: port it listens on.
        url: where clients reach it.
        version: Cloche's version.
        settings: with which it was started, as they are shown; empty of older versions.
    """

    pid: int
    started_at: float
    host: str
    port: int
    url: str
    version: str
    settings: Mapping[str, str] = field(default_factory=dict[str, str])


def log_file(settings: Settings) -> Path:
    """Where a detached server's output goes."""
    return settings.data_directory / "server.log"


def find_server(settings: Settings) -> ServerRecord | None:
    """The server that runs on the data directory; None if it ended, even without cleaning up."""
    try:
        values = json.loads((settings.data_directory / "server.json").read_text(encoding="utf-8"))
        record = ServerRecord(
            pid=int(values["pid"]),
            started_at=float(values["started_at"]),
            host=values["host"],
            port=int(values["port"]),
            url=values["url"],
            version=values["version"],
            settings=dict(values.get("settings", {})),
        )
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None
    return record if is_running(record.pid, record.started_at) else None


def differences(record: ServerRecord, settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Name, running value and value here of the settings in which a server's are others."""
    # It is found by its directory, which may be written in several ways.
    for setting in SETTINGS[1:]:
        here, running = settings.shown(setting.name), record.settings.get(setting.name)
        if setting.name == "port":
            # Where any port will do, the one that it listens on does.
            running = here if settings.port == 0 else str(record.port)
        if running is not None and running != here:
            yield setting.name, running, here


def start_detached(settings: Settings, timeout_seconds: float = 30.0) -> ServerRecord:
    """Start a server in a session of its own and wait until it answers.

    Raises:
        CommandError: it ended or didn't answer in time; holds the last lines of its log. Or the
            data directory can't be made or written.
    """
    log = log_file(settings)
    with _opened(log) as output:
        start_of_output = output.tell()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cloche", "up"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, **settings_environment(settings)},
        )
    found: list[ServerRecord] = []

    def answers() -> bool:
        record = find_server(settings)
        if record is not None and record.pid == process.pid and is_healthy(record.url):
            found.append(record)
        return bool(found) or process.poll() is not None

    if wait_until(answers, timeout_seconds) and found:
        return found[0]
    if process.poll() is None:
        process.kill()
        process.wait()
        cause = f"The server didn't answer within {timeout_seconds:g} s."
    else:
        cause = f"The server ended with code {process.returncode} while starting."
    raise CommandError(
        "\n".join([cause, *_output_since(log, start_of_output)]),
        f"The whole log is {log}; `{command(settings, 'doctor')}` checks this machine.",
    )


def _opened(log: Path) -> IO[bytes]:
    try:
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if log.exists() and log.stat().st_size > LOG_SIZE_MAXIMUM_BYTES:
            log.replace(log.with_name("server.log.1"))
        return log.open("ab")
    except OSError as error:
        raise CommandError(
            f"The data directory {log.parent} can't be used: {error.strerror or error}.",
            "CLOCHE_DATA or --data names another directory.",
        ) from error


def port_is_free(settings: Settings) -> bool:
    """Whether a server could listen where the settings say."""
    try:
        socket.create_server((settings.host, settings.port)).close()
    except OSError:
        return False
    return True


def stop(record: ServerRecord, timeout_seconds: float = STOP_SECONDS) -> bool:
    """End a server, and wait until it has ended; False if it had to be killed."""
    if not _signal(record, signal.SIGTERM):
        return True
    if wait_until(lambda: not is_running(record.pid, record.started_at), timeout_seconds):
        return True
    _signal(record, signal.SIGKILL)
    wait_until(lambda: not is_running(record.pid, record.started_at), timeout_seconds)
    return False


def wait_until(condition: Callable[[], bool], timeout_seconds: float) -> bool:
    """Ask again and again, in short intervals, until it is so; False if the time runs out."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _signal(record: ServerRecord, number: signal.Signals) -> bool:
    try:
        os.kill(record.pid, number)
    except ProcessLookupError:
        return False
    return True


def _output_since(log: Path, offset: int, lines: int = 15) -> list[str]:
    with log.open("rb") as file:
        file.seek(offset)
        text = file.read(1024 * 1024).decode("utf-8", errors="replace")
    return [f"  {line}" for line in text.splitlines()[-lines:]]
