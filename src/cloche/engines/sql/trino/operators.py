"""Operators between typed values: arithmetic, comparison, concatenation."""

from __future__ import annotations

import re

from sqlglot import exp

from cloche.engines.sql.trino.casts import coerce, moment_of, text_of, wall_clock
from cloche.engines.sql.trino.types import (
    BOOLEAN,
    DAY_SECOND,
    INTEGER,
    TIMESTAMP_ZONE,
    UNKNOWN,
    VARBINARY,
    VARCHAR,
    YEAR_MONTH,
    Type,
    array,
    as_decimal,
    common,
    decimal,
    to_duckdb_type,
)
from cloche.engines.sql.trino.values import Value


class OperatorError(Exception):
    """An operator doesn't take such operands."""


ARITHMETIC: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
}
COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_TIMES = frozenset({"date", "timestamp", TIMESTAMP_ZONE, "time"})
_INTERVALS = frozenset({DAY_SECOND, YEAR_MONTH})


def refuse(operator: str, a: Value, b: Value) -> OperatorError:
    """The error in Trino's words."""
    return OperatorError(f"Cannot apply operator: {a.type} {operator} {b.type}")


# ── Comparison ────────────────────────────────────────────────────────────────────────────────


def compare(operator: str, a: Value, b: Value) -> Value:
    """A comparison.

    Raises:
        OperatorError: the types can't be compared.
    """
    left, right = comparable(operator, a, b)
    target = common(a.type, b.type)
    if target is not None and target.base in {"row", "array", "map"} and operator in {"=", "<>"}:
        equal = _equal(Value(left, target), Value(right, target))
        return Value(equal if operator == "=" else f"(NOT {equal})", BOOLEAN)
    sql = f"({left} {operator} {right})"
    if target is not None and target.base in {"double", "real"}:
        sql = _beside_nan(operator, sql, Value(left, a.type, a.constant), b, right)
    return Value(sql, BOOLEAN)


def _beside_nan(operator: str, sql: str, a: Value, b: Value, right: str) -> str:
    """A comparison of doubles; DuckDB's NaN is equal to itself and above all, Trino's to nothing.

    One check is enough: where only the other side is NaN, DuckDB says what Trino does.
    """
    above, other, shown = (a, b, a.sql) if operator not in {"<", "<="} else (b, a, right)
    if operator in {"=", "<>"} and (never_nan(a) or never_nan(b)):
        return sql
    if never_nan(above) or other.type == UNKNOWN:
        return sql
    return f"({sql} OR isnan({shown}))" if operator == "<>" else f"({sql} AND NOT isnan({shown}))"


def never_nan(value: Value) -> bool:
    """Whether a value is surely no NaN."""
    return value.constant is not None or value.type.base not in {"double", "real"}


def _equal(a: Value, b: Value) -> str:
    """Equality of rows and arrays, which is unknown where a NULL within decides."""
    if a.type.base == "row":
        names = a.type.field_names()
        parts = [
            compare(
                "=",
                Value(f"struct_extract({a.sql}, '{n}')", t),
                Value(f"struct_extract({b.sql}, '{n}')", t),
            )
            for n, t in zip((n.replace("'", "''") for n in names), a.type.items, strict=True)
        ]
        return f"({' AND '.join(p.sql for p in parts)})"
    if a.type.base == "map":
        # DuckDB's maps are equal only in the same order.
        left, right = (f"list_sort(map_entries({v.sql}))" for v in (a, b))
        return f"trino_equal_entries({left}, {right})"
    if a.type.items[0].items or a.type.items[0] == UNKNOWN:
        return f"({a.sql} = {b.sql})"
    return f"trino_equal_arrays({a.sql}, {b.sql})"


