"""Reading the index and the bodies, on the event loop or in a thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cloche.engines.objects.filesystem.bodies import BodyFiles, is_file
from cloche.engines.objects.filesystem.committer import Committer
from cloche.engines.objects.filesystem.queries import Buckets, Queries
from cloche.engines.objects.filesystem.schema import open_for_reading
from cloche.engines.objects.filesystem.staging import Stager
from cloche.engines.objects.store import ObjectRecord

_T = TypeVar("_T")


class Reader:
    """Sees whatever was acknowledged.

    On the event loop it reads by the writer's own connection, in its open transaction; that
    spares SQLite's locking, which costs more than finding a row. A thread has a connection of its
    own, and what was acknowledged is committed before it reads.
    """

    def __init__(
        self,
        index_path: Path,
        buckets: Buckets,
        files: BodyFiles,
        committer: Committer,
        stager: Stager,
    ) -> None:
        self._index_path = index_path
        self._buckets = buckets
        self._files = files
        self._committer = committer
        self._stager = stager
        self._of_thread = threading.local()
        self._all: list[Queries] = []

    def query(self, query: Callable[[Queries], _T]) -> _T:
        """Read the index on the event loop."""
        return self._committer.read(query, self._own_queries)

    async def query_in_thread(self, query: Callable[[Queries], _T]) -> _T:
        """Read the index in a thread."""
        if not self._committer.publish():
            return self.query(query)
        return await self._stager.in_thread(lambda: query(self._own_queries()))

    def _own_queries(self) -> Queries:
        try:
            return self._of_thread.queries
        except AttributeError:
            queries = Queries(open_for_reading(self._index_path), self._buckets)
            self._of_thread.queries = queries
            self._all.append(queries)
            return queries

    def body(self, record: ObjectRecord, start: int, length: int) -> bytes:
        """Bytes of a version, on the event loop.

        Raises:
            FileNotFoundError: the version was removed, and that some time ago.
        """
        if not record.location or not length:
            return b""
        if is_file(record.location):
            return _read_file(self._files.path(record.location), start, length)
        body = self._small_body(record.location)
        return body if length == len(body) else body[start : start + length]

    def local_path(self, record: ObjectRecord) -> Path | None:
        """The file that holds exactly this version's bytes; on any thread."""
        if record.is_delete_marker:
            return None
        if is_file(record.location):
            return self._files.path(record.location)
        body = self._small_body(record.location) if record.location else b""
        return self._files.local_copy(record.location, body)

    def _small_body(self, location: str) -> bytes:
        if self._committer.is_on_loop:
            body = self.query(lambda queries: queries.body(location))
        else:
            body = self._own_queries().body(location)
            if body is None:  # it may have been acknowledged a moment ago
                with self._committer.paused() as index:
                    body = index.body(location)
        if body is None:
            raise FileNotFoundError("this version was removed")
        return body

    def close(self) -> None:
        """Close all connections."""
        for queries in self._all:
            queries.connection.close()


def _read_file(path: Path, start: int, length: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(descriptor, length, start)
    finally:
        os.close(descriptor)
