"""awswrangler, which needs packages that Cloche doesn't."""

from __future__ import annotations

import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

from tests.clients.environments import python_with

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def python() -> Path:
    return python_with("athena", "PyAthena[SQLAlchemy,Pandas]==4.2.1", "awswrangler==3.17.1")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("program", ["use_awswrangler_athena.py"])
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
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