def comparable(operator: str, a: Value, b: Value) -> tuple[str, str]:
    """Both sides, as types that DuckDB compares as Trino does."""
    a, b = _dated(a, b), _dated(b, a)
    target = common(a.type, b.type)
    if target is None or (target.base == "map" and operator not in {"=", "<>"}):
        raise refuse(operator, a, b)
    if target.base in {"json", "function"} and operator not in {
        "=",
        "<>",
        "IS DISTINCT FROM",
        "IS NOT DISTINCT FROM",
    }:
        raise refuse(operator, a, b)
    if target.base == "char":
        return _trimmed(a), _trimmed(b)
    if target.base == "real" and "decimal" in {a.type.base, b.type.base}:
        return coerce(a, target), coerce(b, target)
    if UNKNOWN in (a.type, b.type) or target.items or target.base == "ipaddress":
        return coerce(a, target), coerce(b, target)
    return a.sql, b.sql


def _dated(value: Value, other: Value) -> Value:
    """A constant text beside a date or timestamp, as one.

    Trino refuses it; the texts of benchmarks that are passed about have it, and it means one thing.
    """
    if (
        value.text is None
        or value.type.base != "varchar"
        or other.type.base not in {"date", "timestamp"}
    ):
        return value
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value.text):
        return Value(f"DATE {value.sql}", Type("date"), value.constant)
    return value


def _trimmed(value: Value) -> str:
    return value.sql if value.type.base == "char" else f"rtrim({value.sql}, ' ')"


# ── Arithmetic ────────────────────────────────────────────────────────────────────────────────


def arithmetic(operator: str, a: Value, b: Value) -> Value:
    """`+ - * / %`.

    Raises:
        OperatorError: the types don't allow it.
    """
    if a.type == UNKNOWN and b.type == UNKNOWN:
        return Value("CAST(NULL AS INTEGER)", INTEGER)
    if a.type == UNKNOWN or b.type == UNKNOWN:
        return _with_null(operator, a, b)
    if a.type.is_number and b.type.is_number:
        return _numbers(operator, a, b)
    if a.type.base in _INTERVALS or b.type.base in _INTERVALS:
        return _with_interval(operator, a, b)
    if operator == "-" and a.type.base in _TIMES and b.type.base in _TIMES:
        return _difference(a, b)
    if operator in "+-" and a.type.base == "date" and b.type.is_integer:
        # Days; Trino refuses it, see `_dated`.
        return Value(f"({a.sql} {operator} CAST({b.sql} AS INTEGER))", a.type)
    raise refuse(operator, a, b)


def _with_null(operator: str, a: Value, b: Value) -> Value:
    known = b.type if a.type == UNKNOWN else a.type
    if known.is_number:
        a, b = (
            Value(f"CAST(NULL AS {to_duckdb_type(known)})", known) if v.type == UNKNOWN else v
            for v in (a, b)
        )
        return _numbers(operator, a, b)
    if known.base in _TIMES:
        return Value(f"CAST(NULL AS {to_duckdb_type(known)})", known)
    raise refuse(operator, a, b)


def _numbers(operator: str, a: Value, b: Value) -> Value:
    target = common(a.type, b.type)
    if target is None:
        raise refuse(operator, a, b)
    if target.base == "decimal":
        return _decimals(operator, a, b)
    left, right = _as_number(a, target), _as_number(b, target)
    if target.is_integer:
        return Value(_integers(operator, left, right, b), target)
    return Value(f"({left} {operator} {right})", target)


def _as_number(value: Value, target: Type) -> str:
    if value.type == target:
        return value.sql
    if target.base == "integer" and value.type.is_integer and value.constant is not None:
        return value.sql
    return f"CAST({value.sql} AS {to_duckdb_type(target)})"


def _integers(operator: str, left: str, right: str, divisor: Value) -> str:
    if operator in "+-*":
        return f"({left} {operator} {right})"
    if not (isinstance(divisor.constant, int) and divisor.constant):
        right = f"trino_nonzero({right})"
    return f"({left} {'//' if operator == '/' else '%'} {right})"


