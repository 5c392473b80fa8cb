"""A transaction whose writes are held back until it ends, over a store that is only read."""

from __future__ import annotations

from typing import Protocol

from cloche.engines.documents.ranges import NameRange, name_range
from cloche.engines.documents.revisions import Revisions

Key = tuple[str, str, str, str]
Stored = tuple[bytes, int, int]
Row = tuple[str, str, str, bytes, int, int]


class StoredDocuments(Protocol):
    """What the store holds, as of the transaction's snapshot."""

    def get(self, key: Key) -> Stored | None:
        """Value, record version and revision of a key."""
        ...

    def scan(self, place: tuple[str, str, str], names: NameRange, limit: int) -> list[Row]:
        """Rows in name order."""
        ...

    def scan_all(self, table: str, after: tuple[str, str, str] | None, limit: int) -> list[Row]:
        """Rows in key order."""
        ...


class PendingTransaction:
    """Several works, one after the other, each of which sees the changes of those before it.

    A work that fails has its changes undone here, without a word to the store.

    Args:
        stored: read where nothing was changed.
        revisions: for what is written.
    """

    def __init__(self, stored: StoredDocuments, revisions: Revisions) -> None:
        self._stored = stored
        self._revisions = revisions
        self._read: dict[Key, Stored | None] = {}
        self._changed: dict[Key, Stored | None] = {}
        self._undo: list[tuple[Key, bool, Stored | None]] = []

    def begin(self) -> None:
        """Start anew, on a new snapshot of the store."""
        self._read = {}
        self._changed = {}
        self._undo = []

    def finish(self, succeeded: bool) -> None:
        """End a work: keep its changes or undo them."""
        if not succeeded:
            for key, was_changed, earlier in reversed(self._undo):
                if was_changed:
                    self._changed[key] = earlier
                else:
                    del self._changed[key]
        self._undo = []

    def changes(self) -> tuple[list[tuple[object, ...]], list[Key]]:
        """Rows to put and keys to delete, in key order, so that servers seldom deadlock."""
        changed = sorted(self._changed.items(), key=lambda change: change[0])
        puts: list[tuple[object, ...]] = [
            (*key, *stored) for key, stored in changed if stored is not None
        ]
        return puts, [key for key, stored in changed if stored is None]

    def get(self, key: Key) -> Stored | None:
        """Value, record version and revision of a key."""
        if key in self._changed:
            return self._changed[key]
        if key not in self._read:
            self._read[key] = self._stored.get(key)
        return self._read[key]

    def insert(self, key: Key, value: bytes, version: int) -> int | None:
        """The new revision; None if the key is taken."""
        return None if self.get(key) is not None else self.put(key, value, version)

    def put(self, key: Key, value: bytes, version: int) -> int:
        """The new revision."""
        revision = self._revisions.next()
        self._change(key, (value, version, revision))
        return revision

    def replace(self, key: Key, value: bytes, version: int, revision: int) -> int | None:
        """The new revision; None if the key's revision is another."""
        stored = self.get(key)
        if stored is None or stored[2] != revision:
            return None
        return self.put(key, value, version)

    def delete(self, key: Key) -> Stored | None:
        """What was deleted."""
        stored = self.get(key)
        if stored is not None:
            self._change(key, None)
        return stored

    def scan(
        self, table: str, account: str, region: str, prefix: str, after: str, limit: int
    ) -> list[Row]:
        """Rows in name order."""
        place = (table, account, region)
        names = name_range(prefix, after)
        changed = {
            key: stored
            for key, stored in self._changed.items()
            if key[:3] == place and names.contains(key[3])
        }
        # Each change may hide one stored row, so that many more are needed to fill the page.
        rows = self._stored.scan(place, names, limit + len(changed))
        return _merged(table, rows, changed, limit)

    def scan_all(self, table: str, after: tuple[str, str, str] | None, limit: int) -> list[Row]:
        """Rows of all accounts and regions, in key order."""
        start = after or ("", "", "")
        changed = {
            key: stored
            for key, stored in self._changed.items()
            if key[0] == table and key[1:] > start
        }
        rows = self._stored.scan_all(table, after, limit + len(changed))
        return _merged(table, rows, changed, limit)

    def _change(self, key: Key, stored: Stored | None) -> None:
        self._undo.append((key, key in self._changed, self._changed.get(key)))
        self._changed[key] = stored


def _merged(
    table: str, rows: list[Row], changed: dict[Key, Stored | None], limit: int
) -> list[Row]:
    if not changed:
        return rows[:limit]
    kept = [row for row in rows if (table, *row[:3]) not in changed]
    kept += [(*key[1:], *stored) for key, stored in changed.items() if stored is not None]
    return sorted(kept, key=lambda row: row[:3])[:limit]
