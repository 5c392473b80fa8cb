"""Tables of documents: what type a record has and how older records are brought up to date."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

NAME_LIMIT_BYTES = 2048
"""Longest account, region or name in UTF-8; PostgreSQL's index entries hold little more."""

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]

_TABLE_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")
_encoder = msgspec.json.Encoder()
_tables: dict[str, Table[Any]] = {}


class InvalidDocumentName(ValueError):
    """A name is empty, holds NUL or a lone surrogate, or is longer than 2,048 bytes."""


class UnreadableDocument(Exception):
    """A stored record does not fit its table: a newer Cloche wrote it, or an upgrade is missing."""


class Table(Generic[T]):
    """A kind of document.

    Records are kept as JSON. Adding a member with a default to the type needs nothing; any other
    change needs a higher version and an upgrade from the one before. A record is upgraded each
    time it is read until it is next written.

    Args:
        name: `service.resources`, unique in the process.
        record_type: a frozen `msgspec.Struct`, or anything else that msgspec decodes.
        version: of the records that are written from now on.
        upgrades: by version, what makes of such a record (as JSON members) one of the next.
    """

    __slots__ = ("_decode", "name", "record_type", "upgrades", "version")

    def __init__(
        self,
        name: str,
        record_type: type[T],
        *,
        version: int = 1,
        upgrades: Mapping[int, Upgrade] | None = None,
    ) -> None:
        if not _TABLE_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a table name such as iam.users")
        if name in _tables:
            raise ValueError(f"there is a table {name} already")
        self.name = name
        self.record_type = record_type
        self.version = version
        self.upgrades = dict(upgrades or {})
        missing = set(range(1, version)) - self.upgrades.keys()
        if missing:
            raise ValueError(f"table {name} has no upgrade from version {min(missing)}")
        self._decode = msgspec.json.Decoder(record_type).decode
        _tables[name] = self

    def __repr__(self) -> str:
        return f"Table({self.name!r}, {self.record_type!r}, version={self.version})"

    def encode(self, record: T) -> bytes:
        """A record as it is stored."""
        return _encoder.encode(record)

    def decode(self, value: bytes, version: int) -> T:
        """A stored record, brought up to date.

        Raises:
            UnreadableDocument: it is of a newer version, or is not what the table holds.
        """
        if version != self.version:
            value = self._upgraded(value, version)
        try:
            return self._decode(value)
        except msgspec.MsgspecError as error:
            raise UnreadableDocument(f"a record of table {self.name}: {error}") from error

    def _upgraded(self, value: bytes, version: int) -> bytes:
        if version > self.version:
            raise UnreadableDocument(
                f"a record of table {self.name} was written by a newer version of Cloche"
                f" (record version {version}; this one reads up to {self.version})"
            )
        members: dict[str, Any] = msgspec.json.decode(value)
        for older in range(version, self.version):
            members = self.upgrades[older](members)
        return _encoder.encode(members)


def known_tables() -> Mapping[str, Table[Any]]:
    """All tables of the modules that have been imported, by name."""
    return _tables


def is_storable(text: str) -> bool:
    """Whether a text may be part of a key: any Unicode without NUL, up to 2,048 bytes."""
    if "\0" in text:
        return False
    if text.isascii():
        return len(text) <= NAME_LIMIT_BYTES
    try:
        return len(text.encode()) <= NAME_LIMIT_BYTES
    except UnicodeEncodeError:
        return False
