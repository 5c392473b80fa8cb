"""Partitions that are stored otherwise than their table says, brought to its columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from msgspec.structs import replace

from cloche.engines.sql.engine import Column, DataFile, FileTable, Storage
from cloche.engines.sql.formats.choosing import is_self_describing
from cloche.engines.sql.formats.sql_text import quoted

SelectTable = Callable[[FileTable, tuple[Column, ...]], str]


def by_storage(table: FileTable) -> dict[Storage | None, list[DataFile]]:
    """A table's files by how they are stored."""
    found: dict[Storage | None, list[DataFile]] = defaultdict(list)
    for file in table.files:
        found[file.storage].append(file)
    return found


def select_by_storage(
    table: FileTable,
    columns: tuple[Column, ...],
    select: SelectTable,
    duckdb_type: Callable[[str], str],
) -> str:
    """A SELECT of a table's columns over partitions that are stored in several ways.

    Files that tell what their columns are called have a column if they say so. In others fields
    are those of the partition's columns; a column of the table that it has not is NULL.
    """
    parts: list[str] = []
    for storage, files in by_storage(table).items():
        plain = tuple(replace(file, storage=None) for file in files)
        if storage is None:
            parts.append(select(replace(table, files=plain), columns))
            continue
        own = replace(
            table,
            columns=_columns(table, storage),
            files=plain,
            input_format=storage.input_format,
            serde=storage.serde,
            serde_properties=dict(storage.serde_properties),
        )
        parts.append(_select(table, own, columns, select, duckdb_type))
    return " UNION ALL ".join(parts)


def _columns(table: FileTable, storage: Storage) -> tuple[Column, ...]:
    """The partition's, and after them those of the table that its files may have all the same."""
    if not is_self_describing(storage.serde):
        return storage.columns
    of_table = {column.name.lower(): column for column in table.columns}
    found = [of_table.get(column.name.lower(), column) for column in storage.columns]
    names = {column.name.lower() for column in storage.columns}
    return (*found, *(column for column in table.columns if column.name.lower() not in names))


def _select(
    table: FileTable,
    own: FileTable,
    columns: tuple[Column, ...],
    select: SelectTable,
    duckdb_type: Callable[[str], str],
) -> str:
    by_name = {column.name.lower(): column for column in own.columns}
    of_table = {column.name.lower() for column in table.columns}
    read: list[Column] = []
    outputs: list[str] = []
    for column in columns:
        name = column.name.lower()
        stored = by_name.get(name) if name in of_table else column
        if stored is not None:
            read.append(stored)
        value = "NULL" if stored is None else quoted(name)
        cast = "CAST" if stored is None or stored.type == column.type else "TRY_CAST"
        outputs.append(f"{cast}({value} AS {duckdb_type(column.type)}) AS {quoted(name)}")
    return f"SELECT {', '.join(outputs) or 'NULL AS nothing'} FROM ({select(own, tuple(read))})"
