"""JSON, an object a line."""

from __future__ import annotations

import bz2
import gzip
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.formats.json_lines import KeyRules, normalized
from tests.engines.sql.running import HIVE_JSON, OPENX, Lake

BOTH = pytest.mark.parametrize("serde", [OPENX, HIVE_JSON])


@BOTH
@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2"])
def test_values_and_what_is_missing(lake: Lake, serde: str, suffix: str) -> None:
    lines = (
        b'{"a": 1, "b": "x", "c": 1.5, "d": true, "more": [1]}\n'
        b'{"a": null, "b": {"k": [1, 2]}, "d": "false"}\n\n'
    )
    packed = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress}[suffix](lines)
    file = lake.file(f"t.json{suffix}", packed)
    lake.table("t", serde, "a bigint; b string; c double; d boolean; e date", file)
    assert lake.rows("SELECT * FROM t") == [
        (1, "x", 1.5, True, None),
        (None, '{"k":[1,2]}', None, False, None),
    ]


@BOTH
def test_nested(lake: Lake, serde: str) -> None:
    line = '{"l":[1,null],"m":{"K":{"x":1}},"s":{"Inner":"v","other":2}}\n'
    types = "l array<int>; m map<string,struct<x:int>>; s struct<inner:string,gone:date>"
    lake.table("t", serde, types, lake.file("t.json", line))
    assert lake.rows("SELECT l FROM t") == [([1, None],)]
    assert lake.rows("SELECT s FROM t") == [({"inner": "v", "gone": None},)]


@BOTH
def test_keys_in_capitals_are_the_columns(lake: Lake, serde: str) -> None:
    file = lake.file("t.json", '{"UserId": 7, "name": "a"}\n{"userid": 8, "NAME": "B"}\n')
    lake.table("t", serde, "userid int; name string", file)
    assert lake.rows("SELECT * FROM t") == [(7, "a"), (8, "B")]


def test_case_counts_where_it_is_told(lake: Lake) -> None:
    file = lake.file("t.json", '{"Time": 1, "time": 2}\n')
    options = {"case.insensitive": "false", "mapping.big": "Time"}
    lake.table("t", OPENX, "big int; time int", file, **options)
    assert lake.rows("SELECT * FROM t") == [(1, 2)]


def test_mapping_and_dots(lake: Lake) -> None:
    file = lake.file("t.json", '{"ts": 5, "a.b": "x"}\n')
    options = {"mapping.moment": "ts", "dots.in.keys": "true"}
    lake.table("t", OPENX, "moment int; a_b string", file, **options)
    assert lake.rows("SELECT * FROM t") == [(5, "x")]


@BOTH
def test_digits_are_kept(lake: Lake, serde: str) -> None:
    line = '{"d": 0.12345678901234567891, "s": 1.10, "i": 9007199254740993, "w": -0.5}\n'
    types = "d decimal(38,20); s string; i bigint; w decimal(3,2)"
    lake.table("t", serde, types, lake.file("t.json", line))
    expected = (Decimal("0.12345678901234567891"), "1.10", 9007199254740993, Decimal("-0.50"))
    assert lake.rows("SELECT * FROM t") == [expected]


def test_times(lake: Lake) -> None:
    lines = (
        '{"t": "2020-01-15 03:44:40.5", "d": "2020-02-29"}\n'
        '{"t": "2020-01-15T03:44:40Z"}\n{"t": 1579059880}\n{"t": 1579059880000}\n'
    )
    lake.table("t", OPENX, "t timestamp; d date", lake.file("t.json", lines))
    moment = datetime(2020, 1, 15, 3, 44, 40)
    expected = [moment.replace(microsecond=500_000), moment, moment, moment]
    assert [row[0] for row in lake.rows("SELECT t FROM t")] == expected
    assert lake.rows("SELECT d FROM t")[0] == (date(2020, 2, 29),)


@BOTH
@pytest.mark.parametrize("line", ["{bad", '{"a":1}{"a":2}', '"text"', "[1]", '{"a":'])
@pytest.mark.parametrize("suffix", ["", ".bz2"])
def test_malformed_lines(lake: Lake, serde: str, line: str, suffix: str) -> None:
    text = f'{{"a":1}}\n{line}\n{{"a":3}}\n'.encode()
    file = lake.file(f"t.json{suffix}", bz2.compress(text) if suffix else text)
    lake.table("t", serde, "a int", file)
    with pytest.raises(QueryError) as caught:
        lake.rows("SELECT a FROM t")
    assert caught.value.kind == ErrorKind.HIVE_BAD_DATA
    assert f"s3://lake/t.json{suffix}" in caught.value.message
    lake.table("u", serde, "a int", file, **{"ignore.malformed.json": "true"})
    assert lake.rows("SELECT a FROM u") == [(1,), (None,), (3,)]


def test_hive_refuses_values_of_other_types(lake: Lake) -> None:
    file = lake.file("t.json", '{"a": "seven"}\n')
    lake.table("openx", OPENX, "a int", file)
    lake.table("hive", HIVE_JSON, "a int", file)
    assert lake.rows("SELECT a FROM openx") == [(None,)]
    with pytest.raises(QueryError) as caught:
        lake.rows("SELECT a FROM hive")
    assert caught.value.kind == ErrorKind.HIVE_BAD_DATA
    assert "seven" in caught.value.message


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=3), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), _values))
def test_a_line_in_plain_form_stays_the_same(value: dict[str, Any]) -> None:
    assert json.loads(normalized(json.dumps(value), KeyRules())) == value
