"""Crawls of files of each format: what the tables say is what the files have."""

from __future__ import annotations

import bz2
import gzip
import io
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import fastavro
import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import json as arrow_json
from pyarrow import orc, parquet

from tests.services.glue.crawling.conftest import Lake, columns, parquet_bytes

FLIGHTS = pa.table(
    {
        "Year": pa.array([2013, 2013, 2014], pa.int32()),
        "carrier": ["UA", "AA", None],
        "delay": pa.array([1.5, None, -3.0]),
        "fare": pa.array([Decimal("10.50"), None, Decimal("1.00")], pa.decimal128(9, 2)),
        "day": pa.array([date(2013, 1, 1), None, date(2014, 1, 1)]),
        "at": pa.array([datetime(2013, 1, 1, 5), None, datetime(2014, 1, 1)], pa.timestamp("us")),
        "stops": pa.array([["EWR"], [], None], pa.list_(pa.string())),
        "plane": pa.array([{"tail": "N1", "seats": 100}, None, None]),
    }
)
HIVE = {
    "year": "int",
    "carrier": "string",
    "delay": "double",
    "fare": "decimal(9,2)",
    "day": "date",
    "at": "timestamp",
    "stops": "array<string>",
    "plane": "struct<tail:string,seats:bigint>",
}


