"""Decoded documents kept in the process, for what is read with every request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")

Key = tuple[str, str, str, str]
"""Table, account, region, name."""

_LIMIT_ENTRIES = 20_000


class DocumentCache:
    """What was last read under a key, absence included, until this process writes there.

    Args:
        lifetime_seconds: how long an entry is believed; None where no other process can write.
            Counted in real time: what other servers write does not wait for an advanced clock.
        limit_entries: beyond it, the entries that were made first go first.
    """

    def __init__(self, lifetime_seconds: float | None, limit_entries: int = _LIMIT_ENTRIES) -> None:
        self._lifetime_seconds = float("inf") if lifetime_seconds is None else lifetime_seconds
        self._limit_entries = limit_entries
        self._lock = threading.Lock()
        self._generations: dict[str, int] = {}
        self._entries: dict[Key, tuple[Any, float]] = {}

    def get(self, key: Key, read: Callable[[], T]) -> T:
        """The entry of a key, or what `read` gives, which is then kept."""
        entry = self._entries.get(key)
        if entry is not None and entry[1] > time.monotonic():
            return entry[0]
        generation = self._generations.get(key[0], 0)
        expires_at = time.monotonic() + self._lifetime_seconds
        value = read()
        with self._lock:
            # A write that was committed while this read was under way must not be hidden by it.
            if self._generations.get(key[0], 0) == generation:
                if len(self._entries) >= self._limit_entries:
                    del self._entries[next(iter(self._entries))]
                self._entries[key] = (value, expires_at)
        return value

    def drop(self, keys: Iterable[Key]) -> None:
        """Forget what was written; called after its commit and before it is acknowledged."""
        with self._lock:
            for key in keys:
                self._generations[key[0]] = self._generations.get(key[0], 0) + 1
                self._entries.pop(key, None)
