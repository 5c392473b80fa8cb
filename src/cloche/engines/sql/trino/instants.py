"""Moments that a statement tells by an expression without columns, as time travel does."""

from __future__ import annotations

from functools import cache

import duckdb
from sqlglot import exp

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.trino.grammar import parse_query
from cloche.engines.sql.trino.queries import Compiler
from cloche.engines.sql.trino.session import install_in, query_error, set_session

_PLACE = "moment"
# What takes no long time and reads nothing: others are left to be refused.
_ALLOWED = (
    exp.Add,
    exp.AtTimeZone,
    exp.Cast,
    exp.CurrentDate,
    exp.CurrentTimestamp,
    exp.DataType,
    exp.DataTypeParam,
    exp.Interval,
    exp.Literal,
    exp.Localtimestamp,
    exp.Neg,
    exp.Paren,
    exp.Sub,
    exp.Var,
)


def is_moment(expression: exp.Expr) -> bool:
    """Whether an expression is one that `moment_of` evaluates."""
    return all(isinstance(node, _ALLOWED) for node in expression.walk())


def moment_of(sql: str, expression: exp.Expr, now: float | None) -> str:
    """The moment in Trino's text of `timestamp with time zone`.

    Args:
        sql: the statement's text, for the places of errors.
        expression: of a date or a timestamp.
        now: what `current_timestamp` is, in seconds since 1970.

    Raises:
        QueryError: the types don't fit, or it has no value.
    """
    query = parse_query(f"SELECT CAST(CAST({_PLACE} AS timestamp(6) with time zone) AS varchar)")
    for node in query.walk():
        node.meta.pop("start", None)
    for column in list(query.find_all(exp.Column)):
        column.replace(expression.copy())
    made, _ = Compiler(sql, {}, {}, "UTC", "", "").statement(query, shown=True)
    connection = _database().cursor()
    try:
        set_session(connection, made, time_zone="UTC", now=now, user="")
        row = connection.execute(made).fetchone()
    except duckdb.Error as error:
        raise query_error(error, made) from None
    finally:
        connection.close()
    if row is None or row[0] is None:
        raise QueryError(ErrorKind.GENERIC_USER_ERROR, "INVALID_ARGUMENTS: the timestamp is null")
    return str(row[0])


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """A database without tables; only its cursors are used."""
    connection = duckdb.connect(config={"threads": 1})
    install_in(connection)
    return connection
