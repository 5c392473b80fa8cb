"""Commands as hints print them: they work as they stand."""

from __future__ import annotations

import shlex

from cloche.core.configuration import Settings


def command(settings: Settings, *words: str) -> str:
    """A command of `cloche` on the data directory that this one was told by a flag."""
    parts = ["cloche", *words]
    if settings.origins.get("data_directory") == "flag":
        parts += ["--data", str(settings.data_directory)]
    return shlex.join(parts)


def env_command(settings: Settings, *words: str) -> str:
    """The command that sets up a shell."""
    return f'eval "$({command(settings, "env", *words)})"'
