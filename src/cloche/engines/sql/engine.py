"""The interface of a SQL engine: what Athena, Redshift, data quality and monitoring share.

A service says what a statement's tables are (files in object storage, Arrow data, views); the
engine parses the statement in the dialect it is told, runs it, and gives Arrow batches with types
in Trino's names. No service knows which engine it is.

Everything here blocks and is called in threads; `Execution.cancel` may be called from anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from cloche.engines.sql.remote import RemoteCatalog, RemoteTable

if TYPE_CHECKING:
    import pyarrow as pa

Dialect = Literal["trino", "redshift", "duckdb"]

PlanForm = Literal["text", "json", "graphviz"]

Comparison = Literal["=", "<>", "<", "<=", ">", ">=", "in", "like", "is null", "is not null"]


class Column(msgspec.Struct, frozen=True):
    """A column of a table or of a result.

    Attributes:
        type: in Trino's names for results (`varchar`, `decimal(10,2)`, `array(row(a integer))`),
            in Hive's for tables over files (`string`, `struct<a:int>`).
    """

    name: str
    type: str


class Storage(msgspec.Struct, frozen=True):
    """How files of a partition are stored, where that is not as its table says.

    Attributes:
        columns: as the partition has them, types in Hive's names.
        input_format: as a table's.
        serde: as a table's.
        serde_properties: as a table's, as pairs.
    """

    columns: tuple[Column, ...]
    input_format: str
    serde: str
    serde_properties: tuple[tuple[str, str], ...] = ()


class DataFile(msgspec.Struct, frozen=True):
    """A file of a table.

    Attributes:
        location: where the engine reads it: a path of this machine or a URL.
        object_url: `s3://bucket/key`, which `"$path"` shows.
        size_bytes: of the object, compressed.
        partition: values of the table's partition columns as text; None is NULL.
        storage: of its partition; None if it is the table's.
    """

    location: str
    object_url: str
    size_bytes: int
    partition: Mapping[str, str | None] = {}
    storage: Storage | None = None


class FileTable(msgspec.Struct, frozen=True):
    """A table over files.

    Attributes:
        columns: without those of partitions, types in Hive's names.
        partition_columns: as `columns`.
        files: those that are to be read; hidden ones are left out already.
        input_format: Hive's input format class, which tells the file format with `serde`.
        serde: Hive's SerDe class.
        serde_properties: of the SerDe (`field.delim`, `quoteChar`, `mapping.x`, `input.regex`, …).
        properties: of the table (`skip.header.line.count`, `parquet.compression`, …).
    """

    columns: tuple[Column, ...]
    partition_columns: tuple[Column, ...]
    files: tuple[DataFile, ...]
    input_format: str
    serde: str
    serde_properties: Mapping[str, str] = {}
    properties: Mapping[str, str] = {}


class IdentifiedColumn(msgspec.Struct, frozen=True):
    """A column, or what is within one, that files know by a number.

    Attributes:
        id: its field id.
        name: as the table calls it; files may call it otherwise.
        type: in Trino's names, with all that is within.
        fields: of a row its fields, of an array its element, of a map its key and value.
        aliases: its names in files that have no field ids.
    """

    id: int
    name: str
    type: str
    fields: tuple[IdentifiedColumn, ...] = ()
    aliases: tuple[str, ...] = ()


class SnapshotFile(msgspec.Struct, frozen=True):
    """A Parquet file of a snapshot.

    Attributes:
        location: where the engine reads it: a path of this machine.
        object_url: `s3://bucket/key`, which `"$path"` shows.
        size_bytes: of the object.
        number: what `"$file"` shows of it.
        modified_at: seconds since 1970.
        constants: values, as text, of columns by their ids, where the file itself lacks them.
        deletes: paths of Parquet files with the positions of rows that are deleted.
    """

    location: str
    object_url: str
    size_bytes: int
    number: int = 0
    modified_at: float = 0.0
    constants: Mapping[int, str | None] = {}
    deletes: tuple[str, ...] = ()


class SnapshotTable(msgspec.Struct, frozen=True):
    """A table over Parquet files whose columns are found by their ids, as Iceberg's are.

    Attributes:
        columns: of the snapshot's schema.
        files: those that are to be read.
        has_places: whether it has the columns `"$file"` and `"$row"`, which tell where a row is:
            its file's number, and its position in that file from 0.
    """

    columns: tuple[IdentifiedColumn, ...]
    files: tuple[SnapshotFile, ...]
    has_places: bool = False


class ArrowTable(msgspec.Struct, frozen=True):
    """A table that is in memory, or comes from elsewhere as Arrow batches.

    Attributes:
        read: gives its batches anew each time.
    """

    columns: tuple[Column, ...]
    read: Callable[[], pa.RecordBatchReader]


class View(msgspec.Struct, frozen=True):
    """A stored query, in the statement's dialect.

    Attributes:
        schema: that unqualified names in it are looked up in.
    """

    sql: str
    catalog: str
    schema: str
    columns: tuple[Column, ...] = ()


TableSource = FileTable | SnapshotTable | ArrowTable | View | RemoteTable


class Filter(msgspec.Struct, frozen=True):
    """A condition on one column that every row of a scan must meet, found in the statement.

    Attributes:
        values: constants as text; one, or several for `in`; none for `is null`.
    """

    column: str
    operator: Comparison
    values: tuple[str, ...] = ()


class TableReference(msgspec.Struct, frozen=True):
    """A table as a statement names it.

    Attributes:
        catalog: lower case; the session's where the statement names none.
        schema: as `catalog`.
        name: lower case, with a suffix such as `$partitions` if it has one.
        filters: conditions on its columns joined by AND; those on partition columns tell which
            files are needed, and are still checked by the engine.
        timestamp: of `FOR TIMESTAMP AS OF`, ISO 8601 in UTC.
        version: of `FOR VERSION AS OF`.
        is_changed: whether it is the target of an UPDATE, DELETE or MERGE.
    """

    catalog: str
    schema: str
    name: str
    filters: tuple[Filter, ...] = ()
    timestamp: str | None = None
    version: str | None = None
    is_changed: bool = False


class Query(msgspec.Struct, frozen=True):
    """A statement to run.

    Attributes:
        sql: a query (SELECT, VALUES, WITH, EXPLAIN); DDL and writes are the service's. With
            `is_change` an UPDATE, DELETE or MERGE.
        resolve: gives a table, or raises `TableNotFound`; called once for each reference.
        parameters: SQL literals in the place of `?`, in order.
        memory_limit_bytes: beyond it the engine spills to disk.
        time_zone: of the session.
        now: what `now()` and `current_date` are, in seconds since 1970.
        user: what `current_user` is.
        scan_limit_bytes: of the files read; beyond it the query fails with `ScanLimitExceeded`.
        begun: called with the execution before it starts, so that it can be cancelled while
            `execute` still blocks.
        is_change: the result is then what is to change of the target, which is a SnapshotTable:
            `$file` and `$row` of a row that goes (both NULL for one that only comes), `$change`
            (a `Change`), and the target's columns with the values of a row that comes, in the
            columns' types. Nothing is changed by the engine.
    """

    sql: str
    dialect: Dialect
    catalog: str
    schema: str
    resolve: Callable[[TableReference], TableSource]
    parameters: Sequence[str] = ()
    memory_limit_bytes: int | None = None
    time_zone: str = "UTC"
    now: float | None = None
    user: str = ""
    scan_limit_bytes: int | None = None
    begun: Callable[[Execution], None] | None = None
    is_change: bool = False


class Change(IntEnum):
    """What becomes of a row."""

    DELETE = 1
    UPDATE = 2
    INSERT = 3


class Statistics(msgspec.Struct):
    """What a query has cost so far.

    Attributes:
        planning_seconds: parsing, rewriting, finding tables and files.
        execution_seconds: the engine's own time.
        scanned_bytes: size of the files that were opened (of the columns read, where the format
            tells), and of the rows that came from databases elsewhere, as Arrow has them.
        row_count: of the result, as far as it was read.
    """

    planning_seconds: float = 0.0
    execution_seconds: float = 0.0
    scanned_bytes: int = 0
    row_count: int = 0


class Explanation(msgspec.Struct, frozen=True):
    """A plan.

    Attributes:
        text: of several lines.
        statistics: what it has cost to make.
    """

    text: str
    statistics: Statistics


class Execution(Protocol):
    """A statement under way."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The result's columns, types in Trino's names."""
        ...

    @property
    def schema(self) -> pa.Schema:
        """The result's Arrow schema."""
        ...

    @property
    def statistics(self) -> Statistics:
        """What it has cost so far."""
        ...

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The result, once.

        Raises:
            QueryError: it failed while running.
            QueryCancelled: `cancel` was called.
        """
        ...

    def cancel(self) -> None:
        """End it soon; from any thread."""
        ...

    def close(self) -> None:
        """Let go of what it holds; from the thread that ran it."""
        ...


class SqlEngine(Protocol):
    """Runs statements."""

    @property
    def remotes(self) -> RemoteCatalog:
        """What databases elsewhere have, whose tables statements may name."""
        ...

    def execute(self, query: Query) -> Execution:
        """Parse, plan and start a statement; blocks until its columns are known.

        Raises:
            QueryError: it cannot be run.
        """
        ...

    def explain(
        self, query: Query, form: PlanForm = "text", *, analyze: bool = False
    ) -> Explanation:
        """The plan of a statement.

        Args:
            query: the statement.
            form: of the plan.
            analyze: run it, and tell rows and times of each operator; its result is thrown away.

        Raises:
            QueryError: it cannot be planned, or failed.
            QueryCancelled: it was cancelled.
        """
        ...

    def close(self) -> None:
        """End what is running and let go of everything."""
        ...


class ErrorKind(StrEnum):
    """Whose fault an error is, and which; the names are Trino's where it has one."""

    SYNTAX_ERROR = "SYNTAX_ERROR"
    TABLE_NOT_FOUND = "TABLE_NOT_FOUND"
    SCHEMA_NOT_FOUND = "SCHEMA_NOT_FOUND"
    CATALOG_NOT_FOUND = "CATALOG_NOT_FOUND"
    COLUMN_NOT_FOUND = "COLUMN_NOT_FOUND"
    COLUMN_TYPE_UNKNOWN = "COLUMN_TYPE_UNKNOWN"
    MISSING_COLUMN_NAME = "MISSING_COLUMN_NAME"
    FUNCTION_NOT_FOUND = "FUNCTION_NOT_FOUND"
    TYPE_MISMATCH = "TYPE_MISMATCH"
    INVALID_CAST_ARGUMENT = "INVALID_CAST_ARGUMENT"
    INVALID_FUNCTION_ARGUMENT = "INVALID_FUNCTION_ARGUMENT"
    DIVISION_BY_ZERO = "DIVISION_BY_ZERO"
    NUMERIC_VALUE_OUT_OF_RANGE = "NUMERIC_VALUE_OUT_OF_RANGE"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    JDBC_ERROR = "JDBC_ERROR"
    HIVE_BAD_DATA = "HIVE_BAD_DATA"
    HIVE_CANNOT_OPEN_SPLIT = "HIVE_CANNOT_OPEN_SPLIT"
    CONSTRAINT_VIOLATION = "CONSTRAINT_VIOLATION"
    MERGE_TARGET_ROW_MULTIPLE_MATCHES = "MERGE_TARGET_ROW_MULTIPLE_MATCHES"
    EXCEEDED_MEMORY_LIMIT = "EXCEEDED_MEMORY_LIMIT"
    EXCEEDED_SCAN_LIMIT = "EXCEEDED_SCAN_LIMIT"
    GENERIC_USER_ERROR = "GENERIC_USER_ERROR"
    GENERIC_INTERNAL_ERROR = "GENERIC_INTERNAL_ERROR"


class QueryError(Exception):
    """A statement cannot be run, or failed.

    Attributes:
        kind: what is wrong.
        message: for the user; names the place where one is known.
        line: 1-based position in the statement; 0 if it is not known.
        column: as `line`.
    """

    def __init__(self, kind: ErrorKind, message: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        place = f"line {self.line}:{self.column}: " if self.line else ""
        return f"{self.kind}: {place}{self.message}"


class TableNotFound(QueryError):
    """A reference names no table; raised by `Query.resolve`."""

    def __init__(self, reference: TableReference) -> None:
        name = f"{reference.catalog}.{reference.schema}.{reference.name}"
        super().__init__(ErrorKind.TABLE_NOT_FOUND, f"Table '{name}' does not exist")


class QueryCancelled(Exception):
    """The execution was cancelled."""
