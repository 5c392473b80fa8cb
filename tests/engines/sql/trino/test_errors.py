"""Errors name the kind that Trino has for them, and the place in the statement."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.trino import parse
from tests.engines.sql.trino import running


def failing(sql: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        parse(sql, catalog="a", schema="d").to_duckdb({})
    return caught.value


@pytest.mark.parametrize(
    ("sql", "kind", "line", "column"),
    [
        ("SELECT 1,\n  nosuch", "COLUMN_NOT_FOUND", 2, 3),
        ("SELECT x\nFROM (VALUES 1) t(x)\nWHERE x = 'a'", "TYPE_MISMATCH", 3, 7),
        ("SELECT abs(1), strlen('a')", "FUNCTION_NOT_FOUND", 1, 16),
        ("SELECT 1\nFROM x y z", "SYNTAX_ERROR", 2, 10),
        ("SELECT 1; SELECT 2", "SYNTAX_ERROR", 1, 1),
        ("DROP TABLE t", "SYNTAX_ERROR", 1, 1),
        ("", "SYNTAX_ERROR", 1, 1),
        ("SELECT 'abc", "SYNTAX_ERROR", 1, 1),
        ("SELECT * FROM (VALUES 1) t(x, y)", "SYNTAX_ERROR", 1, 23),
    ],
)
def test_kind_and_place(sql: str, kind: str, line: int, column: int) -> None:
    error = failing(sql)
    assert (error.kind, error.line, error.column) == (ErrorKind(kind), line, column)


def test_messages_are_trinos() -> None:
    assert failing("SELECT 1 = 'a'").message == "Cannot apply operator: integer = varchar(1)"
    assert failing("SELECT x").message == "Column 'x' cannot be resolved"
    assert failing("SELECT f(1)").message == "Function 'f' not registered"


def test_what_fails_while_running_tells_why() -> None:
    database = running.connection()
    with pytest.raises(QueryError) as caught:
        running.first_value(database, "SELECT 1 / (x - 1) FROM (VALUES 1) t(x)")
    assert (caught.value.kind, caught.value.message) == (
        ErrorKind.DIVISION_BY_ZERO,
        "Division by zero",
    )
    with pytest.raises(QueryError) as caught:
        running.first_value(database, "SELECT CAST(x AS integer) FROM (VALUES 'it''s') t(x)")
    assert caught.value.message == "Cannot cast 'it's' to integer"


def test_no_function_of_duckdb_is_reachable() -> None:
    for name in ("read_csv", "getvariable", "current_setting", "py_double_text", "trino_nonzero"):
        assert failing(f"SELECT {name}('x')").kind is ErrorKind.FUNCTION_NOT_FOUND
    with pytest.raises(QueryError):
        parse("SELECT * FROM read_csv('/etc/passwd')", catalog="a", schema="b").to_duckdb({})


_WORDS = st.sampled_from(
    [
        "SELECT",
        "FROM",
        "WHERE",
        "GROUP",
        "BY",
        "ORDER",
        "(",
        ")",
        ",",
        ".",
        "*",
        "+",
        "-",
        "/",
        "1",
        "1e0",
        "'a'",
        '"b"',
        "x",
        "t",
        "ARRAY",
        "[",
        "]",
        "->",
        "CASE",
        "WHEN",
        "THEN",
        "END",
        "NULL",
        "AND",
        "OR",
        "NOT",
        "IN",
        "BETWEEN",
        "LIKE",
        "IS",
        "CAST",
        "AS",
        "integer",
        "VALUES",
        "UNION",
        "ALL",
        "JOIN",
        "ON",
        "USING",
        "WITH",
        "LIMIT",
        "UNNEST",
        "DATE",
        "INTERVAL",
        "DAY",
        "ROW",
        "MAP",
        "sum",
        "count",
        "OVER",
        "PARTITION",
        "EXISTS",
        "TRY",
        "?",
        "||",
        "=",
        "<",
        ";",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_WORDS, max_size=14))
def test_any_text_is_compiled_or_refused(words: list[str]) -> None:
    sql = "SELECT " + " ".join(words)
    try:
        statement = parse(sql, catalog="a", schema="b")
        if not statement.uses:
            statement.to_duckdb({})
    except QueryError:
        pass


_EXPRESSIONS = st.recursive(
    st.sampled_from(
        ["1", "2.50", "1e0", "'a'", "NULL", "true", "x", "DATE '2020-01-01'", "ARRAY[1,2]", "d"]
    ),
    lambda inner: st.one_of(
        st.tuples(
            inner, st.sampled_from(["+", "-", "*", "/", "%", "||", "=", "<", "AND", "OR"]), inner
        ).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda e: f"CAST({e} AS varchar)"),
        inner.map(lambda e: f"TRY_CAST({e} AS double)"),
        st.tuples(inner, inner).map(lambda t: f"COALESCE({t[0]}, {t[1]})"),
        inner.map(lambda e: f"abs({e})"),
        inner.map(lambda e: f"ARRAY[{e}]"),
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    return running.connection()


@settings(max_examples=300, deadline=None)
@given(expression=_EXPRESSIONS)
def test_what_compiles_binds_and_has_the_type_it_says(
    database: duckdb.DuckDBPyConnection, expression: str
) -> None:
    sql = f"SELECT typeof({expression}), {expression} FROM (VALUES (1, 2.5)) t(x, d)"
    try:
        running.first_value(database, sql)
    except QueryError as error:
        # DuckDB refused what Trino's types allow: an error of the compiler.
        assert error.kind is not ErrorKind.GENERIC_INTERNAL_ERROR, (sql, error)
        assert "Binder" not in error.message and "No function matches" not in error.message, sql
