"""Environments for clients that can't live in `.venv`, made on first use and kept.

aiobotocore pins an older botocore than Cloche needs; JavaScript has an environment of its own
anyway. Both are put under `.venv-clients` in the repository; what is in them is named by a digest,
so that a change of the pins makes a new one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from set_up import pip_configuration, uv_environment

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / ".venv-clients"
_SECONDS = 100
"""A registry that takes longer is one that can't be had."""


def python_with(name: str, *requirements: str) -> Path:
    """The Python of an environment that has the packages; the test is skipped without them.

    Args:
        name: of the environment's folder.
        requirements: with pinned versions.
    """
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if uv is None:
        pytest.skip("uv is not there, which makes the environment")
    folder = ENVIRONMENTS / f"{name}-{_digest(sys.version, *requirements)}"
    python = folder / "bin" / "python"
    with _made_once(folder) as is_made:
        if not is_made:
            variables = {**os.environ, **uv_environment(pip_configuration())}
            variables["VIRTUAL_ENV"] = str(folder)
            _run([uv, "venv", "--python", sys.executable, str(folder)], variables)
            install = [uv, "pip", "install", "--python", str(python)]
            _run([*install, *requirements], variables)
    return python


def node_modules(package: Path) -> Path:
    """The folder in which a script finds the locked packages; the test is skipped without them.

    Args:
        package: folder of `package.json` and `package-lock.json`.
    """
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("Node.js with npm is not there")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").partition(".")[0]) < 20:
        pytest.skip(f"AWS's SDK for JavaScript needs Node.js 20; this is {version.strip()}")
    files = [package / "package.json", package / "package-lock.json"]
    folder = ENVIRONMENTS / f"{package.name}-{_digest(*(file.read_text() for file in files))}"
    with _made_once(folder) as is_made:
        if not is_made:
            folder.mkdir(parents=True)
            for file in files:
                shutil.copy(file, folder)
            quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
            _run([npm, "ci", *quiet], dict(os.environ))
    return folder


def _digest(*contents: str) -> str:
    return hashlib.sha256("\0".join(contents).encode()).hexdigest()[:12]


@contextmanager
def _made_once(folder: Path) -> Iterator[bool]:
    """Whether the environment is there; processes of pytest that need it wait for its maker."""
    ENVIRONMENTS.mkdir(exist_ok=True)
    done = folder.with_name(f"{folder.name}.made")
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        is_made = done.exists() and folder.exists()
        if not is_made:
            shutil.rmtree(folder, ignore_errors=True)
        yield is_made
        done.touch()


def _run(command: list[str], variables: dict[str, str]) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=ENVIRONMENTS,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        _give_up(f"{Path(command[0]).name} found no packages within {_SECONDS} s")
    if done.returncode != 0:
        _give_up(f"{Path(command[0]).name}: {done.stderr.strip()[-300:]}")


def _give_up(reason: str) -> NoReturn:
    """Skip on a machine without a network; in CI the clients have to be there."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
