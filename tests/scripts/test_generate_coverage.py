from __future__ import annotations

from pathlib import Path

import generate_coverage


def test_the_page_is_up_to_date() -> None:
    page = Path(generate_coverage.__file__).parent.parent / "docs" / "coverage.md"
    assert page.read_text(encoding="utf-8") == generate_coverage.text(), "run `make docs`"
