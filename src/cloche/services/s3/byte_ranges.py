"""Ranges of bytes, as a Range header asks for them.

A header that is no valid range of bytes, or asks for several, is ignored, as S3 does.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cloche.services.s3.errors import InvalidArgument, InvalidRange

_RANGE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*")
_COPY_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


class ByteRange(NamedTuple):
    """Part of an object: where it starts, and how many bytes it has."""

    start: int
    length: int

    def content_range(self, size_bytes: int) -> str:
        """As the Content-Range header of an object of that size."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{size_bytes}"


def read_range(header: str, size_bytes: int) -> ByteRange | None:
    """What a Range header means for an object of that size; None if it means nothing.

    Raises:
        InvalidRange: it lies beyond the object's end.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None:
        return None
    first, last = match.groups()
    if not first:
        return _suffix(header, last, size_bytes)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size_bytes:
        raise _not_satisfiable(header, size_bytes)
    end = min(int(last), size_bytes - 1) if last else size_bytes - 1
    return ByteRange(start, end - start + 1)


def _suffix(header: str, last: str, size_bytes: int) -> ByteRange | None:
    if not last:
        return None
    length = min(int(last), size_bytes)
    if length == 0:
        raise _not_satisfiable(header, size_bytes)
    return ByteRange(size_bytes - length, length)


def _not_satisfiable(header: str, size_bytes: int) -> InvalidRange:
    return InvalidRange(
        headers={"content-range": f"bytes */{size_bytes}"},
        RangeRequested=header,
        ActualObjectSize=str(size_bytes),
    )


def read_copy_range(header: str, size_bytes: int) -> ByteRange:
    """What the `x-amz-copy-source-range` of a part means.

    Raises:
        InvalidArgument: it is no `bytes=first-last`, or lies beyond the source's end.
    """
    match = _COPY_RANGE.fullmatch(header)
    first, last = (int(match[1]), int(match[2])) if match else (1, 0)
    if last < first:
        raise InvalidArgument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first "
            "and last are the zero-based offsets of the first and last bytes to copy",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=header,
        )
    if last >= size_bytes:
        raise InvalidArgument(
            f"Range specified is not valid for source object of size: {size_bytes}",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=header,
        )
    return ByteRange(first, last - first + 1)
