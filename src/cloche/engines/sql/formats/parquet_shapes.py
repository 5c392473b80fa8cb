"""What is in a Parquet file by field ids, and how its columns become those of a table."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cloche.engines.sql.engine import ErrorKind, IdentifiedColumn, QueryError, SnapshotFile
from cloche.engines.sql.formats.sql_text import quoted

_KEPT = 20_000
_ID = b"PARQUET:field_id"


@dataclass(frozen=True, slots=True)
class Part:
    """A column of a file, or what is within one.

    Attributes:
        id: its field id; None if the file has none.
        type: Arrow's name of it.
        parts: as `IdentifiedColumn.fields`.
    """

    name: str
    id: int | None
    type: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A file's columns, and what each takes of it.

    Attributes:
        column_bytes: compressed size of each column, by its name.
    """

    parts: tuple[Part, ...]
    column_bytes: Mapping[str, int]

    @property
    def has_ids(self) -> bool:
        """Whether any column has a field id."""
        return any(part.id is not None for part in self.parts)


_shapes: OrderedDict[tuple[str, int, int], Shape] = OrderedDict()
_lock = threading.Lock()


def shape_of(file: SnapshotFile) -> Shape:
    """A file's shape, remembered as long as the file is the same.

    Raises:
        QueryError: the file is not there, or is no Parquet file.
    """
    try:
        status = Path(file.location).stat()
    except OSError as error:
        raise QueryError(
            ErrorKind.HIVE_CANNOT_OPEN_SPLIT,
            f"ICEBERG_CANNOT_OPEN_SPLIT: {file.object_url}: {error.strerror}",
        ) from error
    key = (file.location, status.st_mtime_ns, status.st_size)
    with _lock:
        if key in _shapes:
            _shapes.move_to_end(key)
            return _shapes[key]
    try:
        made = _read(file.location)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).replace(file.location, file.object_url)
        raise QueryError(
            ErrorKind.HIVE_BAD_DATA,
            f"ICEBERG_BAD_DATA: {file.object_url} is not a valid Parquet file: {reason}",
        ) from error
    with _lock:
        _shapes[key] = made
        if len(_shapes) > _KEPT:
            _shapes.popitem(last=False)
    return made


def _read(location: str) -> Shape:
    with pq.ParquetFile(location) as opened:
        metadata = opened.metadata
        parts = tuple(_part(field) for field in opened.schema_arrow)
    names = [
        metadata.schema.column(index).path.partition(".")[0]
        for index in range(metadata.num_columns)
    ]
    sizes = dict.fromkeys(names, 0)
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for index, name in enumerate(names):
            sizes[name] += row_group.column(index).total_compressed_size
    return Shape(_shared(parts), sizes)


@lru_cache(maxsize=1000)
def _shared(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return parts


def _part(field: pa.Field) -> Part:
    number = (field.metadata or {}).get(_ID)
    kind = field.type
    within: list[pa.Field] = []
    if pa.types.is_struct(kind):
        within = list(kind)
    elif pa.types.is_map(kind):
        within = [kind.key_field, kind.item_field]
    elif hasattr(kind, "value_field"):
        within = [kind.value_field]
    parts = tuple(map(_part, within))
    return Part(field.name, None if number is None else int(number), str(kind), parts)


def found(column: IdentifiedColumn, parts: tuple[Part, ...], *, has_ids: bool) -> Part | None:
    """What of a file is a column: by its id, or by a name where the file has no ids."""
    if has_ids:
        return next((part for part in parts if part.id == column.id), None)
    return next((part for part in parts if part.name in column.aliases), None)


def value_of(
    sql: str,
    column: IdentifiedColumn,
    part: Part,
    duckdb_type: Callable[[str], str],
    *,
    has_ids: bool,
    depth: int = 0,
) -> str:
    """SQL of a file's value as one of the column's type.

    Args:
        sql: the file's value.
        column: what it is to be.
        part: what it is.
        duckdb_type: DuckDB's name of one of Trino's types.
        has_ids: whether the file has field ids.
        depth: of lambdas around it.
    """
    kind = duckdb_type(column.type)
    if "tz=" in part.type and kind == "TIMESTAMP":
        return f"timezone('UTC', {sql})"
    if not column.fields or _is_same(column, part):
        return f"CAST({sql} AS {kind})"

    def within(inner: str, field: IdentifiedColumn, own: tuple[Part, ...]) -> str:
        other = found(field, own, has_ids=has_ids)
        if other is None:
            return f"CAST(NULL AS {duckdb_type(field.type)})"
        return value_of(
            inner.format(quoted(other.name)),
            field,
            other,
            duckdb_type,
            has_ids=has_ids,
            depth=depth + 1,
        )

    if column.type.startswith("row("):
        fields = ", ".join(
            f"{quoted(field.name.lower())} := {within(f'({sql}).{{}}', field, part.parts)}"
            for field in column.fields
        )
        return f"CASE WHEN {sql} IS NOT NULL THEN struct_pack({fields}) END"
    if column.type.startswith("array("):
        name = f"e{depth}"
        value = value_of(
            name, column.fields[0], part.parts[0], duckdb_type, has_ids=has_ids, depth=depth + 1
        )
        return f"list_transform({sql}, lambda {name}: {value})"
    name = f"e{depth}"
    key, value = (
        value_of(f"{name}.{word}", field, own, duckdb_type, has_ids=has_ids, depth=depth + 1)
        for word, field, own in zip(("key", "value"), column.fields, part.parts, strict=True)
    )
    entry = f"struct_pack(key := {key}, value := {value})"
    return f"map_from_entries(list_transform(map_entries({sql}), lambda {name}: {entry}))"


def _is_same(column: IdentifiedColumn, part: Part) -> bool:
    """Whether all that is within has the names and the order that the table wants."""
    if len(column.fields) != len(part.parts):
        return False
    is_row = column.type.startswith("row(")
    return all(
        (not is_row or (own.id == field.id and own.name.lower() == field.name.lower()))
        and _is_same(field, own)
        for field, own in zip(column.fields, part.parts, strict=True)
    )
