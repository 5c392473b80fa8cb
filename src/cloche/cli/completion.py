"""`cloche completion`: the script that completes commands in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from cloche.cli.output import CommandError

EPILOG = """\b
  eval "$(cloche completion bash)"        in ~/.bashrc; for zsh alike
  cloche completion fish | source         in fish's configuration
"""


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes `cloche` in a shell."""
    completion_class = get_completion_class(shell)
    if completion_class is None:
        raise CommandError(f"There is no completion for {shell}.")
    script = completion_class(context.find_root().command, {}, "cloche", "_CLOCHE_COMPLETE")
    click.echo(script.source())
