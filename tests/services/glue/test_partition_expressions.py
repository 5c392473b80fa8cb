from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloche.services.glue.errors import InvalidInputException
from cloche.services.glue.partition_expressions import parse_expression

KEYS = [
    {"Name": "Year", "Type": "int"},
    {"Name": "carrier", "Type": "string"},
    {"Name": "day", "Type": "date"},
    {"Name": "price", "Type": "decimal(10,2)"},
    {"Name": "at", "Type": "timestamp"},
    {"Name": "flag", "Type": "boolean"},
]
VALUES = ["2013", "UA", "2013-01-09", "12.50", "2013-01-09 08:30:00", "true"]
NULL = "__HIVE_DEFAULT_PARTITION__"


def meets(expression: str, **changed: str) -> bool:
    names = [key["Name"].lower() for key in KEYS]
    values = [changed.get(name, value) for name, value in zip(names, VALUES, strict=True)]
    return parse_expression(expression, KEYS)(values)


@pytest.mark.parametrize(
    "expression",
    [
        "year = 2013",
        "YEAR = '2013'",
        "`year` = 2013",
        '"year" = 2013',
        "year == 2013",
        "2013 = year",
        "2012 < year",
        "year <> 2012",
        "year != 2012",
        "year > 200",
        "year >= 2013 and year <= 2013.0",
        "year < 2013.5",
        "year > -1",
        "year between 2000 and 2013",
        "year not between 2014 and 2020",
        "year in (1, 2013)",
        "year not in (1, 2)",
        "year is not null",
        "not year is null",
        "not not year = 2013",
        "carrier = 'UA'",
        "carrier > 'U'",
        "carrier like 'U%'",
        "carrier like '_A'",
        "carrier not like 'u%'",
        "carrier like 'U%' escape '!'",
        "carrier = 'AA' or carrier = 'UA' and year = 2013",
        "(carrier = 'AA' or carrier = 'UA') and year = 2013",
        "day = '2013-01-09'",
        "day > date '2013-01-08'",
        "day between '2013-01-01' and '2013-01-31'",
        "price = 12.5",
        "price < 100",
        "at > timestamp '2013-01-09 08:29:59.999'",
        "at = '2013-01-09 08:30:00.0'",
        "at > '2013-01-09'",
        " ( year=2013 ) ",
    ],
)
def test_true(expression: str) -> None:
    assert meets(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "year = 201",
        "year > 9999",
        "year <> 2013",
        "year in (1, 2)",
        "year is null",
        "not year = 2013",
        "(carrier = 'AA' or carrier = 'UA') and year = 2014",
        "carrier like 'U'",
        "carrier like '%b%'",
        "carrier = 'ua'",
        "price > 12.5",
        "day < '2013-01-09'",
    ],
)
def test_not_true(expression: str) -> None:
    assert not meets(expression)


def test_numbers_are_compared_as_numbers_and_texts_as_texts() -> None:
    assert meets("year < 100", year="9")
    assert meets("year = 9", year="009")
    assert not meets("carrier < '100'", carrier="9")
    assert meets("price = 12.5", price="012.500")


def test_comparison_with_null_is_neither_true_nor_false() -> None:
    for expression in ("year = 1", "year <> 1", "not year = 1", "year in (1)", "year not in (1)"):
        assert not meets(expression, year=NULL)
    assert meets("year is null", year=NULL)
    assert meets("year = 1 or carrier = 'UA'", year=NULL)
    assert not meets("not (year = 1 and carrier = 'UA')", year=NULL)
    assert meets("not (year = 1 and carrier = 'AA')", year=NULL)


def test_value_that_is_none_of_the_keys_type_is_null() -> None:
    assert not meets("year <> 1", year="many")
    assert not meets("day <> '2013-01-01'", day="yesterday")


def test_quotes_and_wildcards_stand_for_themselves_where_said() -> None:
    assert meets("carrier = 'it''s'", carrier="it's")
    assert meets("carrier like '100!%' escape '!'", carrier="100%")
    assert not meets("carrier like '100!%' escape '!'", carrier="1000")
    assert meets("carrier like 'a.c%'", carrier="a.c\nd")
    assert not meets("carrier like 'a.c'", carrier="abc")
    assert meets("carrier = 'AND or ('", carrier="AND or (")


