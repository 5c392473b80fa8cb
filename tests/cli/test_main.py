from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from cloche import __version__
from cloche.cli.main import COMMANDS, cli
from tests.cli.conftest import Run


def test_help_lists_every_command_with_a_whole_sentence(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    for name in COMMANDS:
        line = next(line for line in result.output.splitlines() if line.startswith(f"  {name} "))
        assert line.endswith("."), line
        assert not line.endswith("..."), line


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "aws"])
def test_every_command_has_help(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: cloche {name}")


def test_version(run: Run) -> None:
    assert run("--version").output == f"cloche {__version__}\n"


def test_an_unknown_command_is_wrong_usage(run: Run) -> None:
    result = run("upp")
    assert result.exit_code == 2
    assert "No such command" in result.stderr


def test_the_command_line_starts_without_heavy_imports() -> None:
    heavy = {"botocore", "rich", "http.client", "asyncio", "uvloop", "msgspec", "boto3", "pyarrow"}
    program = (
        "import sys\n"
        "from cloche.cli.main import cli, COMMANDS\n"
        "import click\n"
        "for name in COMMANDS: cli.get_command(click.Context(cli), name)\n"
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_python_m_cloche_is_the_same_command(tmp_path: Path) -> None:
    (tmp_path / "cloche.py").write_text("raise SystemExit('shadowed')")
    result = subprocess.run(
        [sys.executable, "-P", "-m", "cloche", "--version"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert result.stdout == f"cloche {__version__}\n"


def every_command(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    context = click.Context(group)
    found: list[tuple[str, ...]] = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            found += every_command(command, (*path, name))
        else:
            found.append((*path, name))
    return found


WITHOUT_DATA = {("aws",), ("completion",), ("logs",), ("env",)}


@pytest.mark.parametrize("path", [path for path in every_command(cli) if path not in WITHOUT_DATA])
def test_every_command_that_prints_data_offers_json(run: Run, path: tuple[str, ...]) -> None:
    assert "--json" in run(*path, "--help").output
