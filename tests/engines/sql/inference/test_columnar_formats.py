from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import fastavro
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import orc, parquet

from cloche.engines.sql.inference.compression import CorruptFile
from tests.engines.sql.inference.files import columns, inferred

TABLE = pa.table(
    {
        "Id": pa.array([1, 2], pa.int64()),
        "small": pa.array([1, 2], pa.int16()),
        "price": pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)),
        "day": pa.array([date(2024, 1, 1), None]),
        "at": pa.array([datetime(2024, 1, 1, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
        "text": pa.array(["a", None]),
        "raw": pa.array([b"a", None]),
        "ratio": pa.array([1.5, None], pa.float32()),
        "tags": pa.array([["a"], []]),
        "nested": pa.array([{"x": 1, "y": [{"z": 1.5}]}, None]),
        "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int32())),
    }
)
TYPES = {
    "id": "bigint",
    "small": "smallint",
    "price": "decimal(10,2)",
    "day": "date",
    "at": "timestamp",
    "text": "string",
    "raw": "binary",
    "ratio": "float",
    "tags": "array<string>",
    "nested": "struct<x:bigint,y:array<struct<z:double>>>",
    "map": "map<string,int>",
}


def written(write: Any, table: pa.Table = TABLE) -> bytes:
    target = io.BytesIO()
    write(table, target)
    return target.getvalue()


def test_parquet() -> None:
    found = inferred(written(parquet.write_table))
    assert found.classification == "parquet"
    assert columns(found) == TYPES
    assert found.record_count == 2
    assert found.serde.endswith("ParquetHiveSerDe")


def test_orc() -> None:
    found = inferred(written(orc.write_table))
    assert found.classification == "orc"
    assert columns(found) == TYPES
    assert found.record_count == 2


SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Flight",
    "fields": [
        {"name": "Id", "type": "long"},
        {"name": "n", "type": ["null", "int"]},
        {
            "name": "price",
            "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
        },
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
        {"name": "other", "type": "Kind"},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "map", "type": {"type": "map", "values": "double"}},
        {
            "name": "in",
            "type": {"type": "record", "name": "In", "fields": [{"name": "b", "type": "boolean"}]},
        },
    ],
}
RECORD: dict[str, Any] = {
    "Id": 1,
    "n": None,
    "price": Decimal("1.50"),
    "day": date(2024, 1, 1),
    "at": datetime(2024, 1, 1, tzinfo=UTC),
    "kind": "A",
    "other": "B",
    "tags": ["x"],
    "map": {"k": 1.0},
    "in": {"b": True},
}


def avro(records: list[dict[str, Any]]) -> bytes:
    target = io.BytesIO()
    fastavro.writer(target, SCHEMA, records)
    return target.getvalue()


def test_avro() -> None:
    found = inferred(avro([RECORD] * 3))
    assert found.classification == "avro"
    assert columns(found) == {
        "id": "bigint",
        "n": "int",
        "price": "decimal(9,2)",
        "day": "date",
        "at": "timestamp",
        "kind": "string",
        "other": "string",
        "tags": "array<string>",
        "map": "map<string,double>",
        "in": "struct<b:boolean>",
    }
    assert found.record_count == 3
    schema = fastavro.parse_schema(
        __import__("json").loads(found.parameters["avro.schema.literal"])
    )
    assert {field["name"] for field in schema["fields"]} == RECORD.keys()


def test_the_records_of_a_large_avro_file_are_estimated() -> None:
    found = inferred(avro([RECORD] * 60_000))
    assert abs(found.record_count - 60_000) < 3_000


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_avro_of_any_codec(codec: str) -> None:
    target = io.BytesIO()
    fastavro.writer(target, SCHEMA, [RECORD] * 10, codec=codec)
    assert inferred(target.getvalue()).record_count == 10


def test_avro_whose_codec_cannot_be_unpacked() -> None:
    assert inferred(avro([RECORD] * 3).replace(b"\x08null", b"\x08none")).record_count == 3


@given(st.binary(max_size=60))
def test_any_bytes_after_the_magic_of_avro(content: bytes) -> None:
    with pytest.raises(CorruptFile):
        inferred(b"Obj\x01" + content)


@pytest.mark.parametrize(
    "content", [written(parquet.write_table), written(orc.write_table), avro([RECORD])]
)
def test_a_file_that_was_cut_off_is_corrupt(content: bytes) -> None:
    with pytest.raises(CorruptFile):
        inferred(content[: len(content) // 2])
