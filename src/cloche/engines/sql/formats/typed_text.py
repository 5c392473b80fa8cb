"""Text as values of a type, in DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.formats.hive_types import HiveType
from cloche.engines.sql.formats.scan import LOCATION
from cloche.engines.sql.formats.sql_text import literal, quoted

BAD_DATA = "HIVE_BAD_DATA: "
"""What the message of an error in data begins with, when SQL raises it."""

PLACE = "\x1e"
"""What stands in such a message between the file's location and what is wrong."""

_WHOLE = r"[+-]?[0-9]+"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_TIMESTAMP = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2} [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]{1,9})?"
_DATE = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"


def failing(before: str, value: str, after: str = "") -> str:
    """An expression that fails for a row, naming its file; `LOCATION` must be there to be read.

    Args:
        before: what is wrong.
        value: an expression of text: the value that is wrong.
        after: the end of the message.
    """
    parts = (literal(BAD_DATA), quoted(LOCATION), literal(PLACE + before), value, literal(after))
    return f"error(concat({', '.join(parts)}))"


def simple_value(text: str, type: HiveType) -> str:
    """An expression of a primitive type over an expression of text; NULL where it is none."""
    match type.kind:
        case "string":
            return text
        case "varchar" | "char":
            return f"left({text}, {type.numbers[0]})" if type.numbers else text
        case "boolean":
            return f"CASE lower({text}) WHEN 'true' THEN true WHEN 'false' THEN false END"
        case "tinyint" | "smallint" | "int" | "bigint":
            return _matching(text, _WHOLE, type.kind.upper())
        case "float" | "double":
            return _floating(text, type.kind.upper())
        case "decimal":
            return _matching(text, _NUMBER, f"DECIMAL({type.numbers[0]}, {type.numbers[1]})")
        case "date":
            return _matching(text, _DATE, "DATE")
        case "timestamp":
            return milliseconds(_matching(text, _TIMESTAMP, "TIMESTAMP"))
        case "binary":
            return f"coalesce(TRY(from_base64({text})), encode({text}))"
        case kind:
            raise QueryError(ErrorKind.NOT_SUPPORTED, f"Type {kind} in a text file")


def milliseconds(timestamp: str) -> str:
    """A timestamp rounded to Trino's precision, with which it is shown and compared."""
    moved = f"(epoch_us({timestamp}) + 500)"
    return f"make_timestamp({moved} - ({moved} % 1000 + 1000) % 1000)"


def _matching(text: str, pattern: str, type: str) -> str:
    matches = f"regexp_full_match({text}, {literal(pattern)})"
    return f"CASE WHEN {matches} THEN TRY_CAST({text} AS {type}) END"


def _floating(text: str, type: str) -> str:
    return (
        f"CASE WHEN regexp_full_match({text}, {literal(_NUMBER)}) THEN TRY_CAST({text} AS {type}) "
        f"WHEN {text} IN ('NaN', 'Infinity', '-Infinity', '+Infinity') "
        f"THEN TRY_CAST({text} AS {type}) END"
    )


def delimited_value(
    text: str, type: HiveType, separators: Sequence[str], null: str, depth: int = 0
) -> str:
    """An expression of any type over text in which separators nest, as LazySimpleSerDe does.

    Args:
        text: an expression.
        type: what it is to be.
        separators: between elements, by depth; the first splits those of a column.
        null: what stands for NULL.
        depth: how many levels are around this one.
    """
    if type.kind not in ("array", "map", "struct"):
        return simple_value(text, type)
    if depth >= len(separators):
        raise QueryError(ErrorKind.NOT_SUPPORTED, "Types are nested too deeply for a text file")
    item = f"x{depth}"
    parts = f"string_split({text}, {literal(separators[depth])})"

    def value(part: str, child: HiveType, deeper: int) -> str:
        return delimited_value(f"nullif({part}, {literal(null)})", child, separators, null, deeper)

    match type.kind:
        case "array":
            element = value(item, type.children[0], depth + 1)
            listed = f"list_transform({parts}, lambda {item}: {element})"
            return f"CASE WHEN {text} = '' THEN [] ELSE {listed} END"
        case "map":
            return _map(text, parts, item, type, separators, depth, value)
        case _:
            fields = (
                f"{quoted(name)} := {value(f'{parts}[{index}]', child, depth + 1)}"
                for index, (name, child) in enumerate(
                    zip(type.names, type.children, strict=True), start=1
                )
            )
            return f"CASE WHEN {text} IS NOT NULL THEN struct_pack({', '.join(fields)}) END"


def _map(
    text: str,
    parts: str,
    item: str,
    type: HiveType,
    separators: Sequence[str],
    depth: int,
    value: Callable[[str, HiveType, int], str],
) -> str:
    if depth + 1 >= len(separators):
        raise QueryError(ErrorKind.NOT_SUPPORTED, "Types are nested too deeply for a text file")
    mark = literal(separators[depth + 1])
    at = f"instr({item}, {mark})"
    key = value(
        f"CASE WHEN {at} = 0 THEN {item} ELSE left({item}, {at} - 1) END",
        type.children[0],
        depth + 2,
    )
    rest = value(
        f"CASE WHEN {at} > 0 THEN substr({item}, {at} + 1) END", type.children[1], depth + 2
    )
    pairs = f"list_transform({parts}, lambda {item}: {{'key': {key}, 'value': {rest}}})"
    # The first of equal keys is kept, and none is NULL.
    kept = (
        f"list_filter({pairs}, lambda p, i: p.key IS NOT NULL AND "
        f"list_position(list_transform({pairs}, lambda q: q.key), p.key) = i)"
    )
    return f"CASE WHEN {text} = '' THEN map_from_entries([]) ELSE map_from_entries({kept}) END"
