"""`cloche logs`: what a detached server wrote."""

from __future__ import annotations

import os
import time
from collections import deque
from typing import IO

import click

from cloche.cli.options import with_settings
from cloche.cli.output import CommandError
from cloche.cli.server_process import find_server, log_file
from cloche.core.configuration import Settings


@click.command()
@with_settings("data_directory")
@click.option("--follow", "-f", is_flag=True, help="Go on with what is written, until Ctrl-C.")
@click.option("--lines", "-n", default=100, show_default=True, type=click.IntRange(min=0))
def logs(settings: Settings, follow: bool, lines: int) -> None:
    """Print the last lines of a detached server's log."""
    path = log_file(settings)
    if not path.exists():
        raise CommandError(
            f"There is no log at {path}.",
            "`cloche up --detach` writes one; a server in the foreground logs to its terminal.",
        )
    with path.open(encoding="utf-8", errors="replace") as log:
        for line in deque(log, maxlen=lines):
            click.echo(line, nl=False)
        if follow:
            try:
                _follow(log, settings)
            except KeyboardInterrupt:
                return


def _follow(log: IO[str], settings: Settings) -> None:
    """Print what is appended until the server has ended and all was read."""
    while True:
        server_runs = find_server(settings) is not None
        while line := log.readline():
            click.echo(line, nl=False)
        if not server_runs:
            return
        if log.tell() > os.fstat(log.fileno()).st_size:
            log.seek(0)
        time.sleep(0.2)
