"""CBOR bodies → what operations take.

A decoder of its own, because what AWS's protocol uses is a small part of CBOR: no tag but the
timestamp's, no keys but strings. What else CBOR can say (references, big decimals, dates as
text) is refused, and so costs nothing. Depth, lengths and UTF-8 are checked.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from cloche.gateway.protocols.faults import ParseError
from cloche.gateway.protocols.shapes import MAXIMUM_DEPTH, Shape
from cloche.gateway.protocols.text_values import FLOAT_KINDS, INTEGER_RANGES
from cloche.gateway.protocols.timestamps import from_epoch

CborDecoder = Callable[[Any], Any]

_FLOATS = {25: (struct.Struct(">e"), 2), 26: (struct.Struct(">f"), 4), 27: (struct.Struct(">d"), 8)}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_ARGUMENT_BYTES = {24: 1, 25: 2, 26: 4, 27: 8}
_INDEFINITE = 31
_BREAK = object()


def decode_cbor(body: bytes) -> Any:
    """Decode one CBOR item, which must be all of the body; timestamps become datetimes.

    Raises:
        ParseError: it is no CBOR, or more of CBOR than the protocol uses.
    """
    reader = _Reader(body)
    value = reader.item(0)
    if value is _BREAK or reader.position != len(body):
        raise ParseError("Invalid CBOR")
    return value


class _Reader:
    def __init__(self, body: bytes) -> None:
        self._body = body
        self.position = 0

    def item(self, depth: int) -> Any:
        if depth > MAXIMUM_DEPTH:
            raise ParseError("The body is nested too deeply")
        first = self._take(1)[0]
        major, minor = first >> 5, first & 31
        if major == 0:
            return self._argument(minor)
        if major == 1:
            return -1 - self._argument(minor)
        if major in (2, 3):
            return self._string(major, minor)
        if major == 4:
            return self._list(minor, depth + 1)
        if major == 5:
            return self._map(minor, depth + 1)
        return self._tag(minor, depth + 1) if major == 6 else self._simple(minor)

    def _take(self, length: int) -> bytes:
        start = self.position
        self.position = end = start + length
        if end > len(self._body):
            raise ParseError("CBOR data was truncated")
        return self._body[start:end]

    def _argument(self, minor: int) -> int:
        if minor < 24:
            return minor
        if minor not in _ARGUMENT_BYTES:
            raise ParseError("Invalid CBOR")
        return int.from_bytes(self._take(_ARGUMENT_BYTES[minor]), "big")

    def _string(self, major: int, minor: int) -> bytes | str:
        data = self._chunks(major) if minor == _INDEFINITE else self._take(self._argument(minor))
        if major == 2:
            return data
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise ParseError("Invalid UTF-8 in string") from error

    def _chunks(self, major: int) -> bytes:
        chunks: list[bytes] = []
        while True:
            first = self._take(1)[0]
            if first == 0xFF:
                return b"".join(chunks)
            if first >> 5 != major:
                raise ParseError("Invalid CBOR")
            chunks.append(self._take(self._argument(first & 31)))

    def _list(self, minor: int, depth: int) -> list[Any]:
        items: list[Any] = []
        if minor == _INDEFINITE:
            while (item := self.item(depth)) is not _BREAK:
                items.append(item)
            return items
        for _ in range(self._count(minor, 1)):
            items.append(self._value(depth))  # noqa: PERF401 - what is read stays bounded on error
        return items

    def _map(self, minor: int, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        if minor == _INDEFINITE:
            while (key := self.item(depth)) is not _BREAK:
                self._entry(result, key, depth)
            return result
        for _ in range(self._count(minor, 2)):
            self._entry(result, self.item(depth), depth)
        return result

    def _count(self, minor: int, bytes_each: int) -> int:
        count = self._argument(minor)
        if count * bytes_each > len(self._body) - self.position:
            raise ParseError("CBOR data was truncated")
        return count

    def _entry(self, result: dict[str, Any], key: Any, depth: int) -> None:
        if type(key) is not str:
            raise ParseError("Keys must be strings")
        result[key] = self._value(depth)

    def _value(self, depth: int) -> Any:
        value = self.item(depth)
        if value is _BREAK:
            raise ParseError("Invalid CBOR")
        return value

    def _tag(self, minor: int, depth: int) -> datetime:
        if self._argument(minor) != 1:
            raise ParseError("Unknown CBOR tag")
        value = self.item(depth)
        if type(value) is not int and type(value) is not float:
            raise ParseError("A timestamp must be a number")
        return from_epoch(value)

    def _simple(self, minor: int) -> Any:
        if minor in _SIMPLE:
            return _SIMPLE[minor]
        if minor in _FLOATS:
            layout, length = _FLOATS[minor]
            return layout.unpack(self._take(length))[0]
        if minor == _INDEFINITE:
            return _BREAK
        raise ParseError("Invalid CBOR")


def compile_cbor_decoder(shape: Shape) -> CborDecoder:
    """A function that checks decoded CBOR against the shape and drops what it does not know."""
    return _Compiler().compile(shape)


class _Compiler:
    def __init__(self) -> None:
        self._structures: dict[str, CborDecoder] = {}

    def compile(self, shape: Shape) -> CborDecoder:
        kind = shape.kind
        if kind == "structure":
            return _keep if shape.is_document else self._structure(shape)
        if kind == "list":
            return _list_decoder(self.compile(shape.element), shape.is_sparse)
        if kind == "map":
            return _map_decoder(self.compile(shape.value), shape.is_sparse)
        if kind in INTEGER_RANGES:
            return _integer_decoder(*INTEGER_RANGES[kind])
        if kind in FLOAT_KINDS:
            return _decode_float
        if kind == "boolean":
            return _scalar_decoder(bool, "a Boolean")
        if kind == "timestamp":
            return _scalar_decoder(datetime, "a Timestamp")
        return _scalar_decoder(*((bytes, "a Blob") if kind == "blob" else (str, "a String")))

    def _structure(self, shape: Shape) -> CborDecoder:
        structures = self._structures
        name = shape.name
        if name not in structures:
            structures[name] = lambda value: structures[name](value)
            fields = {key: self.compile(member) for key, member in shape.members.items()}
            structures[name] = _structure_decoder(fields, shape.is_union)
        return structures[name]


def _keep(value: Any) -> Any:
    return value


def _wrong_type(wanted: str) -> ParseError:
    return ParseError(f"Value can not be converted to {wanted}")


def _scalar_decoder(wanted: type, name: str) -> CborDecoder:
    def decode(value: Any) -> Any:
        if type(value) is not wanted:
            raise _wrong_type(name)
        return value

    return decode


def _structure_decoder(fields: dict[str, CborDecoder], is_union: bool) -> CborDecoder:
    find = fields.get

    def decode(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise _wrong_type("a Structure")
        result: dict[str, Any] = {}
        unknown = 0
        for key, item in cast("dict[str, Any]", value).items():
            decode_item = find(key)
            if item is None:
                continue
            if decode_item is not None:
                result[key] = decode_item(item)
            elif key != "__type":
                unknown += 1
        if is_union and (len(result) != 1 or unknown):
            raise ParseError("Exactly one known member of a union must be set")
        return result

    return decode


def _list_decoder(decode_item: CborDecoder, is_sparse: bool) -> CborDecoder:
    def decode(value: Any) -> list[Any]:
        if type(value) is not list:
            raise _wrong_type("a List")
        items = cast("list[Any]", value)
        return [None if item is None and is_sparse else decode_item(item) for item in items]

    return decode


def _map_decoder(decode_item: CborDecoder, is_sparse: bool) -> CborDecoder:
    def decode(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise _wrong_type("a Map")
        return {
            key: None if item is None and is_sparse else decode_item(item)
            for key, item in cast("dict[str, Any]", value).items()
        }

    return decode


def _integer_decoder(lowest: int, highest: int) -> CborDecoder:
    def decode(value: Any) -> int:
        if type(value) is not int:
            raise _wrong_type("an Integer")
        if not lowest <= value <= highest:
            raise ParseError(f"Numeric value ({value}) out of range")
        return value

    return decode


def _decode_float(value: Any) -> float:
    if type(value) is not float and type(value) is not int:
        raise _wrong_type("a Double")
    return float(value)
