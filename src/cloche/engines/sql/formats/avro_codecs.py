"""Avro's container with the compressions that fastavro has only by other packages.

A container is a header (magic, a map of metadata, a mark), then blocks: count of records, size,
data, the mark again. Here blocks are packed and unpacked; records stay fastavro's.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

import fastavro
import pyarrow as pa

from cloche.engines.sql.formats.decompression import snappy_length

_MAGIC = b"Obj\x01"
_MARK_BYTES = 16
_BLOCK_MAXIMUM_BYTES = 2**30
_METADATA = {
    "type": "map",
    "values": "bytes",
}

OWN_CODECS = frozenset({"snappy", "zstandard", "lz4"})
"""Those that this module packs and unpacks."""


class DamagedContainer(ValueError):
    """The bytes are no Avro container, or only a part of one."""


def unpacked(stored: BinaryIO) -> BinaryIO:
    """A container without compression, if it has one that fastavro cannot read by itself.

    Raises:
        DamagedContainer: it is no container.
    """
    header, metadata, mark = _read_header(stored)
    codec = metadata.get("avro.codec", b"null").decode("ascii", "replace")
    if codec not in OWN_CODECS:
        return _stream(iter([header]), stored)
    plain = _header({**metadata, "avro.codec": b"null"}, mark)
    blocks = _recoded(stored, mark, lambda data: _unpack(codec, data))
    return _stream(_chain(plain, blocks), None)


def packed(plain: BinaryIO, codec: str) -> Iterator[bytes]:
    """Pieces of a container with one of `OWN_CODECS`, from one without compression.

    Raises:
        DamagedContainer: it is no container.
    """
    _, metadata, mark = _read_header(plain)
    yield _header({**metadata, "avro.codec": codec.encode()}, mark)
    yield from _recoded(plain, mark, lambda data: _pack(codec, data))


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _read_header(stored: BinaryIO) -> tuple[bytes, dict[str, bytes], bytes]:
    copy = _Copying(stored)
    if copy.read(4) != _MAGIC:
        raise DamagedContainer("not an Avro file")
    try:
        metadata = fastavro.schemaless_reader(copy, _METADATA, None)  # type: ignore[arg-type]
    except (EOFError, ValueError, MemoryError, OverflowError, UnicodeDecodeError) as error:
        raise DamagedContainer(f"a damaged header: {error}") from error
    mark = copy.read(_MARK_BYTES)
    return copy.seen, metadata, mark  # type: ignore[return-value]


def _header(metadata: dict[str, bytes], mark: bytes) -> bytes:
    written = io.BytesIO()
    fastavro.schemaless_writer(written, _METADATA, metadata)
    return _MAGIC + written.getvalue() + mark


def _recoded(stored: BinaryIO, mark: bytes, recode: Callable[[bytes], bytes]) -> Iterator[bytes]:
    while True:
        count = _read_long(stored)
        if count is None:
            return
        size = _read_long(stored)
        if size is None or not 0 <= size <= _BLOCK_MAXIMUM_BYTES:
            raise DamagedContainer("a damaged block")
        data = stored.read(size)
        if len(data) < size or stored.read(_MARK_BYTES) != mark:
            raise DamagedContainer("a damaged block")
        recoded = recode(data)
        yield _long(count) + _long(len(recoded)) + recoded + mark


def _read_long(stored: BinaryIO) -> int | None:
    value = shift = 0
    while byte := stored.read(1):
        value |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            return (value >> 1) ^ -(value & 1)
        if shift > 63:
            break
    if shift:
        raise DamagedContainer("a damaged block")
    return None


def _long(value: int) -> bytes:
    value <<= 1  # counts and sizes are never negative
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _unpack(codec: str, data: bytes) -> bytes:
    try:
        if codec == "snappy":
            return _unpack_snappy(data)
        if codec == "lz4":
            size = int.from_bytes(data[:4], "little")
            if size > _BLOCK_MAXIMUM_BYTES:
                raise DamagedContainer("a block is too long")
            return pa.Codec("lz4_raw").decompress(data[4:], size, asbytes=True)
        with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
            return stream.read()
    except (pa.ArrowException, OSError) as error:
        raise DamagedContainer(f"a damaged block: {error}") from error


def _unpack_snappy(data: bytes) -> bytes:
    size = snappy_length(data, _BLOCK_MAXIMUM_BYTES)
    plain = pa.Codec("snappy").decompress(data[:-4], size, asbytes=True)
    if zlib.crc32(plain).to_bytes(4, "big") != data[-4:]:
        raise DamagedContainer("a block's checksum is wrong")
    return plain


def _pack(codec: str, data: bytes) -> bytes:
    match codec:
        case "snappy":
            packed = pa.Codec("snappy").compress(data, asbytes=True)
            return packed + zlib.crc32(data).to_bytes(4, "big")
        case "lz4":
            packed = pa.Codec("lz4_raw").compress(data, asbytes=True)
            return len(data).to_bytes(4, "little") + packed
        case _:
            return pa.Codec("zstd").compress(data, asbytes=True)


class _Copying(io.RawIOBase):
    """Keeps what was read."""

    def __init__(self, stored: BinaryIO) -> None:
        self._stored = stored
        self.seen = b""

    def read(self, size: int = -1) -> bytes:
        data = self._stored.read(size)
        self.seen += data
        return data


class _Pieces(io.RawIOBase):
    def __init__(self, pieces: Iterator[bytes], rest: BinaryIO | None) -> None:
        self._pieces = pieces
        self._left = b""
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                data = self._rest.read(len(buffer)) if self._rest else b""
                buffer[: len(data)] = data
                return len(data)
            self._left = piece
        data = self._left[: len(buffer)]
        self._left = self._left[len(data) :]
        buffer[: len(data)] = data
        return len(data)


def _stream(pieces: Iterator[bytes], rest: BinaryIO | None) -> BinaryIO:
    return io.BufferedReader(_Pieces(pieces, rest), 2**16)  # type: ignore[return-value]
