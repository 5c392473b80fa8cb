"""What is committed together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from cloche.engines.objects.filesystem.entries import Entry, encode_entry, sequence_number
from cloche.engines.objects.filesystem.index import Index
from cloche.engines.objects.filesystem.staging import StagedFile

ALONE = None
"""The subject of a change that shares its batch with no other."""

_T = TypeVar("_T")


class Batch:
    """The changes of one frame.

    Attributes:
        index: what the changes are decided by; without those of this batch.
        changes: entries, each with the body that goes into the index, if any.
        encoded: the entries as the journal has them.
        staged: files that belong to the entries.
        outcomes: what to tell whom.
    """

    __slots__ = ("body_bytes", "changes", "encoded", "index", "number", "outcomes", "staged")

    def __init__(self, index: Index, number: int) -> None:
        self.index = index
        self.number = number
        self.changes: list[tuple[Entry, bytes]] = []
        self.encoded: list[bytes] = []
        self.body_bytes = 0
        self.staged: list[StagedFile] = []
        self.outcomes: list[tuple[asyncio.Future[Any], Any]] = []

    @property
    def sequence(self) -> int:
        """The sequence number of the next entry."""
        return sequence_number(self.number, len(self.changes))

    def write(self, entry: Entry, *, body: bytes = b"", staged: StagedFile | None = None) -> None:
        """Make a change; called at most once by a change, and as the last thing it does.

        Args:
            entry: the change.
            body: goes into the journal and the index with it.
            staged: the file that belongs to it.

        Raises:
            TypeError: the properties hold something that can't be kept.
        """
        encoded = encode_entry(entry)
        if staged is not None:
            staged.claim()
            self.staged.append(staged)
        self.encoded.append(encoded)
        self.changes.append((entry, body))
        self.body_bytes += len(body)

    def apply(self) -> None:
        """Make the changes in the index."""
        for place, (entry, body) in enumerate(self.changes):
            self.index.apply(entry, sequence_number(self.number, place), body)


Change = Callable[[Batch], _T]
"""Decides on a change, writes its entry and returns what the caller gets; raises to refuse."""
