"""Results as files, read again by the engine."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloche.engines.sql.engine import Column, DataFile, ErrorKind, QueryError
from cloche.engines.sql.formats.buckets import hash_long, hash_text
from cloche.engines.sql.formats.partition_names import escaped
from cloche.engines.sql.formats.writing import FileLayout, WrittenFile, write_files
from tests.engines.sql.formats.test_same_answers import COLUMNS, SCHEMA, _rows
from tests.engines.sql.running import AVRO, CSV, HIVE_JSON, LAZY, ORC, PARQUET, Lake, columns_of

SERDES = {
    "PARQUET": PARQUET,
    "ORC": ORC,
    "AVRO": AVRO,
    "JSON": HIVE_JSON,
    "TEXTFILE": LAZY,
    "CSV": CSV,
}
EVERY = [
    *(("PARQUET", c) for c in ("GZIP", "SNAPPY", "ZSTD", "LZ4", "NONE")),
    *(("ORC", c) for c in ("ZLIB", "SNAPPY", "ZSTD", "LZ4", "NONE")),
    *(("AVRO", c) for c in ("DEFLATE", "SNAPPY", "ZSTD", "BZIP2", "NONE")),
    *(("JSON", c) for c in ("GZIP", "ZSTD", "BZIP2", "LZ4", "SNAPPY", "NONE")),
    *(("TEXTFILE", c) for c in ("GZIP", "ZSTD", "BZIP2", "LZ4", "SNAPPY", "DEFLATE", "NONE")),
]


def written(
    lake: Lake, rows: pa.Table, format: str, compression: str, columns: str, **options: Any
) -> list[WrittenFile]:
    layout = FileLayout(
        format=format, compression=compression, columns=columns_of(columns), **options
    )
    return write_files(rows.to_batches(), lake.folder / format, layout)


def table_of(lake: Lake, format: str, columns: str, files: list[WrittenFile], **more: Any) -> None:
    data = [
        DataFile(str(f.path), f"s3://lake/{f.folder}/{f.path.name}", f.size_bytes, f.partition)
        for f in files
    ]
    lake.table("t", SERDES[format], columns, *data, **more)


@pytest.mark.parametrize(("format", "compression"), EVERY)
def test_what_is_written_is_read_again(lake: Lake, format: str, compression: str) -> None:
    rows = pa.table({"n": list(range(30_000)), "s": [f"text {n}" for n in range(30_000)]})
    files = written(lake, rows, format, compression, "n bigint; s string")
    assert [file.row_count for file in files] == [30_000]
    assert files[0].size_bytes == files[0].path.stat().st_size
    table_of(lake, format, "n bigint; s string", files)
    expected = [(30_000, sum(range(30_000)), "text 0", "text 9999")]
    assert lake.rows("SELECT count(*), sum(n), min(s), max(s) FROM t") == expected


@pytest.mark.parametrize("format", ["PARQUET", "ORC", "AVRO", "JSON", "TEXTFILE"])
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(_rows, min_size=1, max_size=5))
def test_every_value_survives(lake: Lake, format: str, rows: list[dict[str, Any]]) -> None:
    rows = [{name: row[name] for name in SCHEMA.names} for row in rows]
    files = written(lake, pa.Table.from_pylist(rows, SCHEMA), format, "NONE", COLUMNS)
    table_of(lake, format, COLUMNS, files)
    expected = [
        tuple(list(v.items()) if k == "codes" and v is not None else v for k, v in row.items())
        for row in rows
    ]
    assert lake.rows("SELECT * FROM t") == expected


def test_csv(lake: Lake) -> None:
    rows = pa.table({"n": [1, 2], "s": ['a, "b"', "c"], "d": [Decimal("1.50"), Decimal("-2.00")]})
    files = written(lake, rows, "CSV", "GZIP", "n int; s string; d decimal(5,2)", delimiter=",")
    table_of(lake, "CSV", "n int; s string; d decimal(5,2)", files)
    assert lake.rows("SELECT * FROM t") == [
        (1, 'a, "b"', Decimal("1.50")),
        (2, "c", Decimal("-2.00")),
    ]


def test_files_are_bounded(lake: Lake) -> None:
    batches = [
        pa.record_batch({"n": list(range(k, k + 200_000))}) for k in range(0, 10**7, 200_000)
    ]
    layout = FileLayout(
        format="PARQUET", compression="NONE", columns=columns_of("n bigint"), file_bytes=10 * 2**20
    )
    files = write_files(batches, lake.folder / "big", layout)
    assert len(files) > 2
    assert max(file.size_bytes for file in files) < 80 * 2**20
    assert sum(file.row_count for file in files) == 10**7
    assert len({file.path for file in files}) == len(files)


def test_partitions(lake: Lake) -> None:
    rows = pa.table(
        {
            "n": [1, 2, 3, 4, 5],
            "city": ["K:ln", None, "K:ln", "a b/c", ""],
            "day": [date(2020, 1, 2)] * 4 + [None],
        }
    )
    partitions = (Column("city", "string"), Column("day", "date"))
    layout = FileLayout(
        format="PARQUET",
        compression="SNAPPY",
        columns=columns_of("n bigint"),
        partition_columns=partitions,
    )
    files = write_files(rows.to_batches(max_chunksize=2), lake.folder / "p", layout)
    default = "__HIVE_DEFAULT_PARTITION__"
    assert {file.folder: file.row_count for file in files} == {
        "city=K%3Aln/day=2020-01-02": 2,
        f"city={default}/day=2020-01-02": 1,
        "city=a b%2Fc/day=2020-01-02": 1,
        f"city={default}/day={default}": 1,
    }
    table_of(lake, "PARQUET", "n bigint", files, partitions="city string; day date")
    found = lake.rows("SELECT n, city, day FROM t WHERE city = 'K:ln' ORDER BY n")
    assert found == [(1, "K:ln", date(2020, 1, 2)), (3, "K:ln", date(2020, 1, 2))]
    assert lake.rows("SELECT n FROM t WHERE city IS NULL") == [(2,)]


def test_too_many_partitions(lake: Lake) -> None:
    layout = FileLayout(
        format="PARQUET",
        compression="NONE",
        columns=columns_of("n bigint"),
        partition_columns=columns_of("k int"),
    )
    for count, ends_well in ((100, True), (101, False)):
        rows = pa.table({"n": list(range(count)), "k": list(range(count))})
        if ends_well:
            assert len(write_files(rows.to_batches(), lake.folder / "ok", layout)) == 100
            continue
        with pytest.raises(QueryError, match="HIVE_TOO_MANY_OPEN_PARTITIONS"):
            write_files(rows.to_batches(), lake.folder / "no", layout)


def test_buckets(lake: Lake) -> None:
    rows = pa.table({"k": list(range(1000)), "s": [f"s{n}" for n in range(1000)]})
    files = written(
        lake, rows, "ORC", "ZLIB", "k int; s string", bucket_columns=("k",), bucket_count=4
    )
    assert {file.bucket: file.row_count for file in files} == dict.fromkeys(range(4), 250)
    for file in files:
        table_of(lake, "ORC", "k int; s string", [file])
        assert lake.rows("SELECT DISTINCT k % 4 FROM t") == [(file.bucket,)]


def test_hashes_are_hives() -> None:
    # As Java's String.hashCode for ASCII, and Long.hashCode.
    assert hash_text("hello") == 99162322
    assert hash_text("é") == (31 * (0xC3 - 256) + (0xA9 - 256)) & 0xFFFFFFFF
    assert hash_long(2**32 + 5) == 4
    assert hash_long(-1) == 0


@pytest.mark.parametrize(
    ("format", "compression"), [("PARQUET", "BZIP2"), ("ORC", "BZIP2"), ("XML", "NONE")]
)
def test_what_a_format_has_not(lake: Lake, format: str, compression: str) -> None:
    with pytest.raises(QueryError) as caught:
        written(lake, pa.table({"n": [1]}), format, compression, "n bigint")
    assert caught.value.kind == ErrorKind.NOT_SUPPORTED


def test_numbers_in_text_are_javas(lake: Lake) -> None:
    rows = pa.table(
        {"d": [1.0, 1e10, None], "t": [datetime(2020, 1, 1), None, None], "s": ["", None, "x"]}
    )
    files = written(
        lake, rows, "TEXTFILE", "NONE", "d double; t timestamp; s string", delimiter="|"
    )
    text = files[0].path.read_text()
    assert text == "1.0|2020-01-01 00:00:00.0|\n1.0E10|\\N|\\N\n\\N|\\N|x\n"


@given(st.text())
def test_folders_have_no_slash(text: str) -> None:
    assert "/" not in escaped(text)
