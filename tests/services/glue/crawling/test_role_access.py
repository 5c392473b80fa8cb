from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from cloche.services.glue.crawling.role_access import _Ranges
from tests.services.glue.crawling.conftest import parquet_bytes


class CountedFile:
    """An object whose ranges are counted."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.read_bytes = 0

    @property
    def size_bytes(self) -> int:
        return len(self.content)

    def read(self, start: int, length: int) -> bytes:
        self.read_bytes += length
        return self.content[start : start + length]


def test_a_footer_is_read_by_ranges() -> None:
    table = pa.table({"n": range(300_000), "text": ["x" * 20] * 300_000})
    file: Any = CountedFile(parquet_bytes(table, use_dictionary=False, compression="none"))
    with io.BufferedReader(_Ranges(file), 65536) as opened:
        contents = parquet.ParquetFile(opened)
        assert contents.metadata.num_rows == 300_000
    assert file.size_bytes > 8_000_000
    assert file.read_bytes < 300_000


def test_ranges_are_a_file() -> None:
    file: Any = CountedFile(b"0123456789")
    opened = io.BufferedReader(_Ranges(file), 4)
    assert opened.read(3) == b"012"
    assert opened.seek(-2, io.SEEK_END) == 8
    assert opened.read() == b"89"
    assert opened.read() == b""
    opened.seek(2)
    opened.seek(1, io.SEEK_CUR)
    assert opened.read(2) == b"34"
