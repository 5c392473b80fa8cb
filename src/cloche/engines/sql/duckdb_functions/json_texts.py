"""Functions of JSON: the canonical form, and paths that DuckDB doesn't have."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from cloche.engines.sql.duckdb_functions.failures import invalid
from cloche.engines.sql.duckdb_functions.json_paths import PathError, evaluate
from cloche.engines.sql.duckdb_functions.numbers import double_text


class _Number(float):
    """A double that is written as Java writes it."""

    def __repr__(self) -> str:
        return double_text(float(self))


def _load(text: str) -> Any:
    return json.loads(text, parse_float=_Number)


def _shown(text: str) -> str:
    """JSON with its doubles as Java writes them, members in their order."""
    return _in_order(_load(text))


def _in_order(value: Any) -> str:
    match value:
        case dict():
            return "{" + ",".join(f"{_text(k)}:{_in_order(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ",".join(map(_in_order, value)) + "]"
        case _:
            return canonical(value)


def canonical(value: Any) -> str:
    """A value as Trino writes JSON: keys sorted, no spaces."""
    match value:
        case dict():
            parts = (f"{_text(k)}:{canonical(value[k])}" for k in sorted(value))
            return "{" + ",".join(parts) + "}"
        case list():
            return "[" + ",".join(map(canonical, value)) + "]"
        case str():
            return _text(value)
        case _:
            return scalar(value)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def scalar(value: Any) -> str:
    """A number, boolean or null as JSON."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return double_text(value) if isinstance(value, float) else str(value)


def _parse(text: str) -> str:
    try:
        return canonical(_load(text))
    except (ValueError, RecursionError):
        raise invalid(f"Cannot convert value to JSON: '{text}'") from None


_STEP = re.compile(r'\."([^"]*)"|\[(\d+)\]')


def _number(text: str, path: str) -> str | None:
    """A number that is no integer, as it is written; the path is DuckDB's (`$."a"[0]`)."""
    value = json.loads(text, parse_float=str, parse_int=str)
    for name, index in _STEP.findall(path):
        value = value[int(index)] if index else value[name]
    return value


def _sql_json(text: str, path: str, function: str, options: str) -> str | None:
    """json_query, json_value and json_exists; options are `wrapper|quotes|empty|error`."""
    wrapper, quotes, empty, on_error = options.split("|")
    try:
        found = evaluate(_load(text), path)
    except (PathError, ValueError) as error:
        if function == "exists":
            return "false"
        return _alternative(on_error, str(error))
    if function == "exists":
        return "true" if found else "false"
    if function == "value":
        return _one_scalar(found, empty, on_error)
    return _one_json(found, wrapper, quotes, empty, on_error)


def _alternative(choice: str, message: str) -> str | None:
    match choice:
        case "ERROR":
            raise invalid(message)
        case "EMPTY ARRAY":
            return "[]"
        case "EMPTY OBJECT":
            return "{}"
        case _:
            return None


def _one_scalar(found: list[Any], empty: str, on_error: str) -> str | None:
    if not found:
        return _alternative(empty, "JSON path found no items")
    if len(found) > 1 or isinstance(found[0], dict | list):
        return _alternative(on_error, "JSON path found an item that is no scalar, or several")
    value = found[0]
    if value is None:
        return None
    return value if isinstance(value, str) else scalar(value)


def _one_json(found: list[Any], wrapper: str, quotes: str, empty: str, on_error: str) -> str | None:
    if not found:
        return _alternative(empty, "JSON path found no items")
    if wrapper == "UNCONDITIONAL" or (wrapper == "CONDITIONAL" and len(found) != 1):
        return canonical(found)
    if wrapper == "CONDITIONAL" and not isinstance(found[0], dict | list):
        return canonical(found)
    if len(found) > 1:
        return _alternative(on_error, "JSON path found multiple items")
    if quotes == "OMIT" and isinstance(found[0], str):
        return found[0]
    return canonical(found[0])


def _contains(text: str, value: str) -> bool | None:
    """json_array_contains, the value given as JSON."""
    try:
        items, wanted = json.loads(text), json.loads(value)
    except ValueError:
        return None
    if not isinstance(items, list):
        return None
    return any(_same(item, wanted) for item in items)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return type(a) is type(b) and a == b and not (isinstance(a, float) and math.isnan(a))
    return type(a) is type(b) and a == b


FUNCTIONS = {
    "py_json_parse": (_parse, ["VARCHAR"], "VARCHAR"),
    "py_json_shown": (_shown, ["VARCHAR"], "VARCHAR"),
    "py_json_number": (_number, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    "py_sql_json": (_sql_json, ["VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR"], "VARCHAR"),
    "py_json_contains": (_contains, ["VARCHAR", "VARCHAR"], "BOOLEAN"),
}
