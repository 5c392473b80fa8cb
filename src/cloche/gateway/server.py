"""Runs a server: one process, one event loop, until it is told to end."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import json
import logging
import os
import resource
import signal
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

import cloche
from cloche.core.configuration import SETTINGS, Settings
from cloche.core.processes import started_at
from cloche.gateway.administration import Administration
from cloche.gateway.application import Application
from cloche.gateway.http.server import HttpServer
from cloche.gateway.request_log import RequestLog, configure_logging
from cloche.gateway.runtime import Runtime
from cloche.gateway.starting import StartError, explained

log = logging.getLogger("cloche")

_OPEN_FILES = 65_536
_COLLECT_AFTER_OBJECTS = 50_000
"""A request makes some hundred objects and leaves none in cycles; by default the collector would
look after every 700 that live a moment longer (in the audit log's queue)."""


class AlreadyRunning(StartError):
    """Another server has the data directory."""

    hint = "`cloche down` stops it; --data names another directory."


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that listens.

    Attributes:
        url: where clients reach it.
        port: the port that it listens on.
    """

    runtime: Runtime
    url: str
    port: int


def serve(settings: Settings, on_listening: Callable[[str], None] | None = None) -> None:
    """Run a server until SIGINT or SIGTERM.

    Args:
        settings: where and on what data.
        on_listening: called with the server's URL when it answers.

    Raises:
        StartError: something is in the way; AlreadyRunning: another server has the data directory.
        OSError: the port is taken, or the directory cannot be written.
    """
    os.umask(0o077)
    gc.set_threshold(_COLLECT_AFTER_OBJECTS)
    _allow_many_files()
    settings.data_directory.mkdir(parents=True, exist_ok=True)
    with _locked(settings.data_directory / "lock"):
        request_log = configure_logging(settings.log_level)
        uvloop.run(_serve(settings, request_log, on_listening))


async def _serve(
    settings: Settings, request_log: RequestLog, on_listening: Callable[[str], None] | None
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(settings, request_log) as server:
        record = settings.data_directory / "server.json"
        _write_record(record, settings, server)
        try:
            if on_listening is not None:
                on_listening(server.url)
            await stop.wait()
        finally:
            record.unlink(missing_ok=True)


@asynccontextmanager
async def running(settings: Settings, request_log: RequestLog) -> AsyncGenerator[RunningServer]:
    """A server on the running loop, for as long as the context lasts."""
    with explained():
        runtime = Runtime(settings, request_log, root_key=_root_key(os.environ))
    try:
        with explained():
            await runtime.start()
        http = HttpServer(Application(runtime, Administration(runtime)))
        try:
            port = await http.listen(settings.host, settings.port)
            # What was made until now lives as long as the server: the collector need not look.
            gc.collect()
            gc.freeze()
            yield RunningServer(runtime, f"http://{_shown_host(settings.host)}:{port}", port)
        finally:
            await http.close()
    finally:
        await runtime.stop()


def _shown_host(host: str) -> str:
    """The host in a URL that reaches a server which listens on `host`."""
    bracketed = f"[{host}]" if ":" in host else host
    return {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(bracketed, bracketed)  # noqa: S104


def _root_key(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """A root key that the user wants instead of one drawn by lot (for CI, and for tests)."""
    key = environment.get("CLOCHE_ROOT_ACCESS_KEY_ID")
    secret = environment.get("CLOCHE_ROOT_SECRET_ACCESS_KEY")
    return (key, secret) if key and secret else None


def _allow_many_files() -> None:
    """Raise the number of open files, and so of connections, to what the system lets us have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextmanager
def _locked(path: Path) -> Generator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(f"A server already runs on {path.parent}.") from error
        yield


def _write_record(path: Path, settings: Settings, server: RunningServer) -> None:
    """Tell the commands where the server is, once it answers."""
    record = {
        "pid": os.getpid(),
        "started_at": started_at(os.getpid()),
        "host": settings.host,
        "port": server.port,
        "url": server.url,
        "version": cloche.__version__,
        "settings": {setting.name: settings.shown(setting.name) for setting in SETTINGS},
    }
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(record))
    temporary.replace(path)
