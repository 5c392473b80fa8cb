"""A DuckDB connection made ready for Trino's queries, and its errors told as Trino would."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import duckdb

from cloche.engines.sql.duckdb_functions import install
from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.trino.values import NOW_VARIABLE, USER_VARIABLE, literal


def install_in(connection: duckdb.DuckDBPyConnection) -> None:
    """Put into a new database what the SQL of `Statement.to_duckdb` needs.

    Macros, functions, and settings that every connection to it begins with; UTC among them.
    """
    install(connection)
    for setting in (
        "TimeZone = 'UTC'",
        "integer_division = false",
        "ieee_floating_point_ops = true",
    ):
        connection.execute(f"SET GLOBAL {setting}")


def set_session(
    connection: duckdb.DuckDBPyConnection, sql: str, *, time_zone: str, now: float | None, user: str
) -> None:
    """Give a connection what a statement asks for of its session.

    Args:
        connection: to a database with `install_in`.
        sql: what `Statement.to_duckdb` gave; each setting takes as long as a small query, so that
            only those are made that it reads.
        time_zone: of the session.
        now: seconds since 1970, by which `now()` is; the machine's if None.
        user: what `current_user` is.
    """
    settings: list[str] = []
    if time_zone != "UTC":
        settings.append(f"SET TimeZone = {literal(time_zone)}")
    if NOW_VARIABLE in sql:
        moment = "now()"
        if now is not None:
            shown = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
            moment = f"TIMESTAMPTZ '{shown}+00'"
        settings.append(f"SET VARIABLE {NOW_VARIABLE} = {moment}")
    if USER_VARIABLE in sql:
        settings.append(f"SET VARIABLE {USER_VARIABLE} = {literal(user)}")
    if settings:
        connection.execute(";".join(settings))


_OWN = re.compile(r"!([A-Z_]+): (.*?)(?:' to INT8|\n|$)", re.DOTALL)
_CONVERT = re.compile(r"Could not convert string ['\"](.*?)['\"] to '?(\w+)", re.DOTALL)


def is_of_statement(error: BaseException) -> bool:
    """Whether an error was raised by an expression of the statement, not by what it reads."""
    return _OWN.search(str(error)) is not None


def query_error(error: duckdb.Error, sql: str) -> QueryError:
    """DuckDB's error as Trino would tell it.

    Args:
        error: what DuckDB raised.
        sql: what it ran; DuckDB's places are of this text and are left out.
    """
    text = str(error)
    own = _OWN.search(text)
    if own is not None:
        kind = (
            ErrorKind(own[1]) if own[1] in ErrorKind.__members__ else ErrorKind.GENERIC_USER_ERROR
        )
        return QueryError(kind, own[2].replace("''", "'"))
    message = re.sub(r"^\w[\w ]* Error: ", "", text.partition("\n\nLINE ")[0]).strip()
    for kinds, kind in _KINDS:
        if isinstance(error, kinds):
            return _told(kind, message, text)
    return QueryError(ErrorKind.GENERIC_INTERNAL_ERROR, message)


_KINDS: tuple[tuple[type[duckdb.Error] | tuple[type[duckdb.Error], ...], ErrorKind], ...] = (
    (duckdb.OutOfMemoryException, ErrorKind.EXCEEDED_MEMORY_LIMIT),
    (duckdb.ConversionException, ErrorKind.INVALID_CAST_ARGUMENT),
    (duckdb.OutOfRangeException, ErrorKind.NUMERIC_VALUE_OUT_OF_RANGE),
    (duckdb.InvalidInputException, ErrorKind.INVALID_FUNCTION_ARGUMENT),
    (duckdb.IOException, ErrorKind.HIVE_CANNOT_OPEN_SPLIT),
    ((duckdb.BinderException, duckdb.CatalogException), ErrorKind.SYNTAX_ERROR),
    (duckdb.NotImplementedException, ErrorKind.NOT_SUPPORTED),
    (duckdb.ParserException, ErrorKind.GENERIC_INTERNAL_ERROR),
)


_TYPE_NAMES = {"int8": "tinyint", "int16": "smallint", "int32": "integer", "int64": "bigint"}


_TOO_WIDE = re.compile(r"Type (?:DOUBLE|FLOAT) with value (\S+) can't be cast .* type INT64")
_TOO_NARROW = re.compile(r'Casting value "(.*?)" to type DECIMAL\((\d+),(\d+)\) failed')
_INFINITE = {"inf": "Infinity", "-inf": "-Infinity"}


def _told(kind: ErrorKind, message: str, text: str) -> QueryError:
    if "field value out of range" in text:
        return QueryError(ErrorKind.INVALID_CAST_ARGUMENT, message)
    if kind is ErrorKind.INVALID_CAST_ARGUMENT:
        if "value nan can't be cast" in text:
            return QueryError(kind, "Unable to cast NaN to an integer")
        wide = _TOO_WIDE.search(text)
        if wide:
            return QueryError(kind, f"Unable to cast {_INFINITE.get(wide[1], wide[1])} to bigint")
        narrow = _TOO_NARROW.search(text)
        if narrow:
            places = f"DECIMAL({narrow[2]}, {narrow[3]})"
            return QueryError(kind, f"Cannot cast '{narrow[1]}' to {places}")
        if "out of range" in text:
            return QueryError(ErrorKind.NUMERIC_VALUE_OUT_OF_RANGE, message)
        found = _CONVERT.search(text)
        if found:
            kind_name = found[2].lower()
            message = f"Cannot cast '{found[1]}' to {_TYPE_NAMES.get(kind_name, kind_name)}"
    grouped = re.search(r'column "([^"]+)" must appear in the GROUP BY', message)
    if grouped:
        message = f"'{grouped[1]}' must be an aggregate expression or appear in GROUP BY clause"
    if "More than one row returned by a subquery" in text:
        return QueryError(
            ErrorKind.GENERIC_USER_ERROR, "Scalar sub-query has returned multiple rows"
        )
    if "Map keys must be unique" in text:
        message = "Duplicate map keys are not allowed"
    if "aximum recursion" in text or "depth limit" in text:
        return QueryError(ErrorKind.NOT_SUPPORTED, message)
    return QueryError(kind, message)
