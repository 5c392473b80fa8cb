"""What the columns of a query must be before they become those of a table or a view."""

from __future__ import annotations

from collections.abc import Sequence

from cloche.engines.sql.engine import Column, ErrorKind, QueryError


def check_columns(columns: Sequence[Column], sql: str) -> None:
    """See to it that each column has a name and a type, in Trino's words.

    Args:
        columns: of the query's result; one without a name is called `_colN` there.
        sql: of the query.

    Raises:
        QueryError: a column has none.
    """
    for place, column in enumerate(columns):
        if column.name == f"_col{place}" and column.name not in sql.lower():
            raise QueryError(
                ErrorKind.MISSING_COLUMN_NAME,
                f"Column name not specified at position {place + 1}",
                line=1,
                column=1,
            )
        if column.type == "unknown":
            raise QueryError(
                ErrorKind.COLUMN_TYPE_UNKNOWN,
                f"Column type is unknown: {column.name}",
                line=1,
                column=1,
            )
