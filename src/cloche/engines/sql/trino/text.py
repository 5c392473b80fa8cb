"""Values as Athena's GetQueryResults and result files write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def formatter(trino_type: str) -> Callable[[Any], str | None]:
    """What writes values of a type; None is NULL."""
    return lambda value: None if value is None else str(value)
