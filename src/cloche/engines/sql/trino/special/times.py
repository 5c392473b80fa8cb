"""Dates, times and time zones."""

from __future__ import annotations

import re
from typing import Any

from cloche.engines.sql.engine import ErrorKind
from cloche.engines.sql.trino.calls import SPECIAL, special
from cloche.engines.sql.trino.casts import cast, coerce, moment_of, wall_clock
from cloche.engines.sql.trino.expressions import Expressions
from cloche.engines.sql.trino.literals import zone_name
from cloche.engines.sql.trino.special.conditions import Nodes, expect
from cloche.engines.sql.trino.special.patterns import (
    PatternError,
    joda_format,
    joda_parse,
    joda_parts,
    mysql,
)
from cloche.engines.sql.trino.types import (
    BIGINT,
    DATE,
    DAY_SECOND,
    DOUBLE,
    TIMESTAMP,
    TIMESTAMP_ZONE,
    TIMESTAMPTZ,
    UNKNOWN,
    VARCHAR,
    YEAR_MONTH,
    Type,
    TypeNameError,
)
from cloche.engines.sql.trino.values import NOW_VARIABLE, Scope, Value, literal

_NOW = f"CAST(getvariable('{NOW_VARIABLE}') AS TIMESTAMPTZ)"


def local(value: Value) -> str:
    """The wall clock of a timestamp in its zone."""
    if value.type.base == TIMESTAMP_ZONE:
        return wall_clock(value.sql, value.type.zone)
    return value.sql


def instant(sql: str, zone: str) -> str:
    """The moment at which a zone's wall clock shows a timestamp."""
    return moment_of(sql, zone)


def moment_argument(c: Expressions, node: Any, scope: Scope, *bases: str) -> Value:
    """An argument that is a date or a timestamp."""
    value = c.expression(node, scope)
    if value.type == UNKNOWN:
        return Value("CAST(NULL AS TIMESTAMP)", TIMESTAMP)
    if value.type.base not in (bases or ("date", "timestamp", TIMESTAMP_ZONE)):
        raise c.source.mismatch(f"Unexpected parameter {value.type}", node)
    return value


def constant(c: Expressions, node: Any, scope: Scope, what: str) -> str:
    """An argument that must be a constant text."""
    text = c.expression(node, scope).text
    if text is None:
        c.source.unsupported(f"{what} that is no constant", node)
    return text


# ── What time it is ───────────────────────────────────────────────────────────────────────────


@special("now")
def _now(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 0, 1, node)
    precision = c.expression(nodes[0], scope).constant if nodes else 3
    if not isinstance(precision, int):
        c.source.unsupported("a precision that is no constant", node)
    sql = f"date_trunc('millisecond', {_NOW})" if precision <= 3 else _NOW
    return Value(sql, Type(TIMESTAMP_ZONE, (precision,), zone=c.zone))


SPECIAL["current_timestamp"] = _now


@special("current_date")
def _today(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 0, 0, node)
    return Value(f"CAST({wall_clock(_NOW, c.zone)} AS DATE)", DATE)


@special("localtimestamp")
def _local_now(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 0, 0, node)
    return Value(f"date_trunc('millisecond', {wall_clock(_NOW, c.zone)})", TIMESTAMP)


@special("localtime")
def _local_time(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 0, 0, node)
    return Value(
        f"CAST(date_trunc('millisecond', {wall_clock(_NOW, c.zone)}) AS TIME)", Type("time", (3,))
    )


@special("current_time")
def _time(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 0, 0, node)
    c.source.unsupported("current_time", node)


@special("current_timezone")
def _zone(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 0, 0, node)
    return Value(literal(c.zone), VARCHAR, c.zone)


# ── Parts ─────────────────────────────────────────────────────────────────────────────────────

