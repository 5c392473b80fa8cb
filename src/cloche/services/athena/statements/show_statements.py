"""SHOW and DESCRIBE."""

from __future__ import annotations

from cloche.services.athena.statements.alter_table import partition_spec
from cloche.services.athena.statements.cursor import Cursor, TableName
from cloche.services.athena.statements.statement_types import Show, ShowOfTable, Statement


def parse_show(cursor: Cursor) -> Statement:
    """The rest of `SHOW`.

    Raises:
        QueryError: it is not one of Athena's.
    """
    if cursor.accept("CREATE", "TABLE"):
        statement: Statement = _of_table(cursor, "SHOW_CREATE_TABLE")
    elif cursor.accept("CREATE", "VIEW"):
        statement = _of_table(cursor, "SHOW_CREATE_VIEW")
    elif cursor.accept("DATABASES") or cursor.accept("SCHEMAS"):
        statement = _show(cursor, "SHOW_DATABASES", has_schema=False)
    elif cursor.accept("TABLES"):
        statement = _show(cursor, "SHOW_TABLES", has_schema=True)
    elif cursor.accept("VIEWS"):
        statement = _show(cursor, "SHOW_VIEWS", has_schema=True)
    elif cursor.accept("COLUMNS"):
        statement = _columns(cursor)
    elif cursor.accept("PARTITIONS"):
        statement = _of_table(cursor, "SHOW_PARTITIONS")
    elif cursor.accept("TBLPROPERTIES"):
        statement = _properties(cursor)
    else:
        raise cursor.unexpected(
            "'COLUMNS', 'CREATE', 'DATABASES', 'PARTITIONS', 'SCHEMAS', 'TABLES', "
            "'TBLPROPERTIES', 'VIEWS'"
        )
    cursor.end()
    return statement


def parse_describe(cursor: Cursor) -> Statement:
    """The rest of `DESCRIBE` or `DESC`.

    Raises:
        QueryError: it is not one of Athena's.
    """
    is_formatted = cursor.accept("FORMATTED")
    is_extended = cursor.accept("EXTENDED") or is_formatted
    cursor.accept("TABLE")
    table = cursor.table_name()
    partition = partition_spec(cursor) if cursor.accept("PARTITION") else ()
    column = None
    if cursor.token.kind in ("word", "name"):
        column = cursor.identifier()
        while cursor.accept_symbol("."):
            column += f".{cursor.identifier()}"
    cursor.end()
    return ShowOfTable(
        kind="DESCRIBE_TABLE",
        type="UTILITY",
        table=table,
        name=column,
        partition=partition,
        is_extended=is_extended,
        is_formatted=is_formatted,
    )


def _of_table(cursor: Cursor, kind: str) -> ShowOfTable:
    return ShowOfTable(kind=kind, type="UTILITY", table=cursor.table_name())


def _show(cursor: Cursor, kind: str, *, has_schema: bool) -> Show:
    schema = catalog = ""
    if cursor.accept("IN") or cursor.accept("FROM"):
        if has_schema:
            named = cursor.table_name()
            if named.catalog:
                raise cursor.unexpected("<EOF>")
            schema, catalog = named.name, named.schema
        else:
            catalog = cursor.identifier()
    is_like = cursor.accept("LIKE")
    pattern = None
    if is_like or cursor.token.kind in ("string", "name"):
        pattern = cursor.string()
    return Show(
        kind=kind, type="UTILITY", schema=schema, catalog=catalog, pattern=pattern, is_like=is_like
    )


def _columns(cursor: Cursor) -> ShowOfTable:
    if not (cursor.accept("FROM") or cursor.accept("IN")):
        raise cursor.unexpected("'FROM', 'IN'")
    table = cursor.table_name()
    if cursor.accept("FROM") or cursor.accept("IN"):
        table = TableName(table.name, cursor.identifier(), table.catalog)
    return ShowOfTable(kind="SHOW_COLUMNS", type="UTILITY", table=table)


def _properties(cursor: Cursor) -> ShowOfTable:
    table = cursor.table_name()
    name = None
    if cursor.accept_symbol("("):
        name = cursor.string()
        cursor.expect_symbol(")")
    return ShowOfTable(kind="SHOW_TBLPROPERTIES", type="UTILITY", table=table, name=name)
