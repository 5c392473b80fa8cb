"""The metadata store: typed records in tables, keyed by account, region and name.

Reads block for some ten microseconds (SQLite) or a round trip (PostgreSQL). Writes return when
they are durable; all that wait at the same time share one commit. Names are ordered by their
UTF-8 bytes. Records are never changed in place: a cached one is shared by all who read it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from cloche.core.document_cache import DocumentCache, Key
from cloche.core.tables import InvalidDocumentName, Table, UnreadableDocument, is_storable

__all__ = [
    "Document",
    "DocumentEngine",
    "DocumentExists",
    "Documents",
    "EngineTransaction",
    "InvalidDocumentName",
    "RevisionConflict",
    "Table",
    "Transaction",
    "UnreadableDocument",
]

T = TypeVar("T")
R = TypeVar("R")

_SHARED_CACHE_LIFETIME_SECONDS = 1.0

Stored = tuple[bytes, int, int]
"""Value, record version, revision."""

Row = tuple[str, str, str, bytes, int, int]
"""Account, region, name, value, record version, revision."""


class DocumentExists(Exception):
    """There is a document of this name already."""


class RevisionConflict(Exception):
    """The document was changed or deleted since the revision that was read."""


@dataclass(frozen=True, slots=True)
class Document(Generic[T]):
    """A record and where it stands.

    Attributes:
        revision: new with each write of the document and never used again; for `replace`.
    """

    account: str
    region: str
    name: str
    value: T
    revision: int


class EngineReads(Protocol):
    """What both an engine and its transactions can read. Keys have been checked by the caller."""

    def get(self, key: Key) -> Stored | None: ...

    def scan(
        self, table: str, account: str, region: str, prefix: str, after: str, limit: int
    ) -> list[Row]:
        """Rows whose name has the prefix and is greater than `after`, by the name's UTF-8 bytes."""
        ...

    def scan_all(self, table: str, after: tuple[str, str, str] | None, limit: int) -> list[Row]:
        """Rows of all accounts and regions after a key, ordered by account, region and name."""
        ...


class EngineTransaction(EngineReads, Protocol):
    """Reads and writes within one transaction; reads see its own writes."""

    def insert(self, key: Key, value: bytes, version: int) -> int | None:
        """The new revision; None if the key is taken."""
        ...

    def put(self, key: Key, value: bytes, version: int) -> int:
        """The new revision."""
        ...

    def replace(self, key: Key, value: bytes, version: int, revision: int) -> int | None:
        """The new revision; None if the key's revision is not the given one."""
        ...

    def delete(self, key: Key) -> Stored | None:
        """What was deleted."""
        ...


class DocumentEngine(EngineReads, Protocol):
    """Where documents are kept."""

    @property
    def is_shared(self) -> bool:
        """Whether other processes may write to the same store."""
        ...

    def submit(
        self, work: Callable[[EngineTransaction], R], committed: Callable[[], None]
    ) -> Future[R]:
        """Run `work` atomically, and again if it conflicts with another.

        The future gets its result once it is durable and `committed` was called, or what it raised,
        nothing having been written then.
        """
        ...

    def close(self) -> None:
        """Finish what was submitted and let go of the store."""
        ...


class Reader:
    """Typed reads over an engine or a transaction."""

    __slots__ = ("_source",)

    def __init__(self, source: EngineReads) -> None:
        self._source = source

    def get(self, table: Table[T], account: str, region: str, name: str) -> T | None:
        """The record of a name; None if there is none.

        Raises:
            UnreadableDocument: a newer Cloche wrote it.
        """
        stored = self._stored(table, account, region, name)
        return None if stored is None else table.decode(stored[0], stored[1])

    def get_document(
        self, table: Table[T], account: str, region: str, name: str
    ) -> Document[T] | None:
        """The record of a name with its revision, for `replace`."""
        stored = self._stored(table, account, region, name)
        if stored is None:
            return None
        value, version, revision = stored
        return Document(account, region, name, table.decode(value, version), revision)

    def scan(
        self,
        table: Table[T],
        account: str,
        region: str,
        prefix: str = "",
        after: str = "",
        limit: int = 1000,
    ) -> list[Document[T]]:
        """At most `limit` documents with the prefix whose names come after `after`, in order."""
        if not (is_storable(prefix) and is_storable(after)):
            raise InvalidDocumentName(f"not a prefix or name to start after: {prefix!r}, {after!r}")
        rows = self._source.scan(table.name, account, region, prefix, after, limit)
        return [_document(table, row) for row in rows]

    def scan_all(
        self, table: Table[T], after: Document[Any] | None = None, limit: int = 1000
    ) -> list[Document[T]]:
        """At most `limit` documents of all accounts and regions, after the last one of a page."""
        start = None if after is None else (after.account, after.region, after.name)
        return [_document(table, row) for row in self._source.scan_all(table.name, start, limit)]

    def _stored(self, table: Table[Any], account: str, region: str, name: str) -> Stored | None:
        if not is_storable(name):
            return None
        return self._source.get((table.name, account, region, name))


