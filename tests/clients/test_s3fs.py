"""aiobotocore and s3fs, which need an older botocore than Cloche and so a Python of their own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.clients.environments import python_with

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def python() -> Path:
    return python_with("s3fs", "aiobotocore==3.10.0", "s3fs==2026.9.0")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("program", ["use_s3fs.py", "use_aiobotocore.py"])
def test_program_does_its_work(
    python: Path, program: str, bucket: str, tables: Path, environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [str(python), str(PROGRAMS / program), bucket, str(tables)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