_PARTS = {
    "year": "year({})",
    "quarter": "quarter({})",
    "month": "month({})",
    "week": "weekofyear({})",
    "week_of_year": "weekofyear({})",
    "year_of_week": "isoyear({})",
    "yow": "isoyear({})",
    "day": "day({})",
    "day_of_month": "day({})",
    "day_of_week": "isodow({})",
    "dow": "isodow({})",
    "day_of_year": "dayofyear({})",
    "doy": "dayofyear({})",
    "hour": "hour({})",
    "minute": "minute({})",
    "second": "second({})",
    "millisecond": "(millisecond({}) % 1000)",
}
_TIME_PARTS = frozenset({"hour", "minute", "second", "millisecond"})


def _part(c: Expressions, name: str, argument: Any, node: Any, scope: Scope) -> Value:
    value = c.expression(argument, scope)
    if value.type == UNKNOWN:
        return Value("CAST(NULL AS BIGINT)", BIGINT)
    if name in {"timezone_hour", "timezone_minute"} and value.type.base == TIMESTAMP_ZONE:
        minutes = f"trino_offset_minutes({local(value)}, {value.sql})"
        return Value(
            f"({minutes} // 60)" if name == "timezone_hour" else f"({minutes} % 60)", BIGINT
        )
    if name not in _PARTS:
        raise c.source.error(ErrorKind.SYNTAX_ERROR, f"Invalid EXTRACT field: {name}", node)
    kind = value.type.base
    fits = kind in {"timestamp", TIMESTAMP_ZONE} or (kind == "date" and name not in _TIME_PARTS)
    fits = fits or (kind == "time" and name in _TIME_PARTS)
    if kind == DAY_SECOND and name in {"day", *_TIME_PARTS}:
        unit = {
            "day": 86_400_000_000,
            "hour": 3_600_000_000,
            "minute": 60_000_000,
            "second": 1_000_000,
        }
        size = unit.get(name, 1000)
        limit = {"hour": 24, "minute": 60, "second": 60, "millisecond": 1000}.get(name)
        whole = f"(CAST(epoch_us({value.sql}) AS BIGINT) // {size})"
        return Value(f"({whole} % {limit})" if limit else whole, BIGINT)
    if kind == YEAR_MONTH and name in {"year", "month"}:
        months = f"trino_months({value.sql})"
        return Value(f"CAST({months} {'// 12' if name == 'year' else '% 12'} AS BIGINT)", BIGINT)
    if not fits:
        raise c.source.mismatch(f"Unexpected parameters ({value.type}) for function {name}", node)
    return Value(f"CAST({_PARTS[name].format(local(value))} AS BIGINT)", BIGINT)


