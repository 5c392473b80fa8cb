"""Parquet files, read by DuckDB."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cloche.engines.sql.engine import Column, DataFile, ErrorKind, QueryError
from cloche.engines.sql.formats.hive_types import parse_hive_type
from cloche.engines.sql.formats.opening import bad_data, cannot_open, is_local
from cloche.engines.sql.formats.scan import LOCATION, Scan
from cloche.engines.sql.formats.sql_text import listed, literal, quoted
from cloche.engines.sql.formats.typed_text import milliseconds

_FOOTERS_KEPT = 20_000
_SCHEMAS_MAXIMUM = 16


@dataclass(frozen=True, slots=True)
class FileSchema:
    """What a file's columns are; files with equal schemas share one.

    Attributes:
        kinds: Parquet's types of each column and what is below it, by its name in lower case.
        forms: of each column what it is in the words of `_STORED_AS`, and its physical type.
        instants: columns whose timestamps are instants, which the reader gives with a zone.
    """

    kinds: tuple[tuple[str, str], ...]
    forms: tuple[tuple[str, str, str], ...]
    instants: frozenset[str]

    def of(self, columns: Sequence[Column]) -> FileSchema:
        """Of some columns only."""
        names = {column.name.lower() for column in columns}
        kinds = tuple(kind for kind in self.kinds if kind[0] in names)
        forms = tuple(form for form in self.forms if form[0] in names)
        return FileSchema(kinds, forms, self.instants & names)


@dataclass(frozen=True, slots=True)
class Footer:
    """What a scan needs to know of a file before it is read.

    Attributes:
        column_bytes: compressed size of each column, by its name in lower case.
        schema: of its columns.
    """

    column_bytes: Mapping[str, int]
    schema: FileSchema


def select_parquet(scan: Scan) -> str:
    """A SELECT over Parquet files; columns are found by name, those that are missing are NULL.

    Raises:
        QueryError: a file is not there, is damaged, or has text for another type.
    """
    if scan.option("parquet.column.index.access").lower() == "true":
        raise QueryError(ErrorKind.NOT_SUPPORTED, "parquet.column.index.access is not supported")
    groups: dict[FileSchema | None, list[DataFile]] = defaultdict(list)
    for file in scan.files:
        scan.check()
        footer = read_footer(file) if is_local(file) else None
        scan.count(_size(scan, file, footer))
        schema = footer.schema.of(scan.columns) if footer else None
        if schema not in groups:
            _check_types(scan, file, schema)
        groups[schema].append(file)
    if len(groups) > _SCHEMAS_MAXIMUM:
        return _select_converted(scan, scan.files)
    return " UNION ALL ".join(
        _select(scan, files, schema) if schema else _select_converted(scan, files)
        for schema, files in groups.items()
    )


def _size(scan: Scan, file: DataFile, footer: Footer | None) -> int:
    if footer is None:
        return file.size_bytes
    return sum(footer.column_bytes.get(column.name.lower(), 0) for column in scan.columns)


def _check_types(scan: Scan, file: DataFile, schema: FileSchema | None) -> None:
    forms = {name: (form, physical) for name, form, physical in schema.forms} if schema else {}
    for column in scan.columns:
        if column.name.lower() not in forms:
            continue
        form, physical = forms[column.name.lower()]
        if parse_hive_type(column.type).kind in _STORED_AS[form]:
            continue
        raise bad_data(
            file,
            f"Field {column.name}'s type {physical} in parquet file is incompatible with type "
            f"{column.type} defined in table schema",
        )


_TEXT = frozenset(("string", "varchar", "char"))
_NUMBERS = frozenset(("tinyint", "smallint", "int", "bigint", "float", "double", "decimal"))
# The types that what is stored may be declared as, by what it is.
_STORED_AS: Mapping[str, frozenset[str]] = {
    "nested": frozenset(("array", "map", "struct")),
    "number": _NUMBERS | _TEXT,
    "boolean": _TEXT | {"boolean"},
    "date": _TEXT | {"date", "timestamp"},
    "timestamp": _TEXT | {"date", "timestamp"},
    "text": _TEXT | {"binary"},
}


def _form(column: pq.ColumnSchema) -> str:
    """What a column is in the words of `_STORED_AS`."""
    logical = str(column.logical_type)
    if column.path != column.name:
        return "nested"
    if "Timestamp" in logical or column.physical_type == "INT96":
        return "timestamp"
    if "Date" in logical:
        return "date"
    if column.physical_type == "BOOLEAN":
        return "boolean"
    is_text = "BYTE_ARRAY" in column.physical_type and "Decimal" not in logical
    return "text" if is_text else "number"


def _select(scan: Scan, files: Sequence[DataFile], schema: FileSchema) -> str:
    """Over files with one schema: DuckDB then knows their statistics, and plans joins well."""
    present = dict(schema.kinds)
    outputs: list[str] = []
    for column in scan.columns:
        name, type = column.name.lower(), scan.duckdb_type(column.type)
        value = quoted(name) if name in present else "NULL"
        if name in schema.instants and column.type.lower() == "timestamp":
            # An instant is shown in UTC, whatever the session's zone is.
            value = f"timezone('UTC', {value})"
        if column.type.lower() == "timestamp" and "milliseconds" not in present.get(name, ""):
            value = milliseconds(value) if name in present else value
        outputs.append(f"CAST({value} AS {type}) AS {quoted(name)}")
    return _from(scan, files, outputs, "")


def _select_converted(scan: Scan, files: Sequence[DataFile]) -> str:
    """Over files whose schemas aren't known here: DuckDB brings each to the table's."""
    # A file needs one column at least; the optimizer drops it again.
    columns = scan.columns or scan.table.columns[:1]
    fields: list[str] = []
    for column in columns:
        name, type = literal(column.name.lower()), literal(scan.duckdb_type(column.type))
        fields.append(f"{name}: {{name: {name}, type: {type}, default_value: NULL}}")
    outputs = [
        f"{milliseconds(quoted(c.name.lower()))} AS {quoted(c.name.lower())}"
        if c.type.lower() == "timestamp"
        else quoted(c.name.lower())
        for c in scan.columns
    ]
    return _from(scan, files, outputs, f"schema = MAP {{{', '.join(fields)}}}, ")


def _from(scan: Scan, files: Sequence[DataFile], outputs: list[str], options: str) -> str:
    outputs = outputs or ["NULL AS nothing"]
    if scan.located:
        outputs = [*outputs, f"filename AS {quoted(LOCATION)}"]
    has_binary = any("binary" in column.type.lower() for column in scan.columns)
    return (
        f"SELECT {', '.join(outputs)} FROM read_parquet({listed(f.location for f in files)}, "
        f"{options}hive_partitioning = false, filename = {str(scan.located).lower()}, "
        f"binary_as_string = {str(not has_binary).lower()})"
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
    kinds: dict[str, str] = defaultdict(str)
    instants: set[str] = set()
    forms: dict[str, tuple[str, str, str]] = {}
    for index in range(metadata.num_columns):
        column = metadata.schema.column(index)
        is_nested = column.path != column.name  # otherwise a dot is one of its name
        name = (column.path.partition(".")[0] if is_nested else column.path).lower()
        names.append(name)
        logical = str(column.logical_type)
        kinds[name] += f"{column.path}:{column.physical_type}:{logical};"
        forms[name] = (name, _form(column), "GROUP" if is_nested else column.physical_type)
        if is_nested:
            continue
        if "isAdjustedToUTC=true" in logical:
            instants.add(name)
    sizes: dict[str, int] = defaultdict(int)
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for index, name in enumerate(names):
            sizes[name] += row_group.column(index).total_compressed_size
    schema = FileSchema(
        tuple(sorted(kinds.items())), tuple(sorted(forms.values())), frozenset(instants)
    )
    return Footer(dict(sizes), _shared(schema))


@lru_cache(maxsize=1000)
def _shared(schema: FileSchema) -> FileSchema:
    return schema
