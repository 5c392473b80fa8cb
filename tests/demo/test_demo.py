from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.servers import Cloche


@pytest.fixture
def cloche(tmp_path: Path) -> Iterator[Cloche]:
    command = Cloche(tmp_path / "data")
    yield command
    command("down")


@pytest.mark.slow
def test_the_demo_runs_to_its_end_twice(cloche: Cloche) -> None:
    first = cloche.json("demo")
    for one in first["stages"]["upload"]["formats"].values():
        assert one["objects"] == 27
        assert one["rows"]["flights"] == 336_776
    assert cloche.json("status")["healthy"] is True

    again = cloche("demo")

    assert again.returncode == 0, again.stderr
    assert "is there from an earlier run" in again.stdout
    assert "336,776" in again.stdout
    assert "\x1b[" not in again.stdout