def _decimals(operator: str, a: Value, b: Value) -> Value:
    left, right = as_decimal(a.type), as_decimal(b.type)
    (p1, s1), (p2, s2) = left.numbers, right.numbers
    scale = max(s1, s2)
    match operator:
        case "+" | "-":
            result = decimal(scale + max(p1 - s1, p2 - s2) + 1, scale)
            if a.type == left and b.type == right:
                sql = f"({a.sql} {operator} {b.sql})"
            else:
                sql = f"({_decimal(a, left)} {operator} {_decimal(b, right)})"
            return Value(sql, result)
        case "*":
            if s1 + s2 > 38:
                message = f"DECIMAL scale {s1 + s2} must be in range [0, precision (38)]"
                raise OperatorError(message)
            return Value(f"({_decimal(a, left)} * {_decimal(b, right)})", decimal(p1 + p2, s1 + s2))
        case "%":
            result = decimal(min(p2 - s2, p1 - s1) + scale, scale)
            return Value(
                f"CAST({_decimal(a, left)} % trino_nonzero({_decimal(b, right)}) AS "
                f"{to_duckdb_type(result)})",
                result,
            )
        case _:
            result = decimal(p1 + s2 + max(0, s2 - s1), scale)
            dividend, divisor = _decimal(a, left), _decimal(b, right)
            if p1 + scale + s2 > 38 or p2 + s2 > 38:
                return Value(_wide_quotient(dividend, divisor, result), result)
            return Value(divide_decimals(dividend, s1, divisor, s2, result), result)


def _decimal(value: Value, target: Type) -> str:
    return value.sql if value.type == target else f"CAST({value.sql} AS {to_duckdb_type(target)})"


def unscaled(sql: str, scale: int, shift: int) -> str:
    """A decimal times 10^(scale + shift) as HUGEINT."""
    power = scale + shift
    wide = f"CAST({sql} AS DECIMAL(38,{scale}))"
    return (
        f"CAST({wide} * CAST('1{'0' * power}' AS DECIMAL(38,0)) AS HUGEINT)"
        if power
        else f"CAST({sql} AS HUGEINT)"
    )


def _wide_quotient(a: str, b: str, result: Type) -> str:
    """The same as `divide_decimals` where HUGEINT is too narrow for what comes between."""
    made = (
        f"py_wide_quotient(CAST({a} AS VARCHAR), CAST(trino_nonzero({b}) AS VARCHAR), "
        f"{result.numbers[1]})"
    )
    return f"CAST({made} AS {to_duckdb_type(result)})"


def divide_decimals(a: str, s1: int, b: str, s2: int, result: Type) -> str:
    """Exact division of decimals, rounded half up to the result's scale."""
    scale = result.numbers[1]
    numerator = unscaled(a, s1, scale - s1 + s2)
    denominator = unscaled(b, s2, 0)
    return scaled(f"trino_quotient({numerator}, {denominator})", result)


def scaled(hugeint: str, result: Type) -> str:
    """A HUGEINT that counts units of the result's last digit, as that decimal."""
    scale = result.numbers[1]
    whole = f"CAST({hugeint} AS DECIMAL(38,0))"
    if scale:
        whole = (
            f"({whole} * CAST('0.{'0' * (scale - 1)}1' AS "
            f"DECIMAL({scale + 1 if scale < 38 else 38},{scale})))"
        )
    return f"CAST({whole} AS {to_duckdb_type(result)})"


def average_of_decimals(total: str, count: str, type: Type) -> str:
    """The quotient of sum and count, rounded half up to the type's scale."""
    scale = type.numbers[1]
    quotient = f"trino_quotient({unscaled(total, scale, 0)}, CAST({count} AS HUGEINT))"
    return (
        f"CASE WHEN {count} > 0 THEN "
        f"{scaled(quotient.replace('trino_quotient', 'trino_rounded_quotient'), type)} END"
    )


# ── Times ─────────────────────────────────────────────────────────────────────────────────────


