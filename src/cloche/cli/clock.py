"""`cloche clock`: the server's time, which can be moved forward."""

from __future__ import annotations

import re
from typing import Any

import click

from cloche.cli.accounts import administer
from cloche.cli.options import with_settings
from cloche.cli.output import echo_json, json_option
from cloche.core.configuration import Settings

UNIT_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}


class Duration(click.ParamType):
    """`3d`, `1h30m`, `2.5s`, `1w`, or plain seconds, as seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read a duration.

        Raises:
            click.BadParameter: it is none, or not positive.
        """
        text = str(value).strip().lower()
        if re.fullmatch(r"\d+(\.\d+)?", text):
            text += "s"
        parts = re.findall(r"(\d+(?:\.\d+)?)([wdhms])", text)
        seconds = sum(float(number) * UNIT_SECONDS[unit] for number, unit in parts)
        if "".join(number + unit for number, unit in parts) != text or seconds <= 0:
            self.fail(f"{value!r} is not a duration such as 3d, 1h30m, 45s or 1w.", param, ctx)
        return seconds


@click.group()
def clock() -> None:
    """Show the server's time or move it forward.

    Expiries, schedules, waits and retention follow at once. Time never goes back.
    """


@clock.command("show")
@with_settings("data_directory")
@json_option
def show(settings: Settings, as_json: bool) -> None:
    """Show the server's time and how far ahead of the real one it is."""
    _say(administer(settings, "GET", "/_cloche/clock"), as_json)


@clock.command("advance")
@click.argument("duration", type=Duration())
@with_settings("data_directory")
@json_option
def advance(settings: Settings, duration: float, as_json: bool) -> None:
    """Move the server's time forward by DURATION (3d, 1h30m, 45s, 1w)."""
    _say(administer(settings, "POST", "/_cloche/clock", {"advance_seconds": duration}), as_json)


def _say(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        echo_json(answer)
    else:
        click.echo(f"{answer['now']} ({answer['offset_seconds']:g} s ahead of real time)")