class Transaction(Reader):
    """What a function given to `transact` or `commit` works with.

    All its writes happen or none. The function may be run again when another server was faster,
    so it does nothing else than read and write here; it is also what others wait for, so it does
    not block.
    """

    __slots__ = ("_engine", "callbacks", "written")

    def __init__(self, engine: EngineTransaction) -> None:
        super().__init__(engine)
        self._engine = engine
        self.written: list[Key] = []
        self.callbacks: list[Callable[[], None]] = []

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Have a function called when the writes are durable, before anyone is told of them.

        It runs on the writer's thread: it wakes someone, no more.
        """
        self.callbacks.append(callback)

    def insert(self, table: Table[T], account: str, region: str, name: str, record: T) -> int:
        """Add a document and return its revision.

        Raises:
            DocumentExists: the name is taken.
        """
        key = self._writing(table, account, region, name)
        revision = self._engine.insert(key, table.encode(record), table.version)
        if revision is None:
            raise DocumentExists(f"{table.name} {name!r}")
        return revision

    def put(self, table: Table[T], account: str, region: str, name: str, record: T) -> int:
        """Add or overwrite a document and return its revision."""
        key = self._writing(table, account, region, name)
        return self._engine.put(key, table.encode(record), table.version)

    def replace(
        self, table: Table[T], account: str, region: str, name: str, record: T, *, revision: int
    ) -> int:
        """Overwrite a document if it still has this revision, and return the new one.

        Raises:
            RevisionConflict: it was changed or deleted.
        """
        key = self._writing(table, account, region, name)
        replaced = self._engine.replace(key, table.encode(record), table.version, revision)
        if replaced is None:
            raise RevisionConflict(f"{table.name} {name!r} is no longer at revision {revision}")
        return replaced

    def delete(self, table: Table[T], account: str, region: str, name: str) -> T | None:
        """Remove a document and return its record; None if there was none."""
        if not (name and is_storable(name)):
            return None
        stored = self._engine.delete(self._writing(table, account, region, name))
        return None if stored is None else table.decode(stored[0], stored[1])

    def _writing(self, table: Table[Any], account: str, region: str, name: str) -> Key:
        if not (name and is_storable(name) and is_storable(account) and is_storable(region)):
            raise InvalidDocumentName(f"{table.name} cannot hold the name {name[:200]!r}")
        key = (table.name, account, region, name)
        self.written.append(key)
        return key


class Documents(Reader):
    """The metadata store of a server. All methods may be called from any thread.

    The writing methods block until the write is durable and are refused on an event loop's
    thread, where `commit` does the same without blocking.
    """

    __slots__ = ("_cache", "_engine")

    def __init__(self, engine: DocumentEngine) -> None:
        super().__init__(engine)
        self._engine = engine
        self._cache = DocumentCache(_SHARED_CACHE_LIFETIME_SECONDS if engine.is_shared else None)

    @property
    def is_shared(self) -> bool:
        """Whether other servers may write to the same store."""
        return self._engine.is_shared

    def get_cached(self, table: Table[T], account: str, region: str, name: str) -> T | None:
        """As `get`, from memory where possible: at most a second behind other servers' writes."""
        return self._cache.get(
            (table.name, account, region, name), lambda: self.get(table, account, region, name)
        )

    def iterate(
        self, table: Table[T], account: str, region: str, prefix: str = "", page_size: int = 1000
    ) -> Iterator[Document[T]]:
        """All documents with the prefix, read page by page."""
        after = ""
        while page := self.scan(table, account, region, prefix, after, page_size):
            yield from page
            if len(page) < page_size:
                return
            after = page[-1].name

    def insert(self, table: Table[T], account: str, region: str, name: str, record: T) -> int:
        """Add a document and return its revision.

        Raises:
            DocumentExists: the name is taken.
        """
        return self.transact(lambda tx: tx.insert(table, account, region, name, record))

    def put(self, table: Table[T], account: str, region: str, name: str, record: T) -> int:
        """Add or overwrite a document and return its revision."""
        return self.transact(lambda tx: tx.put(table, account, region, name, record))

    def replace(
        self, table: Table[T], account: str, region: str, name: str, record: T, *, revision: int
    ) -> int:
        """Overwrite a document if it still has this revision, and return the new one.

        Raises:
            RevisionConflict: it was changed or deleted.
        """
        return self.transact(
            lambda tx: tx.replace(table, account, region, name, record, revision=revision)
        )

    def delete(self, table: Table[T], account: str, region: str, name: str) -> T | None:
        """Remove a document and return its record; None if there was none."""
        return self.transact(lambda tx: tx.delete(table, account, region, name))

    def transact(self, work: Callable[[Transaction], R]) -> R:
        """Run a function in a transaction and return its result when that is durable.

        What the function raises is raised here, and nothing was written then.
        """
        _refuse_on_event_loop()
        return self.submit(work).result()

    async def commit(self, work: Callable[[Transaction], R]) -> R:
        """As `transact`, for async code."""
        return await asyncio.wrap_future(self.submit(work))

    def submit(self, work: Callable[[Transaction], R]) -> Future[R]:
        """As `transact`, without waiting."""
        transaction: Transaction | None = None

        def run(engine: EngineTransaction) -> R:
            nonlocal transaction
            transaction = Transaction(engine)
            return work(transaction)

        def committed() -> None:
            if transaction is not None:
                self._cache.drop(transaction.written)
                for callback in transaction.callbacks:
                    callback()

        return self._engine.submit(run, committed)

    def close(self) -> None:
        """Finish what was submitted and let go of the store."""
        self._engine.close()


def _document(table: Table[T], row: Row) -> Document[T]:
    account, region, name, value, version, revision = row
    return Document(account, region, name, table.decode(value, version), revision)


def _refuse_on_event_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("a blocking write on the event loop: use `await documents.commit(…)`")
