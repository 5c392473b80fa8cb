"""A DuckDB connection made ready for Trino's queries."""

from __future__ import annotations

import duckdb

from cloche.engines.sql.engine import ErrorKind, QueryError


def prepare(
    connection: duckdb.DuckDBPyConnection, *, time_zone: str, now: float | None, user: str
) -> None:
    """Settings, macros and functions that the SQL of `Statement.to_duckdb` needs."""
    connection.execute("SET integer_division = true; SET ieee_floating_point_ops = true")


def query_error(error: duckdb.Error, sql: str) -> QueryError:
    """DuckDB's error as Trino would tell it."""
    return QueryError(ErrorKind.GENERIC_USER_ERROR, str(error))
