"""Values of partition columns as text, and folders that are named after them, as Hive does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from cloche.engines.sql.engine import Column, ErrorKind, QueryError
from cloche.engines.sql.formats.hive_types import parse_hive_type

DEFAULT_PARTITION = "__HIVE_DEFAULT_PARTITION__"
"""The folder's name where a value is NULL."""

_ESCAPED = frozenset("\"#%'*/:=?\\{[]^\x7f") | {chr(n) for n in range(0x20)}


def partition_texts(arrays: Sequence[pa.Array], columns: Sequence[Column]) -> list[pa.Array]:
    """Columns of values as columns of text.

    Raises:
        QueryError: a type that no partition can have.
    """
    return [_texts(array, column) for array, column in zip(arrays, columns, strict=True)]


def _texts(array: pa.Array, column: Column) -> pa.Array:
    type = parse_hive_type(column.type)
    if type.kind in ("array", "map", "struct", "binary", "float", "double"):
        raise QueryError(
            ErrorKind.NOT_SUPPORTED,
            f"Unsupported type [{column.type}] for partition: {column.name}",
        )
    if type.kind == "boolean":
        shown = [None if value is None else str(value).lower() for value in array.to_pylist()]
        return pa.array(shown, pa.string())
    if type.kind == "timestamp":
        return pa.array([_timestamp(value) for value in array.to_pylist()], pa.string())
    return array.cast(type.arrow).cast(pa.string())


def _timestamp(value: object) -> str | None:
    if value is None:
        return None
    text = str(value)
    return text.rstrip("0") if "." in text else f"{text}.0"


def folder_of(partition: Mapping[str, str | None]) -> str:
    """The folder of a partition; empty if there are no partition columns."""
    return "/".join(f"{escaped(name)}={_shown(value)}" for name, value in partition.items())


def _shown(value: str | None) -> str:
    # An empty text has no folder of its own: Hive keeps it with NULL.
    return escaped(value) if value else DEFAULT_PARTITION


def escaped(text: str) -> str:
    """A name or value with what no folder's name should have as `%XX`."""
    return "".join(f"%{ord(c):02X}" if c in _ESCAPED else c for c in text)
