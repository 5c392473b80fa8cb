"""Which of a query's types may be stored in a column of another."""

from __future__ import annotations

import re

_WHOLE = ("tinyint", "smallint", "integer", "bigint")
_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
_PRECISION = re.compile(r"^(time|timestamp)\(\d+\)")
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


def can_be_stored(given: str, wanted: str) -> bool:
    """Whether a value of Trino type `given` becomes one of type `wanted` without a cast.

    Text of any length may be stored in text of another; a value too long then fails the query.
    """
    given, wanted = _plain(given), _plain(wanted)
    if given in (wanted, "unknown"):
        return True
    if given in _WHOLE:
        return _whole(given, wanted)
    decimal = _DECIMAL.fullmatch(given)
    if decimal is not None:
        other = _DECIMAL.fullmatch(wanted)
        return wanted in ("real", "double") or (
            other is not None
            and int(other[2]) >= int(decimal[2])
            and int(other[1]) - int(other[2]) >= int(decimal[1]) - int(decimal[2])
        )
    if given == "real":
        return wanted == "double"
    if given == "date":
        return wanted == "timestamp"
    if given == "timestamp":
        # Trino's documentation has no such coercion; Athena takes it: SQLAlchemy's own tests put
        # a datetime into a column of dates, and PyAthena runs them on AWS.
        return wanted == "date"
    if given in ("varchar", "char"):
        return wanted in ("varchar", "char")
    for kind in ("array", "map", "row"):
        if given.startswith(f"{kind}(") and wanted.startswith(f"{kind}("):
            return True  # the cast that follows checks what is within
    return False


def _whole(given: str, wanted: str) -> bool:
    if wanted in _WHOLE:
        return _WHOLE.index(given) <= _WHOLE.index(wanted)
    decimal = _DECIMAL.fullmatch(wanted)
    if decimal is not None:
        return int(decimal[1]) - int(decimal[2]) >= _DIGITS[given]
    return wanted in ("real", "double")


def _plain(trino_type: str) -> str:
    lowered = trino_type.lower()
    if lowered.startswith(("varchar", "char")):
        return lowered.partition("(")[0]
    return _PRECISION.sub(r"\1", lowered)
