"""Results as files of a table: bounded in size, by partition and bucket, in a local folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pyarrow as pa

from cloche.engines.sql.engine import Column, ErrorKind, QueryError
from cloche.engines.sql.formats.buckets import bucket_numbers
from cloche.engines.sql.formats.conforming import conformed
from cloche.engines.sql.formats.file_writers import FileWriter, open_writer, suffix_of
from cloche.engines.sql.formats.hive_types import parse_hive_type
from cloche.engines.sql.formats.partition_names import folder_of, partition_texts

PARTITIONS_MAXIMUM = 100
"""How many partitions one statement may write to, as in Athena."""

_BUFFER_BYTES = 128 * 2**20
_ROW_GROUP_BYTES = 32 * 2**20
_ROW_GROUP_ROWS = 1_000_000


class FileLayout(msgspec.Struct, frozen=True, kw_only=True):
    """How rows are laid out in files.

    Attributes:
        format: `PARQUET`, `ORC`, `AVRO`, `JSON`, `TEXTFILE` or `CSV`.
        compression: `GZIP`, `ZLIB`, `DEFLATE`, `SNAPPY`, `ZSTD`, `LZ4`, `BZIP2` or `NONE`; a
            format refuses those that it has not.
        level: of compression; None for the usual one.
        columns: of the files, types in Hive's names.
        partition_columns: as `columns`; the last ones of the rows.
        delimiter: between the fields of TEXTFILE and CSV.
        null_text: what stands for NULL in TEXTFILE.
        bucket_columns: by whose hash rows are spread over files.
        bucket_count: how many buckets; 0 for none.
        file_bytes: a file that is larger is followed by another; a bucket has one file only.
        name: what the names of files begin with.
    """

    format: str
    compression: str
    columns: tuple[Column, ...]
    partition_columns: tuple[Column, ...] = ()
    level: int | None = None
    delimiter: str = "\x01"
    null_text: str = r"\N"
    bucket_columns: tuple[str, ...] = ()
    bucket_count: int = 0
    file_bytes: int = 256 * 2**20
    name: str = "part"

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the files.

        Raises:
            QueryError: a type is none of Hive's.
        """
        return pa.schema(
            [pa.field(c.name.lower(), parse_hive_type(c.type).arrow) for c in self.columns]
        )


class WrittenFile(msgspec.Struct, frozen=True):
    """A file that was written.

    Attributes:
        path: where it is now.
        folder: of its partition as Hive names it, such as `year=2020/city=K%3Aln`; may be empty.
        partition: values of the partition columns; None is NULL.
        row_count: of its rows.
        size_bytes: of the file.
        bucket: its number, if there are buckets.
    """

    path: Path
    folder: str
    partition: Mapping[str, str | None]
    row_count: int
    size_bytes: int
    bucket: int | None = None


_Values = tuple[str | None, ...]


@dataclass(slots=True)
class _Target:
    """A partition's bucket while rows come for it."""

    values: _Values
    bucket: int | None
    waiting: list[pa.RecordBatch] = field(default_factory=list[pa.RecordBatch])
    waiting_bytes: int = 0
    waiting_rows: int = 0
    writer: FileWriter | None = None
    path: Path | None = None
    row_count: int = 0


def write_files(
    batches: Iterable[pa.RecordBatch],
    directory: Path,
    layout: FileLayout,
    check: Callable[[], None] = lambda: None,
) -> list[WrittenFile]:
    """Write rows to files; an error leaves what was written so far to the caller to remove.

    Args:
        batches: columns as `layout` has them, by position.
        directory: to which; made if it isn't there.
        layout: how.
        check: is called now and then; what it raises ends the work.

    Raises:
        QueryError: too many partitions, a value that is not of its column's type, or what the
            format has not.
    """
    writing = _Writing(directory, layout)
    try:
        for batch in batches:
            check()
            writing.add(batch)
        return writing.finish()
    finally:
        writing.abandon()


