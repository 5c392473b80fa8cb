"""`cloche down`: stop the server."""

from __future__ import annotations

import click

from cloche.cli.options import with_settings
from cloche.cli.output import echo_json, json_option
from cloche.cli.server_process import STOP_SECONDS, find_server, stop
from cloche.core.configuration import Settings


@click.command()
@with_settings("data_directory")
@json_option
def down(settings: Settings, as_json: bool) -> None:
    """Stop the server; state and data stay.

    Succeeds if none runs on the data directory.
    """
    record = find_server(settings)
    ended_by_itself = stop(record) if record else True
    if as_json:
        echo_json(
            {"was_running": record is not None, "killed": not ended_by_itself}
            | ({"pid": record.pid} if record else {})
        )
    elif record is None:
        click.echo(f"No server was running on {settings.data_directory}.")
    elif ended_by_itself:
        click.echo(f"Stopped {record.url} (process {record.pid}).")
    else:
        click.echo(
            f"Process {record.pid} didn't end within {STOP_SECONDS:g} s and was killed; "
            "what it had acknowledged is safe."
        )
