"""The beginning of a text file, unpacked and decoded, with what tells how much of it that is."""

from __future__ import annotations

import codecs
from typing import NamedTuple

from cloche.engines.sql.inference.compression import Compression, compression_of, unpack
from cloche.engines.sql.inference.inferred import SampledFile


class NotText(Exception):
    """A file is not UTF-8 text."""


class TextSample(NamedTuple):
    """The beginning of a text file.

    Attributes:
        text: unpacked, without a byte order mark.
        size_bytes: of the text.
        compression: of the file.
        is_whole: whether it is all of it.
        share: how much of the file it comes from, above 0 and at most 1.
    """

    text: str
    size_bytes: int
    compression: Compression
    is_whole: bool
    share: float

    def complete_lines(self) -> list[str]:
        """Lines without those that the sample's end may have cut off, and without empty ones."""
        lines = self.text.split("\n")
        if not self.is_whole and len(lines) > 1:
            lines.pop()
        return [line.rstrip("\r") for line in lines if line.strip()]

    def estimate(self, records: int) -> int:
        """How many records the file has if its beginning has so many."""
        return records if self.is_whole else max(records, round(records / self.share))


def read_text(file: SampledFile, limit_bytes: int) -> TextSample:
    """The beginning of a file.

    Raises:
        NotText: it is no UTF-8, or has bytes that no text has.
        CorruptFile: it is packed and cannot be unpacked.
    """
    head = file.head(limit_bytes)
    compression = compression_of(head, file.name)
    is_whole = len(head) >= file.size_bytes
    unpacked = unpack(head, compression, limit_bytes, is_whole=is_whole)
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        text = decoder.decode(unpacked.content, final=unpacked.is_whole)
    except UnicodeDecodeError as error:
        raise NotText(str(error)) from error
    if "\0" in text:
        raise NotText("it has zero bytes")
    share = min(1.0, unpacked.packed_bytes / max(1, file.size_bytes)) or 1.0
    return TextSample(text, len(unpacked.content), compression, unpacked.is_whole, share)
