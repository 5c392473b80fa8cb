"""`cloche status`: whether the server runs, and where."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import click

from cloche.cli.http_client import call, is_healthy, read_credentials
from cloche.cli.options import with_settings
from cloche.cli.output import (
    EXIT_FAILED,
    EXIT_NOT_RUNNING,
    NotRunning,
    echo_fields,
    echo_json,
    json_option,
)
from cloche.cli.server_process import ServerRecord, find_server
from cloche.core.configuration import Settings


@click.command()
@with_settings("data_directory")
@json_option
def status(settings: Settings, as_json: bool) -> None:
    """Say whether the server runs, and where.

    Exits with 3 if none runs, and with 1 if one runs but doesn't answer.
    """
    record = find_server(settings)
    if record is None:
        if as_json:
            echo_json({"running": False, "data_directory": str(settings.data_directory)})
            raise SystemExit(EXIT_NOT_RUNNING)
        raise NotRunning(settings.data_directory)
    values = _values(record, settings)
    if as_json:
        echo_json(values)
    else:
        _print(values)
    if not values["healthy"]:
        raise SystemExit(EXIT_FAILED)


def _values(record: ServerRecord, settings: Settings) -> dict[str, Any]:
    healthy = is_healthy(record.url)
    credentials = read_credentials(settings.data_directory)
    server = (
        call(record.url, credentials, settings.region, "GET", "/_cloche/status")
        if healthy and credentials
        else {}
    )
    return {
        "running": True,
        "healthy": healthy,
        "url": record.url,
        "pid": record.pid,
        "version": record.version,
        "started_at": datetime.fromtimestamp(record.started_at, UTC).isoformat(timespec="seconds"),
        "uptime_seconds": round(time.time() - record.started_at),
        "data_directory": str(settings.data_directory),
        "server": server,
    }


def _print(values: dict[str, Any]) -> None:
    echo_fields(
        [
            ("Listens on", values["url"]),
            ("Answers", "yes" if values["healthy"] else "no; see `cloche logs`"),
            ("Process", str(values["pid"])),
            ("Version", values["version"]),
            ("Since", f"{values['started_at']} ({duration(values['uptime_seconds'])})"),
            ("Data", values["data_directory"]),
        ]
        + [
            (name.replace("_", " ").capitalize(), str(value))
            for name, value in values["server"].items()
            if isinstance(value, str | int | float) and name not in values
        ]
    )


def duration(seconds: int) -> str:
    """`93784` → `1 d 2 h`: the two largest units."""
    parts: list[str] = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
