from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cloche.cli.main import cli

Run = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory of the test's own, and none of the caller's settings."""
    directory = tmp_path / "data"
    for variable in ("CLOCHE_HOST", "CLOCHE_REGION", "CLOCHE_DATABASE_URL", "NO_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("CLOCHE_DATA", str(directory))
    monkeypatch.setenv("CLOCHE_PORT", "0")
    return directory


@pytest.fixture
def run(data: Path) -> Run:
    """Run the command in this process."""

    def run_command(*arguments: str) -> Result:
        return CliRunner().invoke(cli, list(arguments), prog_name="cloche")

    return run_command
