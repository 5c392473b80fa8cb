"""What is wrong fails the query alone, with Athena's error and a message that names the place."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import random
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest

from tests.live_server import LiveServer
from tests.services.athena.conftest import Lake

_ROWS = [{"a": number, "b": f"text {number * 7919 % 1000}"} for number in range(5000)]
_JSON = "".join(json.dumps(row) + "\n" for row in _ROWS).encode()
_CSV = "".join(f"{row['a']},{row['b']}\n" for row in _ROWS).encode()
_OPEN_CSV = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
_OPENX = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'"
_HIVE_JSON = "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'"


def _file(write: Callable[[io.BytesIO], object]) -> bytes:
    written = io.BytesIO()
    write(written)
    return written.getvalue()


def _avro() -> bytes:
    fields = [{"name": "a", "type": "long"}, {"name": "b", "type": "string"}]
    schema: Any = {"type": "record", "name": "r", "fields": fields}
    return _file(lambda file: fastavro.writer(file, schema, _ROWS, codec="deflate"))


_TABLE = pa.Table.from_pylist(_ROWS)
FORMATS = {
    "parquet": ("STORED AS PARQUET", _file(lambda f: pq.write_table(_TABLE, f))),
    "orc": (
        "STORED AS ORC",
        _file(lambda f: orc.write_table(_TABLE, pa.PythonFile(f), compression="zlib")),
    ),
    "avro": ("STORED AS AVRO", _avro()),
    "json": (_OPENX, _JSON),
    "json.gz": (_OPENX, gzip.compress(_JSON)),
    "json.zst": (_OPENX, pa.compress(_JSON, "zstd", asbytes=True)),
    "json.bz2": (_HIVE_JSON, bz2.compress(_JSON)),
    "csv.gz": (_OPEN_CSV, gzip.compress(_CSV)),
    "csv.zst": (_OPEN_CSV, pa.compress(_CSV, "zstd", asbytes=True)),
    "csv.bz2": ("ROW FORMAT DELIMITED FIELDS TERMINATED BY ','", bz2.compress(_CSV)),
}


def _flipped(content: bytes) -> bytes:
    chosen = random.Random(3)
    damaged = bytearray(content)
    for _ in range(40):
        damaged[chosen.randrange(len(content) // 4, len(content) * 3 // 4)] ^= 0x5A
    return bytes(damaged)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "wrong_magic": lambda content: b"this is no file of any format",
    "cut": lambda content: content[: len(content) // 2],
    "flipped": _flipped,
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FORMATS)
def test_the_damaged_file_is_named_among_others(lake: Lake, name: str, damage: str) -> None:
    how, content = FORMATS[name]
    lake.put(f"t/1.{name}", content)
    lake.put(f"t/2 bad.{name}", DAMAGES[damage](content))
    lake.put(f"t/3.{name}", content)
    lake.run(f"CREATE EXTERNAL TABLE t (a bigint, b string) {how} LOCATION 's3://{lake.name}/t/'")
    status = lake.end("SELECT sum(a), max(b) FROM t")["Status"]
    assert status["State"] == "FAILED", "a damaged file is no shorter file"
    error = status["AthenaError"]
    assert error["ErrorMessage"].startswith(
        f"HIVE_BAD_DATA: Error reading s3://{lake.name}/t/2 bad.{name}: "
    )
    assert str(lake.server.settings.data_directory) not in error["ErrorMessage"]
    assert "LINE 1" not in error["ErrorMessage"]
    assert (error["ErrorCategory"], error["Retryable"]) == (2, False)
    assert lake.rows("SELECT 1") == [["1"]]


def test_a_compressed_file_that_ends_between_two_lines_is_cut_as_well(lake: Lake) -> None:
    encoder = zlib.compressobj(wbits=31)
    first = encoder.compress(b'{"a": 1}\n') + encoder.flush(2)
    lake.put("t/1.json.gz", first)
    lake.run(f"CREATE EXTERNAL TABLE t (a int) {_OPENX} LOCATION 's3://{lake.name}/t/'")
    reason = lake.fail("SELECT * FROM t")
    assert reason.startswith(f"HIVE_BAD_DATA: Error reading s3://{lake.name}/t/1.json.gz: ")


@pytest.mark.parametrize(
    ("how", "good", "bad", "reason"),
    [
        (_OPEN_CSV, "1,x", "xx,y", "Error parsing field value 'xx' for field 0: not of type int"),
        (_HIVE_JSON, '{"a":1}', '{"a":"x\\ny"}', "Error parsing field value for column a of type"),
        (_HIVE_JSON, '{"a":1}', "[1]", "Row is not a valid JSON object: [1]"),
        (_OPENX, '{"a":1}', '{"a":', "Malformed JSON"),
        (_OPENX, '{"a":1}', '"text"', 'Row is not a valid JSON object: "text"'),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".bz2"])
def test_the_file_of_a_bad_row_is_named(
    lake: Lake, how: str, good: str, bad: str, reason: str, suffix: str
) -> None:
    pack = bz2.compress if suffix else bytes
    for number, line in enumerate((good, f"{good}\n{bad}", good)):
        lake.put(f"t/{number}{suffix}", pack(f"{line}\n".encode()))
    lake.run(f"CREATE EXTERNAL TABLE t (a int, b string) {how} LOCATION 's3://{lake.name}/t/'")
    given = lake.fail("SELECT sum(a) FROM t")
    assert given.startswith(f"HIVE_BAD_DATA: Error reading s3://{lake.name}/t/1{suffix}: ")
    assert reason in given or "JSON" in reason
    assert str(lake.server.settings.data_directory) not in given


@pytest.mark.parametrize(
    ("columns", "sql", "reason"),
    [
        (
            "a string, b int",
            "SELECT b FROM t",
            "Field b's type BYTE_ARRAY in parquet file is incompatible with type int",
        ),
        ("a int, b struct<x:int>", "SELECT b FROM t", "is incompatible with type struct<x:int>"),
        ("a array<int>, b string", "SELECT a FROM t", "is incompatible with type array<int>"),
    ],
)
def test_a_file_of_other_types_is_named(lake: Lake, columns: str, sql: str, reason: str) -> None:
    for name in ("parquet", "orc", "avro"):
        how, content = FORMATS[name]
        lake.put(f"{name}/1", content)
        lake.run(
            f"CREATE EXTERNAL TABLE {name} ({columns}) {how} LOCATION 's3://{lake.name}/{name}/'"
        )
        given = lake.fail(sql.replace("FROM t", f"FROM {name}"))
        assert given.startswith(f"HIVE_BAD_DATA: Error reading s3://{lake.name}/{name}/1: ")
        assert reason in given or name != "parquet"
        assert "LINE 1" not in given


@pytest.mark.parametrize(
    ("sql", "reason", "type"),
    [
        ("SELECT a,\n nope FROM t", "COLUMN_NOT_FOUND: line 2:2: Column 'nope' cannot be", 1006),
        ("SELECT x.a FROM t", "COLUMN_NOT_FOUND: line 1:8: Column 'x.a' cannot be", 1006),
        ("SELECT\n1 FROM nope", "TABLE_NOT_FOUND: line 2:8: Table 'awsdatacatalog.", 1110),
        ("SELECT 1 FROM nope.t", "SCHEMA_NOT_FOUND: line 1:15: Schema 'nope' does not", 1301),
        ("SELECT 1 FROM no.db.t", "CATALOG_NOT_FOUND: line 1:15: Catalog 'no' does not", 1301),
        ("SELECT nope(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nope' not registered", 1303),
        ("SELECT 'a' + 1", "TYPE_MISMATCH: line 1:8: Cannot apply operator: varchar(1) +", 1006),
        ("SELECT 1 FROM t WHERE b = 1", "TYPE_MISMATCH: line 1:23: Cannot apply", 1006),
        ("SELECT CAST(b AS integer) FROM t", "INVALID_CAST_ARGUMENT: Cannot cast", 1100),
        ("SELECT a / 0 FROM t", "DIVISION_BY_ZERO: ", 1001),
        ("SELECT a FROM t WHERE", "SYNTAX_ERROR: line 1:", 1006),
        ("SELECT (a FROM t", "SYNTAX_ERROR: line 1:", 1006),
        ("SELECT 'x", "SYNTAX_ERROR: line 1:8: ", 1006),
        ("SELECT a b c FROM t", "SYNTAX_ERROR: line 1:12: mismatched input 'c'", 1006),
        ("FROM t", "SYNTAX_ERROR: line 1:1: mismatched input 'FROM'", 1006),
    ],
)
def test_a_wrong_statement_is_told_where(lake: Lake, sql: str, reason: str, type: int) -> None:
    lake.put("t/1", FORMATS["parquet"][1])
    lake.run(
        "CREATE EXTERNAL TABLE t (a bigint, b string) STORED AS PARQUET"
        f" LOCATION 's3://{lake.name}/t/'"
    )
    status = lake.end(sql)["Status"]
    assert status["State"] == "FAILED"
    assert status["StateChangeReason"].startswith(reason)
    assert "<class" not in status["StateChangeReason"]
    assert status["AthenaError"] == {
        "ErrorCategory": 2,
        "ErrorType": type,
        "Retryable": False,
        "ErrorMessage": status["StateChangeReason"],
    }


def test_partitions_that_are_missing(lake: Lake) -> None:
    lake.put("t/d=1/a.csv", "1\n")
    lake.run(
        f"CREATE EXTERNAL TABLE t (a int) PARTITIONED BY (d int) LOCATION 's3://{lake.name}/t/'"
    )
    lake.run(
        "ALTER TABLE t ADD PARTITION (d=1) PARTITION (d=2)"
        " PARTITION (d=3) LOCATION 's3://no-such-bucket-there/x/'"
    )
    assert lake.rows("SELECT a, d FROM t WHERE d < 3") == [["1", "1"]]  # a folder gone is empty
    assert lake.rows("SELECT a FROM t WHERE d = 9") == []
    assert "no-such-bucket-there" in lake.fail("SELECT a FROM t")
    lake.s3.delete_object(Bucket=lake.name, Key="t/d=1/a.csv")
    assert lake.rows("SELECT a FROM t WHERE d = 1") == []


@pytest.mark.parametrize("sql", ["SELECT 1", "CREATE TABLE t AS SELECT 1 AS a", "SHOW TABLES"])
def test_a_result_bucket_that_is_not_there(lake: Lake, sql: str) -> None:
    place = {"OutputLocation": "s3://no-such-bucket-there/x/"}
    status = lake.end(sql, ResultConfiguration=place)["Status"]
    assert status["State"] == "FAILED"
    assert status["StateChangeReason"].startswith(
        "Unable to verify/create output bucket no-such-bucket-there"
    )
    assert status["AthenaError"]["ErrorCategory"] == 2
    assert lake.lines("SHOW TABLES") == []


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Lake]:
    """A lake on a server whose queries have little memory."""
    server = LiveServer(tmp_path / "data", sql_memory=600 * 2**20).start()
    try:
        yield Lake(server).prepare()
    finally:
        server.stop()


# Arrays of all rows are kept in memory by DuckDB: they do not spill.
_TOO_MUCH = (
    "SELECT cardinality(array_agg(x * y)) AS n, cardinality(array_agg(CAST(x AS varchar))) AS m"
    " FROM unnest(sequence(1, 10000)) a(x), unnest(sequence(1, 10000)) b(y)"
)


def test_a_query_that_needs_too_much_fails_alone(small: Lake) -> None:
    too_much = small.start(_TOO_MUCH)
    beside: list[Any] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            beside.append(small.rows("SELECT sum(x) FROM unnest(sequence(1, 1000)) t(x)"))

    asking = threading.Thread(target=ask)
    asking.start()
    status = small.wait(too_much)["Status"]
    done.set()
    asking.join()
    assert status["State"] == "FAILED"
    assert status["StateChangeReason"].startswith("Query exhausted resources at this scale factor")
    assert status["AthenaError"]["ErrorMessage"] == status["StateChangeReason"]
    assert beside
    assert all(rows == [["500500"]] for rows in beside)
    assert small.rows("SELECT 1") == [["1"]]


@pytest.mark.timeout(400)
def test_a_query_over_its_memory_spills(small: Lake) -> None:
    # Some 800 MB to sort, with half of 600 MB at most.
    shown = small.rows(
        "SELECT count(*), min(t), max(n) FROM (SELECT lpad(CAST(x * 3001 + y AS varchar), 80, 'x')"
        " AS t, row_number() OVER (ORDER BY lpad(CAST(x * 7919 % 3001 AS varchar), 80, 'y'), y) AS"
        " n FROM unnest(sequence(1, 3000)) a(x), unnest(sequence(1, 1500)) b(y))"
    )
    assert shown[0][0] == shown[0][2] == "4500000"


@pytest.mark.parametrize(
    "sql",
    ["SELECT " + "+".join(["1"] * 5000), "SELECT " + "(" * 3000 + "1" + ")" * 3000],
)
def test_what_is_nested_too_deeply_is_told_as_that(small: Lake, sql: str) -> None:
    assert "SYNTAX_ERROR: line 1:1: statement is too large" in small.fail(sql)
    many = ", ".join(map(str, range(10_000)))
    assert small.rows(f"SELECT 1 WHERE 7 IN ({many})") == [["1"]]


def test_the_character_zero_is_refused_where_it_is(small: Lake) -> None:
    assert "NOT_SUPPORTED: line 2:1: the character U+0000" in small.fail("SELECT 1,\n'a\0b'")
    reason = small.fail("SELECT ?", ExecutionParameters=["'a\0b'"])
    assert "the character U+0000" in reason
