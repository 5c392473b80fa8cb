"""`cloche doctor`: look for what would be in the server's way."""

from __future__ import annotations

from dataclasses import asdict

import click

from cloche.cli.checks import Check, run_checks
from cloche.cli.options import with_settings
from cloche.cli.output import EXIT_FAILED, echo_json, echo_table, json_option
from cloche.cli.server_process import differences, find_server
from cloche.core.configuration import SETTINGS, Settings

MARKS = {
    "ok": ("✓", "green"),
    "absent": ("–", None),
    "warning": ("!", "yellow"),
    "failed": ("✗", "red"),
}


@click.command()
@with_settings("data_directory", "host", "port")
@json_option
def doctor(settings: Settings, as_json: bool) -> None:
    """Check this machine and say how to mend what is wrong.

    Exits with 1 if something needed fails; optional parts that are absent don't count.
    """
    checks = list(run_checks(settings))
    rows = _settings(settings)
    failed = any(check.state == "failed" for check in checks)
    if as_json:
        echo_json(
            {
                "ok": not failed,
                "checks": [asdict(check) for check in checks],
                "settings": rows,
            }
        )
    else:
        _print(checks)
        click.echo()
        _print_settings(rows)
    if failed:
        raise SystemExit(EXIT_FAILED)


def _print(checks: list[Check]) -> None:
    width = max(len(check.name) for check in checks)
    for check in checks:
        mark, color = MARKS[check.state]
        click.echo(f"{click.style(mark, fg=color)} {check.name.ljust(width)}  {check.found}")
        if check.mend:
            click.echo(f"  {' ' * width}  → {check.mend}")


def _print_settings(rows: list[dict[str, str | None]]) -> None:
    header = ["SETTING", "VALUE", "ORIGIN", "VARIABLE"]
    if any(row["running"] not in (None, row["value"]) for row in rows):
        header.append("OF THE RUNNING SERVER")
    echo_table(header, [[cell or "" for cell in row.values()][: len(header)] for row in rows])


def _settings(settings: Settings) -> list[dict[str, str | None]]:
    """Each setting here, and its value in the server that runs; None where none runs."""
    record = find_server(settings)
    differing = {name: value for name, value, _ in differences(record, settings)} if record else {}
    return [
        {
            "name": setting.name,
            "value": settings.shown(setting.name),
            "origin": settings.origins[setting.name],
            "variable": setting.variable,
            "running": differing.get(setting.name, settings.shown(setting.name))
            if record
            else None,
        }
        for setting in SETTINGS
    ]
