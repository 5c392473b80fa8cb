"""When the index's transaction is committed: now and then, for many batches at once.

What was acknowledged is durable in the journal, and reads on the event loop see it within the
open transaction. Committing it costs about 8 µs for each page of the database that was touched,
most of them again and again by successive batches.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import sqlite3

from cloche.engines.objects.filesystem.batches import Batch
from cloche.engines.objects.filesystem.gate import Gate
from cloche.engines.objects.filesystem.index import Index

_log = logging.getLogger(__name__)

_SAVE_CHANGES = 96
_SAVE_SECONDS = 0.02
_RETRY_SECONDS = 1.0
_REFUSE_CHANGES = 2000


class Saver:
    """The open transaction of the index; used by whoever holds the gate.

    Attributes:
        applied: number of the last frame that is in the index.
    """

    def __init__(self, index: Index, gate: Gate, applied: int) -> None:
        self.applied = applied
        self._index = index
        self._gate = gate
        self._unsaved: list[Batch] = []
        self._unsaved_changes = 0
        self._failure: OSError | None = None
        self._is_timer_set = False
        self._is_closed = False

    def check(self) -> None:
        """See whether more may be applied.

        Raises:
            OSError: the index could not be written for so long that no more may pile up.
        """
        if self._failure is not None and self._unsaved_changes >= _REFUSE_CHANGES:
            self.save_all()

    def apply(self, batch: Batch, loop: asyncio.AbstractEventLoop) -> None:
        """Make a batch's changes within the transaction.

        If this raises, nothing was changed.
        """
        try:
            if not self._unsaved:
                self._index.begin()
            batch.apply()
        except BaseException:
            self._restore()
            raise
        self._unsaved.append(batch)
        self._unsaved_changes += len(batch.changes)
        self.applied = batch.number
        if self._unsaved_changes >= _SAVE_CHANGES:
            self.save()
        elif not self._is_timer_set:
            self._is_timer_set = True
            loop.call_later(_SAVE_SECONDS, self._save_when_due, loop)

    def _save_when_due(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_timer_set = False
        if self._is_closed:
            return
        if self._gate.try_hold():  # otherwise a thread holds it, which has saved
            self.save()
            self._gate.let_go()
        if self._failure is not None:
            self._is_timer_set = True
            loop.call_later(_RETRY_SECONDS, self._save_when_due, loop)

    def save(self) -> bool:
        """Commit the transaction. If the disk is full it stays open, to be tried again."""
        if not self._unsaved:
            return True
        try:
            self._index.commit(self.applied)
        except sqlite3.Error as error:
            _log.error("the index of objects could not be written: %s", error)
            self._failure = as_os_error(error)
            self._restore()
        else:
            self._failure = None
            self._unsaved.clear()
            self._unsaved_changes = 0
        return self._failure is None

    def save_all(self) -> None:
        """Commit the transaction.

        Raises:
            OSError: the disk is full, or failed.
        """
        if not self.save() and self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Commit for the last time. What can't be is in the journal, for the next start."""
        self.save()
        self._is_closed = True

    def _restore(self) -> None:
        """Bring the transaction to the last batch that was acknowledged."""
        self._index.rollback()
        if self._unsaved:
            self._index.begin()
            for batch in self._unsaved:
                batch.apply()


def as_os_error(error: Exception) -> OSError:
    """What callers get: they know of disks, not of databases."""
    is_full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return OSError(errno.ENOSPC if is_full else errno.EIO, str(error))
