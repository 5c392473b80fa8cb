"""The binary file `….metadata` next to a result, which drivers read the columns from.

Its layout is not documented by AWS. What is known of it, from drivers that read it: a protocol
buffer whose field 4 comes once for each column, with 1 catalog, 2 schema, 3 table, 4 name,
5 label, 6 type, 7 precision, 8 scale, 9 nullable (1 not null, 2 nullable, 3 unknown) and
10 whether case counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_COLUMN_FIELD = 4
_TEXTS = ((1, "CatalogName"), (4, "Name"), (5, "Label"), (6, "Type"))
_NUMBERS = ((7, "Precision"), (8, "Scale"))
_NULLABLE = {"NOT_NULL": 1, "NULLABLE": 2, "UNKNOWN": 3}

_VARINT = 0
_BYTES = 2


def encode_metadata(columns: Iterable[Mapping[str, Any]]) -> bytes:
    """The file for columns in the form of `ColumnInfo`."""
    return b"".join(_bytes_field(_COLUMN_FIELD, _column(column)) for column in columns)


def _column(column: Mapping[str, Any]) -> bytes:
    parts = [_bytes_field(number, column[name].encode()) for number, name in _TEXTS]
    parts += [_number_field(number, column[name]) for number, name in _NUMBERS]
    parts.append(_number_field(9, _NULLABLE[column["Nullable"]]))
    parts.append(_number_field(10, int(column["CaseSensitive"])))
    return b"".join(parts)


def _number_field(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value)


def _bytes_field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
