"""CAST, and the coercions that Trino does by itself."""

from __future__ import annotations

import json

from cloche.engines.sql.trino.types import (
    MIXED,
    TIMESTAMP_ZONE,
    UNKNOWN,
    Type,
    coerces,
    quoted,
    to_duckdb_type,
)
from cloche.engines.sql.trino.values import Value, literal


class CastError(Exception):
    """There is no cast between two types."""


_SCALARS_OF_JSON = ("boolean", "tinyint", "smallint", "integer", "bigint", "real", "double")


def coerce(value: Value, target: Type) -> str:
    """A value where another type is wanted, which it coerces to."""
    source = value.type
    if source == target or (source.base == target.base and not source.items and not target.numbers):
        return value.sql
    if source == UNKNOWN:
        return f"CAST(NULL AS {to_duckdb_type(target)})"
    if source.base == target.base == "varchar":
        return value.sql
    if source.is_integer and target.base == "bigint":
        return value.sql if value.constant is None else f"CAST({value.sql} AS BIGINT)"
    return cast(value, target)


def cast(value: Value, target: Type) -> str:
    """CAST.

    Raises:
        CastError: Trino has no such cast.
    """
    source = value.type
    duckdb = to_duckdb_type(target)
    if source == UNKNOWN:
        return f"CAST(NULL AS {duckdb})"
    if target.base == "json":
        return _to_json(value)
    if source.base == "json":
        return _from_json(value, target)
    if target.is_text:
        return _to_text(value, target)
    if source.is_text:
        return _from_text(value, target)
    if source.items or target.items:
        return _nested(value, target)
    return _plain(value, target)


def _plain(value: Value, target: Type) -> str:
    source, duckdb, sql = value.type, to_duckdb_type(target), value.sql
    pair = (source.base, target.base)
    if source.base in {"real", "double"} and target.is_integer:
        return f"CAST(round({sql}) AS {duckdb})"
    if source.is_number and target.is_number:
        return sql if source == target else f"CAST({sql} AS {duckdb})"
    if "boolean" in pair and (source.is_number or target.is_number):
        return f"CAST({sql} AS {duckdb})"
    if source.base == target.base == "timestamp":
        return _round_time(sql, source.numbers[0], target.numbers[0])
    if pair == (TIMESTAMP_ZONE, TIMESTAMP_ZONE):
        return _round_time(sql, source.numbers[0], target.numbers[0])
    if source.base == TIMESTAMP_ZONE and target.base in {"date", "timestamp", "time"}:
        local = wall_clock(sql, source.zone)
        local = (
            _round_time(local, source.numbers[0], target.numbers[0]) if target.numbers else local
        )
        return local if target.base == "timestamp" else f"CAST({local} AS {duckdb})"
    allowed = {
        ("date", "timestamp"),
        ("date", TIMESTAMP_ZONE),
        ("timestamp", "date"),
        ("timestamp", "time"),
        ("timestamp", TIMESTAMP_ZONE),
        ("time", "timestamp"),
        ("varbinary", "uuid"),
        ("uuid", "varbinary"),
    }
    if pair in allowed or (source.base == target.base and source.base != "varbinary"):
        if pair == ("uuid", "varbinary"):
            return f"unhex(replace(CAST({sql} AS VARCHAR), '-', ''))"
        return f"CAST({sql} AS {duckdb})"
    if source.base == target.base:
        return sql
    raise CastError(f"Cannot cast {source} to {target}")


def _round_time(sql: str, before: int, after: int) -> str:
    if before <= after or before <= 0 or after >= 6:
        return sql
    return f"trino_round_time({sql}, {10 ** (6 - after)})"


def wall_clock(sql: str, zone: str) -> str:
    """What a zone's clock shows at a moment.

    Raises:
        CastError: the values are of several zones.
    """
    if zone == MIXED:
        raise CastError("values of several time zones in one column are not supported here")
    if zone[:1] in {"+", "-"}:
        return f"(timezone('UTC', {sql}) + to_minutes({_offset_minutes(zone)}))"
    return f"timezone({literal(zone)}, {sql})"


def moment_of(sql: str, zone: str) -> str:
    """The moment at which a zone's clock shows a timestamp."""
    if zone[:1] in {"+", "-"}:
        return f"timezone('UTC', {sql} - to_minutes({_offset_minutes(zone)}))"
    return f"timezone({literal(zone)}, {sql})"


def _offset_minutes(zone: str) -> int:
    hours, minutes = zone[1:].split(":")
    return (int(hours) * 60 + int(minutes)) * (-1 if zone[0] == "-" else 1)


# ── Text ──────────────────────────────────────────────────────────────────────────────────────


def _to_text(value: Value, target: Type) -> str:
    sql = text_of(value)
    if target.base == "char":
        return f"rtrim(substr({sql}, 1, {target.numbers[0]}), ' ')"
    if target.numbers and target.numbers != value.type.numbers:
        if not value.type.is_text and value.type.base != "json":
            return f"trino_fitting({sql}, {target.numbers[0]}, {literal(str(target))})"
        return f"substr({sql}, 1, {target.numbers[0]})"
    return sql


