"""A disk that fails when a test says so."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from cloche.engines.objects.filesystem.buffers import Buffer
from cloche.engines.objects.filesystem.journal import DiskFile


class FaultyDisk:
    """Opens journal files; from `fail(step)` on, that step raises until `fail(None)`."""

    def __init__(self) -> None:
        self._step: str | None = None
        self._errno = errno.EIO
        self.syncs = 0
        self.waits = threading.Event()
        self.may_sync = threading.Event()
        self.may_sync.set()

    def fail(self, step: str | None, number: int = errno.EIO) -> None:
        self._step, self._errno = step, number

    def check(self, step: str) -> None:
        if step == self._step:
            raise OSError(self._errno, os.strerror(self._errno))

    def __call__(self, path: Path) -> FaultyFile:
        self.check("open")
        return FaultyFile(path, self)


class FaultyFile(DiskFile):
    def __init__(self, path: Path, disk: FaultyDisk) -> None:
        super().__init__(path)
        self._disk = disk

    def write(self, buffers: Sequence[Buffer], offset: int) -> None:
        self._disk.check("write")
        if self._disk._step == "half":
            whole = b"".join(buffers)
            super().write([whole[: len(whole) // 2]], offset)
            self._disk.check("half")
        super().write(buffers, offset)

    def sync(self) -> None:
        self._disk.waits.set()
        self._disk.may_sync.wait()
        self._disk.syncs += 1
        self._disk.check("sync")
        super().sync()
