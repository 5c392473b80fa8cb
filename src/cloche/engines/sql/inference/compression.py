"""Compression of a file as its first bytes tell it, and what the beginning unpacks to."""

from __future__ import annotations

import bz2
import struct
import zlib
from typing import Literal, NamedTuple

import pyarrow as pa

Compression = Literal["none", "gzip", "bzip2", "zstd", "snappy"]

_MAGIC: tuple[tuple[bytes, Compression], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xff\x06\x00\x00sNaPpY", "snappy"),
)
_PIECE_BYTES = 64 * 1024
_BZIP2_PIECE_BYTES = 4096


class Unpacked(NamedTuple):
    """The beginning of a file's content.

    Attributes:
        content: unpacked bytes.
        packed_bytes: how many of the file's bytes they come from, nearly.
        is_whole: whether that is all of the file.
    """

    content: bytes
    packed_bytes: int
    is_whole: bool


class CorruptFile(Exception):
    """A file is not what its first bytes say."""


def compression_of(head: bytes, name: str = "") -> Compression:
    """What a file is packed with.

    Args:
        head: its first bytes.
        name: its name; Hadoop's own framing of Snappy is known by nothing else than `.snappy`.
    """
    for magic, compression in _MAGIC:
        if head.startswith(magic):
            return compression
    if name.endswith(".snappy") and not head.startswith((b"PAR1", b"ORC", b"Obj\x01")):
        return "snappy"
    return "none"


def unpack(head: bytes, compression: Compression, limit_bytes: int, *, is_whole: bool) -> Unpacked:
    """At most `limit_bytes` of what the beginning of a file unpacks to.

    Args:
        head: its first bytes.
        compression: as `compression_of` told.
        limit_bytes: of the content.
        is_whole: whether `head` is all of the file.

    Raises:
        CorruptFile: nothing of it can be unpacked.
    """
    if compression == "none":
        return Unpacked(head[:limit_bytes], len(head), is_whole and len(head) <= limit_bytes)
    unpacking = {
        "gzip": _unpack_gzip,
        "bzip2": _unpack_bzip2,
        "zstd": _unpack_zstd,
        "snappy": _unpack_snappy,
    }[compression]
    try:
        content, used, ended = unpacking(head, limit_bytes)
    except (OSError, EOFError, zlib.error, struct.error, pa.ArrowException) as error:
        raise CorruptFile(f"it cannot be unpacked as {compression}: {error}") from error
    if not content and not (is_whole and ended):
        raise CorruptFile(f"it cannot be unpacked as {compression}")
    return Unpacked(content, used, is_whole and ended)


_Piece = tuple[bytes, int, bool]
"""Content, bytes used, whether the input was used up."""


def _unpack_gzip(head: bytes, limit_bytes: int) -> _Piece:
    content = bytearray()
    rest = head
    while rest and len(content) < limit_bytes:
        member = zlib.decompressobj(wbits=31)
        content += member.decompress(rest, limit_bytes - len(content))
        if not member.eof:
            return bytes(content), len(head) - len(member.unconsumed_tail), False
        rest = member.unused_data.lstrip(b"\0")
    return bytes(content), len(head) - len(rest), not rest


def _unpack_bzip2(head: bytes, limit_bytes: int) -> _Piece:
    """Whole blocks are unpacked, at most 900 kB more than is kept, to know what they come from."""
    content = bytearray()
    at, stream, ended = 0, bz2.BZ2Decompressor(), False
    while len(content) < limit_bytes:
        if stream.eof:
            at -= len(stream.unused_data)
            ended = at == len(head)
            stream = bz2.BZ2Decompressor()
        piece = head[at : at + _BZIP2_PIECE_BYTES]
        if not piece:
            break
        content += stream.decompress(piece)
        at += len(piece)
    if len(content) <= limit_bytes:
        return bytes(content), at, ended
    return bytes(content[:limit_bytes]), round(at * limit_bytes / len(content)), False


def _unpack_zstd(head: bytes, limit_bytes: int) -> _Piece:
    content = bytearray()
    source = pa.BufferReader(head)
    stream = pa.CompressedInputStream(source, "zstd")
    try:
        while len(content) < limit_bytes:
            piece = stream.read(min(_PIECE_BYTES, limit_bytes - len(content)))
            if not piece:
                return bytes(content), len(head), True
            content += piece
    except OSError:  # the head ends within a frame
        return bytes(content), len(head), False
    return bytes(content), source.tell(), False


def _unpack_snappy(head: bytes, limit_bytes: int) -> _Piece:
    if head.startswith(b"\xff\x06\x00\x00sNaPpY"):
        return _unpack_framed_snappy(head, limit_bytes)
    return _unpack_hadoop_snappy(head, limit_bytes)


def _unpack_framed_snappy(head: bytes, limit_bytes: int) -> _Piece:
    content = bytearray()
    at = 0
    while at + 4 <= len(head) and len(content) < limit_bytes:
        kind, length = head[at], int.from_bytes(head[at + 1 : at + 4], "little")
        chunk = head[at + 4 : at + 4 + length]
        if len(chunk) < length:
            break
        if kind == 0:
            content += _raw_snappy(chunk[4:])
        elif kind == 1:
            content += chunk[4:]
        at += 4 + length
    return bytes(content[:limit_bytes]), at, at == len(head) and len(content) <= limit_bytes


def _unpack_hadoop_snappy(head: bytes, limit_bytes: int) -> _Piece:
    """Blocks of: length unpacked, then chunks of length packed and data until that is reached."""
    content = bytearray()
    at = 0
    while at + 8 <= len(head) and len(content) < limit_bytes:
        wanted = len(content) + int.from_bytes(head[at : at + 4], "big")
        at += 4
        while len(content) < wanted:
            length = int.from_bytes(head[at : at + 4], "big")
            chunk = head[at + 4 : at + 4 + length]
            if len(chunk) < length or not length:
                return bytes(content[:limit_bytes]), at, False
            content += _raw_snappy(chunk)
            at += 4 + length
    return bytes(content[:limit_bytes]), at, at == len(head) and len(content) <= limit_bytes


_LARGEST_SNAPPY_BLOCK_BYTES = 64 * 1024 * 1024


def _raw_snappy(block: bytes) -> bytes:
    """A block of raw Snappy, which begins with its length unpacked."""
    length = shift = 0
    for byte in block[:5]:
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    if length > _LARGEST_SNAPPY_BLOCK_BYTES:
        raise OSError(f"a block of {length} bytes")
    return pa.decompress(block, decompressed_size=length, codec="snappy", asbytes=True)
