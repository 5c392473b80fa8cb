"""UPDATE, DELETE and MERGE."""

from __future__ import annotations

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.services.athena.query_records import Outcome
from cloche.services.athena.session import Session
from cloche.services.athena.statements.statement_types import ChangeRows
from cloche.services.athena.tables.iceberg_tables import is_iceberg
from cloche.services.athena.tables.presto_views import is_view
from cloche.services.athena.tables.resolving import find_table, table_not_found

_OF_VIEWS = {
    "DELETE": "Deleting from views is not supported",
    "UPDATE": "Updating through views is not supported",
    "MERGE": "Merging into views is not supported",
}


def change_rows(session: Session, statement: ChangeRows, parameters: tuple[str, ...]) -> Outcome:
    """Change rows of an Iceberg table; all of them or none.

    Raises:
        QueryError: there is no such table, it is none of Iceberg's, or the statement cannot be
            run.
        QueryFailed: the caller may not, or others kept changing the table meanwhile.
    """
    schema = session.schema_of(statement.table)
    table = find_table(session, schema, statement.table.name)
    if table is None:
        raise table_not_found(session, schema, statement.table.name)
    if is_view(table):
        raise QueryError(ErrorKind.NOT_SUPPORTED, _OF_VIEWS[statement.kind])
    if not is_iceberg(table):
        raise QueryError(
            ErrorKind.NOT_SUPPORTED,
            "Modifying Hive table rows is only supported for transactional tables",
        )
    from cloche.services.athena.statements.iceberg_changing import change_iceberg_rows

    return change_iceberg_rows(session, statement, parameters, schema)
