"""CREATE VIEW."""

from __future__ import annotations

from typing import Any

from cloche.core.errors import AWSError
from cloche.engines.sql.engine import Column
from cloche.services.athena.failures import ddl_failed
from cloche.services.athena.session import CATALOG, Session
from cloche.services.athena.statements.catalog_changes import change
from cloche.services.athena.statements.query_columns import check_columns
from cloche.services.athena.statements.selecting import columns_of
from cloche.services.athena.statements.statement_types import CreateView
from cloche.services.athena.tables.presto_views import EXPANDED_TEXT, is_view, view_text
from cloche.services.athena.tables.resolving import check_schema, find_table
from cloche.services.athena.tables.types import trino_to_hive
from cloche.services.glue import catalog


def create_view(session: Session, statement: CreateView) -> None:
    """Keep a query as a view, if it can be run.

    Raises:
        QueryError: it cannot be run, or there is no such catalog or database.
        QueryFailed: the name is taken.
    """
    schema = session.schema_of(statement.view)
    name = statement.view.name
    check_schema(session, schema)
    existing = find_table(session, schema, name)
    if existing is not None and not statement.is_replacing:
        raise ddl_failed(f"SemanticException View already exists: '{schema}.{name}'")
    if existing is not None and not is_view(existing):
        raise ddl_failed(f"SemanticException {schema}.{name} is a table, not a view")
    columns = columns_of(session, statement.query)
    check_columns(columns, statement.query)
    made = _table_input(session, statement, columns)
    if existing is not None:
        change(session, schema, existing, **made)
        return
    session.check_glue("CreateTable", schema, name)
    try:
        catalog.create_table(
            *session.where,
            schema,
            made,
            session.now,
            created_by=session.query.principal.arn,
            events=session.events,
        )
    except AWSError as error:
        raise ddl_failed(f"SemanticException {error.message}") from None


def _table_input(
    session: Session, statement: CreateView, columns: tuple[Column, ...]
) -> dict[str, Any]:
    catalog_name = session.federated_catalog() or CATALOG
    return {
        "Name": statement.view.name,
        "Owner": "hadoop",
        "TableType": "VIRTUAL_VIEW",
        "PartitionKeys": [],
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "ViewOriginalText": view_text(statement.sql, catalog_name, session.schema, columns),
        "ViewExpandedText": EXPANDED_TEXT,
        "StorageDescriptor": {
            "Columns": [{"Name": each.name, "Type": trino_to_hive(each.type)} for each in columns],
            "Location": "",
            "Compressed": False,
            "NumberOfBuckets": 0,
            "SerdeInfo": {},
            "SortColumns": [],
            "StoredAsSubDirectories": False,
        },
    }
