"""Files as inference sees them, made of bytes."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import BinaryIO

from cloche.engines.sql.inference.classifying import Classifier, infer
from cloche.engines.sql.inference.inferred import Inferred


@dataclass
class BytesFile:
    """A file in memory that notes how much of it was read at its head."""

    content: bytes
    name: str = "file"
    heads: list[int] = field(default_factory=list[int])

    @property
    def size_bytes(self) -> int:
        return len(self.content)

    def head(self, limit_bytes: int) -> bytes:
        self.heads.append(limit_bytes)
        return self.content[:limit_bytes]

    def open(self) -> BinaryIO:
        return io.BytesIO(self.content)


def inferred(content: bytes | str, *classifiers: Classifier, name: str = "file") -> Inferred:
    """What is inferred of some bytes."""
    encoded = content.encode() if isinstance(content, str) else content
    return infer(BytesFile(encoded, name), classifiers)


def columns(found: Inferred) -> dict[str, str]:
    """Types by names."""
    return {column.name: column.type for column in found.columns}
