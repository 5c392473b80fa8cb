"""Tables that the service itself makes, from rows of text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa

from cloche.engines.sql.engine import ArrowTable, Column

_TYPES: dict[str, pa.DataType] = {
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


def rows_table(
    columns: Sequence[tuple[str, str]], rows: Callable[[], Iterable[Sequence[object]]]
) -> ArrowTable:
    """A table of rows, whose values are text where they are not of the column's type.

    Args:
        columns: names and types, in Hive's names.
        rows: gives them anew each time.
    """
    schema = pa.schema([pa.field(name, _arrow_type(kind)) for name, kind in columns])

    def read() -> pa.RecordBatchReader:
        values = list(rows())
        arrays = [
            _array([row[index] for row in values], field.type) for index, field in enumerate(schema)
        ]
        batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
        return pa.RecordBatchReader.from_batches(schema, [batch])

    return ArrowTable(tuple(Column(name, kind) for name, kind in columns), read)


def _arrow_type(hive_type: str) -> pa.DataType:
    decimal = _DECIMAL.fullmatch(hive_type)
    if decimal is not None:
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    return _TYPES.get(hive_type, pa.string())


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if any(isinstance(value, str) for value in values):
        return pa.array(values, type=pa.string()).cast(kind)
    return pa.array(values, type=kind)
