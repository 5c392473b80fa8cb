"""JSON bodies → what operations take.

The text is decoded by msgspec; one closure for each shape then checks types and turns base64
into bytes and timestamps into datetimes. Members that the model does not know and members that
are null are left out.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

import msgspec

from cloche.gateway.protocols.faults import ParseError
from cloche.gateway.protocols.shapes import MAXIMUM_DEPTH, Shape
from cloche.gateway.protocols.text_values import FLOAT_KINDS, INTEGER_RANGES, SPECIAL_FLOATS
from cloche.gateway.protocols.timestamps import from_epoch, parse_timestamp

JsonDecoder = Callable[[Any], Any]

_decode_text = msgspec.json.Decoder().decode


def decode_json(body: bytes) -> Any:
    """Decode JSON text.

    Raises:
        ParseError: it is no JSON, no UTF-8, or nested too deeply.
    """
    try:
        return _decode_text(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError("Unable to parse the body as JSON") from error


def check_depth(value: Any) -> None:
    """Refuse values nested deeper than `MAXIMUM_DEPTH`, without recursion."""
    level: list[Any] = [value]
    depth = 0
    while level:
        depth += 1
        if depth > MAXIMUM_DEPTH:
            raise ParseError("The body is nested too deeply")
        below: list[Any] = []
        for node in level:
            if type(node) is dict:
                below.extend(cast("dict[str, Any]", node).values())
            elif type(node) is list:
                below.extend(cast("list[Any]", node))
        level = [node for node in below if type(node) in (dict, list)]


def compile_json_decoder(shape: Shape, only: frozenset[str] | None = None) -> JsonDecoder:
    """A function that turns decoded JSON into a value of the shape.

    Args:
        shape: of the value.
        only: the members of a structure that stand in the body, all unless given.
    """
    compiler = _Compiler()
    if only is None:
        return compiler.compile(shape)
    return compiler.structure(shape, only)


def token_name(value: Any) -> str:
    """How AWS's messages name what a JSON value is."""
    if value is None:
        return "NULL_VALUE"
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    if isinstance(value, str):
        return "STRING_VALUE"
    if isinstance(value, int | float):
        return "NUMBER_VALUE"
    return ""


def wrong_type(value: Any, wanted: str) -> ParseError:
    """The error for a JSON value of another type than the model's, in AWS's words."""
    if isinstance(value, list):
        return ParseError("Start of list found where not expected")
    if isinstance(value, dict):
        return ParseError("Start of structure or map found where not expected.")
    return ParseError(f"{token_name(value)} can not be converted to {wanted}")


class _Compiler:
    """Compiles the shapes of one operation; structures once each, so that they may recur."""

    def __init__(self) -> None:
        self._structures: dict[str, JsonDecoder] = {}

    def compile(self, shape: Shape) -> JsonDecoder:
        kind = shape.kind
        if kind == "structure":
            return _keep if shape.is_document else self._shared_structure(shape)
        if kind == "list":
            return _list_decoder(self.compile(shape.element), shape.is_sparse)
        if kind == "map":
            return _map_decoder(self.compile(shape.value), shape.is_sparse)
        if kind in INTEGER_RANGES:
            return _integer_decoder(*INTEGER_RANGES[kind])
        if kind in FLOAT_KINDS:
            return _decode_float
        if kind == "boolean":
            return _decode_boolean
        if kind == "timestamp":
            return _timestamp_decoder(shape)
        return _decode_blob if kind == "blob" else _decode_string

    def _shared_structure(self, shape: Shape) -> JsonDecoder:
        structures = self._structures
        name = shape.name
        if name not in structures:
            structures[name] = lambda value: structures[name](value)
            structures[name] = self.structure(shape)
        return structures[name]

    def structure(self, shape: Shape, only: frozenset[str] | None = None) -> JsonDecoder:
        fields = {
            member.wire_name or name: (name, self.compile(member))
            for name, member in shape.members.items()
            if only is None or name in only
        }
        return _union_decoder(fields) if shape.is_union else _structure_decoder(fields)


def _keep(value: Any) -> Any:
    return value


def _structure_decoder(fields: dict[str, tuple[str, JsonDecoder]]) -> JsonDecoder:
    find = fields.get

    def decode(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise wrong_type(value, "an Object")
        result: dict[str, Any] = {}
        for key, item in cast("dict[str, Any]", value).items():
            field = find(key)
            if field is not None and item is not None:
                result[field[0]] = field[1](item)
        return result

    return decode


def _union_decoder(fields: dict[str, tuple[str, JsonDecoder]]) -> JsonDecoder:
    def decode(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise wrong_type(value, "an Object")
        given = [
            (key, item)
            for key, item in cast("dict[str, Any]", value).items()
            if item is not None and key != "__type"
        ]
        if len(given) != 1 or given[0][0] not in fields:
            raise ParseError("Exactly one known member of a union must be set")
        name, decode_item = fields[given[0][0]]
        return {name: decode_item(given[0][1])}

    return decode


def _list_decoder(decode_item: JsonDecoder, is_sparse: bool) -> JsonDecoder:
    def decode(value: Any) -> list[Any]:
        if type(value) is not list:
            raise wrong_type(value, "a List")
        return [decode_item(item) for item in cast("list[Any]", value)]

    def decode_sparse(value: Any) -> list[Any]:
        if type(value) is not list:
            raise wrong_type(value, "a List")
        return [None if item is None else decode_item(item) for item in cast("list[Any]", value)]

    return decode_sparse if is_sparse else decode


def _map_decoder(decode_item: JsonDecoder, is_sparse: bool) -> JsonDecoder:
    def decode(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise wrong_type(value, "a Map")
        return {key: decode_item(item) for key, item in cast("dict[str, Any]", value).items()}

    def decode_sparse(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise wrong_type(value, "a Map")
        return {
            key: None if item is None else decode_item(item)
            for key, item in cast("dict[str, Any]", value).items()
        }

    return decode_sparse if is_sparse else decode


def _decode_string(value: Any) -> str:
    if type(value) is not str:
        raise wrong_type(value, "a String")
    return value


def _decode_boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise wrong_type(value, "a Boolean")
    return value


def _decode_blob(value: Any) -> bytes:
    if type(value) is not str:
        raise wrong_type(value, "a Blob")
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise ParseError("Invalid base64 in binary value") from error


def _integer_decoder(lowest: int, highest: int) -> JsonDecoder:
    wanted = "a Long" if highest > 2**31 else "an Integer"

    def decode(value: Any) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int:
            raise wrong_type(value, wanted)
        if not lowest <= value <= highest:
            raise ParseError(f"Numeric value ({str(value)[:64]}) out of range")
        return value

    return decode


def _decode_float(value: Any) -> float:
    if type(value) is float:
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError as error:
            raise ParseError("Numeric value out of range") from error
    if type(value) is str and value in SPECIAL_FLOATS:
        return SPECIAL_FLOATS[value]
    raise wrong_type(value, "a Double")


def _timestamp_decoder(shape: Shape) -> JsonDecoder:
    form = shape.timestamp_format("epoch-seconds")
    if form == "epoch-seconds":
        return _decode_epoch

    def decode(value: Any) -> datetime:
        if type(value) is not str:
            raise wrong_type(value, "a Timestamp")
        return parse_timestamp(value, form)

    return decode


def _decode_epoch(value: Any) -> datetime:
    if type(value) is not int and type(value) is not float:
        raise wrong_type(value, "milliseconds since epoch")
    return from_epoch(value)
