"""What a statement wants of its tables: names, time travel, filters and columns."""

from __future__ import annotations

from typing import Any

import pytest

from cloche.engines.sql.engine import Column, ErrorKind, Filter, QueryError
from cloche.engines.sql.trino import Relation, Statement, parse
from tests.engines.sql.trino import running


def read(sql: str, **options: Any) -> Statement:
    return parse(sql, catalog="AwsDataCatalog", schema="Default", **options)


def filters(sql: str) -> dict[str, set[tuple[str, str, tuple[str, ...]]]]:
    return {
        use.name: {(f.column, f.operator, f.values) for f in use.filters} for use in read(sql).uses
    }


def test_names_are_lower_case_and_complete() -> None:
    uses = read('SELECT 1 FROM T, Other.U, cat.S."V$partitions"').uses
    assert [(u.catalog, u.schema, u.name) for u in uses] == [
        ("awsdatacatalog", "default", "t"),
        ("awsdatacatalog", "other", "u"),
        ("cat", "s", "v$partitions"),
    ]


def test_names_of_with_are_no_tables() -> None:
    uses = read("WITH a AS (SELECT 1 x FROM a), b AS (SELECT * FROM a) SELECT * FROM b, s.a").uses
    assert [(u.schema, u.name) for u in uses] == [("default", "a"), ("s", "a")]


def test_a_with_query_may_have_the_name_of_the_table_it_reads() -> None:
    statement = read("WITH t AS (SELECT x + 1 AS x FROM t) SELECT x FROM t")
    (use,) = statement.uses
    sql = statement.to_duckdb({use: Relation('"t"', (Column("x", "integer"),))})
    import duckdb

    database = duckdb.connect()
    database.execute("CREATE TABLE t AS SELECT 41 AS x")
    assert database.execute(sql).fetchall() == [(42,)]


@pytest.mark.parametrize(
    ("clause", "timestamp", "version"),
    [
        ("TIMESTAMP AS OF TIMESTAMP '2024-01-02 03:04:05 UTC'", "2024-01-02T03:04:05Z", None),
        ("TIMESTAMP AS OF TIMESTAMP '2024-01-02 03:04:05 +02:00'", "2024-01-02T01:04:05Z", None),
        ("TIMESTAMP AS OF DATE '2024-01-02'", "2024-01-02T00:00:00Z", None),
        ("VERSION AS OF 123", None, "123"),
    ],
)
def test_time_travel(clause: str, timestamp: str | None, version: str | None) -> None:
    (use,) = read(f"SELECT * FROM t FOR {clause}").uses
    assert (use.timestamp, use.version) == (timestamp, version)


def test_filters_of_the_conjunction() -> None:
    found = filters(
        "SELECT 1 FROM t WHERE year = '2024' AND 5 < day AND (m IN (1, 2) AND c LIKE 'a%') "
        "AND h BETWEEN 1 AND 3 AND d >= DATE '2024-01-01' AND n IS NOT NULL AND z IS NULL "
        "AND (a = 1 OR b = 2) AND NOT e = 3 AND f = g AND k = 1 + 1 AND q <> -2"
    )
    assert found["t"] == {
        ("year", "=", ("2024",)),
        ("day", ">", ("5",)),
        ("m", "in", ("1", "2")),
        ("c", "like", ("a%",)),
        ("h", ">=", ("1",)),
        ("h", "<=", ("3",)),
        ("d", ">=", ("2024-01-01",)),
        ("n", "is not null", ()),
        ("z", "is null", ()),
        ("q", "<>", ("-2",)),
    }


def test_filters_through_joins() -> None:
    found = filters("SELECT 1 FROM a JOIN b ON a.id = b.id AND b.y = 1 WHERE a.x = 2 AND w = 3")
    assert found == {
        "a": {("x", "=", ("2",)), ("w", "=", ("3",))},
        "b": {("y", "=", ("1",)), ("w", "=", ("3",))},
    }


def test_filters_that_an_outer_join_undoes_are_left_out() -> None:
    found = filters(
        "SELECT 1 FROM a LEFT JOIN b ON a.id = b.id AND a.y = 1 AND b.z = 2 WHERE b.x IS NULL"
    )
    assert found == {"a": set(), "b": {("z", "=", ("2",))}}


def test_a_cast_that_changes_the_text_is_no_filter() -> None:
    assert filters("SELECT 1 FROM t WHERE a = CAST(5.7 AS integer)")["t"] == set()
    stamp = "TIMESTAMP '2024-01-01 00:00:00 Asia/Tokyo'"
    assert filters(f"SELECT 1 FROM t WHERE a = {stamp}")["t"] == set()


def test_references_with_different_filters_are_apart() -> None:
    uses = read("SELECT 1 FROM t WHERE a = 1 UNION ALL SELECT 1 FROM t WHERE a = 2").uses
    assert [u.filters for u in uses] == [(Filter("a", "=", ("1",)),), (Filter("a", "=", ("2",)),)]


def test_columns_that_are_used() -> None:
    assert read("SELECT a, t.B FROM t WHERE c > 1 ORDER BY d").uses[0].columns == (
        "a",
        "b",
        "c",
        "d",
        "t",
    )
    assert read("SELECT * FROM t").uses[0].columns is None
    assert read("SELECT count(*) FROM t").uses[0].columns == ()
    first, second = read("SELECT a.*, b.x FROM a JOIN b ON a.k = b.k").uses
    assert first.columns is None
    assert second.columns is not None and {"x", "k"} <= set(second.columns)


