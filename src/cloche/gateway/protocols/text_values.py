"""Scalars as text: in XML, forms, headers, paths and query strings."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable
from typing import Any

import msgspec

from cloche.gateway.protocols.faults import ParseError
from cloche.gateway.protocols.shapes import Shape, TimestampFormat
from cloche.gateway.protocols.timestamps import (
    format_date_time_milliseconds,
    format_timestamp,
    parse_timestamp,
)

TextDecoder = Callable[[str], Any]
TextEncoder = Callable[[Any], str]

INTEGER_RANGES: dict[str, tuple[int, int]] = {
    "byte": (-(2**7), 2**7 - 1),
    "short": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "long": (-(2**63), 2**63 - 1),
    "bigInteger": (-(10**400), 10**400),
}
FLOAT_KINDS = frozenset(("float", "double", "bigDecimal"))
SPECIAL_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

_INTEGER = re.compile(r"-?[0-9]{1,400}")
_FLOAT = re.compile(
    r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,5})?"
)


def compile_text_decoder(
    shape: Shape, default_format: TimestampFormat, *, is_lenient: bool = False
) -> TextDecoder:
    """A function that reads a scalar of the shape from text.

    Args:
        shape: a scalar; anything else is taken as a string.
        default_format: of timestamps for which the model names none.
        is_lenient: take booleans in any case and dates with an offset, as the query services do.
    """
    kind = shape.kind
    if kind in INTEGER_RANGES:
        return _integer_decoder(*INTEGER_RANGES[kind])
    if kind in FLOAT_KINDS:
        return decode_float
    if kind == "boolean":
        return _decode_any_boolean if is_lenient else decode_boolean
    if kind == "timestamp":
        form = shape.timestamp_format(default_format)
        return lambda text: parse_timestamp(text, form, offsets_allowed=is_lenient)
    if kind == "blob":
        return decode_base64
    return str


def _integer_decoder(lowest: int, highest: int) -> TextDecoder:
    def decode(text: str) -> int:
        if _INTEGER.fullmatch(text) is None:
            raise ParseError(f"{text[:64]!r} can not be converted to an Integer")
        value = int(text)
        if not lowest <= value <= highest:
            raise ParseError(f"Numeric value ({text[:64]}) out of range")
        return value

    return decode


def decode_float(text: str) -> float:
    """Read a decimal number, `NaN` or an infinity; numbers too large for a double are refused."""
    if text in SPECIAL_FLOATS:
        return SPECIAL_FLOATS[text]
    if _FLOAT.fullmatch(text) is None:
        raise ParseError(f"{text[:64]!r} can not be converted to a Double")
    value = float(text)
    if math.isinf(value):
        raise ParseError("Numeric value out of range")
    return value


def decode_boolean(text: str) -> bool:
    """Read `true` or `false`."""
    if text == "true":
        return True
    if text == "false":
        return False
    raise ParseError(f"{text[:64]!r} can not be converted to a Boolean")


def _decode_any_boolean(text: str) -> bool:
    return decode_boolean(text.lower())


def decode_base64(text: str) -> bytes:
    """Read base64 of the standard alphabet with its padding; nothing else is skipped."""
    try:
        return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ParseError("Invalid base64 in binary value") from error


def decode_json_header(text: str) -> str:
    """Read JSON text that stands in a header as base64."""
    try:
        decoded = decode_base64(text).decode()
        msgspec.json.decode(decoded)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        raise ParseError("Invalid JSON in header") from error
    return decoded


def compile_text_encoder(
    shape: Shape, default_format: TimestampFormat, *, has_milliseconds: bool = False
) -> TextEncoder:
    """A function that writes a scalar of the shape as text, not escaped.

    `has_milliseconds` writes them always, as S3 does.
    """
    kind = shape.kind
    if kind == "boolean":
        return lambda value: "true" if value else "false"
    if kind in FLOAT_KINDS:
        return encode_float
    if kind == "timestamp":
        form = shape.timestamp_format(default_format)
        if form == "date-time" and has_milliseconds:
            return format_date_time_milliseconds
        return lambda value: format_timestamp(value, form)
    if kind == "blob":
        return encode_base64
    return str


def encode_float(value: float | str) -> str:
    """`1.5`, `5.0`, `NaN`, `Infinity`, `-Infinity`."""
    number = float(value)
    if math.isfinite(number):
        return repr(number)
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def encode_base64(value: bytes | str) -> str:
    """Base64 of bytes, or of the UTF-8 of a string."""
    data = value.encode() if isinstance(value, str) else value
    return base64.b64encode(data).decode("ascii")


def encode_json_header(value: Any) -> str:
    """Base64 of JSON text, or of the JSON of any other value."""
    text = value.encode() if isinstance(value, str) else msgspec.json.encode(value)
    return base64.b64encode(text).decode("ascii")
