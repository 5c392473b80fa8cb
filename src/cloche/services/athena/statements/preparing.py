"""PREPARE and DEALLOCATE."""

from __future__ import annotations

from cloche.core.documents import DocumentExists
from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.services.athena.prepared_statement_records import (
    PreparedStatement,
    prepared_statements,
)
from cloche.services.athena.session import Session
from cloche.services.athena.statements.statement_types import Deallocate, Prepare


def prepare(session: Session, statement: Prepare) -> None:
    """Keep a statement in the query's workgroup.

    Raises:
        QueryError: the name is taken.
    """
    query = session.query
    made = PreparedStatement(statement.name, query.work_group, statement.sql, session.now)
    key = f"{query.work_group}/{statement.name}"
    try:
        session.documents.insert(prepared_statements, query.account, query.region, key, made)
    except DocumentExists:
        raise QueryError(
            ErrorKind.GENERIC_USER_ERROR,
            f"Prepared statement {statement.name} already exists in workgroup {query.work_group}",
        ) from None


def deallocate(session: Session, statement: Deallocate) -> None:
    """Forget a prepared statement.

    Raises:
        QueryError: there is none.
    """
    query = session.query
    key = f"{query.work_group}/{statement.name}"
    if session.documents.delete(prepared_statements, query.account, query.region, key) is None:
        raise not_found(statement.name)


def not_found(name: str) -> QueryError:
    """The error for a prepared statement that does not exist."""
    return QueryError(ErrorKind.GENERIC_USER_ERROR, f"Prepared statement not found: {name}")
