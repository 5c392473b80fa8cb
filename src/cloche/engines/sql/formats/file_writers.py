"""Writers of one file in each format."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
from fastavro.write import Writer
from pyarrow import orc

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.formats.avro_codecs import packed
from cloche.engines.sql.formats.avro_schemas import avro_schema
from cloche.engines.sql.formats.compressing import TEXT_SUFFIXES, compressing
from cloche.engines.sql.formats.text_rows import csv_rows, delimited_rows, json_rows

if TYPE_CHECKING:
    from cloche.engines.sql.formats.writing import FileLayout


class FileWriter(Protocol):
    """Writes rows to one file."""

    def write(self, rows: pa.Table) -> None:
        """Add rows."""
        ...

    def size_bytes(self) -> int:
        """How much was written so far, about."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...

    def abandon(self) -> None:
        """Let go of the file, which is not finished."""
        ...


_PARQUET = {
    "GZIP": "gzip",
    "SNAPPY": "snappy",
    "ZSTD": "zstd",
    "LZ4": "lz4",
    "NONE": "none",
}
_ORC = {
    "GZIP": "zlib",
    "ZLIB": "zlib",
    "SNAPPY": "snappy",
    "ZSTD": "zstd",
    "LZ4": "lz4",
    "NONE": "uncompressed",
}
_AVRO = {
    "GZIP": "deflate",
    "DEFLATE": "deflate",
    "BZIP2": "bzip2",
    "SNAPPY": "snappy",
    "ZSTD": "zstandard",
    "NONE": "null",
}


def suffix_of(format: str, compression: str) -> str:
    """What the names of files end with, by which their compression is told again.

    Raises:
        QueryError: there is no such format, or it has no such compression.
    """
    known: dict[str, Any] = {
        "PARQUET": _PARQUET,
        "ORC": _ORC,
        "AVRO": _AVRO,
        "JSON": TEXT_SUFFIXES,
        "TEXTFILE": TEXT_SUFFIXES,
        "CSV": TEXT_SUFFIXES,
    }
    if format not in known:
        raise QueryError(ErrorKind.NOT_SUPPORTED, f"Format {format} cannot be written")
    if compression not in known[format]:
        raise QueryError(
            ErrorKind.NOT_SUPPORTED, f"Compression {compression} is not supported for {format}"
        )
    return TEXT_SUFFIXES[compression] if known[format] is TEXT_SUFFIXES else ""


def open_writer(path: Path, schema: pa.Schema, layout: FileLayout) -> FileWriter:
    """Begin a file."""
    match layout.format:
        case "PARQUET":
            return _ParquetWriter(path, schema, layout)
        case "ORC":
            return _OrcWriter(path, layout)
        case "AVRO":
            return _AvroWriter(path, schema, layout)
        case "JSON":
            return _TextWriter(path, layout, json_rows)
        case "CSV":
            return _TextWriter(path, layout, lambda rows: csv_rows(rows, layout.delimiter))
        case _:
            return _TextWriter(
                path,
                layout,
                lambda rows: delimited_rows(rows, layout.delimiter, layout.null_text),
            )


class _ArrowWriter:
    """A writer of pyarrow's over a file."""

    _writer: Any

    def __init__(self, path: Path) -> None:
        self._file = pa.OSFile(str(path), "wb")

    def size_bytes(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._writer.close()
        self._file.close()

    def abandon(self) -> None:
        with suppress(pa.ArrowException, OSError):
            self.close()


class _ParquetWriter(_ArrowWriter):
    def __init__(self, path: Path, schema: pa.Schema, layout: FileLayout) -> None:
        super().__init__(path)
        level = layout.level if layout.compression in ("GZIP", "ZSTD") else None
        self._writer = pq.ParquetWriter(
            self._file,
            schema,
            compression=_PARQUET[layout.compression],
            compression_level=level,
            store_schema=False,
            coerce_timestamps="ms",
            allow_truncated_timestamps=True,
        )

    def write(self, rows: pa.Table) -> None:
        self._writer.write_table(rows, row_group_size=max(1, rows.num_rows))


class _OrcWriter(_ArrowWriter):
    def __init__(self, path: Path, layout: FileLayout) -> None:
        super().__init__(path)
        self._writer = orc.ORCWriter(self._file, compression=_ORC[layout.compression])

    def write(self, rows: pa.Table) -> None:
        self._writer.write(rows)


class _AvroWriter:
    def __init__(self, path: Path, schema: pa.Schema, layout: FileLayout) -> None:
        self._path = path
        codec = _AVRO[layout.compression]
        # What fastavro cannot compress is written plain first, and packed at the end.
        self._own_codec = codec if codec in ("snappy", "zstandard") else None
        self._file: BinaryIO
        if self._own_codec:
            self._file = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115
        else:
            self._file = path.open("wb")
        parsed: Any = fastavro.parse_schema(avro_schema(schema))
        self._writer: Any = Writer(
            self._file, parsed, codec="null" if self._own_codec else codec, sync_interval=2**16
        )

    def write(self, rows: pa.Table) -> None:
        for batch in rows.to_batches(max_chunksize=8192):
            for record in batch.to_pylist(maps_as_pydicts="lossy"):
                self._writer.write(record)
        self._writer.flush()

    def size_bytes(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._writer.flush()
        if self._own_codec:
            self._file.seek(0)
            with self._path.open("wb") as target:
                target.writelines(packed(self._file, self._own_codec))
        self._file.close()

    def abandon(self) -> None:
        self._file.close()


class _TextWriter:
    def __init__(self, path: Path, layout: FileLayout, render: Callable[[pa.Table], bytes]) -> None:
        self._path = path
        self._file = path.open("wb")
        self._stream = compressing(self._file, layout.compression, layout.level)
        self._render = render

    def write(self, rows: pa.Table) -> None:
        for batch in rows.to_batches(max_chunksize=16_384):
            self._stream.write(self._render(pa.Table.from_batches([batch])))

    def size_bytes(self) -> int:
        self._file.flush()
        return os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        self._stream.close()
        self._file.close()

    def abandon(self) -> None:
        with suppress(pa.ArrowException, OSError):
            self.close()
