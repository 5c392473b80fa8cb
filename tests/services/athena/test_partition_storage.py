"""Partitions are read by their own SerDe, file format and columns."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest

from tests.services.athena.conftest import Lake

_HIVE = "org.apache.hadoop.hive"
PARQUET = (
    f"{_HIVE}.ql.io.parquet.MapredParquetInputFormat",
    f"{_HIVE}.ql.io.parquet.serde.ParquetHiveSerDe",
    {},
)
ORC = (f"{_HIVE}.ql.io.orc.OrcInputFormat", f"{_HIVE}.ql.io.orc.OrcSerde", {})
_TEXT = "org.apache.hadoop.mapred.TextInputFormat"
JSON = (_TEXT, "org.openx.data.jsonserde.JsonSerDe", {})
BARS = (_TEXT, f"{_HIVE}.serde2.lazy.LazySimpleSerDe", {"field.delim": "|"})


@pytest.fixture
def table(lake: Lake) -> str:
    lake.put("t/p=csv/a", "1,one,1.5\n2,two,2.5\n")
    lake.run(
        "CREATE EXTERNAL TABLE t (id bigint, name string, price decimal(5,1))"
        " PARTITIONED BY (p string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ','"
        f" LOCATION 's3://{lake.name}/t/'"
    )
    lake.run("ALTER TABLE t ADD PARTITION (p='csv')")
    return "t"


def _add(
    lake: Lake, name: str, stored: tuple[str, str, dict[str, str]], columns: str, content: bytes
) -> None:
    input_format, serde, parameters = stored
    lake.put(f"t/p={name}/a", content)
    pairs = [each.strip().split(" ") for each in columns.split(";") if each]
    descriptor: dict[str, Any] = {
        "Location": f"s3://{lake.name}/t/p={name}/",
        "InputFormat": input_format,
        "SerdeInfo": {"SerializationLibrary": serde, "Parameters": parameters},
        "Columns": [{"Name": column, "Type": kind} for column, kind in pairs],
    }
    lake.server.client("glue").create_partition(
        DatabaseName=lake.name,
        TableName="t",
        PartitionInput={"Values": [name], "StorageDescriptor": descriptor},
    )


def _file(rows: pa.Table, write: Any) -> bytes:
    written = io.BytesIO()
    write(rows, written)
    return written.getvalue()


def test_each_is_read_in_its_own_way(lake: Lake, table: str) -> None:
    rows = pa.table({"name": ["three"], "id": pa.array([3], pa.int32())})
    _add(lake, "parquet", PARQUET, "name string;id int", _file(rows, pq.write_table))
    _add(lake, "orc", ORC, "name string;id int", _file(rows, lambda t, f: orc.write_table(t, f)))
    line = json.dumps({"ID": 4, "price": 4.5, "name": "four"})
    _add(lake, "json", JSON, "id bigint;name string", f"{line}\n".encode())
    _add(lake, "bars", BARS, "price string;id int", b"7.5|5\nx|y\n")
    expected = [
        ["1", "one", "1.5", "csv"],
        ["2", "two", "2.5", "csv"],
        ["3", "three", None, "orc"],
        ["3", "three", None, "parquet"],
        ["4", "four", "4.5", "json"],
    ]
    where = "p <> 'bars'"
    assert lake.rows(f"SELECT * FROM t WHERE {where} ORDER BY id, p") == expected
    assert lake.rows(f"SELECT count(*), sum(id) FROM t WHERE {where}") == [["5", "13"]]
    assert lake.rows(f"SELECT name FROM t WHERE id > 3 AND {where}") == [["four"]]
    assert lake.rows("SELECT \"$path\" FROM t WHERE p = 'orc'") == [[f"s3://{lake.name}/t/p=orc/a"]]
    assert len(lake.lines("SHOW PARTITIONS t")) == 5
    described = lake.lines("DESCRIBE t PARTITION (p='json')")
    assert [line.split()[0] for line in described[:3]] == ["id", "name", "p"]
    assert "Partition not found" in lake.fail("DESCRIBE t PARTITION (p='nope')")
    reason = lake.fail("SELECT * FROM t")
    assert reason.startswith("HIVE_PARTITION_SCHEMA_MISMATCH: ")
    assert "declared as type 'decimal(5,1)', but partition 'p=bars'" in reason


def test_text_has_the_columns_of_its_partition(lake: Lake, table: str) -> None:
    _add(lake, "bars", BARS, "name string;id int", b"five|5\nsix|6\n")
    _add(lake, "more", BARS, "id string;name string;more int", b"7|seven|1\nx|eight|1\n")
    assert lake.rows("SELECT id, name, price FROM t WHERE p IN ('bars', 'more') ORDER BY name") == [
        [None, "eight", None],
        ["5", "five", None],
        ["7", "seven", None],
        ["6", "six", None],
    ]
    assert lake.rows("SELECT count(*) FROM t") == [["6"]]
    # What was there before a column was added goes on without it.
    lake.run("ALTER TABLE t ADD COLUMNS (extra string)")
    lake.put("t/p=new/a", "9,nine,9.5,e\n")
    lake.run("ALTER TABLE t ADD PARTITION (p='new')")
    assert lake.rows("SELECT id, extra FROM t WHERE p IN ('csv', 'new') ORDER BY id") == [
        ["1", None],
        ["2", None],
        ["9", "e"],
    ]


def test_rows_are_not_inserted_where_they_could_not_be_read(lake: Lake, table: str) -> None:
    _add(lake, "json", JSON, "id bigint;name string;price decimal(5,1)", b'{"id": 1}\n')
    reason = lake.fail("INSERT INTO t VALUES (1, 'a', 1.5, 'json')")
    assert reason.startswith("NOT_SUPPORTED: Partition json of ")
    lake.run("INSERT INTO t VALUES (3, 'a', 1.5, 'csv')")
    assert lake.rows("SELECT id, p FROM t ORDER BY p, id") == [
        ["1", "csv"],
        ["2", "csv"],
        ["3", "csv"],
        ["1", "json"],
    ]
