"""ALTER TABLE and ALTER DATABASE, read in Hive's way."""

from __future__ import annotations

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.services.athena.statements.create_table import column_definition, column_definitions
from cloche.services.athena.statements.cursor import Cursor, TableName
from cloche.services.athena.statements.statement_types import (
    AddColumns,
    AddedPartition,
    AddPartitions,
    AlterDatabase,
    ChangeColumn,
    DropColumn,
    DropPartitions,
    PartitionCondition,
    PartitionSpec,
    RenamePartition,
    SetLocation,
    SetProperties,
    Statement,
)


def parse_alter(cursor: Cursor) -> Statement:
    """The rest of `ALTER`.

    Raises:
        QueryError: it is not one of Athena's.
    """
    if cursor.accept("DATABASE") or cursor.accept("SCHEMA"):
        name = cursor.identifier()
        cursor.expect("SET", "DBPROPERTIES")
        properties = cursor.properties()
        cursor.end()
        return AlterDatabase(kind="ALTER_DATABASE", name=name, properties=properties)
    if cursor.accept("VIEW"):
        raise _unsupported("ALTER VIEW")
    cursor.expect("TABLE")
    table = cursor.table_name()
    statement = _change(cursor, table)
    cursor.end()
    return statement


def _change(cursor: Cursor, table: TableName) -> Statement:
    if cursor.accept("ADD"):
        return _add(cursor, table)
    if cursor.accept("DROP"):
        return _drop(cursor, table)
    if cursor.sees("PARTITION"):
        return _of_partition(cursor, table)
    if cursor.accept("SET", "LOCATION"):
        location = cursor.string()
        return SetLocation(kind="ALTER_TABLE", table=table, partition=(), location=location)
    if cursor.accept("SET", "TBLPROPERTIES"):
        return SetProperties(kind="ALTER_TABLE", table=table, properties=cursor.properties())
    if cursor.accept("UNSET", "TBLPROPERTIES"):
        cursor.accept("IF", "EXISTS")
        return SetProperties(
            kind="ALTER_TABLE", table=table, properties={}, removed=_property_names(cursor)
        )
    if cursor.accept("REPLACE", "COLUMNS"):
        cursor.expect_symbol("(")
        columns = tuple(column_definitions(cursor))
        return AddColumns(kind="ALTER_TABLE", table=table, columns=columns, is_replacing=True)
    if cursor.accept("CHANGE"):
        return _change_column(cursor, table)
    if cursor.accept("RENAME", "TO"):
        raise _unsupported("ALTER TABLE RENAME TO")
    raise cursor.unexpected("'ADD', 'CHANGE', 'DROP', 'PARTITION', 'REPLACE', 'SET'")


def _unsupported(what: str) -> QueryError:
    """What Athena lists among the statements that it does not support."""
    return QueryError(ErrorKind.NOT_SUPPORTED, f"{what} is not supported by Athena")


def _property_names(cursor: Cursor) -> tuple[str, ...]:
    cursor.expect_symbol("(")
    names = [cursor.string()]
    while cursor.accept_symbol(","):
        names.append(cursor.string())
    cursor.expect_symbol(")")
    return tuple(names)


def _add(cursor: Cursor, table: TableName) -> Statement:
    if cursor.accept("COLUMNS"):
        cursor.expect_symbol("(")
        columns = tuple(column_definitions(cursor))
        return AddColumns(kind="ALTER_TABLE", table=table, columns=columns, is_replacing=False)
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    added: list[AddedPartition] = []
    cursor.expect("PARTITION")
    while True:
        spec = partition_spec(cursor)
        location = cursor.string() if cursor.accept("LOCATION") else None
        added.append(AddedPartition(spec, location))
        cursor.accept_symbol(",")
        if not cursor.accept("PARTITION"):
            break
    return AddPartitions(
        kind="ALTER_TABLE_ADD_PARTITION",
        table=table,
        if_not_exists=if_not_exists,
        partitions=tuple(added),
    )


def _drop(cursor: Cursor, table: TableName) -> Statement:
    if cursor.accept("COLUMN"):
        return DropColumn(kind="ALTER_TABLE", table=table, column=cursor.identifier())
    if_exists = cursor.accept("IF", "EXISTS")
    dropped: list[tuple[PartitionCondition, ...]] = []
    cursor.expect("PARTITION")
    while True:
        dropped.append(_conditions(cursor))
        if not cursor.accept_symbol(","):
            break
        cursor.expect("PARTITION")
    cursor.accept("PURGE")
    return DropPartitions(
        kind="ALTER_TABLE_DROP_PARTITION",
        table=table,
        if_exists=if_exists,
        partitions=tuple(dropped),
    )


def _of_partition(cursor: Cursor, table: TableName) -> Statement:
    cursor.expect("PARTITION")
    spec = partition_spec(cursor)
    if cursor.accept("SET", "LOCATION"):
        location = cursor.string()
        return SetLocation(kind="ALTER_TABLE", table=table, partition=spec, location=location)
    cursor.expect("RENAME", "TO", "PARTITION")
    return RenamePartition(
        kind="ALTER_TABLE_RENAME_PARTITION", table=table, old=spec, new=partition_spec(cursor)
    )


def _change_column(cursor: Cursor, table: TableName) -> ChangeColumn:
    cursor.accept("COLUMN")
    old_name = cursor.identifier()
    column = column_definition(cursor)
    after: str | None = None
    if cursor.accept("FIRST"):
        after = ""
    elif cursor.accept("AFTER"):
        after = cursor.identifier()
    return ChangeColumn(
        kind="ALTER_TABLE", table=table, old_name=old_name, column=column, after=after
    )


def partition_spec(cursor: Cursor) -> PartitionSpec:
    """`(name = value, …)`.

    Raises:
        QueryError: that is not next.
    """
    cursor.expect_symbol("(")
    found: list[tuple[str, str]] = []
    while True:
        name = cursor.identifier()
        cursor.expect_symbol("=")
        found.append((name, _literal(cursor)))
        if not cursor.accept_symbol(","):
            break
    cursor.expect_symbol(")")
    return tuple(found)


def _conditions(cursor: Cursor) -> tuple[PartitionCondition, ...]:
    cursor.expect_symbol("(")
    found: list[PartitionCondition] = []
    while True:
        name = cursor.identifier()
        operator = ""
        while cursor.token.kind == "symbol" and cursor.token.text in "<>=!":
            operator += cursor.take().text
        if operator not in ("=", "<", "<=", ">", ">=", "<>", "!="):
            raise cursor.unexpected("<comparison>")
        found.append(
            PartitionCondition(name, "<>" if operator == "!=" else operator, _literal(cursor))
        )
        if not cursor.accept_symbol(","):
            break
    cursor.expect_symbol(")")
    return tuple(found)


def _literal(cursor: Cursor) -> str:
    """A constant as text; `DATE '2020-01-01'` too."""
    if cursor.token.keyword in ("DATE", "TIMESTAMP") and cursor.peek().kind == "string":
        cursor.take()
    if cursor.token.text == "-" and cursor.peek().kind == "number":
        cursor.take()
        return f"-{cursor.take().text}"
    if cursor.token.kind == "number" or cursor.token.keyword in ("TRUE", "FALSE"):
        return cursor.take().text
    return cursor.string()