def test_parquet(lake: Lake) -> None:
    lake.put("flights/a.parquet", parquet_bytes(FLIGHTS))
    lake.put("flights/b.parquet", parquet_bytes(FLIGHTS))
    table = lake.crawl("flights")["flights"]
    assert columns(table) == HIVE
    storage = table["StorageDescriptor"]
    assert storage["Location"] == f"s3://{lake.bucket}/flights/"
    assert storage["InputFormat"].endswith("MapredParquetInputFormat")
    assert storage["SerdeInfo"]["SerializationLibrary"].endswith("ParquetHiveSerDe")
    size = 2 * len(parquet_bytes(FLIGHTS))
    parameters = table["Parameters"]
    assert parameters.pop("UPDATED_BY_CRAWLER").startswith("crawler ")
    assert parameters.pop("CRAWL_RUN_ID")
    assert parameters == {
        "classification": "parquet",
        "compressionType": "none",
        "typeOfData": "file",
        "recordCount": "6",
        "averageRecordSize": str(size // 6),
        "objectCount": "2",
        "sizeKey": str(size),
        "CrawlerSchemaSerializerVersion": "1.0",
        "CrawlerSchemaDeserializerVersion": "1.0",
    }
    assert table["TableType"] == "EXTERNAL_TABLE"
    assert table["CreatedBy"].endswith("/AWS-Crawler")


def test_orc(lake: Lake) -> None:
    target = io.BytesIO()
    orc.write_table(FLIGHTS, target)
    lake.put("flights/a.orc", target.getvalue())
    table = lake.crawl("flights/")["flights"]
    assert columns(table) == HIVE
    assert table["Parameters"]["classification"] == "orc"
    assert table["Parameters"]["recordCount"] == "3"


def test_avro(lake: Lake) -> None:
    schema: dict[str, Any] = {
        "type": "record",
        "name": "Flight",
        "fields": [
            {"name": "id", "type": "long"},
            {"name": "carrier", "type": ["null", "string"]},
            {"name": "stops", "type": {"type": "array", "items": "string"}},
        ],
    }
    target = io.BytesIO()
    fastavro.writer(target, schema, [{"id": 1, "carrier": None, "stops": ["x"]}])
    lake.put("flights/a.avro", target.getvalue())
    table = lake.crawl("flights")["flights"]
    assert columns(table) == {"id": "bigint", "carrier": "string", "stops": "array<string>"}
    serde = table["StorageDescriptor"]["SerdeInfo"]
    assert serde["SerializationLibrary"].endswith("AvroSerDe")
    assert json.loads(serde["Parameters"]["avro.schema.literal"])["fields"][0]["name"] == "id"


def test_csv_is_read_alike_by_the_tables_schema(lake: Lake) -> None:
    text = "Id;Name;Score\n1;a;1.5\n2;;\n3;c;2\n"
    lake.put("people/a.csv", text)
    table = lake.crawl("people")["people"]
    assert columns(table) == {"id": "bigint", "name": "string", "score": "double"}
    parameters = table["Parameters"]
    assert parameters["delimiter"] == ";"
    assert parameters["skip.header.line.count"] == "1"
    arrow_types = {"bigint": pa.int64(), "string": pa.string(), "double": pa.float64()}
    read = arrow_csv.read_csv(
        io.BytesIO(text.encode()),
        read_options=arrow_csv.ReadOptions(
            column_names=list(columns(table)), skip_rows=int(parameters["skip.header.line.count"])
        ),
        parse_options=arrow_csv.ParseOptions(delimiter=parameters["delimiter"]),
        convert_options=arrow_csv.ConvertOptions(
            column_types={name: arrow_types[type_] for name, type_ in columns(table).items()}
        ),
    )
    assert read.num_rows == int(parameters["recordCount"])
    assert read.column("score").to_pylist() == [1.5, None, 2.0]


@pytest.mark.parametrize(
    ("pack", "suffix", "kind"),
    [
        (gzip.compress, "gz", "gzip"),
        (bz2.compress, "bz2", "bzip2"),
        (lambda content: pa.compress(content, codec="zstd", asbytes=True), "zst", "zstd"),
    ],
)
def test_compressed_json(lake: Lake, pack: Any, suffix: str, kind: str) -> None:
    lines = b'{"id": 1, "in": {"a": [1, 2]}}\n{"id": 3000000000, "in": {"b": "x"}}\n'
    lake.put(f"events/a.json.{suffix}", pack(lines))
    table = lake.crawl("events")["events"]
    assert columns(table) == {"id": "bigint", "in": "struct<a:array<int>,b:string>"}
    assert table["Parameters"]["compressionType"] == kind
    assert table["StorageDescriptor"]["Compressed"] is True
    assert table["StorageDescriptor"]["SerdeInfo"]["Parameters"] == {"paths": "id,in"}
    read = arrow_json.read_json(io.BytesIO(lines))
    assert set(read.column_names) == columns(table).keys()


def test_what_is_of_no_format_is_unknown(lake: Lake) -> None:
    lake.put("notes/a.txt", "Just words.\nAnd more words\n")
    table = lake.crawl("notes")["notes"]
    assert table["Parameters"]["classification"] == "UNKNOWN"
    assert columns(table) == {}


def test_a_corrupt_file_does_not_fail_the_crawl(lake: Lake) -> None:
    lake.put("broken/a.parquet", parquet_bytes(FLIGHTS)[:300])
    lake.put("good/a.parquet", parquet_bytes(FLIGHTS))
    tables = lake.crawl("broken", "good")
    assert columns(tables["good"]) == HIVE
    assert tables["broken"]["Parameters"]["classification"] == "UNKNOWN"


def test_a_corrupt_file_does_not_take_a_table_apart(lake: Lake) -> None:
    lake.put("flights/a.parquet", parquet_bytes(FLIGHTS)[:300])
    lake.put("flights/b.parquet", parquet_bytes(FLIGHTS))
    lake.put("flights/c.parquet", parquet_bytes(FLIGHTS))
    tables = lake.crawl("flights")
    assert tables.keys() == {"flights"}
    assert columns(tables["flights"]) == HIVE
    parameters = tables["flights"]["Parameters"]
    assert (parameters["objectCount"], parameters["recordCount"]) == ("3", "6")


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_csv_file_of_one_row_belongs_to_those_beside_it(lake: Lake, quote: str) -> None:
    header = f"{quote}id{quote},{quote}name{quote}\n"
    lake.put("people/a-none.csv", header)
    lake.put("people/b.csv", f"{header}1,x\n2,y\n")
    lake.put("people/c-one.csv", f"{header}3,z\n")
    lake.put("plain/a.csv", "1,x\n2,y\n")
    lake.put("plain/b.csv", "2.5,z\n")
    tables = lake.crawl("people", "plain")
    assert tables.keys() == {"people", "plain"}
    assert columns(tables["people"]) == {"id": "bigint", "name": "string"}
    assert tables["people"]["Parameters"]["skip.header.line.count"] == "1"
    assert tables["people"]["Parameters"]["recordCount"] == "3"
    assert columns(tables["plain"]) == {"col0": "double", "col1": "string"}
    assert tables["plain"]["Parameters"]["recordCount"] == "3"


def test_a_row_of_another_width_or_no_header_is_none_of_those_beside_it(lake: Lake) -> None:
    lake.put("t/a.csv", "id,name\n1,x\n2,y\n")
    lake.put("t/b.csv", "3,z\n")
    lake.put("t/c.csv", "id,name,more\n")
    assert lake.crawl("t").keys() == {"a_csv", "b_csv", "c_csv"}


def test_quotes_in_some_files_are_read_in_all(lake: Lake) -> None:
    lake.put("t/a.csv", "id,name,n,m\n1,x,,\n2,y,5,\n")
    lake.put("t/b.csv", 'id,name,n,m\n3,"z, zz",6,7\n')
    lake.put("p/month=1/a.csv", "id,name,n,m\n1,x,,\n2,y,5,\n")
    lake.put("p/month=2/a.csv", 'id,name,n,m\n3,"z, zz",6,7\n')
    tables = lake.crawl("t", "p")
    assert tables.keys() == {"t", "p"}
    partition = lake.partitions("p")["1",]
    for described in (tables["t"], tables["p"], partition):
        # OpenCSVSerDe reads no number from an empty cell, of whichever file
        assert columns(described) == {
            "id": "bigint",
            "name": "string",
            "n": "string",
            "m": "string",
        }
        serde = described["StorageDescriptor"]["SerdeInfo"]
        assert serde["SerializationLibrary"].endswith("OpenCSVSerde")
        assert serde["Parameters"]["separatorChar"] == ","


def test_what_a_file_has_no_values_of_is_of_the_type_of_others(lake: Lake) -> None:
    lake.put("csv/day=1/a.csv", "id,n\n1,\n2,\n")
    lake.put("csv/day=2/a.csv", "id,n\n3,1.5\n")
    lake.put("json/a.json", '{"id": 1, "n": null, "l": [], "o": {}}')
    lake.put("json/b.json", '{"id": 2, "n": 7, "l": [1], "o": {"x": true}}')
    lake.put("parquet/a.parquet", parquet_bytes(pa.table({"n": pa.nulls(1), "l": [[None]]})))
    lake.put("parquet/b.parquet", parquet_bytes(pa.table({"n": [2], "l": [["x"]]})))
    lake.put("nothing/a.json", '{"id": 1, "n": null, "l": [], "o": {}}')
    tables = lake.crawl("csv", "json", "parquet", "nothing")
    assert columns(tables["csv"]) == {"id": "bigint", "n": "double"}
    assert columns(lake.partitions("csv")["1",]) == {"id": "bigint", "n": "double"}
    nested = {"l": "array<int>", "o": "struct<x:boolean>"}
    assert columns(tables["json"]) == {"id": "int", "n": "int", **nested}
    assert columns(tables["parquet"]) == {"n": "bigint", "l": "array<string>"}
    nested = {"l": "array<string>", "o": "string"}
    assert columns(tables["nothing"]) == {"id": "int", "n": "string", **nested}


def test_only_footers_of_large_parquet_files_are_read(lake: Lake) -> None:
    large = pa.table({"n": pa.array(range(300_000)), "text": ["x" * 20] * 300_000})
    body = parquet_bytes(large, use_dictionary=False, compression="none")
    assert len(body) > 8_000_000
    lake.put("large/a.parquet", body)
    table = lake.crawl("large")["large"]
    assert table["Parameters"]["recordCount"] == "300000"
    assert columns(table) == {"n": "bigint", "text": "string"}


def test_a_parquet_dataset_that_pyarrow_partitions(lake: Lake) -> None:
    for year in (2013, 2014):
        part = FLIGHTS.filter(pa.compute.equal(FLIGHTS["Year"], year)).drop_columns(["Year"])
        lake.put(f"data/Year={year}/part-0.parquet", parquet_bytes(part))
    table = lake.crawl("data")["data"]
    assert [key["Name"] for key in table["PartitionKeys"]] == ["year"]
    partition = lake.partitions("data")["2013",]
    key = partition["StorageDescriptor"]["Location"].partition(f"{lake.bucket}/")[2]
    body = lake.s3.get_object(Bucket=lake.bucket, Key=f"{key}part-0.parquet")["Body"].read()
    read = parquet.read_table(io.BytesIO(body))
    assert [name.lower() for name in read.column_names] == list(columns(partition))
    assert str(read.num_rows) == partition["StorageDescriptor"]["Parameters"]["recordCount"]
