"""The same rows as CSV, JSON, ORC, Avro and Parquet are the same table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloche.engines.sql.engine import ErrorKind, QueryError
from tests.engines.sql.running import AVRO, CSV, HIVE_JSON, LAZY, OPENX, ORC, PARQUET, Lake

COLUMNS = (
    "flight int; distance bigint; carrier string; fare decimal(12,2); day date; "
    "departed timestamp; delay double; cancelled boolean; tags array<string>; "
    "plane struct<maker:string,seats:int>; codes map<string,int>"
)
SCHEMA = pa.schema(
    [
        ("flight", pa.int32()),
        ("distance", pa.int64()),
        ("carrier", pa.string()),
        ("fare", pa.decimal128(12, 2)),
        ("day", pa.date32()),
        ("departed", pa.timestamp("us")),
        ("delay", pa.float64()),
        ("cancelled", pa.bool_()),
        ("tags", pa.list_(pa.string())),
        ("plane", pa.struct([("maker", pa.string()), ("seats", pa.int32())])),
        ("codes", pa.map_(pa.string(), pa.int32())),
    ]
)
AVRO_SCHEMA = {
    "type": "record",
    "name": "flight",
    "fields": [
        {"name": name, "type": ["null", type]}
        for name, type in {
            "flight": "int",
            "distance": "long",
            "carrier": "string",
            "fare": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2},
            "day": {"type": "int", "logicalType": "date"},
            "departed": {"type": "long", "logicalType": "timestamp-micros"},
            "delay": "double",
            "cancelled": "boolean",
            "tags": {"type": "array", "items": ["null", "string"]},
            "plane": {
                "type": "record",
                "name": "plane",
                "fields": [
                    {"name": "maker", "type": ["null", "string"]},
                    {"name": "seats", "type": ["null", "int"]},
                ],
            },
            "codes": {"type": "map", "values": ["null", "int"]},
        }.items()
    ],
}

_text = st.text("abé ß'\"{}[]:", max_size=6)
_rows = st.fixed_dictionaries(
    {
        "flight": st.none() | st.integers(-(2**31), 2**31 - 1),
        "distance": st.none() | st.integers(-(2**63), 2**63 - 1),
        "carrier": st.none() | _text,
        "fare": st.none() | st.decimals(-(10**9), 10**9, places=2),
        "day": st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1)),
        "departed": st.none()
        | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(
            lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
        ),
        "delay": st.none() | st.floats(-1e300, 1e300, allow_subnormal=False),
        "cancelled": st.none() | st.booleans(),
        # Text has no other way to write [NULL] than NULL.
        "tags": st.none()
        | st.lists(st.none() | st.text("abc", min_size=1), max_size=3).filter(
            lambda tags: tags != [None]
        ),
        "plane": st.none()
        | st.fixed_dictionaries(
            {"maker": st.none() | st.text("ab", min_size=1), "seats": st.none() | st.integers(0, 9)}
        ),
        "codes": st.none()
        | st.dictionaries(st.text("xyz", min_size=1), st.none() | st.integers(0, 9), max_size=3),
    }
)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Decimal | date):
        return str(value)
    return value


def _lazy(value: Any, depth: int = 0) -> str:
    separators = "\x02\x03\x04"
    match value:
        case None:
            return r"\N"
        case bool():
            return str(value).lower()
        case list():
            return separators[depth].join(_lazy(item, depth + 1) for item in value)
        case _:
            return str(value)


def _lazy_row(row: Mapping[str, Any]) -> str:
    plane, codes = row["plane"], row["codes"]
    shown = dict(row)
    shown["plane"] = None if plane is None else [plane["maker"], plane["seats"]]
    if codes is not None:
        shown["codes"] = [f"{key}\x03{_lazy(value)}" for key, value in codes.items()]
    return "\x01".join(_lazy(value) for value in shown.values())


def _write_all(lake: Lake, rows: list[dict[str, Any]]) -> None:
    table = pa.Table.from_pylist(rows, SCHEMA)
    folder: Path = lake.folder
    pq.write_table(table, folder / "t.parquet")
    orc.write_table(table, folder / "t.orc")
    with (folder / "t.avro").open("wb") as file:
        fastavro.writer(file, fastavro.parse_schema(AVRO_SCHEMA), rows, codec="deflate")
    lines = "".join(json.dumps(_plain(row), ensure_ascii=False) + "\n" for row in rows)
    lake.file("t.json", lines or "\n")
    lake.file("t.txt", "".join(_lazy_row(row) + "\n" for row in rows) or b"")
    lake.table("parquet", PARQUET, COLUMNS, lake.file("t.parquet"))
    lake.table("orc", ORC, COLUMNS, lake.file("t.orc"))
    lake.table("avro", AVRO, COLUMNS, lake.file("t.avro"))
    lake.table("openx", OPENX, COLUMNS, lake.file("t.json"))
    lake.table("hive_json", HIVE_JSON, COLUMNS, lake.file("t.json"))
    lake.table("text", LAZY, COLUMNS, lake.file("t.txt"))


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(_rows, min_size=1, max_size=6))
def test_every_format_gives_the_same(lake: Lake, rows: list[dict[str, Any]]) -> None:
    rows = [{name: row[name] for name in SCHEMA.names} for row in rows]
    _write_all(lake, rows)
    expected = lake.rows("SELECT * FROM parquet")
    assert expected == [
        tuple(list(v.items()) if k == "codes" and v is not None else v for k, v in row.items())
        for row in rows
    ]
    for name in ("orc", "avro", "openx", "hive_json", "text"):
        assert lake.rows(f"SELECT * FROM {name}") == expected, name


def test_csv_gives_the_same_but_for_what_it_cannot_say(lake: Lake) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([[1, "a, b", "1.50"], [2, 'c "d"', "-0.01"]])
    lake.table(
        "csv", CSV, "n int; s string; d decimal(5,2)", lake.file("t.csv", written.getvalue())
    )
    assert lake.rows("SELECT * FROM csv") == [
        (1, "a, b", Decimal("1.50")),
        (2, 'c "d"', Decimal("-0.01")),
    ]


@pytest.mark.parametrize("name", ["parquet", "orc", "avro"])
def test_missing_columns_are_null_and_types_widen(lake: Lake, name: str) -> None:
    row = dict.fromkeys(SCHEMA.names) | {"flight": 7, "plane": {"maker": "x", "seats": 1}}
    _write_all(lake, [row])
    table = lake.tables[name]
    columns = "flight bigint; plane struct<seats:bigint,added:string>; novel string"
    serde, file = table.serde, table.files[0]  # type: ignore[union-attr]
    options = {"orc.column.index.access": "false"}
    lake.table("wide", serde, columns, file, **options)
    expected = [(7, {"seats": 1, "added": None}, None)]
    assert lake.rows("SELECT * FROM wide") == expected
    assert lake.rows("SELECT novel FROM wide") == [(None,)]
    assert lake.rows("SELECT count(*) FROM wide") == [(1,)]


def test_orc_columns_by_position(lake: Lake) -> None:
    orc.write_table(pa.table({"_col0": [1, 2], "_col1": ["a", "b"]}), lake.folder / "t.orc")
    lake.table("t", ORC, "n bigint; s string; more date", lake.file("t.orc"))
    assert lake.rows("SELECT s, n, more FROM t") == [("a", 1, None), ("b", 2, None)]


def test_orc_columns_by_name_in_another_order(lake: Lake) -> None:
    orc.write_table(pa.table({"a": [1, 2], "b": [3, 4], "c": [5, 6]}), lake.folder / "t.orc")
    options = {"orc.column.index.access": "false"}
    lake.table("t", ORC, "c bigint; b bigint; a bigint", lake.file("t.orc"), **options)
    assert lake.rows("SELECT * FROM t") == [(5, 3, 1), (6, 4, 2)]


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "snappy", "zstandard", "lz4"])
def test_avro_compressions(lake: Lake, codec: str) -> None:
    from cloche.engines.sql.formats.avro_codecs import OWN_CODECS, packed

    schema = {"type": "record", "name": "r", "fields": [{"name": "N", "type": "long"}]}
    written = io.BytesIO()
    plain = "null" if codec in OWN_CODECS else codec
    fastavro.writer(written, schema, ({"N": n} for n in range(20_000)), codec=plain)
    written.seek(0)
    content = b"".join(packed(written, codec)) if codec in OWN_CODECS else written.getvalue()
    lake.table("t", AVRO, "n bigint", lake.file("t.avro", content))
    assert lake.rows("SELECT sum(n), count(*) FROM t") == [(sum(range(20_000)), 20_000)]


def test_avro_by_the_tables_schema(lake: Lake) -> None:
    written = io.BytesIO()
    old = {"type": "record", "name": "r", "fields": [{"name": "a", "type": "int"}]}
    fastavro.writer(written, old, [{"a": 1}])
    fields = [*old["fields"], {"name": "b", "type": "string", "default": "none"}]  # type: ignore[misc]
    literal = json.dumps({**old, "fields": fields})
    file = lake.file("t.avro", written.getvalue())
    lake.table("t", AVRO, "a int; b string", file, avro__schema__literal=literal)
    assert lake.rows("SELECT * FROM t") == [(1, "none")]


@pytest.mark.parametrize(("serde", "name"), [(ORC, "t.orc"), (AVRO, "t.avro")])
@pytest.mark.parametrize("damage", ["head", "cut"])
def test_damaged_files_are_named(lake: Lake, serde: str, name: str, damage: str) -> None:
    row = dict.fromkeys(SCHEMA.names) | {"flight": 7}
    _write_all(lake, [row] * 1000)
    content = Path(lake.file(name).location).read_bytes()
    file = lake.file(
        f"bad.{name}", b"rubbish" if damage == "head" else content[: len(content) // 2]
    )
    lake.table("t", serde, COLUMNS, file)
    with pytest.raises(QueryError) as caught:
        lake.rows("SELECT * FROM t")
    assert caught.value.kind == ErrorKind.HIVE_BAD_DATA
    assert f"s3://lake/bad.{name}" in caught.value.message


def test_text_for_a_number_is_bad_data(lake: Lake) -> None:
    for serde, name in ((PARQUET, "t.parquet"), (ORC, "t.orc")):
        _write_all(lake, [dict.fromkeys(SCHEMA.names) | {"carrier": "UA"}])
        options = {"orc.column.index.access": "false"}
        lake.table("t", serde, "carrier int", lake.file(name), **options)
        with pytest.raises(QueryError) as caught:
            lake.rows("SELECT carrier FROM t")
        assert caught.value.kind == ErrorKind.HIVE_BAD_DATA, serde
        assert f"s3://lake/{name}" in caught.value.message


def test_a_file_that_is_written_anew_is_read_anew(lake: Lake) -> None:
    # Within the same second and of the same size: no cache may take it for the old one.
    for value in (1, 2, 3, 4):
        pq.write_table(pa.table({"a": [value]}), lake.folder / "again.parquet")
        lake.table("t", PARQUET, "a bigint", lake.file("again.parquet"))
        assert lake.rows("SELECT a FROM t") == [(value,)]


@pytest.mark.parametrize("name", ["parquet", "orc", "avro", "openx", "hive_json", "text"])
def test_times_have_milliseconds(lake: Lake, name: str) -> None:
    given = [(1970, 123_456, 123_000), (1970, 123_500, 124_000), (1950, 999_600, 0)]
    rows = [
        dict.fromkeys(SCHEMA.names) | {"departed": datetime(year, 1, 1, 0, 0, 0, exact)}
        for year, exact, _ in given
    ]
    _write_all(lake, rows)
    expected = [datetime(year, 1, 1, 0, 0, 0 if kept else 1, kept) for year, _, kept in given]
    assert [row[0] for row in lake.rows(f"SELECT departed FROM {name}")] == expected


def test_a_dot_in_a_parquet_columns_name(lake: Lake) -> None:
    target = io.BytesIO()
    pq.write_table(pa.table({"a.b": [1], "a": [{"b": 2}], "X.y.z": ["y"]}), target)
    columns = "a.b bigint; a struct<b:bigint>; x.y.z string"
    lake.table("t", PARQUET, columns, lake.file("t.parquet", target.getvalue()))
    assert lake.rows('SELECT "a.b", a.b, "x.y.z" FROM t') == [(1, 2, "y")]