def java_text(value: Value) -> str:
    """A value's text as Java gives it, where doubles have an exponent only if they are far off.

    Raises:
        CastError: as `text_of`.
    """
    if value.type.base in {"double", "real"}:
        return f"py_{value.type.base}_java({value.sql})"
    return text_of(value)


def text_of(value: Value) -> str:
    """CAST(… AS varchar).

    Raises:
        CastError: Trino has no such cast.
    """
    source, sql = value.type, value.sql
    match source.base:
        case "varchar":
            return sql
        case "char":
            return f"rpad({sql}, {source.numbers[0]}, ' ')"
        case "json":
            return f"({sql} ->> '$')"
        case "double":
            return f"trino_double_text({sql})"
        case "real":
            return f"trino_real_text({sql})"
        case "timestamp":
            return _time_text(sql, "%Y-%m-%d %H:%M:%S", source.numbers[0])
        case "time":
            return _time_text(f"(DATE '1970-01-01' + {sql})", "%H:%M:%S", source.numbers[0])
        case "timestamp with time zone":
            local = wall_clock(sql, source.zone)
            text = _time_text(local, "%Y-%m-%d %H:%M:%S", source.numbers[0])
            return f"({text} || {literal(' ' + source.zone)})"
        case "interval day to second":
            return f"trino_day_second_text({sql})"
        case "interval year to month":
            return f"trino_year_month_text({sql})"
        case "array" | "map" | "row" | "varbinary" | "function":
            raise CastError(f"Cannot cast {source} to varchar")
        case _:
            return f"CAST({sql} AS VARCHAR)"


def _time_text(sql: str, pattern: str, precision: int) -> str:
    if precision == 0:
        return f"strftime({sql}, '{pattern}')"
    if precision == 3:
        return f"strftime({sql}, '{pattern}.%g')"
    if precision >= 6:
        padding = f" || '{'0' * (precision - 6)}'" if precision > 6 else ""
        return f"(strftime({sql}, '{pattern}.%f'){padding})"
    return f"left(strftime({sql}, '{pattern}.%f'), {precision - 6})"


_FROM_TEXT = {
    "tinyint": "integer",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "real": "double",
    "double": "double",
    "decimal": "decimal",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "time": "time",
    "uuid": "uuid",
}


def _from_text(value: Value, target: Type) -> str:
    sql = (
        f"rpad({value.sql}, {value.type.numbers[0]}, ' ')"
        if value.type.base == "char"
        else value.sql
    )
    duckdb = to_duckdb_type(target)
    kind = _FROM_TEXT.get(target.base)
    if kind is not None:
        name = (
            f"decimal({target.numbers[0]},{target.numbers[1]})"
            if kind == "decimal"
            else target.base
        )
        if target.base == "timestamp" and target.numbers[0] > 6:
            raise CastError(
                f"Cast of {value.type} to {target} is not supported: microseconds are kept"
            )
        made = f"CAST(trino_{kind}_of({sql}, {literal(name)}) AS {duckdb})"
        if target.base == "timestamp":
            return _round_time(made, 6, target.numbers[0])
        return made
    if target.base == TIMESTAMP_ZONE:
        return f"trino_instant_of({sql}, {literal('timestamp with time zone')})"
    if target.base == "varbinary":
        return f"encode({sql})"
    if target.base == "ipaddress":
        return f"py_ip_of({sql})"
    raise CastError(f"Cannot cast {value.type} to {target}")


# ── Nested types ──────────────────────────────────────────────────────────────────────────────


def is_same_shape(source: Type, target: Type) -> bool:
    """Whether DuckDB keeps both alike."""
    return to_duckdb_type(source) == to_duckdb_type(target)


def _nested(value: Value, target: Type) -> str:
    source, sql = value.type, value.sql
    if source.base != target.base or len(source.items) != len(target.items):
        raise CastError(f"Cannot cast {source} to {target}")
    if (
        source.items
        and is_same_shape(source, target)
        and all(map(coerces, source.items, target.items))
    ):
        return sql
    if source.base == "array":
        element = Value("e", source.items[0])
        if source.items[0] == UNKNOWN:
            return f"CAST({sql} AS {to_duckdb_type(target)})"
        return f"list_transform({sql}, lambda e: {cast(element, target.items[0])})"
    if source.base == "map":
        key = cast(Value("e.key", source.items[0]), target.items[0])
        item = cast(Value("e.value", source.items[1]), target.items[1])
        entry = f"struct_pack(key := {key}, value := {item})"
        return f"map_from_entries(list_transform(map_entries({sql}), lambda e: {entry}))"
    made = ", ".join(
        f"{quoted(after)} := " + cast(Value(f"e.{quoted(before)}", kind), wanted)
        for before, after, kind, wanted in zip(
            source.field_names(), target.field_names(), source.items, target.items, strict=True
        )
    )
    # One-element list: the row is evaluated once, and its fields are reached by name.
    inner = (
        f"list_transform([{sql}], lambda e: CASE WHEN e IS NULL THEN NULL ELSE "
        f"struct_pack({made}) END)"
    )
    return f"{inner}[1]"


