"""Servers of their own processes, started and ended by the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Cloche:
    """The command in a process of its own, on a data directory of its own."""

    data: Path

    @property
    def environment(self) -> dict[str, str]:
        """The caller's environment without what would change what the command does."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CLOCHE_", "AWS_")) or name == "AWS_CA_BUNDLE"
        }
        return {**kept, "CLOCHE_DATA": str(self.data), "CLOCHE_PORT": "0"}

    def __call__(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "cloche", *arguments],
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def json(self, *arguments: str) -> Any:
        """Run a command that must succeed, and read its JSON."""
        result = self(*arguments, "--json")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command that goes on."""
        return subprocess.Popen(
            [sys.executable, "-P", "-u", "-m", "cloche", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
