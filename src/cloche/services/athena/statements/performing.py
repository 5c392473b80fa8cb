"""Performs a statement: each kind in its own place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloche.services.athena.failures import not_built
from cloche.services.athena.prepared_statement_records import find_prepared_statement
from cloche.services.athena.query_records import Outcome
from cloche.services.athena.session import Session
from cloche.services.athena.slots import Slots
from cloche.services.athena.statements import (
    altering,
    changing,
    creating,
    creating_from_queries,
    inserting,
    maintaining,
    partitions,
    preparing,
    selecting,
    showing,
    showing_tables,
    unloading,
    views,
)
from cloche.services.athena.statements.parsing import parse_statement
from cloche.services.athena.statements.statement_types import (
    AddColumns,
    AddPartitions,
    AlterDatabase,
    ChangeColumn,
    ChangeRows,
    CreateDatabase,
    CreateTable,
    CreateTableAs,
    CreateView,
    Deallocate,
    DropColumn,
    DropDatabase,
    DropPartitions,
    DropTable,
    Execute,
    Insert,
    NotBuilt,
    Optimize,
    Prepare,
    QueryStatement,
    RenamePartition,
    RepairTable,
    SetLocation,
    SetProperties,
    Show,
    ShowOfTable,
    Statement,
    Unload,
    Vacuum,
)
from cloche.services.athena.statements.text_results import store_lines

_DDL: dict[type[Statement], Callable[[Session, Any], Any]] = {
    AddColumns: altering.add_columns,
    AddPartitions: partitions.add_partitions,
    AlterDatabase: creating.alter_database,
    ChangeColumn: altering.change_column,
    CreateDatabase: creating.create_database,
    CreateTable: creating.create_table,
    CreateView: views.create_view,
    Deallocate: preparing.deallocate,
    DropColumn: altering.drop_column,
    DropDatabase: creating.drop_database,
    DropPartitions: partitions.drop_partitions,
    DropTable: creating.drop_table,
    Prepare: preparing.prepare,
    RenamePartition: partitions.rename_partition,
    RepairTable: partitions.repair_table,
    SetLocation: altering.set_location,
    SetProperties: altering.set_properties,
    Show: showing.show,
    ShowOfTable: showing_tables.show_of_table,
}
_DML: dict[type[Statement], Callable[[Session, Any, tuple[str, ...]], Outcome]] = {
    ChangeRows: changing.change_rows,
    CreateTableAs: creating_from_queries.create_table_as,
    Insert: inserting.insert,
    Optimize: maintaining.optimize,
    QueryStatement: selecting.select,
    Unload: unloading.unload,
    Vacuum: maintaining.vacuum,
}


def perform(session: Session, slots: Slots) -> Outcome:
    """Run the session's statement to its end.

    Raises:
        QueryError: it cannot be read or run.
        QueryFailed: it cannot be done.
        QueryCancelled: it was cancelled.
    """
    statement = parse_statement(session.query.sql)
    parameters = session.query.parameters
    if isinstance(statement, Execute):
        statement, parameters = _executed(session, statement)
    if isinstance(statement, NotBuilt):
        raise not_built(statement.what)
    run = _DML.get(type(statement))
    if run is not None:
        with slots.slot(session):
            return run(session, statement, parameters)
    return store_lines(session, _DDL[type(statement)](session, statement))


def _executed(session: Session, execute: Execute) -> tuple[Statement, tuple[str, ...]]:
    query = session.query
    prepared = find_prepared_statement(*session.where, query.work_group, execute.name)
    if prepared is None:
        raise preparing.not_found(execute.name)
    statement = parse_statement(prepared.sql)
    if isinstance(statement, Execute):
        raise not_built("EXECUTE of an EXECUTE")
    return statement, (*execute.parameters, *query.parameters)
