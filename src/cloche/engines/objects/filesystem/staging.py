"""Taking bodies in: small ones in memory, larger ones to a file that is synced when it is whole."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterable, Callable, Collection
from concurrent.futures import Executor
from typing import Any, TypeVar

from cloche.engines.objects.filesystem.bodies import BodyFiles
from cloche.engines.objects.filesystem.checksums import Digests, digests_of
from cloche.engines.objects.filesystem.syncing import sync_data
from cloche.engines.objects.store import PutWithoutLength

SMALL_BODY_BYTES = 32 * 1024
"""Bodies up to this length go through the journal into the index: for 1 KB that takes a tenth of
the processor time of a file of its own, for 32 KiB a half; beyond, the file is cheaper."""

_HOP_BYTES = 1024 * 1024

_T = TypeVar("_T")


class StagedBytes:
    """A small body, in memory."""

    __slots__ = ("body", "digests", "size_bytes")

    def __init__(self, body: bytes, digests: dict[str, bytes]) -> None:
        self.body = body
        self.size_bytes = len(body)
        self.digests = digests


class StagedFile:
    """A body in a synced file of its own in the directory `staged`.

    Attributes:
        is_claimed: belongs to a change that is under way or made, and may not be dropped.
    """

    __slots__ = ("digests", "is_claimed", "name", "size_bytes")

    def __init__(self, name: str, size_bytes: int, digests: dict[str, bytes]) -> None:
        self.name = name
        self.size_bytes = size_bytes
        self.digests = digests
        self.is_claimed = False

    def claim(self) -> None:
        """Take it for a change.

        Raises:
            ValueError: another change has it.
        """
        if self.is_claimed:
            raise ValueError("a staged body can be used only once")
        self.is_claimed = True

    def give_back(self) -> None:
        """Say that the change was not made."""
        self.is_claimed = False


class FileWriter:
    """A staged file being written; its methods block and are called in a thread."""

    def __init__(self, files: BodyFiles, digests: Digests) -> None:
        self._files = files
        self._digests = digests
        self.name = files.new_name()
        self._descriptor = os.open(
            files.staged_path(self.name), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
        )
        self._is_closed = False
        self._size_bytes = 0

    def write(self, pieces: list[bytes]) -> None:
        """Add bytes to the file and to the digests.

        They are joined first: each digest and each write lets go of the interpreter's lock, and
        to have it back takes longer than to copy a mebibyte.
        """
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._digests.update(data)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        self._size_bytes += len(data)

    def finish(self, pieces: list[bytes]) -> StagedFile:
        """Add the last bytes and make the file's content durable."""
        self.write(pieces)
        digests = self._digests.finish()
        sync_data(self._descriptor)
        self._close()
        return StagedFile(self.name, self._size_bytes, digests)

    def abandon(self) -> None:
        """Remove the file."""
        self._close()
        self._files.remove_staged(self.name)

    def _close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            os.close(self._descriptor)


class Stager:
    """Takes bodies in with the help of a pool of threads."""

    def __init__(self, files: BodyFiles, executor: Executor) -> None:
        self._files = files
        self._executor = executor

    async def stage(
        self,
        body: bytes | AsyncIterable[bytes],
        algorithms: Collection[str],
        size_bytes: int | None,
    ) -> StagedBytes | StagedFile:
        """Take a body in.

        Raises:
            PutWithoutLength: it has another length than was announced.
            OSError: the disk is full, or failed.
        """
        if isinstance(body, bytes):
            _check_length(len(body), size_bytes)
            if len(body) <= SMALL_BODY_BYTES:
                return StagedBytes(body, digests_of(body, algorithms))
            return await self.in_thread(_write_file, self._files, Digests(algorithms), [body])
        digests = Digests(algorithms)
        pieces: list[bytes] = []
        received = 0
        chunks = aiter(body)
        async for piece in chunks:
            pieces.append(piece)
            received += len(piece)
            if received >= _HOP_BYTES and received != size_bytes:
                return await self._stage_stream(pieces, received, chunks, digests, size_bytes)
        _check_length(received, size_bytes)
        if received <= SMALL_BODY_BYTES:
            whole = b"".join(pieces)
            return StagedBytes(whole, digests_of(whole, algorithms))
        return await self.in_thread(_write_file, self._files, digests, pieces)

    async def _stage_stream(
        self,
        pieces: list[bytes],
        received: int,
        chunks: AsyncIterable[bytes],
        digests: Digests,
        size_bytes: int | None,
    ) -> StagedFile:
        """Write in hops of a mebibyte; the next one is received while one is written."""
        writer = await self.in_thread(FileWriter, self._files, digests)
        hop: asyncio.Future[Any]
        hop = asyncio.ensure_future(self.in_thread(writer.write, pieces))
        try:
            pieces, pending = [], 0
            async for piece in chunks:
                pieces.append(piece)
                pending += len(piece)
                if pending >= _HOP_BYTES:
                    received += pending
                    if size_bytes is not None and received > size_bytes:
                        break
                    await asyncio.shield(hop)
                    hop = asyncio.ensure_future(self.in_thread(writer.write, pieces))
                    pieces, pending = [], 0
            else:
                received += pending
            await asyncio.shield(hop)
            _check_length(received, size_bytes)
            finish = asyncio.ensure_future(self.in_thread(writer.finish, pieces))
            hop = finish
            return await asyncio.shield(finish)
        except BaseException:  # also when the client went away
            await asyncio.wait([hop])
            await self.in_thread(writer.abandon)
            raise

    async def in_thread(self, work: Callable[..., _T], *arguments: object) -> _T:
        """Run something that blocks."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, work, *arguments)


def _write_file(files: BodyFiles, digests: Digests, pieces: list[bytes]) -> StagedFile:
    writer = FileWriter(files, digests)
    try:
        return writer.finish(pieces)
    except OSError:
        writer.abandon()
        raise


def _check_length(received: int, announced: int | None) -> None:
    if announced is not None and received != announced:
        raise PutWithoutLength(f"{received} bytes came, {announced} were announced")
