"""Runs a statement of Trino's dialect on DuckDB, as the tests here do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

from cloche.engines.sql.engine import Column, QueryError
from cloche.engines.sql.trino import (
    Relation,
    duckdb_type_to_trino,
    formatter,
    install_in,
    parse,
    query_error,
    set_session,
)
from cloche.engines.sql.trino.values import NOW_VARIABLE, USER_VARIABLE

NOW = 1700000000.5
Vector = dict[str, Any]


def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    make_ready(made)
    return made


def make_ready(database: duckdb.DuckDBPyConnection) -> None:
    install_in(database)
    all_settings = NOW_VARIABLE + USER_VARIABLE
    set_session(database, all_settings, time_zone="UTC", now=NOW, user="me")


def first_value(database: duckdb.DuckDBPyConnection, sql: str) -> str | None:
    """The first column of the first row, as GetQueryResults gives it.

    Raises:
        QueryError: Trino's error, for those of DuckDB too.
    """
    statement = parse(sql, catalog="awsdatacatalog", schema="default")
    text = statement.to_duckdb({})
    try:
        table = database.execute(text).to_arrow_table()
    except duckdb.Error as error:
        raise query_error(error, text) from error
    if not table.num_rows:
        return None
    return formatter(statement.columns[0].type)(table.column(0)[0])


def rows(database: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """All rows of a query over the database's own tables."""
    statement = parse(sql, catalog="awsdatacatalog", schema="main")
    relations = {
        use: Relation(f'"{use.name}"', columns(database, use.name)) for use in statement.uses
    }
    return database.execute(statement.to_duckdb(relations)).fetchall()


def columns(database: duckdb.DuckDBPyConnection, table: str) -> tuple[Column, ...]:
    found = database.execute(f'DESCRIBE "{table}"').fetchall()
    return tuple(Column(row[0], duckdb_type_to_trino(row[1])) for row in found)


def read_vectors(file: Path) -> list[Vector]:
    return json.loads(file.read_text(encoding="utf-8"))["vectors"]


def outcome(database: duckdb.DuckDBPyConnection, vector: Vector) -> str | None:
    """What is wrong with a vector; None if it is right."""
    try:
        got = first_value(database, vector["sql"])
    except QueryError as error:
        if error.kind.value == vector.get("error"):
            return None
        return f"error: {error}"
    if "error" in vector:
        return f"SILENT: {got!r} where {vector['error']} is wanted"
    return None if got == vector["expected"] else f"SILENT: {got!r}, not {vector['expected']!r}"
