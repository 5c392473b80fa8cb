"""Conditions of a statement in the SQL of the database whose rows they are on.

The engine checks every condition again on the rows that come: one that is left out here costs time,
one that says more than the statement loses rows. So what compares otherwise there is left out, or
written so that it keeps more: texts of MySQL are equal by their collation, which may know no case,
and sorted by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from types import ModuleType

from cloche.engines.sql.engine import Filter
from cloche.engines.sql.federation import mysql, postgresql
from cloche.engines.sql.federation.transfers import Comparable, Transfer
from cloche.engines.sql.remote import RemoteKind

DIALECTS: dict[RemoteKind, ModuleType] = {"postgresql": postgresql, "mysql": mysql}

_WHOLE = re.compile(r"-?\d{1,38}")
_DECIMAL = re.compile(r"-?\d{1,38}(\.\d{1,38})?")
# There is no year 0 in PostgreSQL: a constant of it fails.
_DAY = re.compile(r"(?!0000)\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"(?!0000)\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d{1,6})?)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_PATTERNS: dict[Comparable, re.Pattern[str]] = {
    "integer": _WHOLE,
    "decimal": _DECIMAL,
    "double": _DECIMAL,
    "date": _DAY,
    "timestamp": _MOMENT,
    "instant": _MOMENT,
    "uuid": _UUID,
}
_TEXTS = frozenset({"text", "padded text", "inexact text"})


def conditions_sql(
    kind: RemoteKind,
    columns: Iterable[tuple[str, Transfer]],
    filters: Iterable[Filter],
    *,
    is_sorted_by_code_point: bool,
    is_utc: bool,
) -> tuple[str, ...]:
    """Those of a statement's conditions that can be written.

    Args:
        kind: of the database.
        columns: their names in lower case, and how they come over, `compared` filled in.
        filters: the conditions, which all hold.
        is_sorted_by_code_point: whether texts can be compared as Trino does.
        is_utc: whether the session's time zone is UTC.
    """
    known = dict(columns)
    found: list[str] = []
    for condition in filters:
        transfer = known.get(condition.column)
        if transfer is None:
            continue
        made = _condition(kind, transfer, condition, is_sorted_by_code_point, is_utc)
        if made is not None:
            found.append(made)
    return tuple(dict.fromkeys(found))


def _condition(
    kind: RemoteKind, transfer: Transfer, condition: Filter, is_sorted: bool, is_utc: bool
) -> str | None:
    column, operator = transfer.compared, condition.operator
    if operator in ("is null", "is not null"):
        return f"{column} {operator.upper()}"
    if not transfer.comparable or (transfer.comparable == "instant" and not is_utc):
        return None
    if transfer.comparable in _TEXTS:
        return _of_text(kind, transfer, condition, is_sorted)
    values = [_constant(kind, transfer.comparable, each) for each in condition.values]
    if operator == "like" or (transfer.comparable == "uuid" and operator not in ("=", "in")):
        return None
    if any(value is None for value in values):
        return None
    if operator == "in":
        return f"{column} IN ({', '.join(map(str, values))})"
    return f"{column} {operator} {values[0]}"


def _constant(kind: RemoteKind, comparable: Comparable, value: str) -> str | None:
    if comparable == "boolean":
        return value.upper() if value.lower() in ("true", "false") else None
    stripped = value.strip() if comparable in ("date", "timestamp", "instant") else value
    if _PATTERNS[comparable].fullmatch(stripped) is None:
        return None
    match comparable:
        case "integer" | "decimal":
            return stripped
        case "double":
            return f"{stripped}e0"
        case "date":
            return f"DATE '{stripped}'"
        case "timestamp" | "instant":
            moment = stripped if " " in stripped else f"{stripped} 00:00:00"
            if comparable == "instant" and kind == "postgresql":
                return f"TIMESTAMPTZ '{moment}+00'"
            return f"TIMESTAMP '{moment}'"
        case _:
            return f"'{stripped}'"


def _of_text(
    kind: RemoteKind, transfer: Transfer, condition: Filter, is_sorted: bool
) -> str | None:
    text: Callable[[str], str] = DIALECTS[kind].text
    column, comparable = transfer.compared, transfer.comparable
    if any("\0" in value for value in condition.values):
        return None
    if not (transfer.is_unicode or all(value.isascii() for value in condition.values)):
        return None  # the database fails on a text that the column's encoding has not
    values = condition.values
    if comparable == "padded text":
        values = tuple(value.rstrip(" ") for value in values)
    match condition.operator:
        case "=":
            return f"{column} = {text(values[0])}"
        case "in":
            return f"{column} IN ({', '.join(map(text, values))})"
        case _ if comparable == "padded text":
            return None
        case "like":
            pattern = text(values[0].replace("|", "||"))
            collation = ' COLLATE "C"' if kind == "postgresql" else ""
            return f"{column}{collation} LIKE {pattern} ESCAPE '|'"
        case operator if comparable == "text" and (is_sorted or operator == "<>"):
            return f'{column} COLLATE "C" {operator} {text(values[0])}'
        case _:
            return None
