"""Delimited text."""

from __future__ import annotations

import bz2
import gzip
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.formats.lazy_simple import split_lines
from tests.engines.sql.running import CSV, LAZY, Lake


def test_lazy_simple_reads_what_it_can_and_the_rest_is_null(lake: Lake) -> None:
    text = "1,a,x\n2,\\N\nbad,c,y,extra\n1.5,,z\n"
    lake.table("t", LAZY, "a int; b string; c string", lake.file("t", text), field__delim=",")
    assert lake.rows("SELECT * FROM t") == [
        (1, "a", "x"),
        (2, None, None),
        (None, "c", "y"),
        (None, "", "z"),
    ]


def test_lazy_simple_types(lake: Lake) -> None:
    lines = (
        "true|7|1.25|2020-02-29|2020-01-01 10:11:12.5|2.5|ab\n"
        "yes|x|1.255|29.2.2020|no|Infinity|ab\n"
    )
    types = "b boolean; i smallint; d decimal(5,2); y date; t timestamp; f double; v varchar(1)"
    lake.table("t", LAZY, types, lake.file("t", lines), field__delim="|")
    first, second = lake.rows("SELECT * FROM t")
    moment = datetime(2020, 1, 1, 10, 11, 12, 500_000)
    assert first == (True, 7, Decimal("1.25"), date(2020, 2, 29), moment, 2.5, "a")
    assert second == (None, None, Decimal("1.26"), None, None, float("inf"), "a")


def test_lazy_simple_nested(lake: Lake) -> None:
    line = "1:2:\\N,a=1:b=:c=3,5:x\n,,\n\\N,\\N,\\N\n"
    lake.table(
        "t",
        LAZY,
        "l array<int>; m map<string,int>; s struct<n:int,v:string>",
        lake.file("t", line),
        field__delim=",",
        collection__delim=":",
        mapkey__delim="=",
    )
    assert lake.rows("SELECT l, m, s FROM t") == [
        ([1, 2, None], [("a", 1), ("b", None), ("c", 3)], {"n": 5, "v": "x"}),
        ([], [], {"n": None, "v": None}),
        (None, None, None),
    ]


def test_blank_lines_are_rows_and_broken_text_is_replaced(lake: Lake) -> None:
    file = lake.file("t", b"a,1\n\n\xff,2\r\nd,3")
    lake.table("t", LAZY, "a string; b int", file, field__delim=",")
    assert lake.rows("SELECT * FROM t") == [("a", 1), ("", None), ("�", 2), ("d", 3)]


def test_escapes(lake: Lake) -> None:
    file = lake.file("t", "a\\,b,c\n\\N,d\\\\\n")
    lake.table("t", LAZY, "a string; b string", file, field__delim=",", escape__delim="\\")
    assert lake.rows("SELECT * FROM t") == [("a,b", "c"), (None, "d\\")]


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".zst", ".lz4", ".snappy", ".deflate"])
def test_compressions_and_headers(lake: Lake, suffix: str) -> None:
    text = b"name,n\n" + b"".join(b"row %d,%d\n" % (n, n) for n in range(50_000))
    files = [lake.file(f"{k}.csv{suffix}", _compressed(text, suffix)) for k in range(2)]
    options = {"skip.header.line.count": "1"}
    lake.table("t", LAZY, "s string; n int", *files, field__delim=",", properties=options)
    total = sum(range(50_000))
    assert lake.rows("SELECT count(*), sum(n), min(s) FROM t") == [(100_000, 2 * total, "row 0")]
    execution = lake.execute("SELECT count(s) FROM t")
    list(execution.batches())
    assert execution.statistics.scanned_bytes == sum(file.size_bytes for file in files)
    execution.close()


def _compressed(text: bytes, suffix: str) -> bytes:
    import zlib

    match suffix:
        case ".gz":
            return gzip.compress(text[:1000]) + gzip.compress(text[1000:])
        case ".bz2":
            return bz2.compress(text)
        case ".deflate":
            return zlib.compress(text)
        case ".snappy":
            return _hadoop(text, "snappy")
        case ".zst" | ".lz4":
            sink = pa.BufferOutputStream()
            with pa.CompressedOutputStream(sink, {".zst": "zstd", ".lz4": "lz4"}[suffix]) as out:
                out.write(text)
            return sink.getvalue().to_pybytes()
        case _:
            return text


def _hadoop(text: bytes, codec: str) -> bytes:
    framed = b""
    for at in range(0, len(text), 200_000):
        block = text[at : at + 200_000]
        framed += len(block).to_bytes(4, "big")
        for start in range(0, len(block), 60_000):
            piece = pa.Codec(codec).compress(block[start : start + 60_000], asbytes=True)
            framed += len(piece).to_bytes(4, "big") + piece
    return framed


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".snappy", ".lz4", ".zst"])
def test_damaged_compression_is_an_error_that_names_the_file(lake: Lake, suffix: str) -> None:
    lake.table("t", LAZY, "s string", lake.file(f"t.csv{suffix}", "this is no archive at all\n"))
    with pytest.raises(QueryError) as caught:
        lake.rows("SELECT * FROM t")
    assert caught.value.kind == ErrorKind.HIVE_BAD_DATA
    assert f"s3://lake/t.csv{suffix}" in caught.value.message
    assert str(lake.folder) not in caught.value.message


def test_a_missing_text_file(lake: Lake) -> None:
    lake.table("t", LAZY, "s string", lake.file("gone.csv"))
    with pytest.raises(QueryError) as caught:
        lake.rows("SELECT * FROM t")
    assert caught.value.kind == ErrorKind.HIVE_CANNOT_OPEN_SPLIT
    assert "s3://lake/gone.csv" in caught.value.message


