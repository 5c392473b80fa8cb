"""From a statement's text to what it is."""

from __future__ import annotations

from collections.abc import Callable

from cloche.engines.sql.engine import QueryError
from cloche.services.athena.statements.alter_table import parse_alter
from cloche.services.athena.statements.create_table import (
    blanked,
    parse_create_table,
    parse_create_table_as,
)
from cloche.services.athena.statements.cursor import Cursor
from cloche.services.athena.statements.properties import with_properties
from cloche.services.athena.statements.show_statements import parse_describe, parse_show
from cloche.services.athena.statements.statement_types import (
    ChangeRows,
    CreateDatabase,
    CreateView,
    Deallocate,
    DropDatabase,
    DropTable,
    Execute,
    Insert,
    NotBuilt,
    Optimize,
    Prepare,
    QueryStatement,
    RepairTable,
    Statement,
    Unload,
    Vacuum,
)
from cloche.services.athena.statements.tokens import Token, first_words

_QUERIES = {"SELECT": "SELECT", "WITH": "SELECT", "VALUES": "VALUES", "TABLE": "SELECT"}
_NOT_BUILT = {
    "USING": "USING EXTERNAL FUNCTION",
}
_HIVE = frozenset({"ALTER", "DESC", "DESCRIBE", "DROP", "MSCK", "SHOW"})
_HIVE_CREATES = [["CREATE", second] for second in ("DATABASE", "EXTERNAL", "SCHEMA")]


def parse_statement(sql: str) -> Statement:
    """What a statement is.

    Raises:
        QueryError: it is none that Athena has, or cannot be read.
    """
    cursor = _cursor(sql)
    first = cursor.token
    query = "SELECT" if first.text == "(" else _QUERIES.get(first.keyword)
    if query is not None:
        return QueryStatement(kind=query, type="DML", sql=_rest(cursor))
    if first.keyword in _NOT_BUILT:
        return NotBuilt(kind=first.keyword, type="DML", what=_NOT_BUILT[first.keyword])
    read = _READERS.get(first.keyword)
    if read is None:
        raise cursor.unexpected(", ".join(f"'{word}'" for word in _beginnings()))
    cursor.take()
    return read(cursor)


def _beginnings() -> list[str]:
    return sorted({*_QUERIES, *_NOT_BUILT, *_READERS})


def has_several_statements(sql: str) -> bool:
    """Whether something follows a semicolon."""
    tokens = _cursor(sql).tokens
    return any(token.kind == "symbol" and token.text == ";" for token in tokens)


def _cursor(sql: str) -> Cursor:
    """The start of a statement, whose strings are Hive's or Trino's by what it begins with."""
    words = first_words(sql, 2)
    if (words[:1] and words[0] in _HIVE) or words in _HIVE_CREATES:
        return Cursor(sql, is_hive=True)
    try:
        return Cursor(sql, is_hive=False)
    except QueryError:
        if words != ["CREATE", "TABLE"]:
            raise
        return Cursor(sql, is_hive=True)


def _in_hive(cursor: Cursor) -> Cursor:
    """The same place of the statement, read in Hive's way."""
    if cursor.is_hive:
        return cursor
    hive = Cursor(cursor.sql, is_hive=True)
    hive.index = cursor.index
    return hive


def _rest(cursor: Cursor) -> str:
    """All from the next token on, places kept, without semicolons at the end."""
    last: Token = cursor.tokens[-2] if len(cursor.tokens) > 1 else cursor.tokens[-1]
    return blanked(cursor.sql, cursor.token.start, last.end)


def _create(cursor: Cursor) -> Statement:
    if cursor.sees("DATABASE") or cursor.sees("SCHEMA"):
        return _create_database(_in_hive(cursor))
    if cursor.sees("OR", "REPLACE", "VIEW") or cursor.sees("VIEW"):
        return _create_view(cursor)
    if cursor.sees("EXTERNAL") or not _is_create_table_as(cursor):
        if not (cursor.sees("EXTERNAL", "TABLE") or cursor.sees("TABLE")):
            raise cursor.unexpected("'DATABASE', 'EXTERNAL', 'OR', 'SCHEMA', 'TABLE', 'VIEW'")
        return parse_create_table(_in_hive(cursor))
    return parse_create_table_as(cursor)


