"""The form of the journal's segments.

A segment begins with a header page and holds frames:

    magic | length of entries | length of bodies | crc | number | salt | entries | bodies | zeros

Frames are padded to whole pages: no page that holds an acknowledged frame is ever written again,
and none must be read before it is written. Frames are numbered without gaps. The salt is drawn
anew whenever a segment is used again, so that a former frame, or a body that looks like one, is
never taken for a frame.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloche.engines.objects.filesystem.buffers import Buffer

PAGE_BYTES = 4096

_ZEROS = bytes(PAGE_BYTES)
_SEGMENT_MAGIC = b"ClocheJ1"
_FRAME_MAGIC = b"CFr1"
_segment_header = struct.Struct("<8sQQQI")  # magic, use, first frame's number, salt, crc
_frame_header = struct.Struct("<4sIIIQQ")  # magic, entries, bodies, crc, number, salt


@dataclass(slots=True)
class Frame:
    """A batch of changes.

    Attributes:
        number: 1 and up, without gaps.
        entries: encoded.
        bodies: the bodies of its entries, one after the other.
    """

    number: int
    entries: bytes
    bodies: memoryview


@dataclass(slots=True)
class FoundSegment:
    """A segment that was written by an earlier process.

    Attributes:
        use: which use of a segment this is; each is numbered.
        first_number: of the first frame.
    """

    path: Path
    use: int
    first_number: int
    salt: int


def header_page(use: int, first_number: int, salt: int) -> bytes:
    """What a segment begins with."""
    header = _segment_header.pack(_SEGMENT_MAGIC, use, first_number, salt, 0)[:-4]
    return (header + zlib.crc32(header).to_bytes(4, "little")).ljust(PAGE_BYTES, b"\0")


def _checksum(fields: tuple[int, int, int, int], entries: Buffer, bodies: Sequence[Buffer]) -> int:
    value = zlib.crc32(entries, zlib.crc32(struct.pack("<IIQQ", *fields)))
    for body in bodies:
        value = zlib.crc32(body, value)
    return value


def frame_length(entries: bytes, bodies: Sequence[bytes]) -> int:
    """How much room a frame takes."""
    length = _frame_header.size + len(entries) + sum(map(len, bodies))
    return length + -length % PAGE_BYTES


def frame_buffers(number: int, salt: int, entries: bytes, bodies: Sequence[bytes]) -> list[Buffer]:
    """A frame, to be written as it is."""
    bodies_bytes = sum(map(len, bodies))
    crc = _checksum((len(entries), bodies_bytes, number, salt), entries, bodies)
    header = _frame_header.pack(_FRAME_MAGIC, len(entries), bodies_bytes, crc, number, salt)
    padding = -(len(header) + len(entries) + bodies_bytes) % PAGE_BYTES
    return [header, entries, *bodies, _ZEROS[:padding]]


def examine(path: Path) -> FoundSegment | None:
    """What a segment's header says; None if it never was used, or its first use was cut short."""
    with path.open("rb") as file:
        header = file.read(_segment_header.size)
    if len(header) < _segment_header.size:
        return None
    magic, use, first_number, salt, crc = _segment_header.unpack(header)
    if magic != _SEGMENT_MAGIC or crc != zlib.crc32(header[:-4]):
        return None
    return FoundSegment(path, use, first_number, salt)


def read_frames(segment: FoundSegment, wanted: int, until: int | None) -> Iterator[Frame]:
    """A segment's frames from number `wanted` on, up to the first that is not whole.

    Where another segment begins with the number of a frame that is here too (`until`), this one
    was given up: its batch failed, and was written again over there.
    """
    with segment.path.open("rb") as file:
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    offset, expected = PAGE_BYTES, segment.first_number
    while offset + _frame_header.size <= len(content) and expected != until:
        magic, entries_bytes, bodies_bytes, crc, number, salt = _frame_header.unpack_from(
            content, offset
        )
        start = offset + _frame_header.size
        middle = start + entries_bytes
        end = middle + bodies_bytes
        if (magic, number, salt) != (_FRAME_MAGIC, expected, segment.salt) or end > len(content):
            return
        if number >= wanted:
            entries, bodies = bytes(content[start:middle]), content[middle:end]
            fields = (entries_bytes, bodies_bytes, number, salt)
            if crc != _checksum(fields, entries, (bodies,)):
                return
            yield Frame(number, entries, bodies)
        offset, expected = end + -end % PAGE_BYTES, expected + 1
