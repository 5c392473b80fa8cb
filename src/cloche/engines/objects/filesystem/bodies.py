"""Where bodies are: small ones in the index, larger ones in files of their own.

A location is `""` for an empty body, a decimal number for a row of the index, and 32 hexadecimal
digits for a file `data/<first two>/<all>`. Keys never become paths.

A file is written as `staged/<name>`, synced, named by a journal entry, and only then renamed into
`data`; so whatever is left in `staged` after the journal was replayed belongs to nobody.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

from cloche.engines.objects.filesystem.noise import noise
from cloche.engines.objects.filesystem.syncing import sync_directory

NAME_LENGTH = 32


def is_file(location: str) -> bool:
    """Whether a location is a file's."""
    return len(location) == NAME_LENGTH


class BodyFiles:
    """The directories `staged`, `data` and `local` under the store's root."""

    def __init__(self, root: Path) -> None:
        self._staged = root / "staged"
        self._data = root / "data"
        self._local = root / "local"
        self._lock = threading.Lock()
        self._renamed_into: set[str] = set()
        self._unplaced: set[str] = set()
        self._local_copies: set[str] = set()
        for directory in (self._staged, self._data, self._local):
            directory.mkdir(mode=0o700, exist_ok=True)
        for number in range(256):
            (self._data / f"{number:02x}").mkdir(mode=0o700, exist_ok=True)
        for left_over in self._local.iterdir():
            left_over.unlink()
        sync_directory(self._data)
        sync_directory(root)

    @staticmethod
    def new_name() -> str:
        """A name that no file has."""
        return noise(NAME_LENGTH // 2).hex()

    def staged_path(self, name: str) -> Path:
        """Where a file is until it belongs to a key."""
        return self._staged / name

    def path(self, location: str) -> Path:
        """Where a file is that belongs to a key."""
        if location in self._unplaced:
            return self._staged / location
        return self._data / location[:2] / location

    def sync_staged_names(self) -> None:
        """Make the names of all staged files durable."""
        sync_directory(self._staged)

    def place(self, names: Iterable[str]) -> None:
        """Move staged files to where they stay; those that are there already are left alone.

        A file that can't be moved now (the disk is full) is read where it is and moved by the
        next checkpoint.
        """
        for name in names:
            try:
                os.rename(self._staged / name, self._data / name[:2] / name)  # noqa: PTH104
            except FileNotFoundError:
                continue
            except OSError:
                with self._lock:
                    self._unplaced.add(name)
            else:
                with self._lock:
                    self._renamed_into.add(name[:2])

    def take_back(self, names: Iterable[str]) -> None:
        """Make files that were placed for a change that failed staged again."""
        for name in names:
            self.path(name).rename(self._staged / name)

    def sync_placed(self) -> bool:
        """Make the moves so far durable; False if one could not be made yet."""
        with self._lock:
            unplaced, self._unplaced = self._unplaced, set()
        self.place(unplaced)
        with self._lock:
            directories, self._renamed_into = self._renamed_into, set()
        done: set[str] = set()
        try:
            for name in directories:
                sync_directory(self._data / name)
                done.add(name)
            if directories:
                sync_directory(self._staged)
        except OSError:
            with self._lock:
                self._renamed_into |= directories - done
            raise
        return not self._unplaced

    def remove(self, location: str) -> None:
        """Remove a file."""
        self.path(location).unlink(missing_ok=True)

    def remove_local_copies(self, locations: Iterable[str]) -> None:
        """Remove the files that were made of these small bodies, if any were."""
        for location in self._local_copies.intersection(locations):
            (self._local / location).unlink(missing_ok=True)
            self._local_copies.discard(location)

    def remove_staged(self, name: str) -> None:
        """Remove a file that belongs to no key."""
        self.staged_path(name).unlink(missing_ok=True)

    def remove_all_staged(self) -> None:
        """Remove what was received but never came to belong to a key."""
        for left_over in self._staged.iterdir():
            left_over.unlink()

    def local_copy(self, location: str, body: bytes) -> Path:
        """A file with a small body's bytes, made on the first demand, gone at the next start."""
        path = self._local / (location or "empty")
        if not path.exists():
            unfinished = self._local / self.new_name()
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
            unfinished.rename(path)
            self._local_copies.add(location)
        return path