def _is_create_table_as(cursor: Cursor) -> bool:
    """Whether `AS` or `WITH (` comes before a list of columns."""
    if not cursor.sees("TABLE"):
        return False
    for token in cursor.tokens[cursor.index + 1 :]:
        if token.keyword in ("AS", "WITH"):
            return True
        if token.text == "(":
            return False
    return False


def _create_database(cursor: Cursor) -> CreateDatabase:
    cursor.take()
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.identifier()
    comment = cursor.string() if cursor.accept("COMMENT") else None
    location = cursor.string() if cursor.accept("LOCATION") else None
    properties = cursor.properties() if cursor.accept("WITH", "DBPROPERTIES") else {}
    cursor.end()
    return CreateDatabase(
        kind="CREATE_DATABASE",
        name=name,
        if_not_exists=if_not_exists,
        comment=comment,
        location=location,
        properties=properties,
    )


def _create_view(cursor: Cursor) -> CreateView:
    is_replacing = cursor.accept("OR", "REPLACE")
    cursor.expect("VIEW")
    view = cursor.table_name()
    cursor.expect("AS")
    # The text is kept as it stands, from its own first character on.
    text = cursor.sql[cursor.token.start : cursor.tokens[-2].end]
    if cursor.token.kind == "end":
        raise cursor.unexpected("<query>")
    return CreateView(
        kind="CREATE_VIEW",
        view=view,
        is_replacing=is_replacing,
        sql=text,
        query=blanked(cursor.sql, cursor.token.start, cursor.tokens[-2].end),
    )


def _drop(cursor: Cursor) -> Statement:
    cursor = _in_hive(cursor)
    if cursor.accept("DATABASE") or cursor.accept("SCHEMA"):
        if_exists = cursor.accept("IF", "EXISTS")
        name = cursor.identifier()
        is_cascade = cursor.accept("CASCADE")
        if not is_cascade:
            cursor.accept("RESTRICT")
        cursor.end()
        return DropDatabase(
            kind="DROP_DATABASE", name=name, if_exists=if_exists, is_cascade=is_cascade
        )
    is_view = cursor.accept("VIEW")
    if not is_view:
        cursor.expect("TABLE")
    if_exists = cursor.accept("IF", "EXISTS")
    table = cursor.table_name()
    cursor.accept("PURGE")
    cursor.end()
    kind = "DROP_VIEW" if is_view else "DROP_TABLE"
    return DropTable(kind=kind, table=table, if_exists=if_exists, is_view=is_view)


def _msck(cursor: Cursor) -> RepairTable:
    cursor.expect("REPAIR", "TABLE")
    table = cursor.table_name()
    cursor.end()
    return RepairTable(kind="MSCK_REPAIR_TABLE", table=table)


def _insert(cursor: Cursor) -> Statement:
    if cursor.sees("OVERWRITE"):
        return NotBuilt(kind="INSERT", type="DML", what="INSERT OVERWRITE")
    cursor.expect("INTO")
    cursor.accept("TABLE")
    table = cursor.table_name()
    columns: tuple[str, ...] = ()
    if cursor.token.text == "(" and cursor.peek().keyword not in ("SELECT", "WITH", "VALUES"):
        columns = tuple(cursor.names())
    if cursor.token.kind == "end":
        raise cursor.unexpected("'SELECT', 'VALUES', 'WITH'")
    return Insert(kind="INSERT", type="DML", table=table, columns=columns, sql=_rest(cursor))


def _change(kind: str, *words: str) -> Callable[[Cursor], ChangeRows]:
    def read(cursor: Cursor) -> ChangeRows:
        cursor.expect(*words)
        table = cursor.table_name()
        is_of_all = kind == "DELETE" and cursor.token.kind == "end"
        cursor.index = 0
        return ChangeRows(
            kind=kind, type="DML", table=table, sql=_rest(cursor), is_of_all=is_of_all
        )

    return read