@special("extract")
def _extract(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    return _part(c, node.name.lower(), node.expression, node, scope)


def _register_part(name: str) -> None:
    @special(name)
    def compile(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
        expect(c, nodes, 1, 1, node)
        return _part(c, name, nodes[0], node, scope)


for _name in (*_PARTS, "timezone_hour", "timezone_minute"):
    _register_part(_name)


# ── Arithmetic ────────────────────────────────────────────────────────────────────────────────

_UNITS = {
    "millisecond": "to_milliseconds",
    "second": "to_seconds",
    "minute": "to_minutes",
    "hour": "to_hours",
    "day": "to_days",
    "week": "to_weeks",
    "month": "to_months",
    "quarter": "to_quarters",
    "year": "to_years",
}
_OF_A_DAY = frozenset({"millisecond", "second", "minute", "hour"})


def unit_of(c: Expressions, node: Any, scope: Scope, kind: str) -> str:
    """A unit of time that fits a type."""
    unit = constant(c, node, scope, "a unit of time").lower()
    if unit not in _UNITS or (kind == "date" and unit in _OF_A_DAY):
        message = f"'{unit}' is not a valid {kind.upper()} field"
        raise c.source.error(ErrorKind.INVALID_FUNCTION_ARGUMENT, message, node)
    return unit


@special("date_add")
def _date_add(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 3, 3, node)
    value = moment_argument(c, nodes[2], scope)
    unit = unit_of(c, nodes[0], scope, value.type.base)
    count = c.expression(nodes[1], scope)
    if not count.type.is_integer and count.type != UNKNOWN:
        raise c.source.mismatch(f"an integer is expected, not {count.type}", nodes[1])
    number = (
        count.sql
        if unit in {"millisecond", "second", "minute", "hour"}
        else f"CAST({count.sql} AS INTEGER)"
    )
    number = f"CAST({number} AS DOUBLE)" if unit in {"millisecond", "second"} else number
    step = f"{_UNITS[unit]}({number})"
    if value.type.base == "date":
        return Value(f"CAST({value.sql} + {step} AS DATE)", DATE)
    if value.type.base == TIMESTAMP_ZONE and unit not in _OF_A_DAY:
        return Value(instant(f"({local(value)} + {step})", value.type.zone), value.type)
    return Value(f"({value.sql} + {step})", value.type)


@special("date_diff")
def _date_diff(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 3, 3, node)
    a, b = moment_argument(c, nodes[1], scope), moment_argument(c, nodes[2], scope)
    both_dates = a.type.base == b.type.base == "date"
    unit = unit_of(c, nodes[0], scope, "date" if both_dates else "timestamp")
    if both_dates and unit == "day":
        return Value(f"date_diff('day', {a.sql}, {b.sql})", BIGINT)
    zone = next((v.type.zone for v in (a, b) if v.type.base == TIMESTAMP_ZONE), None)
    first, last = (_wall(v, zone, c.zone) for v in (a, b))
    return Value(f"date_sub('{unit}', {first}, {last})", BIGINT)


def _wall(value: Value, zone: str | None, session: str) -> str:
    if zone is None:
        return f"CAST({value.sql} AS TIMESTAMP)"
    if value.type.base == TIMESTAMP_ZONE:
        return wall_clock(value.sql, zone)
    return wall_clock(instant(f"CAST({value.sql} AS TIMESTAMP)", session), zone)


@special("date_trunc")
def _date_trunc(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    value = moment_argument(c, nodes[1], scope)
    unit = unit_of(c, nodes[0], scope, value.type.base)
    if value.type.base == "date":
        return Value(f"CAST(date_trunc('{unit}', {value.sql}) AS DATE)", DATE)
    if value.type.base == TIMESTAMP_ZONE:
        return Value(instant(f"date_trunc('{unit}', {local(value)})", value.type.zone), value.type)
    return Value(f"date_trunc('{unit}', {value.sql})", value.type)


@special("date")
def _date(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 1, 1, node)
    return Value(cast(c.expression(nodes[0], scope), DATE), DATE)


@special("last_day_of_month")
def _last_day(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 1, 1, node)
    return Value(f"last_day({local(moment_argument(c, nodes[0], scope))})", DATE)


# ── Zones ─────────────────────────────────────────────────────────────────────────────────────


def _zone_argument(c: Expressions, node: Any, scope: Scope) -> str:
    value = c.expression(node, scope)
    if value.type.base == DAY_SECOND:
        digits = value.sql.removeprefix("trino_interval(").removesuffix(")")
        if digits.lstrip("-").isdigit():
            minutes = int(digits) // 60_000_000
            return zone_name(
                f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
            )
    text = value.text
    if text is None:
        c.source.unsupported("a time zone that is no constant", node)
    try:
        return zone_name(text)
    except TypeNameError as error:
        raise c.source.error(ErrorKind.INVALID_FUNCTION_ARGUMENT, str(error), node) from None


@special("at_timezone")
def _at_timezone(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    value = moment_argument(c, nodes[0], scope, "timestamp", TIMESTAMP_ZONE)
    zone = _zone_argument(c, nodes[1], scope)
    if value.type.base == "timestamp":
        value = Value(instant(value.sql, c.zone), Type(TIMESTAMP_ZONE, value.type.numbers))
    # The zone that a text named is left behind here, so any will do.
    sql = value.sql
    if re.fullmatch(r"trino_strict_instant\((?:[^()']|'[^']*')*\)", sql):
        sql = sql.replace("trino_strict_instant(", "trino_lenient_instant(", 1)
    return Value(sql, Type(TIMESTAMP_ZONE, value.type.numbers, zone=zone))


@special("with_timezone")
def _with_timezone(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    value = moment_argument(c, nodes[0], scope, "timestamp")
    zone = _zone_argument(c, nodes[1], scope)
    return Value(instant(value.sql, zone), Type(TIMESTAMP_ZONE, value.type.numbers, zone=zone))


@special("from_unixtime")
def _from_unixtime(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 1, 3, node)
    seconds = coerce(c.expression(nodes[0], scope), DOUBLE)
    zone = c.zone
    if len(nodes) == 2:
        zone = _zone_argument(c, nodes[1], scope)
    elif len(nodes) == 3:
        hours, minutes = (c.expression(n, scope).constant for n in nodes[1:])
        if not isinstance(hours, int) or not isinstance(minutes, int):
            c.source.unsupported("an offset that is no constant", node)
        zone = zone_name(f"{'-' if hours < 0 else '+'}{abs(hours):02d}:{abs(minutes):02d}")
    sql = f"make_timestamptz(CAST(round({seconds} * 1000) AS BIGINT) * 1000)"
    return Value(sql, Type(TIMESTAMP_ZONE, (3,), zone=zone))


@special("from_unixtime_nanos")
def _from_nanos(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    c.source.unsupported("from_unixtime_nanos, which has nanoseconds,", node)


@special("from_iso8601_timestamp")
def _from_iso(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 1, 1, node)
    value = c.expression(nodes[0], scope)
    zone = c.zone
    name = "trino_strict_instant"
    if value.text is not None:
        found = _zone_of_iso(value.text)
        zone, name = (found or c.zone), "trino_lenient_instant"
    sql = f"{name}({coerce(value, VARCHAR)}, {literal(c.zone)})"
    return Value(sql, TIMESTAMPTZ.at(zone))


def _zone_of_iso(text: str) -> str | None:
    match = re.search(r"T.*?(Z|[+-]\d{2}(?::?\d{2})?)$", text)
    return zone_name(match[1]) if match else None


# ── Texts ─────────────────────────────────────────────────────────────────────────────────────


@special("to_iso8601")
def _to_iso(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 1, 1, node)
    value = moment_argument(c, nodes[0], scope)
    if value.type.base == "date":
        return Value(f"CAST({value.sql} AS VARCHAR)", VARCHAR)
    precision = value.type.numbers[0]
    fraction = {0: "", 3: ".%g", 6: ".%f"}.get(precision)
    if fraction is None:
        c.source.unsupported(f"to_iso8601 of {value.type}", node)
    text = f"strftime({local(value)}, '%Y-%m-%dT%H:%M:%S{fraction}')"
    if value.type.base == TIMESTAMP_ZONE:
        offset = f"trino_offset_text({local(value)}, {value.sql}, ':')"
        text += " || 'Z'" if value.type.zone == "UTC" else f" || {offset}"
    return Value(f"({text})", VARCHAR)


def _pattern(c: Expressions, node: Any, scope: Scope) -> str:
    return constant(c, node, scope, "a pattern of dates")


def _bad_pattern(c: Expressions, error: PatternError, node: Any) -> Exception:
    kind = (
        ErrorKind.NOT_SUPPORTED
        if "support" in str(error) and "date format string" not in str(error)
        else ErrorKind.INVALID_FUNCTION_ARGUMENT
    )
    return c.source.error(kind, str(error), node)


@special("date_format")
def _date_format(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    value = moment_argument(c, nodes[0], scope)
    try:
        pattern = mysql(_pattern(c, nodes[1], scope))
    except PatternError as error:
        raise _bad_pattern(c, error, nodes[1]) from None
    return Value(f"strftime(CAST({local(value)} AS TIMESTAMP), {literal(pattern)})", VARCHAR)


def parsed(text: str, pattern: str) -> str:
    """A text read by strptime; where it has no year, in Joda's: 2000 for days, else 1970."""
    if re.search("%[YyG]", pattern):
        return f"strptime({text}, {literal(pattern)})"
    year = 2000 if re.search("%[mbBdj]", pattern) else 1970
    return f"strptime('{year} ' || {text}, {literal('%Y ' + pattern)})"


@special("date_parse")
def _date_parse(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    text = coerce(c.expression(nodes[0], scope), VARCHAR)
    try:
        pattern = mysql(_pattern(c, nodes[1], scope)).replace("%-", "%")
    except PatternError as error:
        raise _bad_pattern(c, error, nodes[1]) from None
    return Value(f"CAST({parsed(text, pattern)} AS TIMESTAMP)", TIMESTAMP)


@special("format_datetime")
def _format_datetime(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    value = moment_argument(c, nodes[0], scope)
    stamp = f"CAST({local(value)} AS TIMESTAMP)"
    pieces: list[str] = []
    pattern = ""
    try:
        for run, text in joda_parts(_pattern(c, nodes[1], scope)):
            code = text.replace("%", "%%") if text else joda_format(run)
            if code is not None:
                pattern += code
                continue
            if pattern:
                pieces.append(f"strftime({stamp}, {literal(pattern)})")
            pattern = ""
            pieces.append(_joda_piece(c, run, value, stamp))
    except PatternError as error:
        raise _bad_pattern(c, error, nodes[1]) from None
    if pattern or not pieces:
        pieces.append(f"strftime({stamp}, {literal(pattern)})")
    return Value(f"({' || '.join(pieces)})", VARCHAR)


def _joda_piece(c: Expressions, run: str, value: Value, stamp: str) -> str:
    """What strftime has no code for."""
    letter, count = run[0], len(run)
    zone = value.type.zone if value.type.base == TIMESTAMP_ZONE else c.zone
    moment = value.sql if value.type.base == TIMESTAMP_ZONE else instant(stamp, zone)
    if letter == "Z":
        if count >= 3:
            return literal(zone)
        return f"trino_offset_text({stamp}, {moment}, '{':' if count == 2 else ''}')"
    if letter == "z" and zone == "UTC":
        return "'UTC'" if count <= 3 else "'Coordinated Universal Time'"
    if letter == "S" and count < 6:
        return f"left(strftime({stamp}, '%f'), {count})"
    if letter == "S":
        return f"rpad(strftime({stamp}, '%f'), {count}, '0')"
    if letter == "w" and count == 1:
        return f"CAST(weekofyear({stamp}) AS VARCHAR)"
    if letter in "kK" and count <= 2:
        hour = f"((hour({stamp}) + 23) % 24 + 1)" if letter == "k" else f"(hour({stamp}) % 12)"
        return (
            f"lpad(CAST({hour} AS VARCHAR), {count}, '0')"
            if count == 2
            else f"CAST({hour} AS VARCHAR)"
        )
    if letter == "G":
        return "'AD'"
    raise PatternError(f"{run} is not supported in this pattern")


@special("parse_datetime")
def _parse_datetime(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    value = c.expression(nodes[0], scope)
    text = coerce(value, VARCHAR)
    try:
        parts = joda_parts(_pattern(c, nodes[1], scope))
        pattern = "".join(t.replace("%", "%%") if t else joda_parse(r) for r, t in parts)
    except PatternError as error:
        raise _bad_pattern(c, error, nodes[1]) from None
    zone = c.zone
    if not any(run.startswith("Z") for run, _ in parts):
        return Value(
            instant(f"CAST({parsed(text, pattern)} AS TIMESTAMP)", zone),
            TIMESTAMPTZ.at(zone),
        )
    if value.text is None:
        c.source.unsupported("parse_datetime with a zone of a text that is no constant", node)
    offset = re.search(r"(Z|[+-]\d{2}:?\d{2})\s*$", value.text)
    if offset is None:
        message = f'Invalid format: "{value.text}"'
        raise c.source.error(ErrorKind.INVALID_FUNCTION_ARGUMENT, message, node)
    zone = zone_name(offset[1])
    return Value(f"CAST({parsed(text, pattern)} AS TIMESTAMPTZ)", TIMESTAMPTZ.at(zone))
