"""Lines taken apart by regular expressions."""

from __future__ import annotations

import pytest

from cloche.engines.sql.engine import ErrorKind, QueryError
from tests.engines.sql.running import GROK, REGEX, Lake


def test_groups_are_columns(lake: Lake) -> None:
    file = lake.file("t.log", "GET /a 200\nno match at all here\nPUT /b -\n")
    expression = r"(\w+) (\S+) (?:(\d+)|-)"
    lake.table("t", REGEX, "verb string; path string; status int", file, input__regex=expression)
    expected = [("GET", "/a", 200), (None, None, None), ("PUT", "/b", None)]
    assert lake.rows("SELECT * FROM t") == expected
    assert lake.rows("SELECT count(*) FROM t") == [(3,)]


def test_an_expression_that_takes_for_ever_is_stopped(lake: Lake) -> None:
    lake.table(
        "t", REGEX, "a string", lake.file("t", "a" * 40 + "b\n"), input__regex=r"((a|aa)+)+$"
    )
    try:
        assert lake.rows("SELECT a FROM t") == [(None,)]
    except QueryError as error:
        assert error.kind == ErrorKind.HIVE_BAD_DATA


def test_an_expression_that_is_none(lake: Lake) -> None:
    lake.table("t", REGEX, "a string", lake.file("t", "x\n"), input__regex="(")
    with pytest.raises(QueryError, match="Invalid regular expression"):
        lake.rows("SELECT a FROM t")


def test_grok(lake: Lake) -> None:
    line = (
        '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326 '
        '"http://x.example/start.html" "Mozilla/4.08 [en]"\n'
    )
    options = {"input.format": "%{COMBINEDAPACHELOG}"}
    types = "clientip string; auth string; verb string; response int; bytes bigint; agent string"
    lake.table("t", GROK, types, lake.file("t.log", line + "rubbish\n"), **options)
    assert lake.rows("SELECT * FROM t") == [
        ("127.0.0.1", "frank", "GET", 200, 2326, '"Mozilla/4.08 [en]"'),
        (None,) * 6,
    ]


def test_grok_with_patterns_of_its_own(lake: Lake) -> None:
    options = {
        "input.format": "%{SHIP:ship} %{TIMESTAMP_ISO8601:at} %{IP:ip} %{GREEDYDATA:rest}",
        "input.grokCustomPatterns": "LETTERS [A-Z]+\nSHIP %{LETTERS}-%{INT}",
    }
    file = lake.file("t.log", "NCC-1701 2020-01-02T03:04:05Z ::1 all the rest\n")
    lake.table("t", GROK, "ship string; at string; ip string; rest string", file, **options)
    expected = [("NCC-1701", "2020-01-02T03:04:05Z", "::1", "all the rest")]
    assert lake.rows("SELECT * FROM t") == expected


def test_grok_that_names_what_is_not_there(lake: Lake) -> None:
    lake.table("t", GROK, "a string", lake.file("t", "x\n"), input__format="%{NOTHING:a}")
    with pytest.raises(QueryError, match="NOTHING"):
        lake.rows("SELECT a FROM t")
