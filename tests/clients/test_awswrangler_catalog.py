"""awswrangler on Glue and S3 alone, in a Python of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

from tests.clients.environments import python_with

PROGRAM = Path(__file__).parent / "programs" / "use_awswrangler_catalog.py"


@pytest.fixture(scope="module")
def python() -> Path:
    return python_with("awswrangler", "awswrangler==3.17.1")


@pytest.mark.timeout(240)
def test_datasets_and_catalog(python: Path, bucket: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [str(python), str(PROGRAM), bucket, f"lake_{uuid4().hex}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
