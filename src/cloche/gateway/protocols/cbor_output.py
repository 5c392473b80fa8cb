"""What operations give → CBOR, with definite lengths."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, cast

from cloche.gateway.protocols.shapes import Shape
from cloche.gateway.protocols.text_values import FLOAT_KINDS, INTEGER_RANGES
from cloche.gateway.protocols.timestamps import to_epoch

CborEncoder = Callable[[bytearray, Any], None]
"""Appends a value to a buffer."""

_NULL, _FALSE, _TRUE = 0xF6, 0xF4, 0xF5
_TIMESTAMP_TAG = 0xC1
_double = struct.Struct(">Bd").pack


def _head(major: int, argument: int) -> bytes:
    first = major << 5
    if argument < 24:
        return bytes((first | argument,))
    for minor, length in ((24, 1), (25, 2), (26, 4)):
        if argument < 1 << (8 * length):
            return bytes((first | minor,)) + argument.to_bytes(length, "big")
    return bytes((first | 27,)) + argument.to_bytes(8, "big")


def encode_text(text: str) -> bytes:
    """A text string."""
    data = text.encode()
    return _head(3, len(data)) + data


def compile_cbor_encoder(shape: Shape) -> CborEncoder:
    """A function that appends a value of the shape to a buffer as CBOR.

    It raises KeyError for members that the model does not have.
    """
    return _Compiler().compile(shape)


def append_map(out: bytearray, entries: list[tuple[bytes, CborEncoder, Any]]) -> None:
    """Append a map whose keys are encoded already."""
    out += _head(5, len(entries))
    for key, encode, value in entries:
        out += key
        encode(out, value)


class _Compiler:
    def __init__(self) -> None:
        self._structures: dict[str, CborEncoder] = {}

    def compile(self, shape: Shape) -> CborEncoder:
        kind = shape.kind
        if kind == "structure":
            return _encode_any if shape.is_document else self._structure(shape)
        if kind == "list":
            return _list_encoder(self.compile(shape.element))
        if kind == "map":
            return _map_encoder(self.compile(shape.value))
        if kind in INTEGER_RANGES:
            return _encode_integer
        if kind in FLOAT_KINDS:
            return _encode_float
        if kind == "boolean":
            return _encode_boolean
        if kind == "timestamp":
            return _encode_timestamp
        return _encode_blob if kind == "blob" else encode_string

    def _structure(self, shape: Shape) -> CborEncoder:
        structures = self._structures
        name = shape.name
        if name not in structures:
            structures[name] = lambda out, value: structures[name](out, value)
            fields = {
                key: (encode_text(key), self.compile(member))
                for key, member in shape.members.items()
            }
            structures[name] = _structure_encoder(fields)
        return structures[name]


def _structure_encoder(fields: dict[str, tuple[bytes, CborEncoder]]) -> CborEncoder:
    def encode(out: bytearray, value: Any) -> None:
        given = [(*fields[name], item) for name, item in value.items() if item is not None]
        append_map(out, given)

    return encode


def _list_encoder(encode_item: CborEncoder) -> CborEncoder:
    def encode(out: bytearray, value: Any) -> None:
        out += _head(4, len(value))
        for item in value:
            if item is None:
                out.append(_NULL)
            else:
                encode_item(out, item)

    return encode


def _map_encoder(encode_item: CborEncoder) -> CborEncoder:
    def encode(out: bytearray, value: Any) -> None:
        out += _head(5, len(value))
        for key, item in value.items():
            out += encode_text(key)
            if item is None:
                out.append(_NULL)
            else:
                encode_item(out, item)

    return encode


def encode_string(out: bytearray, value: Any) -> None:
    """Append a text string."""
    out += encode_text(value)


def _encode_blob(out: bytearray, value: Any) -> None:
    data: bytes = value.encode() if isinstance(value, str) else value
    out += _head(2, len(data))
    out += data


def _encode_integer(out: bytearray, value: Any) -> None:
    out += _head(0, value) if value >= 0 else _head(1, -1 - value)


def _encode_float(out: bytearray, value: Any) -> None:
    out += _double(0xFB, float(value))


def _encode_boolean(out: bytearray, value: Any) -> None:
    out.append(_TRUE if value else _FALSE)


def _encode_timestamp(out: bytearray, value: Any) -> None:
    out.append(_TIMESTAMP_TAG)
    seconds = to_epoch(value)
    if isinstance(seconds, int):
        _encode_integer(out, seconds)
    else:
        _encode_float(out, seconds)


def _encode_any(out: bytearray, value: Any) -> None:
    """Append a document: any JSON value."""
    if value is None:
        out.append(_NULL)
    elif isinstance(value, bool):
        _encode_boolean(out, value)
    elif isinstance(value, str):
        encode_string(out, value)
    elif isinstance(value, int):
        _encode_integer(out, value)
    elif isinstance(value, float):
        _encode_float(out, value)
    elif isinstance(value, Mapping):
        _map_encoder(_encode_any)(out, cast("Mapping[str, Any]", value))
    else:
        _list_encoder(_encode_any)(out, value)
