"""The frames of `application/vnd.amazon.eventstream`: headers, payload and their checksums."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cloche.gateway.protocols.faults import ParseError
from cloche.gateway.protocols.timestamps import from_epoch

CONTENT_TYPE = "application/vnd.amazon.eventstream"
MAXIMUM_HEADER_BYTES = 128 * 1024
MAXIMUM_PAYLOAD_BYTES = 24 * 1024 * 1024

HeaderValue = str | bytes | bool | int | datetime | UUID

_PRELUDE_BYTES = 12
_CHECKSUM_BYTES = 4
_PRELUDE = struct.Struct(">II")
_CHECKSUM = struct.Struct(">I")
_INTEGERS = {2: struct.Struct(">b"), 3: struct.Struct(">h"), 4: struct.Struct(">i")}
_LONG = struct.Struct(">q")
_INTEGER_TYPES = {"byte": 2, "short": 3, "integer": 4}


@dataclass(slots=True)
class Message:
    """One frame.

    Attributes:
        headers: by name, which begins with a colon for those of the protocol.
        payload: the body.
    """

    headers: dict[str, HeaderValue] = field(default_factory=dict[str, HeaderValue])
    payload: bytes = b""


def encode_header_value(value: Any, kind: str) -> bytes:
    """A header's type and value, by the kind of its shape."""
    if kind == "boolean":
        return b"\x00" if value else b"\x01"
    if kind in _INTEGER_TYPES:
        number = _INTEGER_TYPES[kind]
        return bytes((number,)) + _INTEGERS[number].pack(value)
    if kind == "long":
        return b"\x05" + _LONG.pack(value)
    if kind == "timestamp":
        instant = value if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC)
        return b"\x08" + _LONG.pack(round(instant.timestamp() * 1000))
    data: bytes = value if isinstance(value, bytes) else str(value).encode()
    return bytes((6 if kind == "blob" else 7,)) + struct.pack(">H", len(data)) + data


def encode_header(name: str, encoded_value: bytes) -> bytes:
    """A header with its name."""
    data = name.encode()
    return bytes((len(data),)) + data + encoded_value


def encode_text_headers(headers: Mapping[str, str]) -> bytes:
    """Headers that are all strings."""
    return b"".join(
        encode_header(name, encode_header_value(value, "string")) for name, value in headers.items()
    )


def encode_frame(headers: bytes, payload: bytes) -> bytes:
    """A frame of encoded headers and a payload, with both checksums."""
    total = _PRELUDE_BYTES + len(headers) + len(payload) + _CHECKSUM_BYTES
    prelude = _PRELUDE.pack(total, len(headers))
    start = b"".join((prelude, _CHECKSUM.pack(zlib.crc32(prelude)), headers, payload))
    return start + _CHECKSUM.pack(zlib.crc32(start))


class FrameDecoder:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def is_empty(self) -> bool:
        """Whether the stream may end here: no frame has been begun."""
        return not self._buffer

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete with these bytes.

        Raises:
            ParseError: a checksum, a length or a header is wrong.
        """
        buffer = self._buffer
        buffer += data
        messages: list[Message] = []
        while len(buffer) >= _PRELUDE_BYTES:
            total, header_bytes = self._read_prelude()
            if len(buffer) < total:
                break
            frame = bytes(buffer[:total])
            del buffer[:total]
            messages.append(_decode_frame(frame, header_bytes))
        return messages

    def _read_prelude(self) -> tuple[int, int]:
        prelude = bytes(self._buffer[:_PRELUDE_BYTES])
        total, header_bytes = _PRELUDE.unpack(prelude[:8])
        if zlib.crc32(prelude[:8]) != _CHECKSUM.unpack(prelude[8:])[0]:
            raise ParseError("The prelude's checksum is wrong")
        payload_bytes = total - _PRELUDE_BYTES - _CHECKSUM_BYTES - header_bytes
        if header_bytes > MAXIMUM_HEADER_BYTES or not 0 <= payload_bytes <= MAXIMUM_PAYLOAD_BYTES:
            raise ParseError("The message's lengths are wrong")
        return total, header_bytes


def _decode_frame(frame: bytes, header_bytes: int) -> Message:
    end = len(frame) - _CHECKSUM_BYTES
    if zlib.crc32(frame[:end]) != _CHECKSUM.unpack(frame[end:])[0]:
        raise ParseError("The message's checksum is wrong")
    payload_start = _PRELUDE_BYTES + header_bytes
    try:
        headers = _decode_headers(frame[_PRELUDE_BYTES:payload_start])
    except (struct.error, IndexError, UnicodeDecodeError, ValueError) as error:
        raise ParseError("The message's headers can't be read") from error
    return Message(headers, frame[payload_start:end])


def _decode_headers(data: bytes) -> dict[str, HeaderValue]:
    headers: dict[str, HeaderValue] = {}
    position = 0
    while position < len(data):
        name_end = position + 1 + data[position]
        name = data[position + 1 : name_end].decode()
        if not name or name in headers:
            raise ParseError("A header's name is empty or given twice")
        headers[name], position = _decode_header_value(data, name_end + 1, data[name_end])
    return headers


def _decode_header_value(data: bytes, start: int, number: int) -> tuple[HeaderValue, int]:
    if number in (0, 1):
        return number == 0, start
    if number in _INTEGERS:
        layout = _INTEGERS[number]
        return layout.unpack_from(data, start)[0], start + layout.size
    if number in (5, 8):
        value: int = _LONG.unpack_from(data, start)[0]
        return (value if number == 5 else from_epoch(value / 1000)), start + 8
    if number in (6, 7):
        value_start = start + 2
        end = value_start + struct.unpack_from(">H", data, start)[0]
        if end > len(data):
            raise ParseError("A header is longer than the headers are")
        raw = data[value_start:end]
        return (raw if number == 6 else raw.decode()), end
    if number == 9:
        return UUID(bytes=data[start : start + 16]), start + 16
    raise ParseError("A header has an unknown type")
