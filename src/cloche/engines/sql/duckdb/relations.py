"""The tables of a statement as subqueries for one connection.

They stand in the statement's text: a view of DuckDB's would open its files once when it is made,
and again when it is used.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import count

import duckdb
import pyarrow as pa

from cloche.engines.sql import trino
from cloche.engines.sql.engine import (
    ArrowTable,
    Column,
    DataFile,
    ErrorKind,
    FileTable,
    Query,
    QueryCancelled,
    QueryError,
    SnapshotTable,
    Statistics,
    TableReference,
    View,
)
from cloche.engines.sql.federation import Attachment, Scanners
from cloche.engines.sql.federation.scans import RemoteScan, scan_of
from cloche.engines.sql.formats.file_tables import select_table, used_columns
from cloche.engines.sql.formats.hive_types import parse_hive_type
from cloche.engines.sql.formats.scan import BatchStream
from cloche.engines.sql.formats.snapshot_files import select_snapshot, used_of_snapshot
from cloche.engines.sql.formats.sql_text import quoted
from cloche.engines.sql.remote import RemoteDatabase, RemoteTable
from cloche.engines.sql.trino.types import hive_type_to_trino, parse_type, to_duckdb_type

_VIEW_DEPTH_MAXIMUM = 16


class Relations:
    """What stands for the tables of one query.

    Attributes:
        files: those that the query reads.
        statistics: of the query.
    """

    def __init__(
        self, query: Query, connection: duckdb.DuckDBPyConnection, scanners: Scanners
    ) -> None:
        self.files: list[DataFile] = []
        self.statistics = Statistics()
        self._query = query
        self._connection = connection
        self._scanners = scanners
        self._attachments: dict[RemoteDatabase, Attachment] = {}
        self._attaching = threading.Lock()
        self._streams: list[BatchStream] = []
        self._opened: list[pa.RecordBatchReader] = []
        self._numbers = count()
        self._count_lock = threading.Lock()
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Let nothing more be read."""
        self._cancelled.set()

    def check(self) -> None:
        """Raise QueryCancelled once the query is."""
        if self._cancelled.is_set():
            raise QueryCancelled

    def close(self) -> None:
        """Let go of what was opened and perhaps never read."""
        for reader in self._opened:
            reader.close()
        with self._attaching:
            attached, self._attachments = self._attachments, {}
        for attachment in attached.values():
            attachment.close()

    def failure(self) -> BaseException | None:
        """What ended a stream of batches, which DuckDB only tells as text."""
        return next((s.failure for s in self._streams if s.failure is not None), None)

    def translate(
        self, sql: str, catalog: str, schema: str, depth: int = 0
    ) -> tuple[str, tuple[Column, ...]]:
        """A statement as DuckDB's SQL, and the columns of its result.

        The streams that its tables need are registered with the connection.

        Raises:
            QueryError: it is no query, or a table is not there or cannot be read.
        """
        if depth > _VIEW_DEPTH_MAXIMUM:
            raise QueryError(ErrorKind.NOT_SUPPORTED, "Views are nested too deeply")
        parameters = () if depth else self._query.parameters
        statement = trino.parse(
            sql,
            catalog=catalog,
            schema=schema,
            parameters=parameters,
            dialect=self._query.dialect,
            is_change=self._query.is_change and not depth,
            now=self._query.now,
        )
        relations = {use: self._relation(use, sql, depth) for use in statement.uses}
        translated = statement.to_duckdb(
            relations, time_zone=self._query.time_zone, shown=depth == 0
        )
        return translated, statement.columns

    def count(self, size_bytes: int) -> None:
        """Add to the bytes that were scanned; raises QueryError beyond the limit."""
        with self._count_lock:
            self.statistics.scanned_bytes += size_bytes
            total = self.statistics.scanned_bytes
        limit = self._query.scan_limit_bytes
        if limit is not None and total > limit:
            raise QueryError(
                ErrorKind.EXCEEDED_SCAN_LIMIT, f"Bytes scanned limit was exceeded: {limit} bytes"
            )

    def _relation(self, use: trino.TableUse, sql: str, depth: int) -> trino.Relation:
        self.check()
        reference = TableReference(
            use.catalog,
            use.schema,
            use.name,
            use.filters,
            use.timestamp,
            use.version,
            use.is_changed,
        )
        source = self._query.resolve(reference)
        if isinstance(source, View):
            return self._view(source, depth)
        if isinstance(source, ArrowTable):
            return self._arrow(source)
        if isinstance(source, RemoteTable):
            return self._remote(source, use)
        has_hidden = '"$' in sql
        if isinstance(source, SnapshotTable):
            return self._snapshot(source, use, has_hidden=has_hidden)
        columns = used_columns(source, use.columns, has_hidden=has_hidden)
        return self._files(source, columns)

    def _files(self, table: FileTable, columns: tuple[Column, ...]) -> trino.Relation:
        self.files += table.files
        sql = select_table(
            table,
            columns,
            register=self._register,
            count=self.count,
            check=self.check,
            duckdb_type=_duckdb_type,
        )
        typed = [Column(c.name.lower(), hive_type_to_trino(c.type)) for c in columns]
        return trino.Relation(f"({sql})", tuple(typed))

    def _snapshot(
        self, table: SnapshotTable, use: trino.TableUse, *, has_hidden: bool
    ) -> trino.Relation:
        self.files += [
            DataFile(file.location, file.object_url, file.size_bytes) for file in table.files
        ]
        columns, hidden = used_of_snapshot(table, use.columns, has_hidden=has_hidden)
        sql = select_snapshot(
            table,
            columns,
            hidden,
            register=self._register,
            count=self.count,
            check=self.check,
            duckdb_type=_type_of_trino,
        )
        typed = [Column(column.name.lower(), column.type) for column in (*columns, *hidden)]
        return trino.Relation(f"({sql})", tuple(typed))

    def _arrow(self, table: ArrowTable) -> trino.Relation:
        # What tells the schema is also the first scan: to read may be dear, as a query elsewhere.
        opened = [table.read()]
        self._opened += opened
        schema = opened[0].schema

        def read() -> pa.RecordBatchReader:
            try:
                return opened.pop()
            except IndexError:
                return table.read()

        stream = BatchStream(schema, lambda: self._checked(read))
        names = [column.name.lower() for column in table.columns]
        outputs = [
            f"{quoted(field.name)} AS {quoted(name)}"
            for field, name in zip(schema, names, strict=True)
        ]
        sql = f"SELECT {', '.join(outputs)} FROM {self._register(stream)}"
        typed = [
            Column(name, trino.arrow_type_to_trino(field.type))
            for field, name in zip(schema, names, strict=True)
        ]
        return trino.Relation(f"({sql})", tuple(typed))

    def _remote(self, table: RemoteTable, use: trino.TableUse) -> trino.Relation:
        scan = scan_of(
            table, use.columns, use.filters, use.limit, is_utc=self._query.time_zone == "UTC"
        )
        # Nothing is asked for until DuckDB reads: a plan alone doesn't.
        stream = BatchStream(scan.schema, lambda: self._fetched(table.database, scan))
        sql = f"SELECT {', '.join(scan.outputs)} FROM {self._register(stream)}"
        return trino.Relation(f"({sql})", scan.columns)

    def _fetched(self, database: RemoteDatabase, scan: RemoteScan) -> Iterator[pa.RecordBatch]:
        self.check()
        attachment = self._attachment(database)
        for batch in attachment.batches(scan.sql, scan.schema, self.check):
            self.count(batch.nbytes)
            yield batch

    def _attachment(self, database: RemoteDatabase) -> Attachment:
        with self._attaching:
            if database not in self._attachments:
                self._attachments[database] = self._scanners.attach(database, self.check)
            return self._attachments[database]

    def _checked(self, read: Callable[[], pa.RecordBatchReader]) -> Iterator[pa.RecordBatch]:
        with read() as reader:
            for batch in reader:
                self.check()
                yield batch

    def _view(self, view: View, depth: int) -> trino.Relation:
        sql, columns = self.translate(view.sql, view.catalog, view.schema, depth + 1)
        if view.columns and len(view.columns) != len(columns):
            raise QueryError(
                ErrorKind.NOT_SUPPORTED,
                f"View is stale: it has {len(view.columns)} columns, its query {len(columns)}",
            )
        return trino.Relation(f"({sql})", columns)

    def _register(self, stream: BatchStream) -> str:
        name = f"stream_{next(self._numbers)}"
        self._streams.append(stream)
        self._connection.register(name, stream)
        return name


def _duckdb_type(hive_type: str) -> str:
    return parse_hive_type(hive_type).duckdb


def _type_of_trino(type: str) -> str:
    return to_duckdb_type(parse_type(type))
