"""The aws-chunked encoding of bodies: chunks, their signatures, and a trailer.

A state machine without I/O: bytes in, decoded bytes out, whatever the pieces in which they come.
Nothing is held back but the line that is being read, so decoded bytes are passed on before the
signature of their chunk is known; whoever takes them must not commit before `finish` returns.

Source: "Signature Calculations for the Authorization Header: Transferring Payload in Multiple
Chunks" and "… with trailing headers" in the S3 API reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum, auto
from hashlib import sha256

from cloche.gateway.signing.chunk_signatures import ChunkSignatures
from cloche.gateway.signing.errors import (
    IncompleteBody,
    InvalidChunkSizeError,
    MalformedTrailerError,
)

MIN_CHUNK_BYTES = 8192
"""The least that a chunk may hold unless it is the last."""

_MAX_CHUNK_LINE_BYTES = 256
_MAX_TRAILER_BYTES = 8192
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;chunk-signature=([^;\r\n]*))?\r\n")
_TRAILER_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\r\n]*)\r?\n")
_TRAILER_SIGNATURE = "x-amz-trailer-signature"


class _State(Enum):
    CHUNK_LINE = auto()
    DATA = auto()
    END_OF_DATA = auto()
    TRAILER = auto()
    END = auto()


class ChunkedDecoder:
    """Decodes one body.

    Args:
        decoded_length: bytes that the chunks must hold in all, `x-amz-decoded-content-length`.
        signatures: verifies those of the chunks; None for the unsigned form.
        announced_trailers: names in `x-amz-trailer`; None for the form without a trailer.

    Attributes:
        trailers: the trailer's headers by lower-case name, once it was read.
    """

    def __init__(
        self,
        decoded_length: int,
        signatures: ChunkSignatures | None = None,
        announced_trailers: Iterable[str] | None = None,
    ) -> None:
        self.trailers: dict[str, str] = {}
        self._bytes_left = decoded_length
        self._signatures = signatures
        self._announced = None if announced_trailers is None else frozenset(announced_trailers)
        self._state = _State.CHUNK_LINE
        self._line = b""
        self._chunk_number = 0
        self._chunk_bytes = 0
        self._chunk_bytes_left = 0
        self._chunk_signature = ""
        self._chunk_hash = sha256()
        self._trailer_bytes = 0
        self._is_trailer_signed = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes as they come.

        Returns:
            The decoded bytes among them, in order.

        Raises:
            IncompleteBody: they are not aws-chunked, or hold more than was announced.
            InvalidChunkSizeError: a chunk that is not the last is too short.
            SignatureDoesNotMatch: a chunk or the trailer is not what was signed.
            MalformedTrailerError: the trailer cannot be read or is not what was announced.
        """
        decoded: list[bytes] = []
        position = 0
        while position < len(data):
            if self._state is _State.DATA:
                piece = data[position : position + self._chunk_bytes_left]
                self._take_data(piece)
                decoded.append(piece)
                position += len(piece)
            elif self._state is _State.END:
                self._take_rest(data[position:])
                break
            else:
                position = self._take_line(data, position)
        return decoded

    def finish(self) -> None:
        """The body has ended.

        Raises:
            IncompleteBody: its end is missing.
        """
        if self._state is not _State.END:
            raise IncompleteBody()

    def _take_data(self, piece: bytes) -> None:
        if self._signatures is not None:
            self._chunk_hash.update(piece)
        self._chunk_bytes_left -= len(piece)
        if not self._chunk_bytes_left:
            self._check_chunk_signature()
            self._state = _State.END_OF_DATA

    def _check_chunk_signature(self) -> None:
        if self._signatures is not None:
            self._signatures.check_chunk(self._chunk_signature, self._chunk_hash.hexdigest())

    def _take_line(self, data: bytes, position: int) -> int:
        """Read up to the end of a line, or of `data`; returns where reading goes on."""
        limit = _MAX_TRAILER_BYTES if self._state is _State.TRAILER else _MAX_CHUNK_LINE_BYTES
        end = data.find(b"\n", position, position + limit) + 1
        line = self._line + data[position : end or position + limit]
        if len(line) >= limit:
            raise self._malformed()
        if not end:
            self._line = line
            return len(data)
        self._line = b""
        if self._state is _State.CHUNK_LINE:
            self._begin_chunk(line)
        elif self._state is _State.TRAILER:
            self._take_trailer(line)
        elif line != b"\r\n":
            raise IncompleteBody()
        else:
            self._state = _State.CHUNK_LINE if self._chunk_bytes else _State.END
        return end

    def _take_rest(self, data: bytes) -> None:
        """Nothing may follow the end but the line ends that some clients send."""
        if data.strip(b"\r\n"):
            raise self._malformed()

    def _malformed(self) -> IncompleteBody | MalformedTrailerError:
        is_in_trailer = self._announced is not None and self._state in (_State.TRAILER, _State.END)
        return MalformedTrailerError() if is_in_trailer else IncompleteBody()

    def _begin_chunk(self, line: bytes) -> None:
        match = _CHUNK_LINE.fullmatch(line)
        if match is None or (match[2] is None) is not (self._signatures is None):
            raise IncompleteBody()
        size = int(match[1], 16)
        self._chunk_number += 1
        if size and self._chunk_number > 1 and self._chunk_bytes < MIN_CHUNK_BYTES:
            raise InvalidChunkSizeError(
                Chunk=str(self._chunk_number), BadChunkSize=str(self._chunk_bytes)
            )
        if size > self._bytes_left or (self._bytes_left and not size):
            raise IncompleteBody(
                "You did not provide the number of bytes specified by the Content-Length HTTP "
                "header"
            )
        self._bytes_left -= size
        self._chunk_bytes = self._chunk_bytes_left = size
        if self._signatures is not None:
            self._chunk_signature = match[2].decode("latin-1")
            self._chunk_hash = sha256()
        if size:
            self._state = _State.DATA
            return
        self._check_chunk_signature()
        self._state = _State.END_OF_DATA if self._announced is None else _State.TRAILER

    def _take_trailer(self, line: bytes) -> None:
        self._trailer_bytes += len(line)
        if self._trailer_bytes > _MAX_TRAILER_BYTES:
            raise MalformedTrailerError()
        if line in (b"\r\n", b"\n"):
            # Some clients set the trailer's signature apart by an empty line.
            if self._signatures is None or self._is_trailer_signed or not self.trailers:
                self._end_trailer()
            return
        match = _TRAILER_LINE.fullmatch(line)
        if match is None or self._is_trailer_signed:
            raise MalformedTrailerError()
        name = match[1].decode("ascii").lower()
        value = match[2].decode("latin-1").strip()
        if name == _TRAILER_SIGNATURE and self._signatures is not None:
            self._signatures.check_trailer(value, self.trailers)
            self._is_trailer_signed = True
        elif name in self.trailers:
            raise MalformedTrailerError()
        else:
            self.trailers[name] = value

    def _end_trailer(self) -> None:
        if self._announced != self.trailers.keys():
            raise MalformedTrailerError()
        if self._signatures is not None and not self._is_trailer_signed:
            raise MalformedTrailerError()
        self._state = _State.END
