"""The server's settings as options of commands."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import click

from cloche.cli.output import WrongUsage
from cloche.core.configuration import SETTINGS, InvalidSetting, Settings, read_settings


def load_settings(flags: dict[str, str | None]) -> Settings:
    """Settings from flags, the environment and the defaults.

    Raises:
        WrongUsage: a value can't be used.
    """
    try:
        return read_settings(os.environ, flags)
    except InvalidSetting as error:
        raise WrongUsage(f"{error}.", "`cloche up --help` lists the settings.") from error


def with_settings(
    *names: str,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add options for the named settings; the command gets all settings as `settings`."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def command(*args: Any, **kwargs: Any) -> None:
            flags = {name: kwargs.pop(name) for name in names}
            function(*args, settings=load_settings(flags), **kwargs)

        for setting in reversed(SETTINGS):
            if setting.name in names:
                command = _option(setting.flag, setting.name, setting)(command)
        return command

    return decorate


def _option(flag: str, name: str, setting: Any) -> Callable[[Callable[..., None]], Any]:
    default = f", default {setting.default}" if setting.default else ""
    text = f"{setting.description.capitalize()}  [{setting.variable}{default}]"
    return click.option(flag, name, metavar=flag.removeprefix("--").upper(), help=text)


def settings_environment(settings: Settings) -> dict[str, str]:
    """The environment variables that give another process these settings."""
    return {setting.variable: str(getattr(settings, setting.name)) for setting in SETTINGS}
