"""Making files and directories durable, by what each system offers."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def _full_sync(descriptor: int) -> None:
    fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # type: ignore[attr-defined]  # macOS only


if hasattr(fcntl, "F_FULLFSYNC"):
    sync_data = _full_sync  # fsync leaves the data in the disk's cache there
elif hasattr(os, "fdatasync"):
    sync_data = os.fdatasync
else:
    sync_data = os.fsync


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
