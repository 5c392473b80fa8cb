"""A MariaDB server of the tests' own, from the binaries that are on the machine."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class MariaDBServer:
    """A server that listens on 127.0.0.1.

    Attributes:
        log: its general log, in which each statement is.
    """

    port: int
    directory: Path
    log: Path

    def run(self, sql: str) -> str:
        """Run statements as root; what they print."""
        command = ["mariadb", "--no-defaults", "--user=root", f"--socket={self.directory}/socket"]
        command += ["--default-character-set=utf8mb4", "--batch", "--skip-column-names"]
        done = subprocess.run(command, input=sql, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDBServer]:
    """A server that is started for this session; skips where there are no binaries, but in CI."""
    if _is_absent():
        message = "MariaDB is not installed (Debian: apt-get install mariadb-server)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with running_server() as server:
        yield server


def _is_absent() -> bool:
    return any(_find_binary(name) is None for name in ("mariadb-install-db", "mariadbd"))


def _find_binary(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def _user() -> str:
    """Whom to run as: MariaDB refuses to be run by root."""
    names = ("mysql", "nobody") if os.geteuid() == 0 else (pwd.getpwuid(os.geteuid()).pw_name,)
    for name in names:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    pytest.skip("MariaDB does not run as root and there is no other user")


@contextmanager
def running_server() -> Iterator[MariaDBServer]:
    """A server for as long as it is needed."""
    install, program = str(_find_binary("mariadb-install-db")), str(_find_binary("mariadbd"))
    user = _user()
    directory = Path(tempfile.mkdtemp(prefix="cloche-my-", dir="/tmp"))
    shutil.chown(directory, user)
    data = f"--datadir={directory}/data"
    initialise = [install, "--no-defaults", data, f"--user={user}", "--skip-test-db"]
    initialise += ["--auth-root-authentication-method=normal"]
    subprocess.run(initialise, check=True, capture_output=True, cwd=directory)
    port = _free_port()
    log = directory / "general.log"
    command = [program, "--no-defaults", data, f"--user={user}", f"--port={port}"]
    command += ["--bind-address=127.0.0.1", f"--socket={directory}/socket"]
    command += [f"--pid-file={directory}/pid", "--general-log=1", f"--general-log-file={log}"]
    # Only the server's own crash would need what is switched off here, and it is not crashed.
    command += ["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M"]
    command += ["--character-set-server=utf8mb4", "--skip-name-resolve"]
    errors = directory / "log"
    with errors.open("wb") as output:
        process = subprocess.Popen(command, cwd=directory, stdout=output, stderr=output)
    server = MariaDBServer(port, directory, log)
    try:
        _await_start(process, server, errors)
        yield server
    finally:
        process.kill()
        process.wait(30)
        shutil.rmtree(directory, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _await_start(process: subprocess.Popen[bytes], server: MariaDBServer, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            server.run("SELECT 1")
            return
        except AssertionError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"MariaDB did not start: {log.read_text()}") from None
            time.sleep(0.05)
