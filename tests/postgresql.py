"""A PostgreSQL server of the tests' own, from the binaries that are on the machine."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a server that is started for this session; skips where there are no binaries."""
    binaries = _find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with _running_server(binaries) as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """URL of an empty schema on the session's server."""
    return empty_schema(postgresql_server)


def empty_schema(server_url: str) -> str:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
    return f"{server_url}&options=-csearch_path%3D{name}"


def _find_binaries() -> Path | None:
    found = shutil.which("initdb")
    if found and Path(found).resolve().with_name("postgres").exists():
        return Path(found).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(installed, key=lambda path: int(path.parts[-3]), default=None)
    return newest.parent if newest else None


def _unprivileged_user() -> str | None:
    """Whom to run as: PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    pytest.skip("PostgreSQL does not run as root and there is no other user")


@contextmanager
def _running_server(binaries: Path) -> Iterator[str]:
    user = _unprivileged_user()
    directory = Path(tempfile.mkdtemp(prefix="cloche-pg-", dir="/tmp"))
    if user:
        shutil.chown(directory, user)
    data = directory / "data"
    initialise = [binaries / "initdb", "-D", data, "-U", "cloche", "-A", "trust"]
    initialise += ["-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(initialise, user=user, check=True, capture_output=True, cwd=directory)
    port = _free_port()
    command = [binaries / "postgres", "-D", data, "-p", str(port), "-k", directory]
    # Only the server's own crash would need what is switched off here, and it is not crashed.
    for option in ("listen_addresses=127.0.0.1", "fsync=off", "shared_buffers=32MB"):
        command += ["-c", option]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(command, user=user, cwd=directory, stdout=log, stderr=log)
    url = f"postgresql://cloche@127.0.0.1:{port}/postgres?connect_timeout=10"
    try:
        _await_start(server, url, directory / "log")
        yield url
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(30)
        shutil.rmtree(directory, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _await_start(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}") from None
            time.sleep(0.05)
