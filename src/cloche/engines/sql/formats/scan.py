"""A table of one query while its files are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from cloche.engines.sql.engine import Column, DataFile, FileTable, QueryError
from cloche.engines.sql.formats.hive_types import HiveType, parse_hive_type

LOCATION = "$location"
"""The column with a row's file, where a scan is asked for it."""


class BatchStream:
    """Batches that DuckDB scans as often as it needs, each time anew.

    Attributes:
        schema: of the batches.
        failure: what ended the last scan, since DuckDB passes on only a text.
    """

    def __init__(self, schema: pa.Schema, read: Callable[[], Iterator[pa.RecordBatch]]) -> None:
        self.schema = schema
        self.failure: BaseException | None = None
        self._read = read

    def __arrow_c_schema__(self) -> Any:
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        reader = pa.RecordBatchReader.from_batches(self.schema, self._kept(self._read()))
        return reader.__arrow_c_stream__(requested_schema)

    def _kept(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except Exception as error:
            self.failure = error
            raise


@dataclass(frozen=True, slots=True)
class Scan:
    """Columns of files that are to be read.

    Attributes:
        table: whose they are.
        columns: of the table's own those that are needed, in the table's order.
        files: those that are read.
        located: whether `LOCATION` is asked for.
        register: makes batches a relation, and gives its name.
        count: is told of bytes when they are read; raises QueryError beyond the query's limit.
        check: raises QueryCancelled once the query is.
        duckdb_type: of one of Hive's.
    """

    table: FileTable
    columns: tuple[Column, ...]
    files: tuple[DataFile, ...]
    located: bool
    register: Callable[[BatchStream], str]
    count: Callable[[int], None]
    check: Callable[[], None]
    duckdb_type: Callable[[str], str]

    def of(self, files: Iterable[DataFile]) -> Scan:
        """The same of some of the files."""
        return replace(self, files=tuple(files))

    def types(self) -> tuple[HiveType, ...]:
        """Those of the columns.

        Raises:
            QueryError: one is none of Hive's.
        """
        return tuple(parse_hive_type(column.type) for column in self.columns)

    def option(self, *names: str, default: str = "") -> str:
        """A property of the SerDe or else of the table, under the first name that is set."""
        for name in names:
            for properties in (self.table.serde_properties, self.table.properties):
                if name in properties:
                    return properties[name]
        return default

    def stream(
        self,
        schema: pa.Schema,
        read: Callable[[DataFile], Iterator[pa.RecordBatch]],
    ) -> str:
        """A relation over what `read` gives for each file, with its location if asked for."""
        full = schema.append(pa.field(LOCATION, pa.string())) if self.located else schema

        def batches() -> Iterator[pa.RecordBatch]:
            for file in self.files:
                self.check()
                for batch in read(file):
                    self.check()
                    yield self._with_location(batch, full, file)

        return self.register(BatchStream(full, batches))

    def _with_location(
        self, batch: pa.RecordBatch, schema: pa.Schema, file: DataFile
    ) -> pa.RecordBatch:
        if not self.located:
            return batch
        place = pa.repeat(file.location, batch.num_rows)
        return pa.RecordBatch.from_arrays([*batch.columns, place], schema=schema)


Reader = Callable[[Scan], str]
"""Gives a SELECT with a scan's columns in their types, in their order, and LOCATION if asked for.

Raises QueryError for what a table declares and the format cannot do.
"""

__all__ = ["LOCATION", "BatchStream", "QueryError", "Reader", "Scan"]
