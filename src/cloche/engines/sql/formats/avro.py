"""Avro files, a few thousand records at a time."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import fastavro
import pyarrow as pa
from fastavro.read import SchemaResolutionError
from fastavro.schema import SchemaParseException

from cloche.engines.sql.engine import DataFile, ErrorKind, QueryError
from cloche.engines.sql.formats.avro_codecs import unpacked
from cloche.engines.sql.formats.hive_types import HiveType, parse_hive_type
from cloche.engines.sql.formats.opening import bad_data, open_file
from cloche.engines.sql.formats.scan import Scan
from cloche.engines.sql.formats.streamed import arrow_schema, select_from_stream

_BATCH_ROWS = 8192

Convert = Callable[[Any], Any]


def select_avro(scan: Scan) -> str:
    """A SELECT over Avro files; columns are found by name.

    Raises:
        QueryError: the table's schema cannot be used.
    """
    columns = scan.columns or scan.table.columns[:1]
    schema = arrow_schema(columns)
    converts = [_convert(parse_hive_type(column.type)) for column in columns]
    declared = _declared_schema(scan)

    def read(file: DataFile) -> Iterator[pa.RecordBatch]:
        scan.count(file.size_bytes)
        with open_file(file) as stored:
            try:
                records = fastavro.reader(unpacked(stored), declared)
                names = _names(records.reader_schema or records.writer_schema)
                keys = [names.get(column.name.lower(), column.name) for column in columns]
                while batch := list(islice(records, _BATCH_ROWS)):
                    scan.check()
                    yield _batch(batch, keys, converts, schema)
            except _DAMAGE as error:
                raise bad_data(file, f"{type(error).__name__}: {error}") from error

    return select_from_stream(scan, scan.stream(schema, read))


_DAMAGE = (
    pa.ArrowException,
    OSError,
    zlib.error,
    ValueError,
    TypeError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    MemoryError,
    AttributeError,
    SchemaResolutionError,
)


def _declared_schema(scan: Scan) -> dict[str, Any] | None:
    if scan.option("avro.schema.url"):
        raise QueryError(ErrorKind.NOT_SUPPORTED, "avro.schema.url is not supported")
    text = scan.option("avro.schema.literal")
    if not text.strip():
        return None
    try:
        parsed = fastavro.parse_schema(json.loads(text))
    except (ValueError, KeyError, TypeError, SchemaParseException) as error:
        raise QueryError(
            ErrorKind.HIVE_BAD_DATA, f"avro.schema.literal is not a schema: {error}"
        ) from error
    return parsed  # type: ignore[return-value]


def _names(schema: Any) -> dict[str, str]:
    fields = schema.get("fields", ()) if isinstance(schema, Mapping) else ()
    return {field["name"].lower(): field["name"] for field in fields}


def _batch(
    records: list[Any], keys: list[str], converts: list[Convert | None], schema: pa.Schema
) -> pa.RecordBatch:
    arrays: list[pa.Array] = []
    for key, convert, field in zip(keys, converts, schema, strict=True):
        values = [record.get(key) for record in records]
        if convert is not None:
            values = [None if value is None else convert(value) for value in values]
        arrays.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _convert(type: HiveType) -> Convert | None:
    """What brings a value that fastavro gives to what Arrow takes; None if it is the same."""
    match type.kind:
        case "string" | "varchar" | "char":
            return _text
        case "array":
            child = _convert(type.children[0])
            return None if child is None else lambda v: [_or_none(child, item) for item in v]
        case "map":
            child = _convert(type.children[1])
            return lambda v: [(key, _or_none(child, item)) for key, item in v.items()]
        case "struct":
            return _struct(type)
        case "float" | "double":
            return float
        case _:
            return None


def _or_none(convert: Convert | None, value: Any) -> Any:
    return value if value is None or convert is None else convert(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _struct(type: HiveType) -> Convert:
    converts = dict(zip(type.names, map(_convert, type.children), strict=True))

    def convert(value: Mapping[str, Any]) -> dict[str, Any]:
        given = {key.lower(): item for key, item in value.items()}
        return {name: _or_none(child, given.get(name)) for name, child in converts.items()}

    return convert
