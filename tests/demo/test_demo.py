from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloche.demo.flights import read_table
from tests.cli.servers import Cloche


@pytest.fixture
def cloche(tmp_path: Path) -> Iterator[Cloche]:
    command = Cloche(tmp_path / "data")
    yield command
    command("down")


def latest_airlines() -> list[dict[str, Any]]:
    """The answer to the demo's question, by pandas."""
    flights: Any = read_table("flights").to_pandas().dropna(subset=["dep_delay"])
    names: Any = read_table("airlines").to_pandas()
    late: Any = flights.merge(names, on="carrier").groupby("name")["dep_delay"]
    mean: Any = late.mean().round(1).sort_values(ascending=False).head(5)
    worst: Any = late.quantile(0.9)
    return [
        {
            "airline": name,
            "flights": str(late.count()[name]),
            "minutes_late": str(minutes),
            "late_at_worst_tenth": pytest.approx(worst[name], abs=1),
        }
        for name, minutes in mean.items()
    ]


@pytest.mark.slow
def test_the_demo_runs_to_its_end_twice(cloche: Cloche) -> None:
    first = cloche.json("demo")
    for one in first["stages"]["upload"]["formats"].values():
        assert one["objects"] == 27
        assert one["rows"]["flights"] == 336_776
    explored = first["stages"]["explore"]
    assert explored["flights"] == 336_776
    for row in explored["latest_airlines"]:
        row["late_at_worst_tenth"] = int(row["late_at_worst_tenth"])
    assert explored["latest_airlines"] == latest_airlines()
    assert explored["july_bytes"] < first["stages"]["upload"]["formats"]["parquet"]["bytes"] / 10
    assert cloche.json("status")["healthy"] is True

    again = cloche("demo")

    assert again.returncode == 0, again.stderr
    assert "is there from an earlier run" in again.stdout
    assert "336,776" in again.stdout
    assert "\x1b[" not in again.stdout
