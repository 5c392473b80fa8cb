"""`cloche up`: run the server."""

from __future__ import annotations

import errno
import os

import click

from cloche.cli.hints import command, env_command
from cloche.cli.options import with_settings
from cloche.cli.output import CommandError, echo_json, json_option
from cloche.cli.server_process import (
    ServerRecord,
    differences,
    find_server,
    log_file,
    start_detached,
)
from cloche.core.configuration import Settings


@click.command()
@with_settings(
    "host",
    "port",
    "data_directory",
    "region",
    "account_id",
    "log_level",
    "database_url",
    "object_store_url",
    "sql_memory",
)
@click.option("--detach", "-d", is_flag=True, help="Run in the background.")
@json_option
def up(settings: Settings, detach: bool, as_json: bool) -> None:
    """Run the server, until Ctrl-C unless detached.

    With --detach, a server that runs on the data directory already is left as it is; it is an
    error if it runs with other settings than the flags ask for.
    """
    if detach:
        running = find_server(settings)
        if running:
            _refuse_other_settings(running, settings)
        record = running or start_detached(settings)
        _say_listening(record, settings, "Already running" if running else "Started", as_json)
    else:
        _serve(settings, as_json)


def _serve(settings: Settings, as_json: bool) -> None:
    # botocore would import awscrt, which takes a tenth of a second, for signers that go unused.
    os.environ.setdefault("BOTO_DISABLE_CRT", "true")
    from cloche.gateway.server import AlreadyRunning, StartError, serve

    def say_listening(url: str) -> None:
        if as_json:
            echo_json({"url": url, "data_directory": str(settings.data_directory)})
        else:
            click.echo(f"Cloche listens on {url}; data in {settings.data_directory}.")
            click.echo(f"In another shell: {env_command(settings)}.  Ctrl-C ends the server.")

    try:
        serve(settings, on_listening=say_listening)
    except AlreadyRunning as error:
        record = find_server(settings)
        where = f": {record.url}, process {record.pid}" if record else ""
        raise CommandError(
            f"A server already runs on {settings.data_directory}{where}.",
            f"`{command(settings, 'down')}` stops it; --data names another directory.",
        ) from error
    except StartError as error:
        raise CommandError(str(error), error.hint) from error
    except OSError as error:
        raise _listening_error(error, settings) from error


def _refuse_other_settings(record: ServerRecord, settings: Settings) -> None:
    """Say so where flags ask for what the running server doesn't have.

    Raises:
        CommandError: names each such setting.
    """
    differing = [
        f"{name} is {running}, not {asked}"
        for name, running, asked in differences(record, settings)
        if settings.origins.get(name) == "flag"
    ]
    if differing:
        raise CommandError(
            f"A server already runs on {settings.data_directory} with other settings:"
            f" {'; '.join(differing)}.",
            f"`{command(settings, 'down')}` stops it, to start it anew; or leave the flags out.",
        )


def _listening_error(error: OSError, settings: Settings) -> CommandError:
    if error.errno == errno.EADDRINUSE:
        return CommandError(
            f"Port {settings.port} on {settings.host} is in use by another program.",
            "`cloche up --port 0` takes a free one; CLOCHE_PORT sets it for every command.",
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return CommandError(
            f"{settings.host} is no address of this machine.",
            "`--host 127.0.0.1` listens to this machine alone, `--host 0.0.0.0` to its networks.",
        )
    if error.errno == errno.ENOENT:
        return CommandError(
            f"The data directory {settings.data_directory} can't be made.",
            "CLOCHE_DATA or --data names another directory.",
        )
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return CommandError(f"{error}.", "Choose a port above 1023 and a directory of your own.")
    return CommandError(f"The server can't start: {error}.", "`cloche doctor` checks this machine.")


def _say_listening(record: ServerRecord, settings: Settings, how: str, as_json: bool) -> None:
    if as_json:
        echo_json(
            {
                "url": record.url,
                "pid": record.pid,
                "data_directory": str(settings.data_directory),
                "log": str(log_file(settings)),
                "already_running": how != "Started",
            }
        )
        return
    click.echo(f"{how}: {record.url} (process {record.pid}); data in {settings.data_directory}.")
    click.echo(f"Next: {env_command(settings)}.  `{command(settings, 'down')}` stops it.")
