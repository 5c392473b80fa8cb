"""One process at a time works on a store's directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class DirectoryInUse(Exception):
    """Another process has the store open."""


class DirectoryLock:
    """A lock on a directory, which goes when the process does."""

    def __init__(self, directory: Path) -> None:
        """Take it.

        Raises:
            DirectoryInUse: another process has it.
        """
        path = directory / "lock"
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise DirectoryInUse(f"{directory} is open in another process") from None

    def release(self) -> None:
        """Let the next one in."""
        os.close(self._descriptor)
