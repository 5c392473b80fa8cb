"""SHOW DATABASES, TABLES and VIEWS."""

from __future__ import annotations

import re

from cloche.core.errors import AWSError
from cloche.services.athena.failures import ddl_failed
from cloche.services.athena.federation.tables import federated_schemas, federated_tables
from cloche.services.athena.session import Session
from cloche.services.athena.statements.statement_types import Show
from cloche.services.athena.statements.text_results import Lines
from cloche.services.athena.tables.presto_views import is_view
from cloche.services.glue import catalog

_COLUMNS = {
    "SHOW_DATABASES": "database_name",
    "SHOW_TABLES": "tab_name",
    "SHOW_VIEWS": "views",
}


def show(session: Session, statement: Show) -> Lines:
    """Names that match the pattern, in order.

    Raises:
        QueryFailed: there is no such database, or the caller may not see it.
        QueryError: there is no such catalog, or what is behind it can't be reached.
    """
    matches = hive_pattern(statement.pattern).fullmatch
    names = [name for name in _names(session, statement) if matches(name)]
    return Lines([_COLUMNS[statement.kind]], sorted(names))


def hive_pattern(pattern: str | None) -> re.Pattern[str]:
    """Hive's pattern of names: regular expressions in which a lone `*` stands for anything.

    Raises:
        QueryFailed: it is none.
    """
    if pattern is None:
        return re.compile(".*", re.DOTALL)
    try:
        return re.compile(re.sub(r"(?<![.\])])\*", ".*", pattern), re.IGNORECASE)
    except re.error:
        raise ddl_failed(f"SemanticException the pattern {pattern!r} cannot be read") from None


def _names(session: Session, statement: Show) -> list[str]:
    federated = session.federated_catalog(statement.catalog)
    if federated is not None:
        return _federated_names(session, federated, statement)
    if statement.kind == "SHOW_DATABASES":
        session.check_glue("GetDatabases")
        return [each["Name"] for each in catalog.list_databases(*session.where)]
    schema = statement.schema or session.schema
    session.check_glue("GetTables", schema, "*")
    try:
        tables = catalog.list_tables(*session.where, schema)
    except AWSError:
        raise ddl_failed(
            f"SemanticException [Error 10072]: Database does not exist: {schema}"
        ) from None
    if statement.kind == "SHOW_VIEWS":
        tables = [table for table in tables if is_view(table)]
    return [table["Name"] for table in tables]


def _federated_names(session: Session, catalog_name: str, statement: Show) -> list[str]:
    if statement.kind == "SHOW_DATABASES":
        return federated_schemas(session, catalog_name)
    tables = federated_tables(session, catalog_name, statement.schema or session.schema)
    is_of_views = statement.kind == "SHOW_VIEWS"
    return [table.name.lower() for table in tables if table.is_view or not is_of_views]
