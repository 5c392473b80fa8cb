"""`cloche env`: print what points AWS's clients at the server."""

from __future__ import annotations

import os

import click

from cloche.cli.accounts import account_credentials
from cloche.cli.environment import SHELLS, client_environment, removed_variables, shell_lines
from cloche.cli.options import with_settings
from cloche.cli.output import NotRunning, echo_json, json_option
from cloche.cli.server_process import find_server
from cloche.core.configuration import Settings

EPILOG = """\b
  eval "$(cloche env)"                                          sh, bash, zsh
  cloche env --shell fish | source                              fish
  cloche env --shell powershell | Out-String | Invoke-Expression
"""


@click.command(epilog=EPILOG)
@with_settings("data_directory", "region")
@click.option("--account", metavar="NAME", help="Use another account's key, by name or id.")
@click.option("--shell", type=click.Choice(SHELLS), default="sh", show_default=True)
@json_option
def env(settings: Settings, account: str | None, shell: str, as_json: bool) -> None:
    """Print what points boto3, the AWS CLI and every SDK here.

    The output is commands for the shell: they set the endpoint, the keys and the region, and
    remove variables that would win over them.
    """
    record = find_server(settings)
    if record is None:
        raise NotRunning(settings.data_directory)
    credentials = account_credentials(record, settings, account)
    variables = client_environment(
        os.environ, record.url, credentials, settings.region, settings.data_directory
    )
    removed = removed_variables(os.environ)
    if as_json:
        echo_json({"set": variables, "unset": removed})
    else:
        for line in shell_lines(variables, removed, shell):
            click.echo(line)
