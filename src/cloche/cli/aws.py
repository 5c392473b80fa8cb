"""`cloche aws`: the AWS CLI, pointed at the server."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from cloche.cli.accounts import account_credentials
from cloche.cli.environment import pointed_environment
from cloche.cli.options import load_settings
from cloche.cli.output import CommandError, NotRunning
from cloche.cli.server_process import find_server


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def aws(arguments: tuple[str, ...]) -> None:
    """Run the AWS CLI against the server.

    All that follows goes to `aws` as it is, and its exit code is this command's.
    """
    program = find_aws_cli()
    if program is None:
        raise CommandError(
            "The AWS CLI is not installed.",
            "pip install awscli, or see https://docs.aws.amazon.com/cli/; "
            'then `cloche aws …`, or eval "$(cloche env)" and `aws …`.',
        )
    settings = load_settings({})
    record = find_server(settings)
    if record is None:
        raise NotRunning(settings.data_directory)
    credentials = account_credentials(record, settings, None)
    environment = pointed_environment(
        os.environ, record.url, credentials, settings.region, settings.data_directory
    )
    os.execve(program, [program, *arguments], environment)  # noqa: S606 - no shell is meant


def find_aws_cli() -> str | None:
    """The AWS CLI on the path, or beside this Python."""
    return shutil.which("aws") or shutil.which("aws", path=str(Path(sys.executable).parent))
