"""JSON bodies decoded, base64 undone and types checked in one pass, by msgspec.

Only for shapes where that gives the very same values as the closures of `json_input` do. What
msgspec refuses is given to the closures, which find the error's wording, or accept what the fast
way does not know (null members, `NaN`).
"""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import msgspec

from cloche.gateway.protocols.json_input import JsonDecoder, decode_json
from cloche.gateway.protocols.shapes import Shape
from cloche.gateway.protocols.text_values import INTEGER_RANGES

_make_typed_dict: Any = TypedDict
_SCALARS: dict[str, Any] = {"string": str, "blob": bytes, "boolean": bool}


class _NotTypable(Exception):
    """A shape whose values need more than msgspec does."""


def compile_typed_decoder(
    shape: Shape, only: frozenset[str] | None, walk: JsonDecoder
) -> Any | None:
    """A function from a body's bytes to its value; None if the shape needs the closures.

    Args:
        shape: a structure that does not nest without bound.
        only: the members that stand in the body, all unless given.
        walk: the shape's closure.
    """
    try:
        decode_typed = msgspec.json.Decoder(_Types().structure(shape, only)).decode
    except _NotTypable:
        return None

    def decode(data: bytes) -> Any:
        try:
            return decode_typed(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return walk(decode_json(data))

    return decode


class _Types:
    """msgspec's types of the shapes of one operation; structures once each."""

    def __init__(self) -> None:
        self._structures: dict[str, Any] = {}

    def structure(self, shape: Shape, only: frozenset[str] | None = None) -> Any:
        if shape.is_union or shape.is_document:
            raise _NotTypable
        fields: dict[str, Any] = {}
        for name, member in shape.members.items():
            if only is None or name in only:
                if member.wire_name not in (None, name):
                    raise _NotTypable
                fields[name] = self._type_of(member)
        return _make_typed_dict(shape.name, fields, total=False)

    def _type_of(self, shape: Shape) -> Any:
        kind = shape.kind
        if kind == "structure":
            if shape.name not in self._structures:
                self._structures[shape.name] = self.structure(shape)
            return self._structures[shape.name]
        if kind == "list" and not shape.is_sparse:
            return list[self._type_of(shape.element)]
        if kind == "map" and not shape.is_sparse:
            return dict[str, self._type_of(shape.value)]
        if kind in ("integer", "long", "short", "byte"):
            lowest, highest = INTEGER_RANGES[kind]
            return Annotated[int, msgspec.Meta(ge=lowest, le=highest)]
        if kind in ("float", "double"):
            return float
        if kind in _SCALARS:
            return _SCALARS[kind]
        raise _NotTypable
