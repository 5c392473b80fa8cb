"""Literals: numbers, typed texts such as `TIMESTAMP '…'`, intervals."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlglot import exp

from cloche.engines.sql.trino.casts import cast
from cloche.engines.sql.trino.types import (
    BIGINT,
    DAY_SECOND,
    DOUBLE,
    INTEGER,
    TIMESTAMP_ZONE,
    YEAR_MONTH,
    Type,
    TypeNameError,
    decimal,
)
from cloche.engines.sql.trino.values import Value, literal

_TIMESTAMP = re.compile(
    r"\s*(?P<date>[+-]?\d{4,}-\d{1,2}-\d{1,2})"
    r"(?:[ ](?P<time>\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.(?P<fraction>\d{1,12}))?)?))?"
    r"(?:\s*(?P<zone>[+-]\d{1,2}:\d{2}|[A-Za-z][\w/+:-]*))?\s*"
)
_TIME = re.compile(r"\s*\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.(?P<fraction>\d{1,12}))?)?\s*")


def number_literal(text: str) -> Value:
    """`1`, `1.10`, `1e10`."""
    if "e" in text.lower():
        return Value(f"CAST('{text}' AS DOUBLE)", DOUBLE, float(text))
    if "." in text:
        digits = text.lstrip("-")
        whole, _, fraction = digits.partition(".")
        precision = max(len(whole.lstrip("0")) + len(fraction), 1)
        if precision > 38:
            raise TypeNameError(f"Invalid decimal literal '{text}'")
        type = decimal(precision, len(fraction))
        return Value(f"CAST('{text}' AS DECIMAL({precision},{len(fraction)}))", type, Decimal(text))
    number = int(text)
    if not -(1 << 63) <= number < 1 << 63:
        raise TypeNameError(f"Invalid numeric literal: {text}")
    type = INTEGER if -(1 << 31) <= number < 1 << 31 else BIGINT
    return Value(text if number >= 0 else f"({text})", type, number)


def typed_literal(
    text: str, target: Type, session_zone: str, written: exp.Expr | None = None
) -> Value:
    """`DATE '…'`, `DECIMAL '…'` and the like; also CAST of a text that is written out.

    Raises:
        TypeNameError: the text is no value of the type.
    """
    match target.base:
        case "timestamp" | "timestamp with time zone":
            return _timestamp(text, target, session_zone, written)
        case "decimal" if written is not None and not written.expressions:
            return _decimal(text)
        case _:
            return _other(text, target, written)


def _other(text: str, target: Type, written: exp.Expr | None) -> Value:
    if (
        target.base == "time"
        and written is not None
        and written.expressions
        and (match := _TIME.fullmatch(text))
    ):
        target = Type("time", (len(match["fraction"] or ""),))
        return Value(f"CAST({literal(text)} AS TIME)", target)
    if target.base == "date" and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return Value(f"DATE {literal(text)}", target, text)
    value = Value(literal(text), Type("varchar", (len(text),)), text)
    constant = text if target.base in {"varchar", "char", "date", "ipaddress"} else None
    if target.base == "varchar" and target.numbers and constant is not None:
        constant = text[: target.numbers[0]]
    return Value(cast(value, target), target, constant)


def _decimal(text: str) -> Value:
    match = re.fullmatch(r"\s*([+-]?)(\d*)(?:\.(\d*))?\s*", text)
    if match is None or not (match[2] or match[3]):
        raise TypeNameError(f"Invalid decimal literal '{text}'")
    whole, fraction = match[2].lstrip("0"), match[3] or ""
    type = decimal(max(len(whole) + len(fraction), 1), len(fraction))
    sql = f"CAST({literal(text.strip())} AS DECIMAL({type.numbers[0]},{type.numbers[1]}))"
    return Value(sql, type, Decimal(text.strip()))


def _timestamp(text: str, target: Type, session_zone: str, written: exp.Expr | None) -> Value:
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        value = Value(literal(text), Type("varchar"), text)
        return Value(cast(value, target), target)
    zone = match["zone"]
    if zone is not None:
        try:
            zone = zone_name(zone)
        except TypeNameError:
            return _timestamp(text + " ?", target, session_zone, written)
    # A literal has the precision that its text has; sqlglot puts it into the type.
    precision = len(match["fraction"] or "") if _is_literal(written, match) else target.numbers[0]
    if (match["fraction"] or "")[6:].strip("0"):
        raise TypeNameError(f"'{text}' has nanoseconds, which are not supported")
    if zone is None and target.base == "timestamp":
        stamp = f"{match['date']} {match['time'] or '00:00:00'}"
        made = f"CAST({literal(_padded(stamp))} AS TIMESTAMP)"
        return Value(_rounded(made, match, precision), Type("timestamp", (precision,)), text)
    zone = zone_name(zone or session_zone)
    instant = _instant(match, zone)
    type = Type(TIMESTAMP_ZONE, (precision,), zone=zone)
    return Value(_rounded(f"CAST({literal(instant)} AS TIMESTAMPTZ)", match, precision), type, text)


def _is_literal(written: exp.Expr | None, match: re.Match[str]) -> bool:
    if written is None or not written.expressions:
        return False
    return str(len(match["fraction"] or "")) == written.expressions[0].name


def _rounded(sql: str, match: re.Match[str], precision: int) -> str:
    if len(match["fraction"] or "") > precision and precision < 6:
        return f"trino_round_time({sql}, {10 ** (6 - precision)})"
    return sql


def _padded(stamp: str) -> str:
    day, _, time = stamp.partition(" ")
    return f"{day} {time}{':00' if time.count(':') == 1 else ''}"


def zone_name(text: str) -> str:
    """A zone as Trino writes it.

    Raises:
        TypeNameError: there is no such zone.
    """
    offset = re.fullmatch(r"([+-])(\d{1,2}):?(\d{2})?", text)
    if offset:
        hours, minutes = int(offset[2]), int(offset[3] or 0)
        if hours == minutes == 0:
            return "UTC"
        return f"{offset[1]}{hours:02d}:{minutes:02d}"
    if text.upper() in {"UTC", "Z", "GMT", "UT", "ZULU"}:
        return "UTC"
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise TypeNameError(f"'{text}' is not a valid time zone") from None
    return text


def _instant(match: re.Match[str], zone: str) -> str:
    """The timestamp with its offset, for DuckDB."""
    stamp = _padded(f"{match['date']} {match['time'] or '00:00:00'}")
    if zone == "UTC":
        return stamp + "+00"
    if zone[0] in "+-":
        return stamp + zone
    whole = stamp.partition(".")[0]
    numbers = [int(n) for n in re.findall(r"\d+", whole)]
    year, month, day, hour, minute, second = numbers
    offset = datetime(year, month, day, hour, minute, second, tzinfo=ZoneInfo(zone)).utcoffset()
    seconds = int(offset.total_seconds()) if offset is not None else 0
    sign = "-" if seconds < 0 else "+"
    seconds = abs(seconds)
    return f"{stamp}{sign}{seconds // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"


_SECONDS = {"DAY": 86400, "HOUR": 3600, "MINUTE": 60, "SECOND": 1}


def interval_literal(node: exp.Interval) -> Value:
    """`INTERVAL '1' DAY`, `INTERVAL '1-2' YEAR TO MONTH`.

    Raises:
        TypeNameError: the text is no interval.
    """
    unit = node.args.get("unit")
    text = node.this.name if node.this is not None else ""
    spans = isinstance(unit, exp.IntervalSpan)
    name = (unit.this.name if spans else unit.name if unit is not None else "").upper()
    name = name.removesuffix("S") if name.endswith("S") else name
    if name in {"YEAR", "MONTH", "WEEK"} and name != "WEEK":
        return Value(f"to_months({_months(text, name)})", Type(YEAR_MONTH))
    scale = {**_SECONDS, "WEEK": 604800}.get(name)
    if scale is None:
        raise TypeNameError(f"Invalid INTERVAL {text} {name}")
    microseconds = _microseconds(text, name) if spans else round(Decimal(text) * scale * 1_000_000)
    return Value(f"trino_interval({microseconds})", Type(DAY_SECOND))


def _months(text: str, unit: str) -> int:
    match = re.fullmatch(r"\s*([+-]?)(\d+)(?:-(\d+))?\s*", text)
    if match is None:
        raise TypeNameError(f"Invalid INTERVAL YEAR TO MONTH value: {text}")
    sign = -1 if match[1] == "-" else 1
    if match[3] is not None:
        return sign * (int(match[2]) * 12 + int(match[3]))
    return sign * int(match[2]) * (12 if unit == "YEAR" else 1)


def _microseconds(text: str, first: str) -> int:
    units = list(_SECONDS)[list(_SECONDS).index(first) :]
    match = re.fullmatch(r"\s*([+-]?)([\d\s:.]+)", text)
    if match is None:
        raise TypeNameError(f"Invalid INTERVAL DAY TO SECOND value: {text}")
    parts = re.split(r"[\s:]+", match[2].strip())
    total = sum(
        (Decimal(part) * _SECONDS[unit] for part, unit in zip(parts, units, strict=False)),
        Decimal(0),
    )
    return round(total * 1_000_000) * (-1 if match[1] == "-" else 1)
