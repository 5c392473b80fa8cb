"""Names of types in Trino, Hive, DuckDB and Arrow."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloche.engines.sql.trino import (
    arrow_type_to_trino,
    duckdb_type_to_trino,
    hive_type_to_duckdb,
)
from cloche.engines.sql.trino import types as t


@pytest.mark.parametrize(
    ("hive", "duckdb"),
    [
        ("string", "VARCHAR"),
        ("int", "INTEGER"),
        ("tinyint", "TINYINT"),
        ("bigint", "BIGINT"),
        ("float", "FLOAT"),
        ("decimal", "DECIMAL(10,0)"),
        ("decimal(10,2)", "DECIMAL(10,2)"),
        ("binary", "BLOB"),
        ("varchar(10)", "VARCHAR"),
        ("array<string>", "VARCHAR[]"),
        ("map<string,array<int>>", "MAP(VARCHAR, INTEGER[])"),
        ("struct<a:int,b c:string>", None),
        (
            "struct<a:int,order:struct<date:date>>",
            'STRUCT("a" INTEGER, "order" STRUCT("date" DATE))',
        ),
        ("timestamp", "TIMESTAMP"),
        ("nosuch", None),
        ("array<int", None),
    ],
)
def test_hive_to_duckdb(hive: str, duckdb: str | None) -> None:
    if duckdb is None:
        with pytest.raises(t.TypeNameError):
            hive_type_to_duckdb(hive)
    else:
        assert hive_type_to_duckdb(hive) == duckdb


@pytest.mark.parametrize(
    ("duckdb", "trino"),
    [
        ("INTEGER[]", "array(integer)"),
        ('STRUCT(a INTEGER, "b c" VARCHAR)', 'row(a integer, "b c" varchar)'),
        ("MAP(VARCHAR, DECIMAL(5,1))", "map(varchar, decimal(5,1))"),
        ("TIMESTAMP WITH TIME ZONE", "timestamp(3) with time zone"),
        ("HUGEINT", "decimal(38,0)"),
        ("BLOB", "varbinary"),
        ("FLOAT", "real"),
    ],
)
def test_duckdb_to_trino(duckdb: str, trino: str) -> None:
    assert duckdb_type_to_trino(duckdb) == trino


def test_arrow_to_trino() -> None:
    nested = pa.struct([("a", pa.list_(pa.int32())), ("b", pa.map_(pa.string(), pa.float64()))])
    assert arrow_type_to_trino(nested) == "row(a array(integer), b map(varchar, double))"
    assert arrow_type_to_trino(pa.decimal128(10, 2)) == "decimal(10,2)"
    assert arrow_type_to_trino(pa.timestamp("us", "UTC")) == "timestamp(3) with time zone"


_SCALARS = st.sampled_from(
    [t.INTEGER, t.VARCHAR, t.DOUBLE, t.DATE, t.TIMESTAMP, t.TIMESTAMPTZ, t.JSON, t.decimal(9, 3)]
)
_TYPES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        inner.map(t.array),
        st.tuples(_SCALARS, inner).map(lambda pair: t.map_of(*pair)),
        st.lists(
            st.tuples(st.sampled_from(["a", "b c", "date", "interval", "x1"]), inner),
            min_size=1,
            max_size=3,
        ).map(lambda fields: t.row(*fields)),
    ),
    max_leaves=6,
)


@given(_TYPES)
def test_a_name_is_read_back(type: t.Type) -> None:
    assert t.parse_type(str(type)) == type


@given(_TYPES, _TYPES)
def test_coercion_is_the_same_either_way(a: t.Type, b: t.Type) -> None:
    assert t.common(a, b) == t.common(b, a)
    assert t.common(a, a) == a
