"""Makes a query's columns those of the table that they are put into."""

from __future__ import annotations

from collections.abc import Mapping

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.trino.storing import can_be_stored
from cloche.services.athena.session import Session
from cloche.services.athena.statements.selecting import columns_of
from cloche.services.athena.statements.statement_types import Insert


def conforming(
    session: Session, statement: Insert, parameters: tuple[str, ...], known: Mapping[str, str]
) -> str:
    """The query of an INSERT, its columns those of the table.

    Args:
        session: in whose name.
        statement: the INSERT.
        parameters: in the place of `?`.
        known: the table's columns in order, types in Trino's names.

    Raises:
        QueryError: they do not fit.
    """
    asked = statement.columns or tuple(known)
    for name in asked:
        if name not in known:
            raise QueryError(
                ErrorKind.COLUMN_NOT_FOUND,
                f"Insert column name does not exist in target table: {name}",
            )
    if len(set(asked)) != len(asked):
        raise QueryError(ErrorKind.SYNTAX_ERROR, "Insert column name is specified more than once")
    names = [f"c{number}" for number in range(len(asked))]
    types = [column.type for column in columns_of(session, statement.sql, parameters)]
    wanted = [known[name] for name in asked]
    if len(types) != len(wanted) or not all(map(can_be_stored, types, wanted)):
        raise QueryError(
            ErrorKind.TYPE_MISMATCH,
            "Insert query has mismatched column types: "
            f"Table: [{', '.join(wanted)}], Query: [{', '.join(types)}]",
        )
    given = dict(zip(asked, names, strict=True))
    values = [
        f'{_stored(given.get(name, "NULL"), kind)} AS "{name}"' for name, kind in known.items()
    ]
    query = f"({statement.sql}) AS q({', '.join(names)})"
    return f"SELECT {', '.join(values)} FROM {query}"  # noqa: S608 - it is the caller's own SQL


def _stored(value: str, kind: str) -> str:
    """A value as one of the column's type; an instant in UTC, where the engine gives it whole."""
    cast = f"CAST({value} AS {kind})"
    return f"({cast} AT TIME ZONE 'UTC')" if kind.endswith("with time zone") else cast
