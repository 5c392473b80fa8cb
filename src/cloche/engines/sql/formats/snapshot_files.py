"""A snapshot's Parquet files as a SELECT: columns by their ids, without rows that are deleted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime

import pyarrow as pa

from cloche.engines.sql.engine import (
    Column,
    ErrorKind,
    IdentifiedColumn,
    QueryError,
    SnapshotFile,
    SnapshotTable,
)
from cloche.engines.sql.formats.parquet_shapes import Part, Shape, found, shape_of, value_of
from cloche.engines.sql.formats.scan import LOCATION, BatchStream
from cloche.engines.sql.formats.sql_text import listed, literal, quoted

PATH = Column("$path", "varchar")
MODIFIED = Column("$file_modified_time", "timestamp(3) with time zone")
FILE = Column("$file", "bigint")
ROW = Column("$row", "bigint")

_Key = tuple[tuple[Part | None, ...], tuple[str | None, ...], bool, bool]


def used_of_snapshot(
    table: SnapshotTable, names: Collection[str] | None, *, has_hidden: bool
) -> tuple[tuple[IdentifiedColumn, ...], tuple[Column, ...]]:
    """Columns that a statement needs, and hidden ones; `names` in lower case, None is all."""
    places = (FILE, ROW) if table.has_places else ()
    hidden = (PATH, MODIFIED, *places)
    if names is None:
        return table.columns, hidden if has_hidden else places
    return (
        tuple(column for column in table.columns if column.name.lower() in names),
        tuple(column for column in hidden if column.name in names),
    )


def select_snapshot(
    table: SnapshotTable,
    columns: Sequence[IdentifiedColumn],
    hidden: Sequence[Column],
    *,
    register: Callable[[BatchStream], str],
    count: Callable[[int], None],
    check: Callable[[], None],
    duckdb_type: Callable[[str], str],
) -> str:
    """A SELECT with columns that `used_of_snapshot` gave; for the other arguments see `Scan`.

    Raises:
        QueryError: a file is not there, or is damaged.
    """
    groups: dict[_Key, list[SnapshotFile]] = {}
    for file in table.files:
        check()
        shape = shape_of(file)
        parts = _parts(file, shape, columns)
        count(sum(shape.column_bytes.get(part.name, 0) for part in parts if part is not None))
        missing = tuple(
            file.constants.get(column.id)
            for column, part in zip(columns, parts, strict=True)
            if part is None
        )
        key = (parts, missing, bool(file.deletes), shape.has_ids)
        groups.setdefault(key, []).append(file)
    if not groups:
        return _empty(columns, hidden, duckdb_type)
    return " UNION ALL ".join(
        _select(columns, hidden, key, files, register, duckdb_type) for key, files in groups.items()
    )


def _parts(
    file: SnapshotFile, shape: Shape, columns: Sequence[IdentifiedColumn]
) -> tuple[Part | None, ...]:
    has_ids = shape.has_ids
    if not has_ids and not any(column.aliases for column in columns) and columns:
        raise QueryError(
            ErrorKind.HIVE_BAD_DATA,
            f"ICEBERG_BAD_DATA: {file.object_url} has no field ids, and its table no names for it",
        )
    return tuple(found(column, shape.parts, has_ids=has_ids) for column in columns)


def _select(
    columns: Sequence[IdentifiedColumn],
    hidden: Sequence[Column],
    key: _Key,
    files: Sequence[SnapshotFile],
    register: Callable[[BatchStream], str],
    duckdb_type: Callable[[str], str],
) -> str:
    parts, missing, has_deletes, has_ids = key
    constants = iter(missing)
    outputs: list[str] = []
    for column, part in zip(columns, parts, strict=True):
        if part is None:
            value = f"CAST({literal(next(constants))} AS {duckdb_type(column.type)})"
        else:
            name = f"data.{quoted(part.name)}"
            value = value_of(name, column, part, duckdb_type, has_ids=has_ids)
        outputs.append(f"{value} AS {quoted(column.name.lower())}")
    of_file = {
        PATH.name: "files.path",
        MODIFIED.name: "files.modified",
        FILE.name: "files.number",
        ROW.name: "data.file_row_number",
    }
    outputs += [f"{of_file[column.name]} AS {quoted(column.name)}" for column in hidden]
    names = {column.name for column in hidden}
    has_rows = has_deletes or ROW.name in names
    is_joined = has_deletes or bool(names - {ROW.name})
    name = literal(LOCATION) if is_joined else "false"
    sql = (
        f"SELECT {', '.join(outputs) or 'NULL AS nothing'} FROM read_parquet("
        f"{listed(file.location for file in files)}, hive_partitioning = false, "
        f"filename = {name}, file_row_number = {str(has_rows).lower()}) AS data"
    )
    if is_joined:
        place = quoted(LOCATION)
        sql += f" JOIN {register(_list_of(files))} AS files ON files.location = data.{place}"
    if has_deletes:
        deletes = dict.fromkeys(path for file in files for path in file.deletes)
        sql += (
            f" ANTI JOIN read_parquet({listed(deletes)}, hive_partitioning = false) AS deleted"
            " ON deleted.file_path = files.path AND deleted.pos = data.file_row_number"
        )
    return sql


def _list_of(files: Sequence[SnapshotFile]) -> BatchStream:
    moments = [datetime.fromtimestamp(file.modified_at, UTC) for file in files]
    batch = pa.record_batch(
        {
            "location": pa.array([file.location for file in files], pa.string()),
            "path": pa.array([file.object_url for file in files], pa.string()),
            "number": pa.array([file.number for file in files], pa.int64()),
            "modified": pa.array(moments, pa.timestamp("ms", "UTC")),
        }
    )

    def batches() -> Iterator[pa.RecordBatch]:
        yield batch

    return BatchStream(batch.schema, batches)


def _empty(
    columns: Sequence[IdentifiedColumn],
    hidden: Sequence[Column],
    duckdb_type: Callable[[str], str],
) -> str:
    outputs = [
        f"CAST(NULL AS {duckdb_type(column.type)}) AS {quoted(column.name.lower())}"
        for column in (*columns, *hidden)
    ]
    return f"SELECT {', '.join(outputs) or 'NULL AS nothing'} WHERE false"
