"""Where and how what a statement writes is stored: formats, compressions, partitions, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from cloche.engines.sql.engine import Column, ErrorKind, QueryError
from cloche.engines.sql.formats.writing import FileLayout
from cloche.services.athena.session import Session, split_location
from cloche.services.athena.statements.formats import FORMATS, Format
from cloche.services.athena.tables.types import trino_to_hive

_COMPRESSIONS = {
    "PARQUET": ("GZIP", "SNAPPY", "ZSTD", "LZ4", "NONE"),
    "ORC": ("ZLIB", "SNAPPY", "ZSTD", "LZ4", "NONE"),
    "AVRO": ("GZIP", "DEFLATE", "SNAPPY", "ZSTD", "BZIP2", "NONE"),
    "JSON": ("GZIP", "ZSTD", "BZIP2", "NONE"),
    "TEXTFILE": ("GZIP", "ZSTD", "BZIP2", "NONE"),
}
_SYNONYMS = {"UNCOMPRESSED": "NONE", "ZLIB": "ZLIB", "TEXT": "TEXTFILE"}
DEFAULT_DELIMITER = "\x01"


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how rows are written.

    Attributes:
        bucket: to which.
        prefix: of keys, empty or with a slash at the end.
        layout: of the files.
    """

    bucket: str
    prefix: str
    layout: FileLayout

    @property
    def classes(self) -> Format:
        """Hive's classes of the format."""
        return FORMATS[self.layout.format]


def file_names(session: Session) -> str:
    """What the names of a query's files begin with, which no other query's do."""
    stamp = datetime.fromtimestamp(session.now, UTC).strftime("%Y%m%d_%H%M%S")
    return f"{stamp}_{session.query.id}"


class Properties:
    """The properties of WITH, each of which has to be asked for, or is refused.

    Args:
        properties: as parsed.
    """

    def __init__(self, properties: Mapping[str, str | list[str]]) -> None:
        self._properties = dict(properties)

    def text(self, *names: str) -> str | None:
        """The first that is given of some names.

        Raises:
            QueryError: it is a list.
        """
        found = [self._properties.pop(name) for name in names if name in self._properties]
        if not found:
            return None
        if not isinstance(found[0], str):
            raise invalid_property(names[0], found[0])
        return found[0]

    def names(self, name: str) -> tuple[str, ...]:
        """A list of columns; empty if it is not given.

        Raises:
            QueryError: it is no list.
        """
        found = self._properties.pop(name, [])
        if isinstance(found, str):
            raise invalid_property(name, found)
        return tuple(each.lower() for each in found)

    def number(self, name: str) -> int | None:
        """A whole number.

        Raises:
            QueryError: it is none.
        """
        found = self.text(name)
        if found is not None and not found.isdigit():
            raise invalid_property(name, found)
        return None if found is None else int(found)

    def end(self) -> None:
        """See to it that nothing is left.

        Raises:
            QueryError: a property is not known.
        """
        for name in self._properties:
            raise QueryError(ErrorKind.NOT_SUPPORTED, f"Cloche does not know the property '{name}'")


def invalid_property(name: str, value: object) -> QueryError:
    """The error for a property's value."""
    return QueryError(
        ErrorKind.GENERIC_USER_ERROR,
        f"INVALID_TABLE_PROPERTY: {value!r} is not a value of the property '{name}'",
    )


def chosen_format(properties: Properties, default: str | None) -> tuple[str, str, int | None]:
    """Format, compression and its level.

    Raises:
        QueryError: there is none such, or none is given and there is no default.
    """
    given = properties.text("format") or default
    if given is None:
        raise QueryError(ErrorKind.GENERIC_USER_ERROR, "The property 'format' has to be given")
    name = _SYNONYMS.get(given.upper(), given.upper())
    if name not in _COMPRESSIONS:
        raise invalid_property("format", given)
    usual = _COMPRESSIONS[name][0]
    asked = properties.text("write_compression", "compression", f"{name.lower()}_compression")
    compression = usual if asked is None else _SYNONYMS.get(asked.upper(), asked.upper())
    if compression not in _COMPRESSIONS[name] and not (name == "ORC" and compression == "GZIP"):
        raise invalid_property("write_compression", asked)
    return name, compression, properties.number("compression_level")


def split_columns(
    columns: Sequence[Column], partitioned_by: Sequence[str]
) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """A query's columns in Hive's types: those of the files, and those of partitions.

    Raises:
        QueryError: those of partitions are not the last ones, or a column cannot be written.
    """
    names = [column.name.lower() for column in columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise QueryError(ErrorKind.SYNTAX_ERROR, f"Column name '{twice}' specified more than once")
    count = len(partitioned_by)
    if count >= len(names):
        raise QueryError(
            ErrorKind.GENERIC_USER_ERROR,
            "INVALID_TABLE_PROPERTY: Table contains only partition columns",
        )
    if count and names[-count:] != list(partitioned_by):
        raise QueryError(
            ErrorKind.GENERIC_USER_ERROR,
            "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table "
            f"and in the same order as the table properties: [{', '.join(partitioned_by)}]",
        )
    typed = tuple(
        Column(name, _hive_type(column)) for name, column in zip(names, columns, strict=True)
    )
    return (typed[:-count], typed[-count:]) if count else (typed, ())


def has_objects(session: Session, location: str) -> bool:
    """Whether there is an object whose key begins with a location's."""
    bucket, prefix = split_location(location)

    async def first() -> bool:
        page = await session.objects.store.list(bucket, prefix=prefix, max_keys=1)
        return bool(page.records)

    return session.objects.wait(first())


def check_is_empty(session: Session, location: str, what: str) -> None:
    """Refuse to write where something is already.

    Raises:
        QueryError: there is something.
    """
    if has_objects(session, location):
        raise QueryError(
            ErrorKind.GENERIC_USER_ERROR,
            f"HIVE_PATH_ALREADY_EXISTS: Target directory for {what} already exists: {location}. "
            "You may need to manually clean the data at this location before retrying.",
        )


def _hive_type(column: Column) -> str:
    if "time zone" in column.type or column.type.lower().startswith(("time(", "interval")):
        raise QueryError(
            ErrorKind.NOT_SUPPORTED, f"Unsupported Hive type: {column.type} ({column.name})"
        )
    return trino_to_hive(column.type)
