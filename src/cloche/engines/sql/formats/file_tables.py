"""A table over files as a SELECT: its columns, those of its partitions, and hidden ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from cloche.engines.sql.engine import Column, DataFile, FileTable
from cloche.engines.sql.formats.choosing import reader_of
from cloche.engines.sql.formats.opening import cannot_open, is_local
from cloche.engines.sql.formats.partition_storage import select_by_storage
from cloche.engines.sql.formats.scan import LOCATION, BatchStream, Scan
from cloche.engines.sql.formats.sql_text import literal, quoted

HIDDEN_COLUMNS = (
    Column("$path", "string"),
    Column("$file_size", "bigint"),
    Column("$file_modified_time", "timestamp"),
)

# Constants in a SELECT for each group let DuckDB leave out groups; beyond this many the plan
# costs more than a join with the list of files.
_GROUPS_MAXIMUM = 48

_Group = tuple[tuple[str, str | None], ...]


def used_columns(
    table: FileTable, names: Collection[str] | None, *, has_hidden: bool
) -> tuple[Column, ...]:
    """Those of a table that a statement needs, its partitions' after its own, then hidden ones.

    Args:
        table: the table.
        names: in lower case; None is all.
        has_hidden: whether hidden columns are among all.
    """
    visible = (*table.columns, *table.partition_columns)
    if names is None:
        return (*visible, *(HIDDEN_COLUMNS if has_hidden else ()))
    return tuple(c for c in (*visible, *HIDDEN_COLUMNS) if c.name.lower() in names)


def select_table(
    table: FileTable,
    columns: tuple[Column, ...],
    *,
    register: Callable[[BatchStream], str],
    count: Callable[[int], None],
    check: Callable[[], None],
    duckdb_type: Callable[[str], str],
) -> str:
    """A SELECT with columns that `used_columns` gave; for the other arguments see `Scan`.

    Raises:
        QueryError: a file is not there, is not what the table says, or the table declares what
            cannot be read.
    """
    if any(file.storage is not None for file in table.files):

        def select(stored: FileTable, needed: tuple[Column, ...]) -> str:
            return select_table(
                stored,
                needed,
                register=register,
                count=count,
                check=check,
                duckdb_type=duckdb_type,
            )

        return select_by_storage(table, columns, select, duckdb_type)
    own = {column.name.lower() for column in table.columns}
    of_files = tuple(c for c in columns if c.name.lower() in own)
    constant = tuple(c for c in columns if c.name.lower() not in own)
    scan = Scan(table, of_files, table.files, False, register, count, check, duckdb_type)
    if not table.files:
        return _empty(columns, duckdb_type)
    read = reader_of(table)
    groups = _groups(table.files, constant)
    if len(groups) <= _GROUPS_MAXIMUM:
        return " UNION ALL ".join(
            _select_group(read(scan.of(files)), of_files, constant, values, duckdb_type)
            for values, files in groups.items()
        )
    files = register(_list_of_files(table.files, constant))
    rows = read(replace(scan, located=True))
    return _select_joined(rows, files, of_files, constant, duckdb_type)


def _empty(columns: tuple[Column, ...], duckdb_type: Callable[[str], str]) -> str:
    outputs = [f"CAST(NULL AS {duckdb_type(c.type)}) AS {quoted(c.name.lower())}" for c in columns]
    return f"SELECT {', '.join(outputs) or 'NULL AS nothing'} WHERE false"


def _groups(
    files: tuple[DataFile, ...], constant: tuple[Column, ...]
) -> dict[_Group, list[DataFile]]:
    groups: dict[_Group, list[DataFile]] = {}
    for file in files:
        key = tuple((column.name.lower(), _constant(file, column)) for column in constant)
        groups.setdefault(key, []).append(file)
    return groups


def _constant(file: DataFile, column: Column) -> str | None:
    match column.name.lower():
        case "$path":
            return file.object_url
        case "$file_size":
            return str(file.size_bytes)
        case "$file_modified_time":
            return _modified(file)
        case name:
            values = {key.lower(): value for key, value in file.partition.items()}
            return values.get(name)


def _modified(file: DataFile) -> str | None:
    if not is_local(file):
        return None
    try:
        seconds = Path(file.location).stat().st_mtime
    except OSError as error:
        raise cannot_open(file, error.strerror or str(error)) from error
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _select_group(
    rows: str,
    of_files: tuple[Column, ...],
    constant: tuple[Column, ...],
    values: _Group,
    duckdb_type: Callable[[str], str],
) -> str:
    if not constant:
        return rows
    by_name = dict(values)
    outputs = [quoted(column.name.lower()) for column in of_files]
    outputs += [
        f"CAST({literal(by_name[c.name.lower()])} AS {duckdb_type(c.type)})"
        f" AS {quoted(c.name.lower())}"
        for c in constant
    ]
    return f"SELECT {', '.join(outputs)} FROM ({rows})"


def _list_of_files(files: tuple[DataFile, ...], constant: tuple[Column, ...]) -> BatchStream:
    fields = [pa.field(LOCATION, pa.string())]
    arrays = [pa.array([file.location for file in files], pa.string())]
    for column in constant:
        fields.append(pa.field(column.name.lower(), pa.string()))
        arrays.append(pa.array([_constant(file, column) for file in files], pa.string()))
    schema = pa.schema(fields)
    batch = pa.RecordBatch.from_arrays(arrays, schema=schema)

    def batches() -> Iterator[pa.RecordBatch]:
        yield batch

    return BatchStream(schema, batches)


def _select_joined(
    rows: str,
    files: str,
    of_files: tuple[Column, ...],
    constant: tuple[Column, ...],
    duckdb_type: Callable[[str], str],
) -> str:
    outputs = [f"data.{quoted(column.name.lower())}" for column in of_files]
    for column in constant:
        name = quoted(column.name.lower())
        outputs.append(f"CAST(files.{name} AS {duckdb_type(column.type)}) AS {name}")
    place = quoted(LOCATION)
    return (
        f"SELECT {', '.join(outputs)} FROM ({rows}) data "
        f"JOIN {files} files ON files.{place} = data.{place}"
    )
