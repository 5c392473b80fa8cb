"""The command's entry: its options, its list of subcommands, each imported when it is used."""

from __future__ import annotations

import importlib
import os

import click

from cloche import __version__

COMMANDS = (
    "up",
    "down",
    "status",
    "env",
    "aws",
    "demo",
    "doctor",
    "logs",
    "clock",
    "account",
    "coverage",
    "completion",
)


# `\b` keeps click from filling the paragraph.
EPILOG = """\b
Begin with:
  cloche up --detach          start a server
  eval "$(cloche env)"        point boto3, the AWS CLI and every SDK at it
  aws s3 ls

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no server is running.
"""


class CommandGroup(click.Group):
    """Finds the subcommand `name` as the object `name` of the module `cloche.cli.name`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        return getattr(importlib.import_module(f"cloche.cli.{cmd_name}"), cmd_name)


@click.group(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.version_option(__version__, prog_name="cloche", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """AWS's AI stack under glass: one server that speaks AWS's protocols and does the work."""
    if os.environ.get("NO_COLOR"):
        context.color = False


def main() -> None:
    """Run the command line and exit with its code."""
    cli.main(prog_name="cloche")