# ── JSON ──────────────────────────────────────────────────────────────────────────────────────


def _to_json(value: Value) -> str:
    source, sql = value.type, value.sql
    if source.base == "json":
        return sql
    if source.base in {"boolean", "real", "double", "decimal"} or source.is_integer:
        return f"trino_to_json({sql})"
    if source.base in {"varchar", "char"}:
        return f"trino_to_json({text_of(value)})"
    if source.base in {"date", "timestamp", TIMESTAMP_ZONE}:
        return f"trino_to_json({text_of(value)})"
    if source.base == "array":
        if source.items[0] == UNKNOWN:
            return f"to_json({sql})"
        inner = _to_json(Value("e", source.items[0]))
        return f"trino_to_json(list_transform({sql}, lambda e: {inner}))"
    if source.base == "map" and source.items[0].base in {
        "varchar",
        "boolean",
        "double",
        *_SCALARS_OF_JSON,
    }:
        key = java_text(Value("e.key", source.items[0]))
        item = _to_json(Value("e.value", source.items[1]))
        entry = f"struct_pack(key := {key}, value := {item})"
        entries = f"list_sort(list_transform(map_entries({sql}), lambda e: {entry}))"
        return f"trino_to_json(map_from_entries({entries}))"
    if source.base == "row":
        inner = f"CASE WHEN e IS NULL THEN NULL ELSE {_row_to_json(source)} END"
        return f"list_transform([{sql}], lambda e: {inner})[1]"
    raise CastError(f"Cannot cast {source} to json")


def _row_to_json(source: Type) -> str:
    """The object for the row `e`, in which fields without a name have the empty one."""
    items = [
        _to_json(Value(f"e.{quoted(stored)}", item))
        for stored, item in zip(source.field_names(), source.items, strict=True)
    ]
    names = [name or "" for name in source.names]
    if len(set(names)) == len(names):
        made = (f"{quoted(name)} := {item}" for name, item in zip(names, items, strict=True))
        return f"trino_to_json(struct_pack({', '.join(made)}))"
    # A struct cannot have a name twice; an object can.
    members = (
        f"{literal(json.dumps(name, ensure_ascii=False) + ':')} || "
        f"coalesce(CAST({item} AS VARCHAR), 'null')"
        for name, item in zip(names, items, strict=True)
    )
    joined = " || ',' || ".join(members)
    return f"CAST('{{' || {joined} || '}}' AS JSON)"


def _from_json(value: Value, target: Type) -> str:
    sql, duckdb = value.sql, to_duckdb_type(target)
    if target.is_text:
        made = f"trino_json_text({sql})"
        return _to_text(Value(made, Type("varchar")), target)
    if target.base in {"real", "double"}:
        return f"CAST(trino_json_number({sql}, {literal(target.base)}) AS {duckdb})"
    if target.is_integer:
        return (
            f"CAST(round(CAST(trino_json_number({sql}, {literal(target.base)}) AS "
            f"DECIMAL(38,9))) AS {duckdb})"
        )
    if target.base == "decimal":
        return f"CAST(trino_json_number({sql}, {literal(str(target))}) AS {duckdb})"
    if target.base == "boolean":
        return f"CAST(trino_json_number({sql}, 'boolean') AS BOOLEAN)"
    if target.base in {"date", "timestamp"}:
        return _from_text(Value(f"trino_json_text({sql})", Type("varchar")), target)
    if target.base == "array":
        inner = _from_json(Value("e", Type("json")), target.items[0])
        return f"list_transform(trino_json_elements({sql}), lambda e: {inner})"
    if target.base == "map":
        key = cast(Value("e.key", Type("varchar")), target.items[0])
        item = _from_json(Value("e.value", Type("json")), target.items[1])
        entry = f"struct_pack(key := {key}, value := {item})"
        return f"map_from_entries(list_transform(trino_json_entries({sql}), lambda e: {entry}))"
    if target.base == "row":
        made = ", ".join(
            f"{quoted(stored)} := "
            + _from_json(
                Value(f"trino_json_field(e, {literal(stored)}, {index})", Type("json")), item
            )
            for index, (stored, item) in enumerate(
                zip(target.field_names(), target.items, strict=True)
            )
        )
        inner = (
            f"CASE WHEN e IS NULL OR json_type(e) = 'NULL' THEN NULL ELSE struct_pack({made}) END"
        )
        return f"list_transform([{sql}], lambda e: {inner})[1]"
    if target.base == "json":
        return sql
    raise CastError(f"Cannot cast json to {target}")