@pytest.mark.parametrize(
    "expression",
    [
        "year",
        "year =",
        "= 2013",
        "year = 2013 and",
        "year = 2013 carrier = 'UA'",
        "(year = 2013",
        "year = 2013)",
        "year in ()",
        "year in (1,)",
        "year between 1",
        "year is 1",
        "year not = 1",
        "year = 'many'",
        "day = '2013-13-01'",
        "carrier like 5",
        "carrier like 'a!' escape '!'",
        "carrier like 'a' escape 'ab'",
        "carrier = 'UA",
        "carrier = UA",
        "tail = 'x'",
        "flag = 'true'",
        "year = 2013; drop",
        "year = 1 -- x",
        "(" * 500 + "year = 1" + ")" * 500,
        "2013x = year",
    ],
)
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(InvalidInputException):
        parse_expression(expression, KEYS)


def test_leading_values_are_those_that_a_conjunction_fixes() -> None:
    keys = [{"Name": name, "Type": "string"} for name in "abc"]

    def leading(expression: str) -> tuple[str, ...]:
        return parse_expression(expression, keys).leading

    assert leading("a = 'x' and b = 'y'") == ("x", "y")
    assert leading("b = 'y' and a = 'x' and c > 'z'") == ("x", "y")
    assert leading("(a = 'x') and (b = 'y')") == ("x", "y")
    assert leading("b = 'y'") == ()
    assert leading("a = 'x' or b = 'y'") == ()
    assert leading("not a = 'x'") == ()
    assert leading("a = 'x' and a = 'y'") == ("x",)
    assert parse_expression("year = 2013", KEYS).leading == ()


names = st.sampled_from(["a", "b"])
literals = st.sampled_from(["1", "2", "10", "-3"])
comparisons = st.builds(
    lambda name, symbol, literal: f"{name} {symbol} {literal}",
    names,
    st.sampled_from(["=", "<>", "!=", "<", "<=", ">", ">="]),
    literals,
)
others = st.one_of(
    st.builds(
        lambda name, low, high: f"{name} BETWEEN {low} AND {high}", names, literals, literals
    ),
    st.builds(
        lambda name, word, members: f"{name} {word} ({', '.join(members)})",
        names,
        st.sampled_from(["IN", "NOT IN"]),
        st.lists(literals, min_size=1, max_size=3),
    ),
    st.builds(lambda name, word: f"{name} IS {word}", names, st.sampled_from(["NULL", "NOT NULL"])),
)
expressions = st.recursive(
    comparisons | others,
    lambda inner: st.one_of(
        st.builds(lambda one: f"NOT ({one})", inner),
        st.builds(lambda one: f"NOT {one}", inner),
        st.builds(
            lambda one, word, two: f"{one} {word} {two}",
            inner,
            st.sampled_from(["AND", "OR"]),
            inner,
        ),
        st.builds(lambda one: f"({one})", inner),
    ),
    max_leaves=6,
)
numbers = st.sampled_from([None, -3, 0, 1, 2, 10])


@given(expressions, numbers, numbers)
def test_truth_is_sqls(expression: str, a: Any, b: Any) -> None:
    keys = [{"Name": name, "Type": "int"} for name in "ab"]
    values = [NULL if value is None else str(value) for value in (a, b)]
    connection = sqlite3.connect(":memory:")
    query = f"SELECT ({expression}) IS TRUE FROM (SELECT ? AS a, ? AS b)"
    expected = connection.execute(query, (a, b)).fetchone()[0]
    connection.close()
    assert parse_expression(expression, keys)(values) == bool(expected)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        expression = parse_expression(text, KEYS)
    except InvalidInputException:
        return
    expression(VALUES)


@given(st.text("ab%_", max_size=8), st.text("ab\n", max_size=8))
def test_likeness_is_sqls(pattern: str, text: str) -> None:
    connection = sqlite3.connect(":memory:")
    expected = connection.execute("SELECT ? LIKE ?", (text, pattern)).fetchone()[0]
    connection.close()
    assert meets(f"carrier like '{pattern}'", carrier=text) == bool(expected)


@pytest.mark.timeout(10)
def test_likeness_takes_no_time_without_end() -> None:
    assert not meets(f"carrier like '{'%a' * 900}%b'", carrier="a" * 1000)
