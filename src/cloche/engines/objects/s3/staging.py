"""Taking bodies in: small ones in memory, others in a temporary file until they are sent on."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterable, Awaitable, Callable, Collection
from pathlib import Path
from typing import IO

from cloche.engines.objects.filesystem.checksums import Digests
from cloche.engines.objects.store import PutWithoutLength

_HOP_BYTES = 1024 * 1024


class StagedBody:
    """A body; its file is gone when it is closed.

    Attributes:
        file: open for reading.
    """

    __slots__ = ("digests", "file", "size_bytes")

    def __init__(self, file: IO[bytes], size_bytes: int, digests: dict[str, bytes]) -> None:
        self.file = file
        self.size_bytes = size_bytes
        self.digests = digests

    def rewound(self) -> IO[bytes]:
        """The file from its start."""
        self.file.seek(0)
        return self.file


async def stage(
    body: bytes | AsyncIterable[bytes],
    algorithms: Collection[str],
    size_bytes: int | None,
    directory: Path,
    in_thread: Callable[..., Awaitable[None]],
) -> StagedBody:
    """Take a body in.

    Raises:
        PutWithoutLength: it has another length than was announced.
    """
    digests = Digests(algorithms)
    # Longer bodies move to an unnamed file by themselves.
    file = tempfile.SpooledTemporaryFile(max_size=_HOP_BYTES, dir=str(directory))  # noqa: SIM115

    def write(pieces: list[bytes]) -> None:
        for piece in pieces:
            digests.update(piece)
            file.write(piece)

    received = 0
    try:
        pieces: list[bytes] = []
        pending = 0
        async for piece in _pieces(body):
            pieces.append(piece)
            pending += len(piece)
            received += len(piece)
            if size_bytes is not None and received > size_bytes:
                break
            if pending >= _HOP_BYTES:
                await in_thread(write, pieces)
                pieces, pending = [], 0
        if size_bytes is not None and received != size_bytes:
            raise PutWithoutLength(f"{received} bytes came, {size_bytes} were announced")
        if received > _HOP_BYTES:
            await in_thread(write, pieces)
        else:
            write(pieces)
    except BaseException:  # also when the client went away
        file.close()
        raise
    return StagedBody(file, received, digests.finish())  # type: ignore[arg-type]


async def _pieces(body: bytes | AsyncIterable[bytes]) -> AsyncIterable[bytes]:
    if isinstance(body, bytes):
        yield body
        return
    async for piece in body:
        yield piece
