"""Writes rows as an Iceberg table's data files: by partition, bounded in memory and in size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import (
    _get_parquet_writer_kwargs,
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
    schema_to_pyarrow,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.partitioning import PartitionFieldValue, PartitionKey
from pyiceberg.schema import sanitize_column_names
from pyiceberg.table.locations import load_location_provider
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.typedef import Record

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.services.athena.result_configurations import bucket_and_key
from cloche.services.athena.session import Session
from cloche.services.athena.tables.iceberg_rows import as_stored

TARGET_FILE_BYTES = 512 << 20
_WAITING_BYTES = 64 << 20
_ROW_GROUP_BYTES = 32 << 20
_CHUNK_BYTES = 8 << 20
_OPEN_MAXIMUM = 64

_Values = tuple[Any, ...]


class _OpenFile:
    """A file that is being written: rows that wait, and what is on this machine's disk.

    Attributes:
        values: of its partition's fields.
        waiting: rows that are to be its next row group.
        waiting_bytes: of them.
    """

    def __init__(self, values: _Values) -> None:
        self.values = values
        self.waiting: list[pa.RecordBatch] = []
        self.waiting_bytes = 0
        self.writer: pq.ParquetWriter | None = None
        self.path: Any = None


class DataFileWriter:
    """Takes rows in the table's columns, and gives the data files that have them.

    Args:
        session: in whose name; the objects that are written are noted with it.
        metadata: of the table.
    """

    def __init__(self, session: Session, metadata: TableMetadata) -> None:
        self._session = session
        self._metadata = metadata
        self._spec = metadata.spec()
        self._schema = metadata.schema()
        self._file_schema = sanitize_column_names(self._schema)
        self._arrow = schema_to_pyarrow(self._file_schema, include_field_ids=True)
        self._options = _writer_options(metadata)
        properties = metadata.properties
        self._target_bytes = int(properties.get("write.target-file-size-bytes", TARGET_FILE_BYTES))
        self._locations = load_location_provider(metadata.location, properties)
        self._numbers = count()
        self._open: OrderedDict[_Values, _OpenFile] = OrderedDict()
        self._chunk: list[pa.RecordBatch] = []
        self._chunk_bytes = 0
        self._files: list[DataFile] = []
        self.row_count = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows, whose columns are the table's in order.

        Raises:
            QueryError: a value does not fit its column.
        """
        if not batch.num_rows:
            return
        self.row_count += batch.num_rows
        self._chunk.append(as_stored(batch, self._arrow, self._schema))
        self._chunk_bytes += batch.nbytes
        if self._chunk_bytes >= _CHUNK_BYTES:
            self._distribute()

    def close(self) -> list[DataFile]:
        """Store what is left; all files that were written."""
        self._distribute()
        while self._open:
            self._finish(next(iter(self._open)))
        return self._files

    def _distribute(self) -> None:
        """Give the rows that came to the files of their partitions."""
        self._session.call.check()
        chunk, self._chunk, self._chunk_bytes = self._chunk, [], 0
        if not chunk:
            return
        table = pa.Table.from_batches(chunk)
        for values, part in self._split(table):
            file = self._open.get(values)
            if file is None:
                if len(self._open) >= _OPEN_MAXIMUM:
                    self._finish(next(iter(self._open)))
                file = self._open[values] = _OpenFile(values)
            self._open.move_to_end(values)
            file.waiting += part.to_batches()
            file.waiting_bytes += part.nbytes
            if file.waiting_bytes >= _ROW_GROUP_BYTES:
                self._flush(file)
        while sum(file.waiting_bytes for file in self._open.values()) > _WAITING_BYTES:
            self._flush(max(self._open.values(), key=lambda file: file.waiting_bytes))

    def _split(self, table: pa.Table) -> Iterator[tuple[_Values, pa.Table]]:
        """Rows by the values of their partition's fields."""
        if not self._spec.fields:
            yield (), table
            return
        keys: list[pa.Array] = []
        for field in self._spec.fields:
            source = self._schema.find_field(field.source_id)
            values = _column_by_id(table, field.source_id)
            made = field.transform.pyarrow_transform(source.field_type)(values)
            keys.append(made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made)
        names = [f"k{number}" for number in range(len(keys))]
        rows = pa.table({**dict(zip(names, keys, strict=True)), "row": np.arange(len(table))})
        groups = rows.group_by(names, use_threads=False).aggregate([("row", "list")])
        for group in range(groups.num_rows):
            values = tuple(groups.column(name)[group].as_py() for name in names)
            found = groups.column("row_list")[group].values
            yield values, table if groups.num_rows == 1 else table.take(found)

    def _flush(self, file: _OpenFile) -> None:
        """Write the rows that wait as a row group."""
        if not file.waiting:
            return
        table = pa.Table.from_batches(file.waiting).combine_chunks()
        file.waiting, file.waiting_bytes = [], 0
        if file.writer is None:
            file.path = self._session.folder / f"data-{next(self._numbers):05d}.parquet"
            file.writer = pq.ParquetWriter(
                file.path, schema=self._arrow, store_decimal_as_integer=True, **self._options
            )
        file.writer.write_table(table, row_group_size=max(1, table.num_rows))
        if file.path.stat().st_size >= self._target_bytes:
            self._finish(file.values)

    def _finish(self, values: _Values) -> None:
        """End a file and store it."""
        file = self._open[values]
        if file.waiting:
            self._flush(file)
            if values not in self._open:
                return
        del self._open[values]
        writer = file.writer
        if writer is None:
            return
        writer.close()
        self._files.append(self._store(file, writer.writer.metadata))
        file.path.unlink()

    def _store(self, file: _OpenFile, footer: pq.FileMetaData) -> DataFile:
        key = None
        if self._spec.fields:
            fields = zip(self._spec.fields, file.values, strict=True)
            key = PartitionKey(
                field_values=[PartitionFieldValue(field=f, value=v) for f, v in fields],
                partition_spec=self._spec,
                schema=self._schema,
            )
        session = self._session
        name = f"{len(session.uploads):05d}-{file.path.stem[5:]}-{session.query.id}.parquet"
        url = self._locations.new_data_location(data_file_name=name, partition_key=key)
        statistics = data_file_statistics_from_parquet_metadata(
            parquet_metadata=footer,
            stats_columns=compute_statistics_plan(self._file_schema, self._metadata.properties),
            parquet_column_mapping=parquet_path_to_id_mapping(self._file_schema),
        )
        size = file.path.stat().st_size
        bucket, object_key = bucket_and_key(url)
        session.uploads.append((bucket, object_key))
        session.objects.wait(
            session.objects.write(bucket, object_key, file.path, "application/octet-stream")
        )
        return DataFile.from_args(
            content=DataFileContent.DATA,
            file_path=url,
            file_format=FileFormat.PARQUET,
            partition=Record() if key is None else key.partition,
            file_size_in_bytes=size,
            sort_order_id=None,
            spec_id=self._metadata.default_spec_id,
            equality_ids=None,
            key_metadata=None,
            **statistics.to_serialized_dict(),
        )


def _writer_options(metadata: TableMetadata) -> dict[str, Any]:
    kind = metadata.properties.get("write.format.default", "parquet").lower()
    if kind != "parquet":
        raise QueryError(ErrorKind.NOT_SUPPORTED, f"Writing Iceberg files of format {kind}")
    return _get_parquet_writer_kwargs(metadata.properties)


def _column_by_id(table: pa.Table, field_id: int) -> pa.ChunkedArray:
    """A column, or a field of a row, by its field id."""
    wanted = str(field_id).encode()

    def search(field: pa.Field, values: pa.ChunkedArray) -> pa.ChunkedArray | None:
        if (field.metadata or {}).get(b"PARQUET:field_id") == wanted:
            return values
        if not pa.types.is_struct(field.type):
            return None
        found = (
            search(each, pc.call_function("struct_field", [values], pc.StructFieldOptions(index)))
            for index, each in enumerate(field.type)
        )
        return next((each for each in found if each is not None), None)

    for field in table.schema:
        found = search(field, table.column(field.name))
        if found is not None:
            return found
    raise QueryError(ErrorKind.NOT_SUPPORTED, "Partitions by what is within an array or map")
