"""Compressed text files, as `decompression` reads them again."""

from __future__ import annotations

import bz2
import gzip
import zlib
from typing import Any, BinaryIO, Protocol

import pyarrow as pa

TEXT_SUFFIXES = {
    "NONE": "",
    "GZIP": ".gz",
    "ZSTD": ".zst",
    "LZ4": ".lz4",
    "BZIP2": ".bz2",
    "SNAPPY": ".snappy",
    "DEFLATE": ".deflate",
}
"""What the names of text files end with, by compression."""

_SNAPPY_BLOCK_BYTES = 2**18


class ByteStream(Protocol):
    """Takes bytes."""

    def write(self, data: bytes, /) -> Any:
        """Add bytes."""
        ...

    def close(self) -> Any:
        """Finish; the file below stays open."""
        ...


def compressing(file: BinaryIO, compression: str, level: int | None) -> ByteStream:
    """A stream that compresses into a file."""
    match compression:
        case "GZIP":
            # Without name and time: the same rows are the same bytes.
            return gzip.GzipFile("", "wb", 6 if level is None else level, file, mtime=0)
        case "BZIP2":
            return bz2.BZ2File(file, "wb", compresslevel=9 if level is None else level)
        case "ZSTD" | "LZ4":
            if level is not None:
                return _Frames(file, pa.Codec(compression.lower(), compression_level=level))
            sink = pa.PythonFile(_Unclosed(file), mode="w")
            return pa.CompressedOutputStream(sink, compression.lower())
        case "SNAPPY":
            return _Snappy(file)
        case "DEFLATE":
            return _Deflate(file, 6 if level is None else level)
        case _:
            return _Plain(file)


class _Unclosed:
    """A file that closing leaves open."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.flush()


class _Plain:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes, /) -> None:
        self._file.write(data)

    def close(self) -> None:
        self._file.flush()


class _Frames(_Plain):
    """A frame for each piece: Arrow's streams take no level, its codecs do."""

    def __init__(self, file: BinaryIO, codec: pa.Codec) -> None:
        super().__init__(file)
        self._codec = codec

    def write(self, data: bytes, /) -> None:
        self._file.write(self._codec.compress(data, asbytes=True))


class _Deflate(_Plain):
    def __init__(self, file: BinaryIO, level: int) -> None:
        super().__init__(file)
        self._encoder = zlib.compressobj(level)

    def write(self, data: bytes, /) -> None:
        self._file.write(self._encoder.compress(data))

    def close(self) -> None:
        self._file.write(self._encoder.flush())
        super().close()


class _Snappy(_Plain):
    """Hadoop's framing: each block's length, then its compressed length and bytes."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._codec = pa.Codec("snappy")

    def write(self, data: bytes, /) -> None:
        for at in range(0, len(data), _SNAPPY_BLOCK_BYTES):
            block = data[at : at + _SNAPPY_BLOCK_BYTES]
            packed = self._codec.compress(block, asbytes=True)
            self._file.write(
                len(block).to_bytes(4, "big") + len(packed).to_bytes(4, "big") + packed
            )
