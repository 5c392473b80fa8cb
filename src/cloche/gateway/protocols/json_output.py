"""What operations give → JSON."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec

from cloche.gateway.protocols.shapes import Shape
from cloche.gateway.protocols.text_values import FLOAT_KINDS, encode_float
from cloche.gateway.protocols.timestamps import format_timestamp, to_epoch

JsonEncoder = Callable[[Any], Any]
"""Turns a value into one that msgspec writes as the model says (it writes bytes as base64)."""

encode_json = msgspec.json.Encoder().encode


def compile_json_encoder(shape: Shape, only: frozenset[str] | None = None) -> JsonEncoder:
    """A function that turns a value of the shape into what `encode_json` takes.

    It raises KeyError for members that the model does not have: nothing is left out silently.

    Args:
        shape: of the value.
        only: the members of a structure that stand in the body, all unless given.
    """
    compiler = _Compiler()
    if shape.kind == "structure" and not shape.is_document:
        return compiler.structure(shape, only)
    return compiler.compile(shape) or _keep


def _keep(value: Any) -> Any:
    return value


class _Compiler:
    """Compiles the shapes of one operation; None where a value is written as it is."""

    def __init__(self) -> None:
        self._structures: dict[str, JsonEncoder] = {}

    def compile(self, shape: Shape) -> JsonEncoder | None:
        kind = shape.kind
        if kind == "structure":
            return None if shape.is_document else self._shared_structure(shape)
        if kind == "list":
            encode_item = self.compile(shape.element)
            return None if encode_item is None else _list_encoder(encode_item)
        if kind == "map":
            encode_item = self.compile(shape.value)
            return None if encode_item is None else _map_encoder(encode_item)
        if kind == "timestamp":
            return _timestamp_encoder(shape)
        if kind in FLOAT_KINDS:
            return _encode_float
        return _encode_blob if kind == "blob" else None

    def _shared_structure(self, shape: Shape) -> JsonEncoder:
        structures = self._structures
        name = shape.name
        if name not in structures:
            structures[name] = lambda value: structures[name](value)
            structures[name] = self.structure(shape, None)
        return structures[name]

    def structure(self, shape: Shape, only: frozenset[str] | None) -> JsonEncoder:
        fields: dict[str, tuple[str, JsonEncoder | None] | None] = {
            name: (
                (member.wire_name or name, self.compile(member))
                if only is None or name in only
                else None
            )
            for name, member in shape.members.items()
        }

        def encode(value: Any) -> dict[str, Any]:
            result: dict[str, Any] = {}
            for name, item in value.items():
                if item is None:
                    continue
                field = fields[name]
                if field is not None:
                    encode_item = field[1]
                    result[field[0]] = item if encode_item is None else encode_item(item)
            return result

        return encode


def _list_encoder(encode_item: JsonEncoder) -> JsonEncoder:
    return lambda value: [None if item is None else encode_item(item) for item in value]


def _map_encoder(encode_item: JsonEncoder) -> JsonEncoder:
    return lambda value: {
        key: None if item is None else encode_item(item) for key, item in value.items()
    }


def _timestamp_encoder(shape: Shape) -> JsonEncoder:
    form = shape.timestamp_format("epoch-seconds")
    if form == "epoch-seconds":
        return to_epoch
    return lambda value: format_timestamp(value, form)


def _encode_float(value: Any) -> Any:
    number = float(value)
    return number if math.isfinite(number) else encode_float(number)


def _encode_blob(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value
