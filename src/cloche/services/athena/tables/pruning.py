"""Which partitions a statement's conditions leave."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from cloche.engines.sql.engine import Filter

_WHOLE = frozenset({"tinyint", "smallint", "int", "integer", "bigint"})
_FRACTIONS = frozenset({"float", "double", "real", "decimal"})

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def keeps(value: str | None, condition: Filter, hive_type: str) -> bool:
    """Whether a partition's value may meet a condition; what cannot be read is kept.

    The engine checks the condition again on every row: a partition too many costs time alone.
    """
    if condition.operator == "is null":
        return value is None
    if value is None:
        return False
    if condition.operator == "is not null":
        return True
    if condition.operator == "like":
        return like_pattern(condition.values[0]).fullmatch(value) is not None
    own = _typed(value, hive_type)
    others = [_typed(each, hive_type) for each in condition.values]
    if own is None or None in others:
        return True
    if condition.operator == "in":
        return own in others
    return _COMPARISONS[condition.operator](own, others[0])


def kept(
    values: Mapping[str, str | None],
    filters: Sequence[Filter],
    types: Mapping[str, str],
) -> bool:
    """Whether a partition may meet all conditions on its columns."""
    return all(
        keeps(values[condition.column], condition, types[condition.column])
        for condition in filters
        if condition.column in values
    )


def like_pattern(pattern: str) -> re.Pattern[str]:
    """SQL's LIKE pattern as a regular expression."""
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(each, re.escape(each)) for each in pattern), re.DOTALL)


def _typed(text: str, hive_type: str) -> Any:
    base = hive_type.partition("(")[0].lower()
    try:
        if base in _WHOLE or base in _FRACTIONS:
            return Decimal(text.strip())
        if base == "date":
            return text.strip()[:10] if re.match(r"\d{4}-\d\d-\d\d", text.strip()) else None
        if base == "boolean":
            return {"true": True, "false": False}[text.strip().lower()]
        if base == "timestamp":
            return None  # written in too many ways: left to the engine
    except (InvalidOperation, KeyError):
        return None
    return text
