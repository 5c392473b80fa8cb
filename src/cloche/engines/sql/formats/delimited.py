"""Fields of lines: a relation of text columns, by DuckDB's reader where that sees the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa

from cloche.engines.sql.engine import DataFile
from cloche.engines.sql.formats.decompression import compression_of
from cloche.engines.sql.formats.lines import header_lines, read_lines
from cloche.engines.sql.formats.opening import is_local
from cloche.engines.sql.formats.scan import LOCATION, Scan
from cloche.engines.sql.formats.sql_text import listed, literal, quoted

_NEVER = "\x01\x02\x03"  # stands for NULL where nothing does

Split = Callable[[Sequence[str]], list[list[str | None]]]
"""Splits lines into columns of fields."""


def select_fields(
    scan: Scan,
    *,
    separator: str,
    quote: str,
    null: str | None,
    is_plain: Callable[[DataFile], bool],
    split: Split,
) -> str:
    """A SELECT of text columns, named as the table's.

    Args:
        scan: what is read.
        separator: of fields.
        quote: around fields; empty if there are none.
        null: what stands for NULL.
        is_plain: whether DuckDB's reader sees the same in a file as `split`.
        split: for other files.
    """
    skipped = header_lines(scan)
    by_compression: dict[str, list[DataFile]] = defaultdict(list)
    others: list[DataFile] = []
    for file in scan.files:
        if is_local(file) and is_plain(file):
            by_compression[compression_of(file)].append(file)
            scan.count(file.size_bytes)
        else:
            others.append(file)
    names = [column.name.lower() for column in scan.table.columns]
    parts = [
        _by_duckdb(scan, files, names, compression, separator, quote, null, skipped)
        for compression, files in by_compression.items()
    ]
    if others:
        schema = pa.schema([pa.field(name, pa.string()) for name in names])
        parts.append(f"SELECT * FROM {stream_fields(scan.of(others), schema, split, skipped)}")
    return " UNION ALL ".join(parts)


def _by_duckdb(
    scan: Scan,
    files: list[DataFile],
    names: list[str],
    compression: str,
    separator: str,
    quote: str,
    null: str | None,
    skipped: int,
) -> str:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    outputs = [quoted(name) for name in names]
    if scan.located:
        outputs.append(f"filename AS {quoted(LOCATION)}")
    return (
        f"SELECT {', '.join(outputs)} FROM read_csv({listed(f.location for f in files)}, "
        f"columns = {{{columns}}}, auto_detect = false, header = false, skip = {skipped}, "
        f"delim = {literal(separator)}, quote = {literal(quote)}, escape = {literal(quote)}, "
        f"nullstr = {literal(_NEVER if null is None else null)}, null_padding = true, "
        f"strict_mode = false, compression = {literal(compression)}, comment = '', "
        f"hive_partitioning = false, filename = {str(scan.located).lower()})"
    )


def stream_fields(scan: Scan, schema: pa.Schema, split: Split, skipped: int) -> str:
    """A relation of text columns that are split in Python."""

    def read(file: DataFile) -> Iterator[pa.RecordBatch]:
        scan.count(file.size_bytes)
        for lines in read_lines(file, skipped):
            scan.check()
            arrays = [pa.array(field, pa.string()) for field in split(lines)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return scan.stream(schema, read)


def select_typed(scan: Scan, fields: str, values: Sequence[str]) -> str:
    """A SELECT of the scan's columns over a SELECT of text columns.

    Args:
        scan: what is read.
        fields: the SELECT of text columns.
        values: an expression for each of the scan's columns.
    """
    outputs = [
        f"CAST({value} AS {scan.duckdb_type(column.type)}) AS {quoted(column.name.lower())}"
        for column, value in zip(scan.columns, values, strict=True)
    ]
    if scan.located:
        outputs.append(quoted(LOCATION))
    return f"SELECT {', '.join(outputs) or 'NULL AS nothing'} FROM ({fields})"