def test_the_scan_limit_cuts_while_files_are_read(lake: Lake) -> None:
    files = [lake.file(f"{n}.bz2", bz2.compress(b"x\n" * 100)) for n in range(20)]
    lake.table("t", LAZY, "s string", *files)
    limit = sum(file.size_bytes for file in files) // 2
    with pytest.raises(QueryError) as caught:
        lake.rows("SELECT count(s) FROM t", scan_limit_bytes=limit)
    assert caught.value.kind == ErrorKind.EXCEEDED_SCAN_LIMIT


def test_open_csv_quotes(lake: Lake) -> None:
    text = 'h1,h2,h3\n1,"a, ""b""",x\n"2",,\n3\n4,5,6,7\n5,"c\\"d",\\\\\n'
    lake.table(
        "t",
        CSV,
        "a int; b string; c string",
        lake.file("t.csv", text),
        properties={"skip.header.line.count": "1"},
    )
    assert lake.rows("SELECT * FROM t") == [
        (1, 'a, "b"', "x"),
        (2, "", ""),
        (3, None, None),
        (4, "5", "6"),
        (5, 'c"d', "\\"),
    ]


def test_open_csv_without_escapes_is_the_same(lake: Lake) -> None:
    text = "1;'a; ''b''';x\n2;;\n3\n4;5;6;7\n"
    file = lake.file("t.csv", text)
    lake.table("t", CSV, "a int; b string; c string", file, separatorChar=";", quoteChar="'")
    expected = [(1, "a; 'b'", "x"), (2, "", ""), (3, None, None), (4, "5", "6")]
    assert lake.rows("SELECT * FROM t") == expected


def test_open_csv_numbers_of_time(lake: Lake) -> None:
    file = lake.file("t.csv", '"1579059880000","18000","TRUE"\n')
    lake.table("t", CSV, "t timestamp; d date; b boolean", file)
    expected = [(datetime(2020, 1, 15, 3, 44, 40), date(2019, 4, 14), True)]
    assert lake.rows("SELECT t, d, b FROM t") == expected


@pytest.mark.parametrize("value", ["", "x", "1.5"])
def test_open_csv_refuses_what_is_no_number(lake: Lake, value: str) -> None:
    lake.table("t", CSV, "a string; n int", lake.file("t.csv", f'a,"{value}"\n'))
    assert lake.rows("SELECT a FROM t") == [("a",)]
    with pytest.raises(QueryError) as caught:
        lake.rows("SELECT n FROM t")
    assert caught.value.kind == ErrorKind.HIVE_BAD_DATA
    assert f"'{value}'" in caught.value.message
    assert "s3://lake/t.csv" in caught.value.message


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.text('ab,\\N\n\r"é ', max_size=8), min_size=1, max_size=6))
def test_both_readers_of_lines_agree(lake: Lake, lines: list[str]) -> None:
    text = "\n".join(lines).encode()
    lake.table(
        "fast", LAZY, "a string; b string", lake.file("t.csv", text + b"\n"), field__delim=","
    )
    archive = lake.file("t.csv.bz2", bz2.compress(text + b"\n"))
    lake.table("slow", LAZY, "a string; b string", archive, field__delim=",")
    assert lake.rows("SELECT * FROM fast") == lake.rows("SELECT * FROM slow")


@given(st.lists(st.text("ab,\\", max_size=6), min_size=2, max_size=4))
def test_what_is_escaped_comes_back(fields: list[str]) -> None:
    line = ",".join(field.replace("\\", "\\\\").replace(",", "\\,") for field in fields)
    columns = split_lines([line], ",", "\\", "\\N", len(fields))
    assert [column[0] for column in columns] == fields


@pytest.mark.parametrize("null", ["", "NULL", "a,b", "'; DROP"])
@pytest.mark.parametrize("separator", [",", "||", "<----->", "'", "\t", "\x01"])
def test_what_stands_for_null_and_what_separates(lake: Lake, null: str, separator: str) -> None:
    file = lake.file("t.txt", f"x{separator}{null}\n{null}{separator}y\n")
    options = {"field.delim": separator, "serialization.null.format": null}
    lake.table("t", LAZY, "a string; b string", file, **options)
    if separator in null:
        assert lake.rows("SELECT a FROM t") == [("x",), (null.split(separator)[0],)]
    else:
        assert lake.rows("SELECT * FROM t") == [("x", None), (None, "y")]


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"skip.footer.line.count": "1"}, "skip.footer.line.count"),
        ({"timestamp.formats": "yyyy"}, "timestamp.formats"),
        ({"serialization.encoding": "UTF-16"}, "UTF-16"),
        ({"line.delim": "|"}, "newline"),
        ({"skip.header.line.count": "x"}, "skip.header.line.count"),
    ],
)
def test_what_cannot_be_honoured_is_refused(
    lake: Lake, properties: dict[str, str], named: str
) -> None:
    lake.table("t", LAZY, "a string", lake.file("t.txt", "x\n"), properties=properties)
    with pytest.raises(QueryError, match=named):
        lake.rows("SELECT a FROM t")


def test_a_serde_that_is_not_known(lake: Lake) -> None:
    lake.table("t", "com.example.NoSerDe", "a string", lake.file("t.txt", "x\n"))
    with pytest.raises(QueryError, match=r"com\.example\.NoSerDe"):
        lake.rows("SELECT a FROM t")