def test_parameters_take_the_places() -> None:
    (use,) = read("SELECT 1 FROM t WHERE a = ? AND b = ?", parameters=["'x'", "5"]).uses
    assert {(f.column, f.values) for f in use.filters} == {("a", ("x",)), ("b", ("5",))}


@pytest.mark.parametrize(
    "parameters", [["1"], ["1", "2", "3"], ["1", "2 FROM t"], ["1", "2; DROP"]]
)
def test_wrong_parameters_are_refused(parameters: list[str]) -> None:
    with pytest.raises(QueryError) as caught:
        read("SELECT ?, ?", parameters=parameters)
    assert caught.value.kind is ErrorKind.SYNTAX_ERROR


def test_hidden_columns_are_there_but_not_in_a_star() -> None:
    statement = read('SELECT *, "$path" FROM t')
    columns = (Column("x", "integer"), Column("$path", "varchar"))
    statement.to_duckdb({statement.uses[0]: Relation("r", columns)})
    assert [c.name for c in statement.columns] == ["x", "$path"]
    star = read("SELECT t.* FROM t")
    star.to_duckdb({star.uses[0]: Relation("r", columns)})
    assert [c.name for c in star.columns] == ["x"]


def test_a_views_query_keeps_its_values_and_tells_their_zones() -> None:
    view = read("SELECT TIMESTAMP '2020-01-01 00:00:00 Asia/Tokyo' AS t, CAST('a' AS char(3)) AS c")
    inner = view.to_duckdb({}, shown=False)
    outer = read("SELECT CAST(t AS varchar) || c || '|' FROM v")
    sql = outer.to_duckdb({outer.uses[0]: Relation(f"({inner})", view.columns)})
    database = running.connection()
    assert database.execute(sql).fetchall() == [("2020-01-01 00:00:00 Asia/Tokyoa  |",)]


def test_a_with_query_doesnt_capture_what_a_table_is_made_of() -> None:
    statement = read("WITH stream AS (SELECT 1 AS x) SELECT t.x FROM stream, t")
    (use,) = statement.uses
    database = running.connection()
    database.execute("CREATE TABLE stream AS SELECT 42 AS x")
    relation = Relation("(SELECT * FROM stream)", (Column("x", "integer"),))
    assert database.execute(statement.to_duckdb({use: relation})).fetchall() == [(42,)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1 FROM (SELECT y AS x FROM t) q WHERE q.x = 1", {("y", "=", ("1",))}),
        ("WITH q AS (SELECT y AS x FROM t) SELECT 1 FROM q WHERE x = 1", {("y", "=", ("1",))}),
        ("SELECT 1 FROM (SELECT y + 1 AS x FROM t) q WHERE x = 1", set()),
        ("SELECT 1 FROM (SELECT y AS x FROM t LIMIT 5) q WHERE x = 1", set()),
        ("SELECT 1 FROM (SELECT y AS x, sum(z) OVER () s FROM t) q WHERE x = 1", set()),
        ("SELECT 1 FROM (SELECT y AS x FROM t) q(z) WHERE x = 1", set()),
        ("SELECT 1 FROM (SELECT y AS x, count(*) FROM t GROUP BY y) q WHERE x = 1", set()),
        ("WITH q AS (SELECT y AS x FROM t) SELECT 1 FROM q a, q b WHERE a.x = 1", set()),
        ("SELECT 1 FROM (SELECT y AS x FROM t UNION ALL SELECT 2) q WHERE x = 1", set()),
        ("SELECT 1 FROM (SELECT y AS x FROM t) q LEFT JOIN u ON q.x = 1", set()),
    ],
)
def test_filters_of_a_subquery_reach_its_table(
    sql: str, expected: set[tuple[str, str, tuple[str, ...]]]
) -> None:
    assert filters(sql)["t"] == expected


def test_what_a_pattern_must_not_match_is_no_filter() -> None:
    assert filters("SELECT 1 FROM t WHERE a NOT LIKE 'x%' AND NOT b LIKE 'y%'") == {"t": set()}


@pytest.mark.parametrize(
    ("sql", "limit"),
    [
        ("SELECT * FROM t LIMIT 5", 5),
        ("SELECT a, t.b, 1 FROM t OFFSET 2 LIMIT 5", 7),
        ("SELECT x.a FROM (SELECT a FROM t LIMIT 3) x ORDER BY a", 3),
        ("SELECT * FROM t", None),
        ("SELECT * FROM t WHERE a = 1 LIMIT 5", None),
        ("SELECT * FROM t ORDER BY a LIMIT 5", None),
        ("SELECT DISTINCT a FROM t LIMIT 5", None),
        ("SELECT a FROM t GROUP BY a LIMIT 5", None),
        ("SELECT max(a) FROM t LIMIT 5", None),
        ("SELECT arbitrary(a) FROM t LIMIT 5", None),
        ("SELECT row_number() OVER () FROM t LIMIT 5", None),
        ("SELECT t.a FROM t, t u LIMIT 5", None),
        ("SELECT (SELECT max(a) FROM t) FROM t LIMIT 5", None),
        ("SELECT a FROM t CROSS JOIN UNNEST(b) AS u(c) LIMIT 5", None),
        ("SELECT a FROM t TABLESAMPLE BERNOULLI (10) LIMIT 5", None),
        ("SELECT a FROM t UNION ALL SELECT a FROM t LIMIT 5", None),
        ("SELECT a FROM t LIMIT ALL", None),
        ("SELECT a FROM t FETCH FIRST 5 ROWS WITH TIES", None),
    ],
)
def test_how_many_rows_are_enough_is_known_where_any_will_do(sql: str, limit: int | None) -> None:
    assert {use.limit for use in read(sql).uses} == {limit}
