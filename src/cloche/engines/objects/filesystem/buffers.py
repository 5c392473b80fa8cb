"""The types of memory that file and checksum functions take."""

from __future__ import annotations

Buffer = bytes | bytearray | memoryview
