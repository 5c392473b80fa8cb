"""Values as GetQueryResults writes them, one by one and in columns."""

from __future__ import annotations

import struct
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloche.engines.sql.duckdb_functions.numbers import double_text, real_text
from cloche.engines.sql.trino import formatter
from cloche.engines.sql.trino.text import column_formatter


@pytest.mark.parametrize(
    ("type", "value", "text"),
    [
        ("integer", 5, "5"),
        ("boolean", True, "true"),
        ("double", 1e10, "1.0E10"),
        ("double", 0.001, "0.001"),
        ("double", 1.5e-5, "1.5E-5"),
        ("double", 1e7, "1.0E7"),
        ("double", 9999999.0, "9999999.0"),
        ("double", -0.0, "-0.0"),
        ("double", float("nan"), "NaN"),
        ("double", float("-inf"), "-Infinity"),
        ("double", 4.9e-324, "4.9E-324"),
        ("real", 0.10000000149011612, "0.1"),
        ("decimal(10,2)", Decimal("1.50"), "1.50"),
        ("decimal(10,2)", Decimal("1.5"), "1.50"),
        ("decimal(38,0)", Decimal("1E+3"), "1000"),
        ("varbinary", b"\x00\xff", "00 ff"),
        ("date", date(2020, 1, 2), "2020-01-02"),
        ("timestamp(3)", datetime(2020, 1, 1, 1, 2, 3, 4000), "2020-01-01 01:02:03.004"),
        ("timestamp(6)", datetime(2020, 1, 1), "2020-01-01 00:00:00.000000"),
        (
            "timestamp(3) with time zone",
            datetime(2020, 1, 1, tzinfo=UTC),
            "2020-01-01 00:00:00.000 UTC",
        ),
        ("interval day to second", timedelta(days=-1, hours=1), "-0 23:00:00.000"),
        ("array(integer)", [1, None], "[1, null]"),
        ("map(varchar, double)", {"a": 1e10}, "{a=1.0E10}"),
        ("map(varchar, integer)", [("a", None)], "{a=null}"),
        ("row(x integer, y array(boolean))", {"x": 1, "y": [False]}, "{x=1, y=[false]}"),
        ("json", '{"a":1}', '{"a":1}'),
        ("varchar", "", ""),
        ("varchar", None, None),
    ],
)
def test_text_of_a_value(type: str, value: Any, text: str | None) -> None:
    assert formatter(type)(value) == text


@given(st.floats(allow_nan=False))
def test_a_double_is_read_back(number: float) -> None:
    text = double_text(number)
    assert float(text.replace("Infinity", "inf")) == number
    assert "." in text or "Infinity" in text


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_real_is_read_back(number: float) -> None:
    assert struct.pack("f", float(real_text(number))) == struct.pack("f", number)


@pytest.mark.parametrize(
    ("type", "column"),
    [
        ("bigint", pa.array([1, None, -5])),
        ("varchar", pa.array(["a", None, ""])),
        ("boolean", pa.array([True, None, False])),
        ("date", pa.array([date(2020, 1, 1), None])),
        ("timestamp(3)", pa.array([datetime(2020, 1, 1, 0, 0, 0, 5000), None], pa.timestamp("us"))),
        ("double", pa.array([1e10, None, 0.5])),
        ("array(integer)", pa.array([[1, None], None])),
    ],
)
def test_a_column_is_written_as_its_values_are(type: str, column: pa.Array) -> None:
    write = formatter(type)
    assert column_formatter(type)(column) == [write(value) for value in column]
