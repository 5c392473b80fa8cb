"""CREATE TABLE … AS and INSERT INTO."""

from __future__ import annotations

from cloche.services.athena.failures import not_built
from cloche.services.athena.query_records import Outcome
from cloche.services.athena.session import Session
from cloche.services.athena.statements.statement_types import CreateTableAs, Insert


def create_table_as(
    session: Session, statement: CreateTableAs, parameters: tuple[str, ...]
) -> Outcome:
    """CREATE TABLE … AS."""
    raise not_built("CREATE TABLE AS")


def insert(session: Session, statement: Insert, parameters: tuple[str, ...]) -> Outcome:
    """INSERT INTO."""
    raise not_built("INSERT INTO")
