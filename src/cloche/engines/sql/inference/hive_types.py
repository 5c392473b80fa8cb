"""Hive's types as trees: what a file's own types become, and how two of them become one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.types as arrow

from cloche.engines.sql.engine import QueryError
from cloche.engines.sql.formats.hive_types import HiveType, parse_hive_type

UNKNOWN = "void"
"""The type of what was only ever null or empty."""


class Array(NamedTuple):
    """`array<…>`."""

    element: Type


class Map(NamedTuple):
    """`map<…,…>`."""

    key: Type
    value: Type


class Struct(NamedTuple):
    """`struct<name:…>`, names as the files have them."""

    fields: tuple[tuple[str, Type], ...]


Type = str | Array | Map | Struct

_INTEGERS = ("tinyint", "smallint", "int", "bigint")
_FLOATING = ("float", "double")


class NotAType(ValueError):
    """A text is no type of Hive."""


def render(type_: Type) -> str:
    """A type as tables have it; what is unknown is a string."""
    match type_:
        case Array(element):
            return f"array<{render(element)}>"
        case Map(key, value):
            return f"map<{render(key)},{render(value)}>"
        case Struct(()):
            return "string"
        case Struct(fields):
            return f"struct<{','.join(f'{name}:{render(each)}' for name, each in fields)}>"
        case _:
            return "string" if type_ == UNKNOWN else type_


def is_expressible(name: str) -> bool:
    """Whether a field of a struct can have this name."""
    return name.strip() == name != "" and not any(mark in name for mark in ":,<>")


def parse(text: str) -> Type:
    """The tree of a type as tables have it.

    Raises:
        NotAType: it is none.
    """
    try:
        return _tree(parse_hive_type(text, keeps_case=True, is_open=True))
    except QueryError as error:
        raise NotAType(error.message) from None


def _tree(type_: HiveType) -> Type:
    children = [_tree(child) for child in type_.children]
    match type_.kind:
        case "array":
            return Array(*children)
        case "map":
            return Map(*children)
        case "struct":
            return Struct(tuple(zip(type_.names, children, strict=True)))
        case _:
            return str(type_)


def merge(one: Type, other: Type) -> Type:
    """The type that holds the values of both; a string where nothing else does."""
    if one == other or other == UNKNOWN:
        return one
    if one == UNKNOWN:
        return other
    match one, other:
        case Array(left), Array(right):
            return Array(merge(left, right))
        case Map(key, value), Map(other_key, other_value):
            return Map(merge(key, other_key), merge(value, other_value))
        case Struct(fields), Struct(other_fields):
            return Struct(tuple(merge_fields(fields, other_fields)))
        case str(), str():
            return _merge_primitives(one, other)
        case _:
            return "string"


def merge_fields(
    fields: Iterable[tuple[str, Type]], others: Iterable[tuple[str, Type]]
) -> list[tuple[str, Type]]:
    """Fields of both, in the order in which they first come."""
    merged = dict(fields)
    for name, type_ in others:
        merged[name] = merge(merged[name], type_) if name in merged else type_
    return list(merged.items())


def _merge_primitives(one: str, other: str) -> str:
    for ladder in (_INTEGERS, _FLOATING):
        if one in ladder and other in ladder:
            return max(one, other, key=ladder.index)
    numbers = (*_INTEGERS, *_FLOATING)
    if one in numbers and other in numbers:
        return "double"
    if one.startswith("decimal") and other.startswith("decimal"):
        return _merge_decimals(one, other)
    if {one, other} == {"date", "timestamp"}:
        return "timestamp"
    return "string"


def _merge_decimals(one: str, other: str) -> str:
    (precision, scale), (other_precision, other_scale) = _digits(one), _digits(other)
    most_scale = max(scale, other_scale)
    whole = max(precision - scale, other_precision - other_scale)
    return f"decimal({min(38, whole + most_scale)},{most_scale})"


def _digits(decimal: str) -> tuple[int, int]:
    numbers = decimal.partition("(")[2].rstrip(")").split(",")
    if numbers == [""]:
        return 10, 0
    return int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 0


def _struct(fields: Iterable[tuple[str, Type]]) -> Struct:
    """A struct without fields whose names no type can have."""
    return Struct(tuple((name, type_) for name, type_ in fields if is_expressible(name)))


_BY_PREDICATE: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (arrow.is_boolean, "boolean"),
    (arrow.is_int8, "tinyint"),
    (arrow.is_int16, "smallint"),
    (arrow.is_uint8, "smallint"),
    (arrow.is_int32, "int"),
    (arrow.is_uint16, "int"),
    (arrow.is_time32, "int"),
    (arrow.is_integer, "bigint"),
    (arrow.is_time64, "bigint"),
    (arrow.is_duration, "bigint"),
    (arrow.is_float16, "float"),
    (arrow.is_float32, "float"),
    (arrow.is_float64, "double"),
    (arrow.is_date, "date"),
    (arrow.is_timestamp, "timestamp"),
    (arrow.is_string, "string"),
    (arrow.is_large_string, "string"),
    (arrow.is_string_view, "string"),
    (arrow.is_binary, "binary"),
    (arrow.is_large_binary, "binary"),
    (arrow.is_binary_view, "binary"),
    (arrow.is_fixed_size_binary, "binary"),
    (arrow.is_null, UNKNOWN),
)


def from_arrow(type_: Any) -> Type:
    """The type of an Arrow column (Parquet and ORC files are read as such)."""
    if arrow.is_dictionary(type_):
        return from_arrow(type_.value_type)
    if arrow.is_decimal(type_):
        return f"decimal({type_.precision},{type_.scale})"
    if arrow.is_struct(type_):
        return _struct((each.name, from_arrow(each.type)) for each in type_)
    if arrow.is_map(type_):
        return Map(from_arrow(type_.key_type), from_arrow(type_.item_type))
    if isinstance(type_, (pa.ListType, pa.LargeListType, pa.FixedSizeListType)):
        return Array(from_arrow(type_.value_type))
    if isinstance(type_, pa.BaseExtensionType):
        return from_arrow(type_.storage_type)
    return next((name for is_it, name in _BY_PREDICATE if is_it(type_)), "string")


_AVRO_PRIMITIVES = {
    "boolean": "boolean",
    "int": "int",
    "long": "bigint",
    "float": "float",
    "double": "double",
    "bytes": "binary",
    "string": "string",
    "null": UNKNOWN,
}
_AVRO_LOGICAL = {
    "date": "date",
    "timestamp-millis": "timestamp",
    "timestamp-micros": "timestamp",
    "local-timestamp-millis": "timestamp",
    "local-timestamp-micros": "timestamp",
    "uuid": "string",
}


def from_avro(schema: Any, named: dict[str, Type] | None = None) -> Type:
    """The type of an Avro schema.

    Args:
        schema: as JSON.
        named: types that were defined before it, by their names.
    """
    named = {} if named is None else named
    if isinstance(schema, list):
        several: list[Any] = schema
        types = [from_avro(each, named) for each in several if each != "null"]
        return types[0] if len(types) == 1 else "string" if types else UNKNOWN
    if isinstance(schema, str):
        return _AVRO_PRIMITIVES.get(schema) or named.get(schema, "string")
    logical = schema.get("logicalType")
    if logical == "decimal":
        return f"decimal({schema['precision']},{schema.get('scale', 0)})"
    if logical in _AVRO_LOGICAL:
        return _AVRO_LOGICAL[logical]
    return _from_avro_complex(schema, named)


def _from_avro_complex(schema: dict[str, Any], named: dict[str, Type]) -> Type:
    kind = schema["type"]
    if kind == "array":
        return Array(from_avro(schema["items"], named))
    if kind == "map":
        return Map("string", from_avro(schema["values"], named))
    if kind in ("record", "error"):
        type_: Type = _struct(
            (each["name"], from_avro(each["type"], named)) for each in schema["fields"]
        )
    elif kind in ("enum", "fixed"):
        type_ = "string" if kind == "enum" else "binary"
    else:
        return from_avro(kind, named)
    named[schema["name"]] = type_
    if "namespace" in schema and "." not in schema["name"]:
        named[f"{schema['namespace']}.{schema['name']}"] = type_
    return type_
