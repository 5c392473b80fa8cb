"""The embedded object engine: a journal, an index and plain files."""

from __future__ import annotations

from cloche.engines.objects.filesystem.locking import DirectoryInUse
from cloche.engines.objects.filesystem.store import FileSystemObjectStore

__all__ = ["DirectoryInUse", "FileSystemObjectStore"]
