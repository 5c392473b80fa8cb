"""Hive's hash by which rows are spread over buckets (its first version, which Athena uses)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from cloche.engines.sql.engine import ErrorKind, QueryError

if TYPE_CHECKING:
    from cloche.engines.sql.formats.writing import FileLayout

_WORD = 0xFFFFFFFF
_POSITIVE = 0x7FFFFFFF
_EPOCH = date(1970, 1, 1).toordinal()


def bucket_numbers(batch: pa.RecordBatch, layout: FileLayout) -> pa.Array:
    """The bucket of each row.

    Raises:
        QueryError: a column is not there, or of a type that cannot be hashed.
    """
    kinds = {column.name.lower(): column.type for column in layout.columns}
    hashes: list[int] = [0] * batch.num_rows
    for name in layout.bucket_columns:
        if name not in kinds:
            raise QueryError(ErrorKind.COLUMN_NOT_FOUND, f"Bucketing column '{name}' not present")
        column = _hashes(batch.column(name), kinds[name])
        hashes = [(31 * so_far + own) & _WORD for so_far, own in zip(hashes, column, strict=True)]
    count = layout.bucket_count
    return pa.array([(value & _POSITIVE) % count for value in hashes], pa.int32())


def bucket_number(values: Sequence[Any], types: Sequence[str], count: int) -> int:
    """The bucket of a row.

    Args:
        values: of its bucketing columns.
        types: theirs, of `HASHED_TYPES`.
        count: of buckets.
    """
    hashed = 0
    for value, type in zip(values, types, strict=True):
        hashed = (31 * hashed + (_HASHES[type](value) & _WORD)) & _WORD
    return (hashed & _POSITIVE) % count


def _hashes(array: pa.Array, type: str) -> list[int]:
    hash_value = _HASHES.get(type.partition("(")[0].lower())
    if hash_value is None:
        raise QueryError(ErrorKind.NOT_SUPPORTED, f"Bucketing by a column of type {type}")
    # Columns repeat their values: each is hashed once.
    encoded = pc.call_function("dictionary_encode", [array])
    by_index = [hash_value(value) & _WORD for value in encoded.dictionary.to_pylist()]
    return [0 if index is None else by_index[index] for index in encoded.indices.to_pylist()]


def hash_text(value: str) -> int:
    """Of the bytes of a text, each as a signed number."""
    hashed = 0
    for byte in value.encode():
        hashed = (31 * hashed + (byte - 256 if byte > 127 else byte)) & _WORD
    return hashed


def hash_long(value: int) -> int:
    """Both halves of a number of 64 bits, one over the other."""
    return (value ^ (value >> 32)) & _WORD


_HASHES: dict[str, Callable[[Any], int]] = {
    "tinyint": int,
    "smallint": int,
    "int": int,
    "integer": int,
    "bigint": hash_long,
    "boolean": int,
    "string": hash_text,
    "varchar": hash_text,
    "date": lambda value: value.toordinal() - _EPOCH,
}

HASHED_TYPES = frozenset(_HASHES)
"""By columns of which rows can be spread."""
