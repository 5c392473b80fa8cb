"""Reads and changes tables of the catalog for DDL, with Hive's words for what goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloche.services.athena.failures import QueryFailed, ddl_failed
from cloche.services.athena.session import Session
from cloche.services.athena.statements.cursor import TableName
from cloche.services.athena.tables.resolving import check_schema, find_table
from cloche.services.glue import catalog

_TASK = "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask."


def task_failed(message: str) -> QueryFailed:
    """A DDL statement that Hive's metastore refuses."""
    return ddl_failed(f"{_TASK} {message}")


def load(session: Session, table: TableName) -> tuple[str, dict[str, Any]]:
    """The database's name and the table.

    Raises:
        QueryFailed: there is none, or the caller may not see it.
        QueryError: there is no such catalog or database.
    """
    schema = session.schema_of(table)
    found = find_table(session, schema, table.name)
    if found is None:
        check_schema(session, schema)
        raise ddl_failed(f"SemanticException [Error 10001]: Table not found {schema}.{table.name}")
    return schema, found


def change(session: Session, schema: str, table: Mapping[str, Any], **members: Any) -> None:
    """Replace members of a table, if nobody has changed it since it was loaded.

    Raises:
        QueryFailed: the caller may not.
        AWSError: somebody has.
    """
    session.check_glue("UpdateTable", schema, table["Name"])
    changed = {**catalog.table_input_of(table), **members}
    catalog.update_table(
        *session.where,
        schema,
        changed,
        session.now,
        version_id=table.get("VersionId"),
        events=session.events,
    )
