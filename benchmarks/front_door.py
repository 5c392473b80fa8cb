"""The front door: start, identity, S3 PUT and GET, listing, against moto_server and MiniStack.

Every server is started anew, warmed up, and loaded with the same bytes by the same process. The
servers' times alternate in rounds, and what is shown are medians over the rounds, so that a noisy
machine disturbs all alike. Cloche's PUTs are durable when they are answered (a shared fdatasync);
the peers keep objects in memory.
"""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import load, peers
from benchmarks.peers import Running
from benchmarks.requests import get_caller_identity, s3

_MIB = 1024 * 1024
_ROUNDS = int(os.environ.get("CLOCHE_BENCH_ROUNDS", "3"))
_SECONDS = float(os.environ.get("CLOCHE_BENCH_SECONDS", "2"))
_CONNECTIONS = (1, 16)
_YARDSTICKS = ("sendfile", "bare", "bare, durable")


@dataclass
class Series:
    """What was measured of one server and one operation over the rounds."""

    rates: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    median_ms: list[float] = field(default_factory=list)
    failures: int = 0

    @property
    def rate(self) -> float:
        """Median of requests per second."""
        return statistics.median(self.rates)


Results = dict[tuple[str, str, int], Series]


def _prepare(server: Running) -> dict[str, list[bytes]]:
    """The requests of each operation; makes the bucket and what they read."""
    url, key = server.url, server.key
    small, large = b"x" * 1024, os.urandom(_MIB)
    set_up = [s3(url, key, "PUT", "/bench"), s3(url, key, "PUT", "/listing")]
    set_up += [s3(url, key, "PUT", f"/listing/key-{n:05d}", b"v") for n in range(1000)]
    set_up += [
        s3(url, key, "PUT", "/bench/small", small),
        s3(url, key, "PUT", "/bench/large", large),
    ]
    _send_all(server.port, set_up)
    return {
        "sts GetCallerIdentity": [get_caller_identity(url, key)],
        "s3 PUT 1 KB": [s3(url, key, "PUT", f"/bench/put-{n}", small) for n in range(64)],
        "s3 GET 1 KB": [s3(url, key, "GET", "/bench/small")],
        "s3 PUT 1 MiB": [s3(url, key, "PUT", f"/bench/big-{n}", large) for n in range(8)],
        "s3 GET 1 MiB": [s3(url, key, "GET", "/bench/large")],
        "s3 ListObjectsV2, 1,000 keys": [s3(url, key, "GET", "/listing?list-type=2&max-keys=1000")],
    }


def _send_all(port: int, requests: list[bytes]) -> None:
    for request in requests:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(request)
            answer = connection.recv(65536)
        if b" 200 " not in answer[:20]:
            raise RuntimeError(f"set-up was refused: {answer[:500]!r}")


def _measure(server: Running, name: str, requests: list[bytes], results: Results) -> None:
    for connections in _CONNECTIONS:
        before = server.cpu_seconds()
        measured = load.run(server.port, requests, connections, _SECONDS)
        cpu = server.cpu_seconds() - before
        series = results.setdefault((server.name, name, connections), Series())
        series.rates.append(measured.requests_per_second)
        series.cpu_us.append(cpu * 1e6 / max(measured.requests, 1))
        series.median_ms.append(measured.median_ms)
        series.failures += measured.failures


@contextlib.contextmanager
def _yardstick(name: str, script: str, *arguments: str) -> Iterator[Running]:
    port = peers.free_port()
    path = str(Path(__file__).with_name(script))
    process = subprocess.Popen([sys.executable, path, str(port), *arguments])
    try:
        time.sleep(0.5)
        yield Running(name, port, process.pid, 0.0, ("", ""))
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def _yardsticks() -> Iterator[dict[str, tuple[Running, list[bytes]]]]:
    """By operation, a server that does the least that it could, and what it is sent."""
    with tempfile.TemporaryDirectory(prefix="cloche-bench-") as directory:
        large, small = Path(directory) / "large", str(Path(directory) / "small")
        large.write_bytes(os.urandom(_MIB))
        with (
            _yardstick("sendfile", "sendfile_server.py", str(large)) as sendfile,
            _yardstick("bare", "bare_server.py") as bare,
            _yardstick("bare, durable", "bare_server.py", small) as durable,
        ):
            key = ("A" * 20, "s" * 40)
            call = get_caller_identity(bare.url, key)
            get = s3(bare.url, key, "GET", "/bench/small")
            put = s3(durable.url, key, "PUT", "/bench/small", b"x" * 1024)
            yield {
                "sts GetCallerIdentity": (bare, [call]),
                "s3 GET 1 KB": (bare, [get]),
                "s3 PUT 1 KB": (durable, [put]),
                "s3 GET 1 MiB": (sendfile, [b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"]),
            }


def run() -> None:
    """Measure all and print one table."""
    results: Results = {}
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(start()) for start in (peers.cloche, peers.moto, peers.ministack)
        ]
        idle_mb = {server.name: server.memory_mb() for server in servers}
        prepared = {server.name: _prepare(server) for server in servers}
        yardsticks = stack.enter_context(_yardsticks())
        for server in servers:
            for requests in prepared[server.name].values():
                load.run(server.port, requests, 4, 0.5)
        for number in range(_ROUNDS):
            for name in prepared["cloche"]:
                for server in servers:
                    _measure(server, name, prepared[server.name][name], results)
                if name in yardsticks:
                    yardstick, requests = yardsticks[name]
                    _measure(yardstick, name, requests, results)
            print(f"round {number + 1} of {_ROUNDS} done", file=sys.stderr)
        _print(servers, idle_mb, list(prepared["cloche"]), results)


def _print(
    servers: list[Running], idle_mb: dict[str, float], names: list[str], results: Results
) -> None:
    print(
        f"\nMedians of {_ROUNDS} rounds of {_SECONDS:g} s: requests a second (server µs of CPU)\n"
    )
    head = ["operation", "conn.", *(server.name for server in servers), "× moto", "× MiniStack"]
    rows = [head, ["---"] * len(head)]
    rows += [_row(servers, name, count, results) for name in names for count in _CONNECTIONS]
    further = {
        "start to first answer, s": [f"{server.start_seconds:.2f}" for server in servers],
        "memory at start, MB": [f"{idle_mb[server.name]:.0f}" for server in servers],
        "memory at the end, MB": [f"{server.memory_mb():.0f}" for server in servers],
    }
    rows += [[name, "", *cells, "", ""] for name, cells in further.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(f"| {' | '.join(cells)} |")
    print("\nBeside a server that does the least that it could:")
    for (server, name, connections), least in results.items():
        if server in _YARDSTICKS:
            ours, peer = (results[(of, name, connections)] for of in ("cloche", "ministack"))
            print(
                f"{name}, {connections} connections: {server} {least.rate:.0f}"
                f" ({statistics.median(least.cpu_us):.0f}); cloche has {ours.rate / least.rate:.2f}"
                f" of it, it has {least.rate / max(peer.rate, 0.001):.1f} × MiniStack"
            )


def _row(servers: list[Running], name: str, connections: int, results: Results) -> list[str]:
    cells = []
    for server in servers:
        series = results[(server.name, name, connections)]
        failed = f" {series.failures} failed" if series.failures else ""
        cells.append(f"{series.rate:.0f} ({statistics.median(series.cpu_us):.0f}){failed}")
    ours = results[("cloche", name, connections)].rate
    ratios = [
        f"{ours / max(results[(peer, name, connections)].rate, 0.001):.1f}"
        for peer in ("moto", "ministack")
    ]
    return [name, str(connections), *cells, *ratios]
