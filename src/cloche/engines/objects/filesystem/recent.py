"""What was lately read of the index, kept decoded.

Beginning a read of its own costs SQLite two locks of its file, which is most of a point read.
"""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A bounded mapping; what was kept first goes first.

    Args:
        limit: of the sizes of all entries together.
    """

    __slots__ = ("_entries", "_limit", "_sizes")

    def __init__(self, limit: int) -> None:
        self._entries: dict[K, tuple[V, int]] = {}
        self._limit = limit
        self._sizes = 0

    def get(self, key: K) -> V | None:
        """What is kept under a key."""
        entry = self._entries.get(key)
        return None if entry is None else entry[0]

    def keep(self, key: K, value: V, size: int = 1) -> None:
        """Keep a value, unless it alone is too large."""
        self.drop(key)
        if size > self._limit:
            return
        self._entries[key] = (value, size)
        self._sizes += size
        while self._sizes > self._limit:
            self.drop(next(iter(self._entries)))

    def drop(self, key: K) -> None:
        """Keep nothing under a key any more."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._sizes -= entry[1]

    def clear(self) -> None:
        """Keep nothing any more."""
        self._entries.clear()
        self._sizes = 0
