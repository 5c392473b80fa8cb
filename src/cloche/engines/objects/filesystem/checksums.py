"""Digests of a body, several at once in one pass over its bytes."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Collection
from typing import Protocol

import xxhash

from cloche.engines.objects.filesystem.buffers import Buffer


class _Digest(Protocol):
    """What hashlib's objects, xxhash's and ours have in common."""

    def update(self, data: Buffer, /) -> None: ...

    def digest(self) -> bytes: ...


class _CyclicRedundancyCheck:
    """A checksum that is a number carried from one piece of the body to the next."""

    __slots__ = ("_advance", "_length_bytes", "_value")

    def __init__(self, advance: Callable[[Buffer, int], int], length_bytes: int) -> None:
        self._advance = advance
        self._length_bytes = length_bytes
        self._value = 0

    def update(self, data: Buffer, /) -> None:
        self._value = self._advance(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._length_bytes, "big")


def _crc32c() -> _Digest:
    from awscrt import checksums  # type: ignore[import-untyped]  # takes 0.1 s to import

    return _CyclicRedundancyCheck(checksums.crc32c, 4)  # type: ignore[arg-type]  # any buffer


def _crc64nvme() -> _Digest:
    from awscrt import checksums  # type: ignore[import-untyped]

    return _CyclicRedundancyCheck(checksums.crc64nvme, 8)  # type: ignore[arg-type]  # any buffer


def _crc64nvme_of(body: bytes) -> bytes:
    from awscrt import checksums  # type: ignore[import-untyped]

    return checksums.crc64nvme(body).to_bytes(8, "big")


_MAKERS: dict[str, Callable[[], _Digest]] = {
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "crc32": lambda: _CyclicRedundancyCheck(zlib.crc32, 4),
    "crc32c": _crc32c,
    "crc64nvme": _crc64nvme,
    "xxhash64": xxhash.xxh64,
    "xxhash3": xxhash.xxh3_64,
    "xxhash128": xxhash.xxh3_128,
}

ALGORITHMS = frozenset(_MAKERS)
"""The names that `Digests` knows."""


_WHOLE: dict[str, Callable[[bytes], bytes]] = {
    "md5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
    "sha256": lambda body: hashlib.sha256(body).digest(),
    "crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "crc64nvme": _crc64nvme_of,
}
"""What most small bodies are asked for, without an object for each."""


def digests_of(body: bytes, algorithms: Collection[str]) -> dict[str, bytes]:
    """The raw digests of a whole body by algorithm; MD5 is always among them.

    Raises:
        ValueError: an algorithm is not one of `ALGORITHMS`.
    """
    if not _WHOLE.keys() >= set(algorithms):
        digests = Digests(algorithms)
        digests.update(body)
        return digests.finish()
    found = {name: _WHOLE[name](body) for name in algorithms}
    if "md5" not in found:
        found["md5"] = _WHOLE["md5"](body)
    return found


class Digests:
    """Digests of one body under way; MD5 is always among them."""

    __slots__ = ("_digests",)

    def __init__(self, algorithms: Collection[str]) -> None:
        """Begin.

        Raises:
            ValueError: an algorithm is not one of `ALGORITHMS`.
        """
        unknown = ALGORITHMS.union(algorithms) - ALGORITHMS
        if unknown:
            raise ValueError(f"unknown checksum algorithms: {', '.join(sorted(unknown))}")
        self._digests = {name: _MAKERS[name]() for name in {"md5", *algorithms}}

    def update(self, data: Buffer) -> None:
        """Take the next bytes in."""
        for digest in self._digests.values():
            digest.update(data)

    def finish(self) -> dict[str, bytes]:
        """The raw digests by algorithm."""
        return {name: digest.digest() for name, digest in self._digests.items()}
