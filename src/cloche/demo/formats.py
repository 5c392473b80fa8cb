"""Tables as the bytes of a file, and the number of rows in such bytes."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet


@dataclass(frozen=True, slots=True)
class Format:
    """A file format.

    Attributes:
        name: for people.
        extension: also the first folder of its objects.
        content_type: MIME type.
        encode: rows to bytes.
        count_rows: rows in such bytes, found by reading them.
    """

    name: str
    extension: str
    content_type: str
    encode: Callable[[pa.Table], bytes]
    count_rows: Callable[[bytes], int]


def _parquet(rows: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pa_parquet.write_table(rows, buffer, compression="zstd")
    return buffer.getvalue()


def _parquet_rows(content: bytes) -> int:
    return pa_parquet.read_table(io.BytesIO(content)).num_rows


def _csv(rows: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pa_csv.write_csv(rows, buffer)
    return buffer.getvalue()


def _csv_rows(content: bytes) -> int:
    return pa_csv.read_csv(io.BytesIO(content)).num_rows


def _json_lines(rows: pa.Table) -> bytes:
    return msgspec.json.Encoder().encode_lines(rows.to_pylist())


def _json_rows(content: bytes) -> int:
    return len(msgspec.json.Decoder(dict).decode_lines(content))


FORMATS = (
    Format("Parquet", "parquet", "application/vnd.apache.parquet", _parquet, _parquet_rows),
    Format("CSV", "csv", "text/csv", _csv, _csv_rows),
    Format("JSON Lines", "json", "application/x-ndjson", _json_lines, _json_rows),
)