def _optimize(cursor: Cursor) -> Optimize:
    start = cursor.token.start
    table = cursor.table_name()
    name = cursor.sql[start : cursor.token.start].strip()
    cursor.expect("REWRITE", "DATA", "USING", "BIN_PACK")
    condition = ""
    if cursor.token.kind != "end":
        place = cursor.token.start
        cursor.expect("WHERE")
        if cursor.token.kind == "end":
            raise cursor.unexpected("<expression>")
        cursor.index = len(cursor.tokens) - 1
        text = cursor.sql[place : cursor.tokens[-2].end]
        condition = f'SELECT DISTINCT "$file" FROM {name} {text}'  # noqa: S608 - the caller's own
    cursor.end()
    return Optimize(kind="OPTIMIZE", type="DML", table=table, condition=condition)


def _vacuum(cursor: Cursor) -> Vacuum:
    table = cursor.table_name()
    cursor.end()
    return Vacuum(kind="VACUUM_TABLE", type="DML", table=table)


def _unload(cursor: Cursor) -> Unload:
    start, end = cursor.skip_group()
    cursor.expect("TO")
    location = cursor.string()
    properties = with_properties(cursor)
    cursor.end()
    return Unload(
        kind="UNLOAD",
        type="DML",
        sql=blanked(cursor.sql, start, end),
        location=location,
        properties=properties,
    )


def _prepare(cursor: Cursor) -> Prepare:
    name = cursor.identifier()
    cursor.expect("FROM")
    if cursor.token.kind == "end":
        raise cursor.unexpected("<statement>")
    text = cursor.sql[cursor.token.start : cursor.tokens[-2].end]
    return Prepare(kind="PREPARE", name=name, sql=text)


def _execute(cursor: Cursor) -> Execute:
    name = cursor.identifier()
    parameters: list[str] = []
    if cursor.accept("USING"):
        start = cursor.token.start
        depth = 0
        while True:
            token = cursor.take()
            if token.kind == "symbol":
                depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
            if token.kind == "end" or (token.text == "," and depth == 0):
                parameters.append(cursor.sql[start : token.start].strip().rstrip(";").strip())
                start = token.end
            if token.kind == "end":
                break
    cursor.end()
    return Execute(kind="EXECUTE", type="DML", name=name, parameters=tuple(parameters))


def _deallocate(cursor: Cursor) -> Deallocate:
    cursor.expect("PREPARE")
    name = cursor.identifier()
    cursor.end()
    return Deallocate(kind="DEALLOCATE", name=name)


def _explain(cursor: Cursor) -> Statement:
    explain, form = "distributed", "TEXT"
    if cursor.accept("ANALYZE"):
        explain = "analyze"
        cursor.accept("VERBOSE")
    if cursor.accept_symbol("("):
        while not cursor.accept_symbol(")"):
            if cursor.accept("FORMAT"):
                form = _one_of(cursor, ("GRAPHVIZ", "JSON", "TEXT"))
            elif explain != "analyze" and cursor.accept("TYPE"):
                explain = _one_of(cursor, ("DISTRIBUTED", "IO", "LOGICAL", "VALIDATE")).lower()
            else:
                raise cursor.unexpected("'FORMAT', 'TYPE'")
            cursor.accept_symbol(",")
    return QueryStatement(
        kind="EXPLAIN", type="UTILITY", sql=_rest(cursor), explain=explain, explain_format=form
    )


def _one_of(cursor: Cursor, words: tuple[str, ...]) -> str:
    for word in words:
        if cursor.accept(word):
            return word
    raise cursor.unexpected(", ".join(f"'{word}'" for word in words))


_READERS: dict[str, Callable[[Cursor], Statement]] = {
    "ALTER": lambda cursor: parse_alter(_in_hive(cursor)),
    "CREATE": _create,
    "DEALLOCATE": _deallocate,
    "DELETE": _change("DELETE", "FROM"),
    "DESC": lambda cursor: parse_describe(_in_hive(cursor)),
    "DESCRIBE": lambda cursor: parse_describe(_in_hive(cursor)),
    "DROP": _drop,
    "EXECUTE": _execute,
    "EXPLAIN": _explain,
    "INSERT": _insert,
    "MERGE": _change("MERGE", "INTO"),
    "MSCK": _msck,
    "OPTIMIZE": _optimize,
    "PREPARE": _prepare,
    "SHOW": lambda cursor: parse_show(_in_hive(cursor)),
    "UNLOAD": _unload,
    "UPDATE": _change("UPDATE"),
    "VACUUM": _vacuum,
}
