"""JSON: objects one after the other, on lines of their own or not, or in a top-level array."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from cloche.engines.sql.inference.hive_types import (
    UNKNOWN,
    Array,
    Struct,
    Type,
    is_expressible,
    merge,
)
from cloche.engines.sql.inference.inferred import (
    TEXT_INPUT,
    TEXT_OUTPUT,
    Inferred,
    as_columns,
    open_types,
)
from cloche.engines.sql.inference.json_paths import JsonPath
from cloche.engines.sql.inference.text_samples import TextSample

OPENX_SERDE = "org.openx.data.jsonserde.JsonSerDe"

_SPACE = " \t\r\n"
_decode = json.JSONDecoder(parse_constant=lambda name: _refuse(name)).raw_decode


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


class SampleTooSmall(Exception):
    """The sample ends within the first value; more of the file may tell."""


def infer_json(sample: TextSample, path: JsonPath | None = None) -> Inferred | None:
    """Format and columns of a JSON file; None if it is none.

    Args:
        sample: the file's beginning.
        path: what in it are the records; without, they are the objects at the top.

    Raises:
        SampleTooSmall: see there.
    """
    text = sample.text.lstrip(_SPACE)
    if not text.startswith(("{", "[")):
        return None
    try:
        fields, count = _fields(text, sample, path)
    except (ValueError, RecursionError):
        return None
    if not fields:
        return None
    names = sorted(name for name, _ in fields)
    columns = as_columns(fields)
    return Inferred(
        classification="json",
        columns=columns,
        compression=sample.compression,
        input_format=TEXT_INPUT,
        output_format=TEXT_OUTPUT,
        serde=OPENX_SERDE,
        serde_parameters={"paths": ",".join(names)},
        parameters={} if path is None else {"jsonPath": path.text},
        record_count=sample.estimate(count),
        open_types=open_types(fields, columns),
    )


class _Found(NamedTuple):
    fields: tuple[tuple[str, Type], ...]
    records: int


def _fields(text: str, sample: TextSample, path: JsonPath | None) -> _Found:
    type_: Type = UNKNOWN
    count = 0
    for record in _records(text, sample, path):
        type_ = merge(type_, _record_type(record))
        count += 1
    if isinstance(type_, Struct):
        return _Found(_without_case(type_.fields), count)
    if path is not None and type_ != UNKNOWN:
        return _Found(((path.last_name, type_),), count)
    return _Found((), count)


def _without_case(fields: tuple[tuple[str, Type], ...]) -> tuple[tuple[str, Type], ...]:
    """Fields of which none differ in case only: the SerDe, too, reads them as one."""
    names: dict[str, str] = {}
    types: dict[str, Type] = {}
    for name, type_ in fields:
        folded = name.strip().lower()
        first = names.setdefault(folded, name)
        types[first] = merge(types[first], type_) if first in types else type_
    return tuple((name, _type_without_case(type_)) for name, type_ in types.items())


def _type_without_case(type_: Type) -> Type:
    match type_:
        case Array(element):
            return Array(_type_without_case(element))
        case Struct(fields):
            return Struct(_without_case(fields))
        case _:
            return type_


def _record_type(record: Any) -> Type:
    if isinstance(record, dict):  # whose names are of columns, which may be any
        return Struct(tuple((str(name), infer_type(each)) for name, each in record.items()))
    return infer_type(record)


def _records(text: str, sample: TextSample, path: JsonPath | None) -> Iterator[Any]:
    if text.startswith("["):
        if path is None:
            yield {"array": list(_elements(text, sample))}
        elif path.begins_with_elements:
            for element in _elements(text, sample):
                yield from path.without_first_step().select(element)
        else:
            yield from path.select(list(_elements(text, sample)))
        return
    for value in _values(text, sample):
        if not isinstance(value, dict):
            raise ValueError("a value at the top is no object")
        if path is None:
            yield value
        else:
            yield from path.select(value)


def _values(text: str, sample: TextSample) -> Iterator[Any]:
    """Values one after the other, without one that the sample's end cuts off."""
    at, count = 0, 0
    while at < len(text):
        try:
            value, at = _decode(text, at)
        except ValueError:
            if sample.is_whole or _fails_early(text, at):
                raise
            if not count:
                raise SampleTooSmall from None
            return
        yield value
        count += 1
        at = _skip(text, at, _SPACE)


def _elements(text: str, sample: TextSample) -> Iterator[Any]:
    """Elements of the array at the top, without one that the sample's end cuts off."""
    at, count = _skip(text, 1, _SPACE), 0
    while at < len(text) and text[at] != "]":
        try:
            value, at = _decode(text, at)
        except ValueError:
            if sample.is_whole:
                raise
            break
        yield value
        count += 1
        at = _skip(text, at, _SPACE)
        if at < len(text) and text[at] == ",":
            at = _skip(text, at + 1, _SPACE)
        elif at < len(text) and text[at] != "]":
            raise ValueError("a comma is missing in an array")
    if at >= len(text) and sample.is_whole:
        raise ValueError("the array does not end")
    if not count and not sample.is_whole:
        raise SampleTooSmall


def _fails_early(text: str, at: int) -> bool:
    """Whether a value is wrong on a line that the sample has whole, so that more is no use."""
    end = text.find("\n", at)
    line = text[at:end] if end >= 0 else ""
    return line.startswith("{") and line.rstrip(_SPACE).endswith("}")


def _skip(text: str, at: int, characters: str) -> int:
    while at < len(text) and text[at] in characters:
        at += 1
    return at


def infer_type(value: Any) -> Type:
    """The type of a JSON value."""
    match value:
        case None:
            return UNKNOWN
        case bool():
            return "boolean"
        case int():
            return _integer_type(value)
        case float():
            return "double"
        case list():
            element: Type = UNKNOWN
            for each in value:
                element = merge(element, infer_type(each))
            return Array(element)
        case dict():
            return _struct_type(value)
        case _:
            return "string"


def _struct_type(value: dict[str, Any]) -> Type:
    """A struct; its text where a field's name can be in no type."""
    if not all(map(is_expressible, value)):
        return "string"
    return Struct(tuple((name, infer_type(each)) for name, each in value.items()))


def _integer_type(value: int) -> str:
    if -(2**31) <= value < 2**31:
        return "int"
    return "bigint" if -(2**63) <= value < 2**63 else "double"
