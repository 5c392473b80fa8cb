"""Queries on databases elsewhere: what they give, and what the databases are asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.athena.federation.conftest import Remote

ORDERS = [
    (1, "ann", "12.50", "2024-01-01", "2024-01-01 10:00:00.123"),
    (2, "Ann", "0.01", "2024-02-01", "2024-01-02 00:00:00"),
    (3, "ann ", "99999.99", None, "2024-01-03 23:59:59.999"),
    (4, "b'o\\b", None, "2024-03-01", None),
    (5, "été 😀", "-1.00", "1999-12-31", "1999-12-31 00:00:00"),
    (6, "zoe|100%", "7.00", "2024-02-29", "2024-02-29 12:00:00"),
    (7, None, "7.00", "2024-02-29", "2024-02-29 12:00:00"),
]


def literal(remote: Remote, value: object) -> str:
    if value is None:
        return "NULL"
    text = str(value).replace("'", "''")
    return "'" + (text.replace("\\", "\\\\") if remote.kind == "mysql" else text) + "'"


@pytest.fixture
def orders(remote: Remote) -> Remote:
    """A table of orders."""
    stamp = "timestamp" if remote.kind == "postgresql" else "datetime(6)"
    remote.run(
        f"CREATE TABLE {remote.own('orders')} (id int NOT NULL, customer varchar(20), "
        f"total numeric(10,2), day date, at {stamp})"
    )
    values = ", ".join(f"({', '.join(literal(remote, value) for value in row)})" for row in ORDERS)
    remote.run(f"INSERT INTO {remote.own('orders')} VALUES {values}")
    return remote


def test_rows_come_with_their_values(orders: Remote) -> None:
    rows = orders.lake.rows(f"SELECT * FROM {orders.table('orders')} ORDER BY id")
    assert rows == [
        ["1", "ann", "12.50", "2024-01-01", "2024-01-01 10:00:00.123000"],
        ["2", "Ann", "0.01", "2024-02-01", "2024-01-02 00:00:00.000000"],
        ["3", "ann ", "99999.99", None, "2024-01-03 23:59:59.999000"],
        ["4", "b'o\\b", None, "2024-03-01", None],
        ["5", "été 😀", "-1.00", "1999-12-31", "1999-12-31 00:00:00.000000"],
        ["6", "zoe|100%", "7.00", "2024-02-29", "2024-02-29 12:00:00.000000"],
        ["7", None, "7.00", "2024-02-29", "2024-02-29 12:00:00.000000"],
    ]


def test_conditions_and_columns_are_sent(orders: Remote) -> None:
    orders.fetched()
    rows = orders.lake.rows(
        f"SELECT o.customer FROM {orders.table('orders')} o "
        "WHERE o.id > 1 AND o.total >= 0.01 AND o.day = DATE '2024-02-01'"
    )
    assert rows == [["Ann"]]
    (statement,) = orders.fetched()
    quote = '"' if orders.kind == "postgresql" else "`"
    for condition in ("id{0} > 1", "total{0} >= 0.01", "day{0} = DATE '2024-02-01'"):
        assert condition.format(quote) in statement.partition("WHERE")[2]
    fetched = statement.partition("FROM ")[0] if orders.kind == "mysql" else statement
    assert f"{quote}at{quote}" not in fetched


def test_rows_are_joined_with_the_lake(orders: Remote) -> None:
    lake = orders.lake
    lake.put("people/a.csv", "ann,Oslo\nAnn,Rome\nnobody,Bonn\n")
    lake.run(
        "CREATE EXTERNAL TABLE people (name string, town string) "
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' "
        f"LOCATION 's3://{lake.name}/people/'"
    )
    orders.fetched()
    shown = lake.run(
        f"SELECT p.town, o.total FROM awsdatacatalog.{lake.name}.people p "
        f"JOIN {orders.table('orders')} o ON o.customer = p.name WHERE o.id < 3 ORDER BY 1"
    )
    assert lake.results(shown["QueryExecutionId"])[1:] == [["Oslo", "12.50"], ["Rome", "0.01"]]
    (statement,) = orders.fetched()
    assert " < 3" in statement
    files = len("ann,Oslo\nAnn,Rome\nnobody,Bonn\n")
    assert shown["Statistics"]["DataScannedInBytes"] > files


def test_a_limit_is_sent_where_any_rows_will_do(orders: Remote) -> None:
    table = orders.table("orders")
    orders.fetched()
    assert len(orders.lake.rows(f"SELECT id FROM {table} LIMIT 2")) == 2
    (statement,) = orders.fetched()
    assert "LIMIT 2" in statement
    assert orders.lake.rows(f"SELECT max(id) FROM {table} LIMIT 1") == [["7"]]
    assert orders.lake.rows(f"SELECT id FROM {table} ORDER BY id DESC LIMIT 1") == [["7"]]
    assert all("LIMIT" not in statement for statement in orders.fetched())


CONDITIONS = [
    "customer = 'ann'",
    "customer = 'ann '",
    "customer <> 'ann'",
    "customer < 'ann'",
    "customer > 'Ann'",
    "customer >= 'b'",
    "customer BETWEEN 'A' AND 'b'",
    "customer IN ('ANN', 'b''o\\b', 'x')",
    "customer NOT IN ('ann', 'x')",
    "customer LIKE 'an%'",
    "customer LIKE 'b''o\\b'",
    "customer LIKE '%|100\\%'",
    "customer LIKE 'zoe|%'",
    "customer LIKE '%😀'",
    "customer NOT LIKE 'a%'",
    "customer IS NULL",
    "customer IS NOT NULL AND total IS NULL",
    "lower(customer) = 'ann'",
    "total = 7",
    "total = 7.0",
    "total > -1 AND total < 12.5",
    "total IN (7, 0.01)",
    "id = 3 OR id = 5",
    "id > 2.5",
    "id <> 4 AND NOT id = 5",
    "day = DATE '2024-02-29'",
    "day >= DATE '2024-02-01' AND day < DATE '2024-03-01'",
    "day > TIMESTAMP '2024-02-01 00:00:00'",
    "day IS NULL",
    "at = TIMESTAMP '2024-01-03 23:59:59.999'",
    "at > TIMESTAMP '2024-01-01 10:00:00.122'",
    "at < DATE '2024-01-02'",
    "at BETWEEN TIMESTAMP '2024-01-01 00:00:00' AND TIMESTAMP '2024-02-29 12:00:00'",
    "id IN (SELECT id FROM {table} WHERE total = 7)",
]


def test_conditions_give_the_rows_that_the_lake_gives(orders: Remote) -> None:
    lake = orders.lake
    lake.run(
        f"CREATE TABLE awsdatacatalog.{lake.name}.copied AS SELECT * FROM {orders.table('orders')}"
    )
    differing: dict[str, Any] = {}
    for condition in CONDITIONS:
        answers = [
            lake.rows(f"SELECT id FROM {table} WHERE {condition.format(table=table)} ORDER BY id")
            for table in (orders.table("orders"), f"awsdatacatalog.{lake.name}.copied")
        ]
        if answers[0] != answers[1]:
            differing[condition] = answers
    assert not differing


def test_rows_are_written_to_the_lake_and_not_elsewhere(orders: Remote) -> None:
    lake, table = orders.lake, orders.table("orders")
    own = f"awsdatacatalog.{lake.name}.made"
    made = lake.run(f"CREATE TABLE {own} AS SELECT id, total FROM {table} WHERE id < 3")
    assert made["SubstatementType"] == "CREATE_TABLE_AS_SELECT"
    lake.run(f"INSERT INTO {own} SELECT id, total FROM {table} WHERE id = 4")
    assert lake.rows(f"SELECT * FROM {own} ORDER BY 1") == [
        ["1", "12.50"],
        ["2", "0.01"],
        ["4", None],
    ]
    target = f"s3://{lake.name}/unloaded/"
    lake.run(f"UNLOAD (SELECT id FROM {table}) TO '{target}' WITH (format = 'JSON')")
    assert lake.keys("unloaded/")
    for statement in (
        f"INSERT INTO {table} (id) VALUES (9)",
        f"CREATE TABLE {orders.table('other')} AS SELECT 1 AS a",
        f"DROP TABLE `{orders.catalog}`.`{orders.schema}`.`orders`",
    ):
        reason = lake.fail(statement)
        assert reason == (
            f"NOT_SUPPORTED: Catalog '{orders.catalog}' is a federated data source: it can be "
            "queried, and not be written to or changed"
        )
    context = {"Catalog": orders.catalog, "Database": orders.schema}
    assert "is a federated data source" in lake.fail(
        "CREATE DATABASE other", QueryExecutionContext=context
    )
    assert len(orders.run(f"SELECT id FROM {orders.own('orders')}")) == len(ORDERS)


def test_the_querys_catalog_is_where_names_are_looked_up(orders: Remote) -> None:
    context = {"Catalog": orders.catalog, "Database": orders.schema}
    lake = orders.lake
    count = [[str(len(ORDERS))]]
    assert lake.rows("SELECT count(*) FROM orders", QueryExecutionContext=context) == count
    named = f"SELECT count(*) FROM {orders.schema.upper()}.ORDERS"
    assert lake.rows(named, QueryExecutionContext={"Catalog": orders.catalog}) == count
    lake.run(
        f"CREATE VIEW awsdatacatalog.{lake.name}.seen AS SELECT id FROM orders",
        QueryExecutionContext=context,
    )
    assert lake.rows("SELECT count(*) FROM seen") == count


def test_what_does_not_exist_is_told(orders: Remote) -> None:
    lake, catalog, schema = orders.lake, orders.catalog, orders.schema
    assert lake.fail(f"SELECT * FROM {catalog}.{schema}.nothing").endswith(
        f"Table '{catalog}.{schema}.nothing' does not exist"
    )
    assert "Schema 'nowhere' does not exist" in lake.fail(f"SELECT * FROM {catalog}.nowhere.t")
    assert "Catalog 'nocatalog' does not exist" in lake.fail("SELECT * FROM nocatalog.a.b")
    missing = lake.fail(f"SELECT nope FROM {orders.table('orders')}")
    assert missing == "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"


def test_explain_fetches_nothing(orders: Remote) -> None:
    orders.fetched()
    plan = orders.lake.lines(f"EXPLAIN SELECT * FROM {orders.table('orders')} WHERE id = 1")
    assert plan
    assert "4711" not in "".join(plan)
    assert orders.fetched() == []


def test_names_are_names_whatever_is_in_them(remote: Remote) -> None:
    quote = '"' if remote.kind == "postgresql" else "`"
    table, column = f"od{quote}d; DROP TABLE x", f"co'l{quote} {{0}} \\"
    twice = quote * 2
    remote.run(
        f"CREATE TABLE {remote.schema}.{quote}{table.replace(quote, twice)}{quote} "
        f"({quote}{column.replace(quote, twice)}{quote} int, {quote}Big{quote} int)"
    )
    remote.run(
        f"INSERT INTO {remote.schema}.{quote}{table.replace(quote, twice)}{quote} VALUES (5, 6)"
    )
    shown = f'"{remote.catalog}"."{remote.schema}"."{table.replace(chr(34), chr(34) * 2)}"'
    named = '"' + column.lower().replace('"', '""') + '"'
    assert remote.lake.rows(f"SELECT {named}, big FROM {shown} WHERE {named} = 5") == [["5", "6"]]


def test_a_table_that_is_named_twice_is_read_twice(orders: Remote) -> None:
    table = orders.table("orders")
    rows = orders.lake.rows(
        f"WITH o AS (SELECT id, total FROM {table} WHERE id < 4) "
        "SELECT a.id FROM o a JOIN o b ON a.id = b.id + 1 ORDER BY 1"
    )
    assert rows == [["2"], ["3"]]
