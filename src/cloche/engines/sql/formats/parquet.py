"""Parquet files, read by DuckDB."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cloche.engines.sql.engine import DataFile, ErrorKind, QueryError
from cloche.engines.sql.formats.opening import bad_data, cannot_open, is_local
from cloche.engines.sql.formats.scan import LOCATION, Scan
from cloche.engines.sql.formats.sql_text import listed, literal, quoted

_FOOTERS_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Footer:
    """What a scan needs to know of a file before it is read.

    Attributes:
        column_bytes: compressed size of each column, by its name in lower case.
        instants: columns whose timestamps are instants, which the reader gives with a zone.
    """

    column_bytes: dict[str, int]
    instants: frozenset[str]


def select_parquet(scan: Scan) -> str:
    """A SELECT over Parquet files; columns are found by name, those that are missing are NULL."""
    if scan.option("parquet.column.index.access").lower() == "true":
        raise QueryError(ErrorKind.NOT_SUPPORTED, "parquet.column.index.access is not supported")
    groups: dict[frozenset[str], list[DataFile]] = defaultdict(list)
    timestamps = {c.name.lower() for c in scan.columns if c.type.lower() == "timestamp"}
    for file in scan.files:
        footer = read_footer(file) if is_local(file) else None
        scan.count(_size(scan, file, footer))
        groups[footer.instants & timestamps if footer else frozenset()].append(file)
    parts = [_select(scan, files, instants) for instants, files in groups.items()]
    return " UNION ALL ".join(parts)


def _size(scan: Scan, file: DataFile, footer: Footer | None) -> int:
    if footer is None:
        return file.size_bytes
    return sum(footer.column_bytes.get(column.name.lower(), 0) for column in scan.columns)


def _select(scan: Scan, files: Sequence[DataFile], instants: frozenset[str]) -> str:
    # A file needs one column at least; the optimizer drops it again.
    columns = scan.columns or scan.table.columns[:1]
    fields: list[str] = []
    outputs: list[str] = []
    for column in columns:
        name = column.name.lower()
        is_instant = name in instants
        type = "TIMESTAMP WITH TIME ZONE" if is_instant else scan.duckdb_type(column.type)
        fields.append(
            f"{literal(name)}: "
            f"{{name: {literal(name)}, type: {literal(type)}, default_value: NULL}}"
        )
        # An instant is shown in UTC, whatever the session's zone is.
        shown = f"timezone('UTC', {quoted(name)})::{scan.duckdb_type(column.type)}"
        outputs.append(f"{shown} AS {quoted(name)}" if is_instant else quoted(name))
    if not scan.columns:
        outputs = ["NULL AS nothing"]
    if scan.located:
        outputs.append(f"filename AS {quoted(LOCATION)}")
    has_binary = any("binary" in column.type.lower() for column in columns)
    return (
        f"SELECT {', '.join(outputs)} FROM read_parquet({listed(f.location for f in files)}, "
        f"schema = MAP {{{', '.join(fields)}}}, hive_partitioning = false, "
        f"filename = {str(scan.located).lower()}, binary_as_string = {str(not has_binary).lower()})"
    )


_footers: OrderedDict[tuple[str, int, int], Footer] = OrderedDict()
_lock = threading.Lock()


def read_footer(file: DataFile) -> Footer:
    """A local file's footer, remembered as long as the file is the same.

    Raises:
        QueryError: the file is not there, or is no Parquet file.
    """
    try:
        status = Path(file.location).stat()
    except OSError as error:
        raise cannot_open(file, error.strerror or str(error)) from error
    key = (file.location, status.st_mtime_ns, status.st_size)
    with _lock:
        if key in _footers:
            _footers.move_to_end(key)
            return _footers[key]
    try:
        footer = _footer(pq.read_metadata(file.location))
    except (pa.ArrowException, OSError) as error:
        reason = str(error).replace(file.location, file.object_url)
        raise bad_data(file, f"not a valid Parquet file: {reason}") from error
    with _lock:
        _footers[key] = footer
        if len(_footers) > _FOOTERS_KEPT:
            _footers.popitem(last=False)
    return footer


def _footer(metadata: pq.FileMetaData) -> Footer:
    names: list[str] = []
    instants: set[str] = set()
    for index in range(metadata.num_columns):
        column = metadata.schema.column(index)
        name = column.path.partition(".")[0].lower()
        names.append(name)
        if "isAdjustedToUTC=true" in str(column.logical_type) and column.path.lower() == name:
            instants.add(name)
    sizes: dict[str, int] = defaultdict(int)
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for index, name in enumerate(names):
            sizes[name] += row_group.column(index).total_compressed_size
    return Footer(dict(sizes), frozenset(instants))
