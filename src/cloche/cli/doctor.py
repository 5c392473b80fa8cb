"""`cloche doctor`: look for what would be in the server's way."""

from __future__ import annotations

from dataclasses import asdict

import click

from cloche.cli.checks import Check, run_checks
from cloche.cli.options import with_settings
from cloche.cli.output import EXIT_FAILED, echo_json, echo_table, json_option
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
    failed = any(check.state == "failed" for check in checks)
    if as_json:
        echo_json(
            {
                "ok": not failed,
                "checks": [asdict(check) for check in checks],
                "settings": _settings(settings),
            }
        )
    else:
        _print(checks)
        click.echo()
        rows = [list(one.values()) for one in _settings(settings)]
        echo_table(["SETTING", "VALUE", "ORIGIN", "VARIABLE"], rows)
    if failed:
        raise SystemExit(EXIT_FAILED)


def _print(checks: list[Check]) -> None:
    width = max(len(check.name) for check in checks)
    for check in checks:
        mark, color = MARKS[check.state]
        click.echo(f"{click.style(mark, fg=color)} {check.name.ljust(width)}  {check.found}")
        if check.mend:
            click.echo(f"  {' ' * width}  → {check.mend}")


def _settings(settings: Settings) -> list[dict[str, str]]:
    return [
        {
            "name": setting.name,
            "value": settings.shown(setting.name),
            "origin": settings.origins[setting.name],
            "variable": setting.variable,
        }
        for setting in SETTINGS
    ]
