"""Cloche and its peers as processes of this machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv-peers"
VERSIONS = {
    "moto": "moto[server]==5.2.5",
    "ministack": "ministack==1.5.33 duckdb==1.5.5",  # its Athena asks for DuckDB
    "pyspark": "pyspark==4.3.0",
}
_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


@dataclass
class Running:
    """A server that answers.

    Attributes:
        start_seconds: from its start to its first answer to GetCallerIdentity.
        key: access key and secret to sign with.
    """

    name: str
    port: int
    pid: int
    start_seconds: float
    key: tuple[str, str]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """User and system time of the process, its threads and its children until now."""
        return sum(map(_cpu_seconds, _tree(self.pid)))

    def memory_mb(self) -> float:
        """Resident memory of the process and its children."""
        return sum(map(_memory_mb, _tree(self.pid)))


def _tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(descendant for child in children for descendant in _tree(int(child)))]


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_SECONDS


def _memory_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def environment_of(name: str) -> Path:
    """The virtual environment of a peer, made on first use."""
    directory = PEERS / name
    marker = directory / VERSIONS[name].replace("==", "-").replace(" ", "-")
    if not marker.exists():
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", str(directory)], check=True)
        python = str(directory / "bin" / "python")
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", python, *VERSIONS[name].split()],
            check=True,
        )
        marker.touch()
    return directory / "bin"


@contextlib.contextmanager
def _process(
    name: str,
    command: list[str],
    port: int,
    key: Callable[[], tuple[str, str]],
    environment: dict[str, str],
    directory: Path,
) -> Iterator[Running]:
    begun = time.perf_counter()
    with (directory / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=directory,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    try:
        took = _wait_for_answer(port, key, begun)
        yield Running(name, port, process.pid, took, key())
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _wait_for_answer(port: int, key: Callable[[], tuple[str, str]], begun: float) -> float:
    from benchmarks.requests import get_caller_identity

    while time.perf_counter() - begun < 60:
        try:
            raw = get_caller_identity(f"http://127.0.0.1:{port}", key())
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(raw)
                if b" 200 " in connection.recv(4096)[:20]:
                    return time.perf_counter() - begun
        except (OSError, FileNotFoundError, json.JSONDecodeError):
            time.sleep(0.005)
    raise TimeoutError(f"nothing answers on port {port}")


@contextlib.contextmanager
def cloche() -> Iterator[Running]:
    """This project's server, as `cloche up` starts it."""
    with tempfile.TemporaryDirectory(prefix="cloche-bench-") as temporary:
        data, port = Path(temporary) / "data", free_port()

        def key() -> tuple[str, str]:
            found = json.loads((data / "credentials.json").read_text())
            return found["access_key_id"], found["secret_access_key"]

        command = [sys.executable, "-m", "cloche", "up", "--data", str(data), "--port", str(port)]
        with _process("cloche", command, port, key, {}, Path(temporary)) as running:
            yield running


@contextlib.contextmanager
def moto() -> Iterator[Running]:
    """`moto_server`."""
    port = free_port()
    command = [str(environment_of("moto") / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    with (
        tempfile.TemporaryDirectory(prefix="cloche-bench-") as temporary,
        _process("moto", command, port, lambda: ("test", "test"), {}, Path(temporary)) as running,
    ):
        yield running


@contextlib.contextmanager
def ministack() -> Iterator[Running]:
    """MiniStack."""
    port = free_port()
    command = [str(environment_of("ministack") / "ministack")]
    settings = {"GATEWAY_PORT": str(port), "MINISTACK_HOST": "127.0.0.1"}
    with (
        tempfile.TemporaryDirectory(prefix="cloche-bench-") as temporary,
        _process(
            "ministack", command, port, lambda: ("test", "test"), settings, Path(temporary)
        ) as running,
    ):
        yield running
