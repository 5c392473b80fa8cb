from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloche.engines.sql.engine import QueryError
from cloche.services.athena.statements.create_table import blanked
from cloche.services.athena.statements.cursor import Cursor, TableName
from cloche.services.athena.statements.hive_types import parse_type
from cloche.services.athena.statements.parsing import has_several_statements, parse_statement
from cloche.services.athena.statements.statement_types import (
    CreateTable,
    CreateTableAs,
    CreateView,
    Execute,
    Insert,
    QueryStatement,
    Unload,
)
from cloche.services.athena.statements.table_ddl import table_ddl
from cloche.services.athena.statements.tokens import hive_string, tokenize

NAMES = st.text("abcxyz_019", min_size=1, max_size=8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def types() -> st.SearchStrategy[str]:
    simple = st.sampled_from(
        ["int", "bigint", "string", "double", "date", "timestamp", "boolean", "decimal(10,2)"]
    )
    return st.recursive(
        simple,
        lambda inner: st.one_of(
            inner.map(lambda each: f"array<{each}>"),
            st.tuples(simple, inner).map(lambda pair: f"map<{pair[0]},{pair[1]}>"),
            st.lists(
                st.tuples(st.text("abc", min_size=1, max_size=3), inner), min_size=1, max_size=3
            ).map(lambda fields: f"struct<{','.join(f'{n}:{t}' for n, t in fields)}>"),
        ),
        max_leaves=6,
    )


@given(types())
def test_a_type_is_read_as_the_catalog_keeps_it(hive_type: str) -> None:
    cursor = Cursor(hive_type.upper().replace(",", " , "), is_hive=True)
    assert parse_type(cursor) == hive_type
    cursor.end()


@given(st.text())
def test_tokens_are_all_of_a_statement_in_their_places(sql: str) -> None:
    for is_hive in (False, True):
        try:
            tokens = tokenize(sql, is_hive=is_hive)
        except QueryError:
            continue
        for token in tokens:
            assert sql[token.start : token.end] == token.text
            before = sql[: token.start]
            assert token.line == before.count("\n") + 1
            assert token.column == len(before) - (before.rfind("\n") + 1) + 1
        between = sql
        for token in reversed(tokens):
            between = between[: token.start] + between[token.end :]
        assert "'" not in between.split("--")[0].split("/*")[0]


@given(st.text())
def test_any_text_is_a_statement_or_an_error(sql: str) -> None:
    try:
        parse_statement(sql)
    except QueryError as error:
        assert str(error).startswith("SYNTAX_ERROR: ")


@given(
    st.lists(
        st.sampled_from(
            [
                "CREATE",
                "EXTERNAL",
                "TABLE",
                "t",
                "(",
                "a",
                "int",
                ",",
                ")",
                "STORED",
                "AS",
                "PARQUET",
                "LOCATION",
                "'s3://b'",
                "ALTER",
                "ADD",
                "PARTITION",
                "=",
                "DROP",
                "SHOW",
                "VIEW",
                "SELECT",
                "1",
                "AS",
                "WITH",
                "UNLOAD",
                "TO",
                "INSERT",
                "INTO",
                "VALUES",
            ]
        ),
        max_size=14,
    )
)
def test_any_words_are_a_statement_or_an_error(words: list[str]) -> None:
    try:
        parse_statement(" ".join(words))
    except QueryError as error:
        assert error.line >= 1 or "Duplicate" in error.message or "repeated" in error.message


@given(st.dictionaries(NAMES, types(), min_size=1, max_size=4), TEXTS, TEXTS, TEXTS)
def test_a_table_is_read_back_from_the_ddl_that_shows_it(
    columns: dict[str, str], comment: str, delimiter: str, value: str
) -> None:
    serde = {"field.delim": delimiter, "serialization.format": delimiter}
    table = {
        "StorageDescriptor": {
            "Columns": [
                {"Name": name, "Type": kind, "Comment": comment} for name, kind in columns.items()
            ],
            "InputFormat": "in",
            "OutputFormat": "out",
            "Location": "s3://bucket/it's/here",
            "SerdeInfo": {"Parameters": serde},
        },
        "Parameters": {"comment": comment, "k": value},
    }
    read = parse_statement("\n".join(table_ddl("d.t", table)))
    assert isinstance(read, CreateTable)
    assert read.table == TableName("t", "d")
    assert {each.name: each.type for each in read.columns} == columns
    assert {each.comment or "" for each in read.columns} == {comment}
    assert (read.comment or "") == comment
    assert read.serde_properties == serde
    assert read.properties == {"k": value}
    assert read.location == "s3://bucket/it's/here"


def test_hives_strings_escape() -> None:
    assert hive_string(r"'\t\001A\u0041\\\'\x'") == "\t\x01AA\\'x"
    assert hive_string('"a""b"') == 'a"b'


def test_blanks_keep_places() -> None:
    assert blanked("ab\ncd\nef", 6, 8) == "  \n  \nef"


def test_create_table_as() -> None:
    sql = (
        "CREATE TABLE IF NOT EXISTS d.x WITH (format = 'ORC', partitioned_by = ARRAY['a', 'b'],"
        " bucket_count = 4)\nAS (SELECT 1 AS a) WITH NO DATA;"
    )
    read = parse_statement(sql)
    assert isinstance(read, CreateTableAs)
    assert read.properties == {"format": "ORC", "partitioned_by": ["a", "b"], "bucket_count": "4"}
    assert read.sql.strip() == "(SELECT 1 AS a)"
    assert read.sql.index("(") == sql.index("(SELECT")
    assert not read.has_data


def test_writes() -> None:
    read = parse_statement("INSERT INTO d.t (a, b) SELECT 1, 2")
    assert isinstance(read, Insert)
    assert (read.table, read.columns) == (TableName("t", "d"), ("a", "b"))
    unload = parse_statement("UNLOAD (SELECT (1)) TO 's3://b/x' WITH (format='JSON')")
    assert isinstance(unload, Unload)
    assert (unload.sql.strip(), unload.location) == ("SELECT (1)", "s3://b/x")


def test_queries_keep_their_text() -> None:
    read = parse_statement("-- a comment\nSELECT ';' AS \"x\" ;\n")
    assert isinstance(read, QueryStatement)
    assert read.sql == "            \nSELECT ';' AS \"x\""
    view = parse_statement("CREATE VIEW v AS SELECT 'a\\' AS b")
    assert isinstance(view, CreateView)
    assert view.sql == "SELECT 'a\\' AS b"


def test_execute_splits_its_values_at_commas_of_their_own() -> None:
    read = parse_statement("EXECUTE p USING 'a,b', ARRAY[1, 2], f(x, y)")
    assert isinstance(read, Execute)
    assert read.parameters == ("'a,b'", "ARRAY[1, 2]", "f(x, y)")


@pytest.mark.parametrize(
    ("sql", "several"),
    [("SELECT 1", False), ("SELECT ';';", False), ("SELECT 1; SELECT 2", True), (";", False)],
)
def test_several_statements(sql: str, several: bool) -> None:
    assert has_several_statements(sql) is several