class _Writing:
    def __init__(self, directory: Path, layout: FileLayout) -> None:
        self._directory = directory
        self._layout = layout
        self._schema = layout.schema
        self._partition_names = [column.name.lower() for column in layout.partition_columns]
        self._targets: dict[tuple[_Values, int | None], _Target] = {}
        self._written: list[WrittenFile] = []
        self._waiting_bytes = 0
        self._count = 0
        self._suffix = suffix_of(layout.format, layout.compression)
        directory.mkdir(parents=True, exist_ok=True)

    def add(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows == 0:
            return
        count = len(self._schema)
        data = self._conformed(batch, count)
        texts = partition_texts(batch.columns[count:], self._layout.partition_columns)
        for key, part in self._split(data, texts):
            self._add_to(self._target(key), part)
        while self._waiting_bytes > _BUFFER_BYTES:
            self._flush(max(self._targets.values(), key=lambda target: target.waiting_bytes))

    def _conformed(self, batch: pa.RecordBatch, count: int) -> pa.RecordBatch:
        arrays: list[pa.Array] = []
        for array, column in zip(batch.columns[:count], self._schema, strict=True):
            try:
                arrays.append(conformed(array, column.type))
            except pa.ArrowException as error:
                raise QueryError(
                    ErrorKind.NOT_SUPPORTED,
                    f"Column {column.name} cannot be written as {column.type}: {error}",
                ) from error
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _split(
        self, data: pa.RecordBatch, texts: list[pa.Array]
    ) -> Iterator[tuple[tuple[_Values, int | None], pa.RecordBatch]]:
        keys = dict(zip([f"p{n}" for n in range(len(texts))], texts, strict=True))
        if self._layout.bucket_count:
            keys["bucket"] = bucket_numbers(data, self._layout)
        if not keys:
            yield ((), None), data
            return
        table = pa.table({**keys, "row": pa.array(range(data.num_rows), pa.int32())})
        groups = table.group_by(list(keys)).aggregate([("row", "list")])
        for group in groups.to_batches():
            for n in range(group.num_rows):
                values = tuple(group.column(name)[n].as_py() for name in keys)
                rows = group.column("row_list")[n].values
                has_bucket = "bucket" in keys
                key = (values[:-1], values[-1]) if has_bucket else (values, None)
                whole = len(rows) == data.num_rows
                yield key, data if whole else data.take(rows)

    def _target(self, key: tuple[_Values, int | None]) -> _Target:
        target = self._targets.get(key)
        if target is None:
            target = self._targets[key] = _Target(*key)
            partitions = {values for values, _ in self._targets}
            if len(partitions) > PARTITIONS_MAXIMUM:
                raise QueryError(
                    ErrorKind.GENERIC_USER_ERROR,
                    "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of "
                    f"{PARTITIONS_MAXIMUM} open writers for partitions/buckets.",
                )
        return target

    def _add_to(self, target: _Target, batch: pa.RecordBatch) -> None:
        target.waiting.append(batch)
        target.waiting_bytes += batch.nbytes
        target.waiting_rows += batch.num_rows
        self._waiting_bytes += batch.nbytes
        if target.waiting_bytes > _ROW_GROUP_BYTES or target.waiting_rows >= _ROW_GROUP_ROWS:
            self._flush(target)

    def _flush(self, target: _Target) -> None:
        if not target.waiting:
            return
        if target.writer is None:
            self._open(target)
        if target.writer is not None:
            target.writer.write(pa.Table.from_batches(target.waiting))
        target.row_count += target.waiting_rows
        self._waiting_bytes -= target.waiting_bytes
        target.waiting, target.waiting_bytes, target.waiting_rows = [], 0, 0
        is_full = (
            target.writer is not None and target.writer.size_bytes() >= self._layout.file_bytes
        )
        if is_full and target.bucket is None:
            self._close(target)

    def _open(self, target: _Target) -> None:
        number = self._count
        self._count += 1
        bucket = "" if target.bucket is None else f"{target.bucket:06d}_0_"
        target.path = self._directory / f"{bucket}{self._layout.name}-{number:05d}{self._suffix}"
        target.writer = open_writer(target.path, self._schema, self._layout)

    def _close(self, target: _Target) -> None:
        if target.writer is None or target.path is None:
            return
        target.writer.close()
        partition = dict(zip(self._partition_names, target.values, strict=True))
        self._written.append(
            WrittenFile(
                target.path,
                folder_of(partition),
                partition,
                target.row_count,
                target.path.stat().st_size,
                target.bucket,
            )
        )
        target.writer, target.path, target.row_count = None, None, 0

    def finish(self) -> list[WrittenFile]:
        for target in self._targets.values():
            self._flush(target)
            self._close(target)
        return self._written

    def abandon(self) -> None:
        """Close what is open still, after an error."""
        for target in self._targets.values():
            if target.writer is not None:
                target.writer.abandon()
                target.writer = None
