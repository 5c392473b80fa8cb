"""PyAthena with each of its cursors, and SQLAlchemy's dialect that it brings."""

from __future__ import annotations

import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

from tests.clients.environments import python_with

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def python() -> Path:
    return python_with(
        "pyathena",
        "PyAthena[aiosqlalchemy,arrow,pandas,polars,sqlalchemy]==4.2.1",
        "SQLAlchemy[asyncio]==2.0.58",
        "pytest",
    )


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "program",
    ["use_pyathena.py", "use_pyathena_frames.py", "use_pyathena_aio.py", "use_sqlalchemy.py"],
)
def test_program_does_its_work(
    python: Path, program: str, bucket: str, environment: dict[str, str]
) -> None:
    database = f"clients{uuid4().hex[:12]}"
    done = subprocess.run(
        [str(python), "-W", "ignore", str(PROGRAMS / program), bucket, database],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-4000:]
