"""What every command says in the same way: results, JSON, errors with a hint, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import IO, Any, TypeVar

import click

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NOT_RUNNING = 3

Command = TypeVar("Command", bound=Callable[..., Any])


class CommandError(click.ClickException):
    """A command can't do what it was asked to; says the cause and one hint.

    Attributes:
        hint: what to do about it.
    """

    exit_code = EXIT_FAILED

    def __init__(self, cause: str, hint: str = "") -> None:
        super().__init__(cause)
        self.hint = hint

    def show(self, file: IO[Any] | None = None) -> None:
        """Print cause and hint to standard error."""
        click.echo(f"{click.style('Error:', fg='red', bold=True)} {self.message}", err=True)
        if self.hint:
            click.echo(f"{click.style('Hint:', bold=True)} {self.hint}", err=True)


class WrongUsage(CommandError):
    """The command line or a setting can't be understood."""

    exit_code = EXIT_USAGE


class NotRunning(CommandError):
    """A command needs a server and none runs on the data directory."""

    exit_code = EXIT_NOT_RUNNING

    def __init__(self, data_directory: object) -> None:
        super().__init__(
            f"No server is running on {data_directory}.",
            "Start one with `cloche up --detach`; CLOCHE_DATA or --data names another directory.",
        )


def json_option(command: Command) -> Command:
    """Add `--json`, passed as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def echo_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def echo_fields(fields: Sequence[tuple[str, str]]) -> None:
    """Print names and values in two columns."""
    width = max(len(name) for name, _ in fields)
    for name, value in fields:
        click.echo(f"{click.style(name.ljust(width), bold=True)}  {value}")


def echo_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns as wide as they need."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for index, row in enumerate([header, *rows]):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        line = "  ".join(cells).rstrip()
        click.echo(click.style(line, bold=True) if index == 0 else line)
