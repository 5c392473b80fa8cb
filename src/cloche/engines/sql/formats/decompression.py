"""Bytes of compressed text files; the compression is told by the object's name, as Hive does."""

from __future__ import annotations

import bz2
import io
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO

import pyarrow as pa

from cloche.engines.sql.engine import DataFile, ErrorKind, QueryError
from cloche.engines.sql.formats.opening import bad_data, open_file

_CHUNK_BYTES = 2**20
_BLOCK_MAXIMUM_BYTES = 256 * 2**20

_BY_SUFFIX = {
    ".gz": "gzip",
    ".gzip": "gzip",
    ".zst": "zstd",
    ".zstd": "zstd",
    ".bz2": "bz2",
    ".snappy": "snappy",
    ".lz4": "lz4",
    ".deflate": "zlib",
}
_REFUSED = frozenset({".lzo", ".xz", ".zip", ".br", ".7z"})
_LZ4_FRAME = b"\x04\x22\x4d\x18"


def compression_of(file: DataFile) -> str:
    """`none`, `gzip`, `zstd`, `bz2`, `snappy`, `lz4` or `zlib`.

    Raises:
        QueryError: the name tells a compression that cannot be read.
    """
    suffix = PurePosixPath(file.object_url).suffix.lower()
    if suffix in _REFUSED:
        raise QueryError(
            ErrorKind.NOT_SUPPORTED, f"Compression {suffix} is not supported: {file.object_url}"
        )
    return _BY_SUFFIX.get(suffix, "none")


def read_chunks(file: DataFile) -> Iterator[bytes]:
    """What a file holds, decompressed, in pieces of bounded size.

    Raises:
        QueryError: it is not there, or is damaged.
    """
    compression = compression_of(file)
    with open_file(file) as stored:
        try:
            yield from _DECOMPRESSED[compression](stored)
        except (OSError, EOFError, ValueError, zlib.error, pa.ArrowException) as error:
            raise bad_data(file, f"damaged {compression} data: {error}") from error


def _plain(stored: BinaryIO) -> Iterator[bytes]:
    while chunk := stored.read(_CHUNK_BYTES):
        yield chunk


def _zlib(stored: BinaryIO, *, window: int = zlib.MAX_WBITS) -> Iterator[bytes]:
    decoder = zlib.decompressobj(window)
    is_within = False
    while chunk := stored.read(_CHUNK_BYTES // 4):
        while chunk:
            is_within = True
            if piece := decoder.decompress(chunk, _CHUNK_BYTES):
                yield piece
            chunk = decoder.unconsumed_tail
            if decoder.eof:
                # Members follow one another, as `cat a.gz b.gz` makes them.
                chunk = decoder.unused_data
                decoder = zlib.decompressobj(window)
                is_within = False
            elif not piece and not chunk:
                break
    if is_within:
        raise EOFError("the file ends within compressed data")


def _gzip(stored: BinaryIO) -> Iterator[bytes]:
    return _zlib(stored, window=zlib.MAX_WBITS | 16)


def _bz2(stored: BinaryIO) -> Iterator[bytes]:
    with bz2.BZ2File(stored) as decoded:
        while chunk := decoded.read(_CHUNK_BYTES):
            yield chunk


def _by_arrow(codec: str, stored: BinaryIO) -> Iterator[bytes]:
    with pa.CompressedInputStream(pa.PythonFile(stored, mode="r"), codec) as decoded:
        while chunk := decoded.read(_CHUNK_BYTES):
            yield chunk


def _zstd(stored: BinaryIO) -> Iterator[bytes]:
    return _by_arrow("zstd", stored)


def _lz4(stored: BinaryIO) -> Iterator[bytes]:
    start = stored.read(4)
    rest = io.BufferedReader(_Joined(start, stored))
    return _by_arrow("lz4", rest) if start == _LZ4_FRAME else _blocks("lz4_raw", rest)


def _snappy(stored: BinaryIO) -> Iterator[bytes]:
    return _blocks("snappy", stored)


def _blocks(codec_name: str, stored: BinaryIO) -> Iterator[bytes]:
    """Hadoop's framing: blocks of a length and compressed pieces, each with its own length."""
    codec = pa.Codec(codec_name)
    while header := stored.read(4):
        left = _length(header)
        while left > 0:
            size = _length(stored.read(4))
            compressed = stored.read(size)
            if len(compressed) < size:
                raise EOFError("the file ends within a block")
            piece = _piece(codec, codec_name, compressed, left)
            left -= len(piece)
            yield piece


def _piece(codec: pa.Codec, name: str, compressed: bytes, left: int) -> bytes:
    if name == "snappy":
        return codec.decompress(compressed, snappy_length(compressed, left), asbytes=True)
    # LZ4's raw blocks don't tell their size; Hadoop writes one block for each buffer of bytes.
    return codec.decompress(compressed, left, asbytes=True)


def _length(header: bytes) -> int:
    size = int.from_bytes(header, "big")
    if len(header) < 4 or size > _BLOCK_MAXIMUM_BYTES:
        raise ValueError("not in Hadoop's framing")
    return size


def snappy_length(compressed: bytes, maximum: int) -> int:
    """How long a block is once it is unpacked; raises ValueError if that cannot be."""
    size = shift = 0
    for byte in compressed[:5]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if not 0 < size <= maximum:
        raise ValueError("a block is longer than it says")
    return size


class _Joined(io.RawIOBase):
    """A stream of which the first bytes were read already."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start = start
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._start[: len(buffer)]
        self._start = self._start[len(data) :]
        data = data or self._rest.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


_DECOMPRESSED = {
    "none": _plain,
    "gzip": _gzip,
    "zlib": _zlib,
    "bz2": _bz2,
    "zstd": _zstd,
    "lz4": _lz4,
    "snappy": _snappy,
}