def _with_interval(operator: str, a: Value, b: Value) -> Value:
    if operator == "+" and a.type.base in _INTERVALS and b.type.base in _TIMES:
        a, b = b, a
    if a.type.base in _TIMES and b.type.base in _INTERVALS and operator in "+-":
        return _shifted(operator, a, b)
    if a.type == b.type and operator in "+-":
        return Value(f"({a.sql} {operator} {b.sql})", a.type)
    if operator == "*" and a.type.is_number:
        a, b = b, a
    if a.type.base in _INTERVALS and b.type.is_number and operator in "*/":
        if operator == "/":
            return Value(f"({a.sql} * (1e0 / {b.sql}))", a.type)
        return Value(f"({a.sql} * {b.sql})", a.type)
    raise refuse(operator, a, b)


def _shifted(operator: str, a: Value, b: Value) -> Value:
    if a.type.base == "date":
        days = re.fullmatch(r"trino_interval\((-?\d+)\)", b.sql)
        if days and int(days[1]) % 86_400_000_000 == 0:
            return Value(f"({a.sql} {operator} ({int(days[1]) // 86_400_000_000}))", a.type)
        if b.type.base == DAY_SECOND:
            return Value(
                f"trino_date_shift({a.sql}, {'-' if operator == '-' else ''}{b.sql})", a.type
            )
        return Value(f"CAST({a.sql} {operator} {b.sql} AS DATE)", a.type)
    if a.type.base == TIMESTAMP_ZONE and a.type.zone != "UTC" and b.type.base == YEAR_MONTH:
        # Months are those of its own calendar; days of 24 hours are the same everywhere.
        local = f"({wall_clock(a.sql, a.type.zone)} {operator} {b.sql})"
        return Value(moment_of(local, a.type.zone), a.type)
    if a.type.base == "time" and b.type.base == YEAR_MONTH:
        raise refuse(operator, a, b)
    return Value(f"({a.sql} {operator} {b.sql})", a.type)


def _difference(a: Value, b: Value) -> Value:
    target = common(a.type, b.type)
    if target is None:
        raise refuse("-", a, b)
    if target.base == "time":
        return Value(
            f"trino_elapsed(DATE '1970-01-01' + {b.sql}, DATE '1970-01-01' + {a.sql})",
            Type(DAY_SECOND),
        )
    kind = to_duckdb_type(target) if target.base != "date" else "TIMESTAMP"
    return Value(
        f"trino_elapsed(CAST({b.sql} AS {kind}), CAST({a.sql} AS {kind}))", Type(DAY_SECOND)
    )


# ── Concatenation ─────────────────────────────────────────────────────────────────────────────


def concatenate(a: Value, b: Value) -> Value:
    """`||`.

    Raises:
        OperatorError: the types can't be joined.
    """
    if a.type.base == "array" or b.type.base == "array":
        return _concatenate_arrays(a, b)
    if a.type == VARBINARY and b.type in (VARBINARY, UNKNOWN):
        return Value(f"({a.sql} || {b.sql})", VARBINARY)
    if all(v.type.is_text or v.type == UNKNOWN for v in (a, b)):
        left, right = (coerce(v, VARCHAR) if v.type == UNKNOWN else text_of(v) for v in (a, b))
        return Value(f"({left} || {right})", VARCHAR)
    raise OperatorError(f"Unexpected parameters ({a.type}, {b.type}) for function concat")


def _concatenate_arrays(a: Value, b: Value) -> Value:
    left = a.type.items[0] if a.type.base == "array" else a.type
    right = b.type.items[0] if b.type.base == "array" else b.type
    item = common(left, right)
    if item is None:
        both = common(a.type, b.type)
        raise refuse("||", a, b) if both is None else OperatorError("arrays of arrays")
    target = array(item)
    sides = [
        coerce(v, target) if v.type.base == "array" else f"[{coerce(v, item)}]" for v in (a, b)
    ]
    return Value(f"trino_concat_arrays({sides[0]}, {sides[1]})", target)
