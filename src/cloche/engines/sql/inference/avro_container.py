"""Avro's container files: the schema in the header, and how many records the blocks have.

Blocks are not unpacked, so that files of any codec can be counted.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

MAGIC = b"Obj\x01"

_SYNC_BYTES = 16


class NotAvro(ValueError):
    """Bytes are no container file, or end within its header."""


class _EndOfBytes(Exception):
    """The bytes end within a number, a text or a block."""


class Container(NamedTuple):
    """The beginning of a container file.

    Attributes:
        schema: as JSON.
        records: of the blocks that are there whole.
        counted_bytes: up to the end of the last of them.
        is_whole: whether nothing follows it.
    """

    schema: Any
    records: int
    counted_bytes: int
    is_whole: bool


def read_container(content: bytes) -> Container:
    """What the beginning of a container file tells.

    Raises:
        NotAvro: see there; or its blocks are not what they must be.
    """
    if not content.startswith(MAGIC):
        raise NotAvro("it does not begin as an Avro file")
    reader = _Reader(content, len(MAGIC))
    try:
        metadata = reader.metadata()
        sync = reader.take(_SYNC_BYTES)
    except _EndOfBytes:
        raise NotAvro("its header does not end") from None
    try:
        schema = json.loads(metadata["avro.schema"])
    except (KeyError, ValueError) as error:
        raise NotAvro(f"its header has no schema: {error}") from error
    records, end = _count(reader, sync)
    return Container(schema, records, end, end == len(content))


def _count(reader: _Reader, sync: bytes) -> tuple[int, int]:
    """Records of the blocks that are there whole, and where the last one ends."""
    records, end = 0, reader.at
    try:
        while reader.at < len(reader.content):
            count, size = reader.number(), reader.number()
            if count < 0 or size < 0:
                raise NotAvro(f"the block at byte {end} is not valid")
            reader.take(size)
            if reader.take(_SYNC_BYTES) != sync:
                raise NotAvro(f"the block at byte {end} does not end as it must")
            records += count
            end = reader.at
    except _EndOfBytes:
        pass
    return records, end


class _Reader:
    """Reads Avro's binary encoding.

    Attributes:
        at: where it is.
    """

    def __init__(self, content: bytes, at: int) -> None:
        self.content = content
        self.at = at

    def take(self, length: int) -> bytes:
        if length < 0 or self.at + length > len(self.content):
            raise _EndOfBytes
        self.at += length
        return self.content[self.at - length : self.at]

    def number(self) -> int:
        """A zig-zag encoded long."""
        value = shift = 0
        while shift < 64:
            (byte,) = self.take(1)
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return (value >> 1) ^ -(value & 1)
            shift += 7
        raise NotAvro(f"the number before byte {self.at} is too long")

    def metadata(self) -> dict[str, bytes]:
        """A map of bytes."""
        found: dict[str, bytes] = {}
        while count := self.number():
            if count < 0:  # then its size in bytes follows
                self.number()
                count = -count
            for _ in range(count):
                name = self.take(self.number()).decode(errors="replace")
                found[name] = self.take(self.number())
        return found
