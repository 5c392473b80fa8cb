"""Rows as lines of text: delimited, CSV and JSON."""

from __future__ import annotations

import base64
import csv
import io
import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.trino import arrow_type_to_trino, formatter

_SEPARATORS = "\x02\x03\x04\x05\x06\x07\x08"


def delimited_rows(rows: pa.Table, delimiter: str, null: str) -> bytes:
    """As LazySimpleSerDe reads them.

    Raises:
        QueryError: types are nested too deeply.
    """
    texts = [_texts(column.combine_chunks(), null) for column in rows.columns]
    joined = pc.call_function(
        "binary_join_element_wise",
        [*texts, pa.scalar(delimiter)],
        pc.JoinOptions(null_handling="replace", null_replacement=null),
    )
    return ("\n".join(joined.to_pylist()) + "\n").encode()


def _texts(array: pa.Array, null: str) -> pa.Array:
    type = array.type
    if pa.types.is_string(type):
        return array
    if pa.types.is_integer(type) or pa.types.is_date(type) or pa.types.is_decimal(type):
        return array.cast(pa.string())
    write = _delimited(type, null, 0)
    shown = [None if value is None else write(value) for value in array.to_pylist()]
    return pa.array(shown, pa.string())


def _delimited(type: pa.DataType, null: str, depth: int) -> Callable[[Any], str]:
    if not pa.types.is_nested(type):
        return _primitive(type)
    if depth + 1 >= len(_SEPARATORS):
        raise QueryError(ErrorKind.NOT_SUPPORTED, "Types are nested too deeply for a text file")
    mark = _SEPARATORS[depth]

    def shown(write: Callable[[Any], str], value: Any) -> str:
        return null if value is None else write(value)

    if pa.types.is_map(type):
        key = _delimited(type.key_type, null, depth + 2)
        item = _delimited(type.item_type, null, depth + 2)
        between = _SEPARATORS[depth + 1]
        return lambda value: mark.join(f"{key(k)}{between}{shown(item, v)}" for k, v in value)
    if pa.types.is_struct(type):
        fields = [type.field(n) for n in range(type.num_fields)]
        writers = [(f.name, _delimited(f.type, null, depth + 1)) for f in fields]
        return lambda value: mark.join(shown(write, value[name]) for name, write in writers)
    child = _delimited(type.value_type, null, depth + 1)
    return lambda value: mark.join(shown(child, item) for item in value)


def _primitive(type: pa.DataType) -> Callable[[Any], str]:
    if pa.types.is_binary(type):
        return lambda value: base64.b64encode(value).decode()
    if pa.types.is_timestamp(type):
        return _timestamp
    write = formatter(arrow_type_to_trino(type))
    return lambda value: write(value) or ""


def _timestamp(value: datetime) -> str:
    text = str(value.replace(tzinfo=None))
    return text.rstrip("0") if "." in text else f"{text}.0"


def csv_rows(rows: pa.Table, delimiter: str) -> bytes:
    """As OpenCSVSerde reads them: all in quotes, NULL is empty.

    Raises:
        QueryError: a type that CSV has none of.
    """
    written = io.StringIO()
    columns: list[Sequence[str | None]] = []
    for column in rows.columns:
        if pa.types.is_nested(column.type):
            raise QueryError(ErrorKind.NOT_SUPPORTED, f"CSV has no type for {column.type}")
        columns.append(_texts(column.combine_chunks(), "").to_pylist())
    writer = csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows(zip(*columns, strict=True))
    return written.getvalue().encode()


def json_rows(rows: pa.Table) -> bytes:
    """As Hive's JSON SerDe reads them; NULLs are left out of a row."""
    names = rows.column_names
    columns: list[list[Any]] = []
    for column in rows.columns:
        convert = _json_value(column.type)
        values = column.to_pylist(maps_as_pydicts="lossy")
        if convert is not None:
            values = [None if value is None else convert(value) for value in values]
        columns.append(values)
    lines = [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in zip(*columns, strict=True)
    ]
    return _encoder.encode_lines(lines)


# Decimals keep their digits; dates are as SQL writes them and bytes are base64 by themselves.
_encoder = msgspec.json.Encoder(decimal_format="number")


def _json_value(type: pa.DataType) -> Callable[[Any], Any] | None:
    """What brings a value to what is written; None if it is the same."""
    if pa.types.is_timestamp(type):
        return _timestamp
    if pa.types.is_floating(type):
        # JSON has no numbers for these.
        return lambda value: value if math.isfinite(value) else _NOT_FINITE[str(value)]
    if pa.types.is_list(type) or pa.types.is_map(type):
        child = _json_value(type.item_type if pa.types.is_map(type) else type.value_type)
        if child is None:
            return None
        if pa.types.is_map(type):
            return lambda value: {k: _or_none(child, v) for k, v in value.items()}
        return lambda value: [_or_none(child, item) for item in value]
    if pa.types.is_struct(type):
        fields = [type.field(n) for n in range(type.num_fields)]
        children = {f.name: _json_value(f.type) for f in fields}
        return lambda value: {name: _or_none(children[name], v) for name, v in value.items()}
    return None


_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _or_none(convert: Callable[[Any], Any] | None, value: Any) -> Any:
    return value if value is None or convert is None else convert(value)
