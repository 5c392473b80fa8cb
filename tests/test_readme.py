"""README's example is run as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.cli.servers import Cloche

README = Path(__file__).parent.parent / "README.md"


def test_the_example_does_what_it_says(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    cloche = Cloche(tmp_path / "data")
    cloche.json("up", "--detach")
    try:
        variables = cloche.json("env")["set"]
        result = subprocess.run(
            [sys.executable, "-c", example],
            env={**cloche.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        cloche("down")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("carrier,delay\nUA,11\n")
    assert "(AccessDenied) when calling the DeleteObject operation" in result.stdout


def test_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 150
