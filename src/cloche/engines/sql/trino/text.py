"""Values as Athena's GetQueryResults and result files write them.

`formatter` writes one value, `column_formatter` a whole Arrow column, which for most types is
one of Arrow's own casts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cloche.engines.sql.duckdb_functions.numbers import double_text, real_text
from cloche.engines.sql.trino.types import (
    TIMESTAMP_ZONE,
    Type,
    TypeNameError,
    parse_type,
)

Formatter = Callable[[Any], str | None]


@lru_cache(maxsize=256)
def formatter(trino_type: str) -> Formatter:
    """What writes values of a type (Python's or Arrow scalars) as text; None is NULL."""
    try:
        inner = _writer(parse_type(trino_type))
    except TypeNameError:
        inner = str

    def write(value: Any) -> str | None:
        if isinstance(value, pa.Scalar):
            value = value.as_py()
        return None if value is None else inner(value)

    return write


def _writer(kind: Type) -> Callable[[Any], str]:
    match kind.base:
        case "boolean":
            return lambda value: "true" if value else "false"
        case "double":
            return double_text
        case "real":
            return real_text
        case "decimal":
            return _decimal(kind.numbers[1])
        case "varbinary":
            return lambda value: " ".join(f"{byte:02x}" for byte in value)
        case "timestamp" | "timestamp with time zone":
            return _stamp(kind)
        case "time":
            return _time(kind.numbers[0])
        case "interval day to second":
            return _day_second
        case "interval year to month":
            return _year_month
        case "array":
            return _array(kind)
        case "map":
            return _map(kind)
        case "row":
            return _row(kind)
        case "json":
            return lambda value: value if isinstance(value, str) else json.dumps(value)
        case _:
            return lambda value: value if isinstance(value, str) else str(value)


def _decimal(scale: int) -> Callable[[Any], str]:
    def write(value: Any) -> str:
        if isinstance(value, Decimal):
            return f"{value:.{scale}f}" if value.as_tuple().exponent != -scale else f"{value:f}"
        return f"{Decimal(value):.{scale}f}"

    return write


def _fraction(microseconds: int, precision: int) -> str:
    if precision == 0:
        return ""
    return "." + f"{microseconds:06d}".ljust(precision, "0")[:precision]


def _stamp(kind: Type) -> Callable[[Any], str]:
    precision, zoned = kind.numbers[0], kind.base == TIMESTAMP_ZONE

    def write(value: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time())
        text = value.strftime("%Y-%m-%d %H:%M:%S").rjust(19, "0")
        text += _fraction(value.microsecond, precision)
        if not zoned:
            return text
        zone = getattr(value.tzinfo, "key", None) or getattr(value.tzinfo, "zone", None) or "UTC"
        offset = value.utcoffset()
        if not offset:
            return f"{text} {'UTC' if zone in {'Etc/UTC', 'UTC'} else zone}"
        return f"{text} {zone if zone != 'UTC' else _offset(offset)}"

    return write


def _offset(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _time(precision: int) -> Callable[[Any], str]:
    def write(value: Any) -> str:
        if isinstance(value, str):
            return value
        return value.strftime("%H:%M:%S") + _fraction(value.microsecond, precision)

    return write


def _day_second(value: Any) -> str:
    if isinstance(value, timedelta):
        milliseconds = (value.days * 86400 + value.seconds) * 1000 + value.microseconds // 1000
    else:
        months, days, nanoseconds = value
        milliseconds = (months * 30 + days) * 86_400_000 + int(nanoseconds / 1_000_000)
    sign = "-" if milliseconds < 0 else ""
    seconds, rest = divmod(abs(milliseconds), 1000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"{sign}{day} {hour:02d}:{minute:02d}:{second:02d}.{rest:03d}"


def _year_month(value: Any) -> str:
    months = value[0] if isinstance(value, tuple) else round(value.days / 30)
    sign = "-" if months < 0 else ""
    return f"{sign}{abs(months) // 12}-{abs(months) % 12}"


def _inner(kind: Type) -> Callable[[Any], str]:
    write = _writer(kind)
    return lambda value: "null" if value is None else write(value)


def _array(kind: Type) -> Callable[[Any], str]:
    write = _inner(kind.items[0])
    return lambda value: "[" + ", ".join(map(write, value)) + "]"


def _map(kind: Type) -> Callable[[Any], str]:
    key, item = _inner(kind.items[0]), _inner(kind.items[1])

    def write(value: Any) -> str:
        if isinstance(value, Mapping):
            pairs = (
                zip(value["key"], value["value"], strict=True)
                if set(value) == {"key", "value"} and isinstance(value["key"], list)
                else value.items()
            )
        else:
            pairs = value
        return "{" + ", ".join(f"{key(k)}={item(v)}" for k, v in pairs) + "}"

    return write


def _row(kind: Type) -> Callable[[Any], str]:
    names = kind.field_names()
    writers = [_inner(item) for item in kind.items]

    def write(value: Any) -> str:
        values = list(value.values()) if isinstance(value, Mapping) else list(value)
        parts = (f"{n}={w(v)}" for n, w, v in zip(names, writers, values, strict=True))
        return "{" + ", ".join(parts) + "}"

    return write


# ── Columns ───────────────────────────────────────────────────────────────────────────────────


def column_formatter(trino_type: str) -> Callable[[pa.Array | pa.ChunkedArray], list[str | None]]:
    """What writes a whole Arrow column of a type."""
    try:
        kind = parse_type(trino_type)
    except TypeNameError:
        kind = Type("varchar")
    write = formatter(trino_type)

    def slow(column: pa.Array | pa.ChunkedArray) -> list[str | None]:
        return [write(value) for value in column.to_pylist()]

    def fast(column: pa.Array | pa.ChunkedArray) -> list[str | None]:
        return pc.cast(column, pa.string()).to_pylist()

    def stamps(column: pa.Array | pa.ChunkedArray) -> list[str | None]:
        if not pa.types.is_timestamp(column.type) or column.type.tz:
            return slow(column)
        return pc.cast(pc.cast(column, pa.timestamp("ms"), safe=False), pa.string()).to_pylist()

    if kind.is_integer or kind.base in {"varchar", "char", "boolean", "date", "uuid"}:
        return lambda column: fast(column) if _is_simple(column.type) else slow(column)
    if kind.base == "timestamp" and kind.numbers == (3,):
        return stamps
    return slow


def _is_simple(kind: pa.DataType) -> bool:
    is_type = pa.types
    return (
        is_type.is_integer(kind)
        or is_type.is_string(kind)
        or is_type.is_boolean(kind)
        or is_type.is_date(kind)
    )
