"""Trino's SQL text → sqlglot's AST, with functions left as they are written.

sqlglot's own table of functions is not used: what a function means is told by `signatures`, and
one that is not listed there does not exist.
"""

from __future__ import annotations

import re
from typing import ClassVar

from sqlglot import exp
from sqlglot.dialects import Trino
from sqlglot.errors import ParseError, SqlglotError, TokenError
from sqlglot.parsers.trino import TrinoParser

from cloche.engines.sql.engine import ErrorKind, QueryError

TOO_LARGE = "statement is too large (stack overflow during analysis)"
"""Trino's words for what is nested too deeply."""


class _Parser(TrinoParser):
    FUNCTIONS: ClassVar = {}
    FUNCTION_PARSERS: ClassVar = {
        name: parser
        for name, parser in TrinoParser.FUNCTION_PARSERS.items()
        if name
        in {
            "CAST",
            "EXTRACT",
            "JSON_QUERY",
            "JSON_VALUE",
            "JSON_OBJECT",
            "LISTAGG",
            "NORMALIZE",
            "POSITION",
            "SUBSTRING",
            "TRIM",
            "TRY_CAST",
        }
    }
    NO_PAREN_FUNCTION_PARSERS: ClassVar = {
        name: parser
        for name, parser in TrinoParser.NO_PAREN_FUNCTION_PARSERS.items()
        if name in {"ANY", "CASE"}
    }


class _Dialect(Trino):
    """Trino, with functions, subscripts and paths as they are written."""

    INDEX_OFFSET = 0
    NULL_ORDERING = "nulls_are_last"
    parser_class = _Parser

    def to_json_path(self, path: exp.Expr | None) -> exp.Expr | None:
        """The path itself: `json_paths` reads it."""
        return path


def place(sql: str, offset: int) -> tuple[int, int]:
    """1-based line and column of a character."""
    line = sql.count("\n", 0, offset) + 1
    return line, offset - (sql.rfind("\n", 0, offset) + 1) + 1


_NUMBER_AND_SIGN = re.compile(
    r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/)|((?<![\w.])(?:\d+\.?\d*|\.\d+)[eE]\d+)(?=[+-])""",
    re.DOTALL,
)


def readable(sql: str) -> str:
    """The text with a space between `1e0` and a sign, which sqlglot takes for one number."""
    return _NUMBER_AND_SIGN.sub(lambda m: m[1] or m[2] + " ", sql)


def parse_query(sql: str) -> exp.Expr:
    """The AST of exactly one query.

    Raises:
        QueryError: SYNTAX_ERROR, with line and column.
    """
    query = _parse_one(sql)
    if isinstance(query, exp.Subquery) and not query.alias:
        return query
    if not isinstance(query, exp.Query | exp.Values):
        raise QueryError(ErrorKind.SYNTAX_ERROR, "the statement is no query", line=1, column=1)
    return query


def parse_change(sql: str) -> exp.Update | exp.Delete | exp.Merge:
    """The AST of exactly one UPDATE, DELETE or MERGE.

    Raises:
        QueryError: SYNTAX_ERROR, with line and column.
    """
    change = _parse_one(sql)
    if not isinstance(change, exp.Update | exp.Delete | exp.Merge):
        message = "the statement is no UPDATE, DELETE or MERGE"
        raise QueryError(ErrorKind.SYNTAX_ERROR, message, line=1, column=1)
    return change


def _parse_one(sql: str) -> exp.Expr:
    text = sql.rstrip().rstrip(";")
    if not text.strip():
        raise QueryError(ErrorKind.SYNTAX_ERROR, "SQL statement is empty", line=1, column=1)
    if "\0" in text:  # DuckDB takes it for the end of the statement
        line, column = text.count("\n", 0, text.index("\0")) + 1, 1
        message = "the character U+0000 is not supported in SQL"
        raise QueryError(ErrorKind.NOT_SUPPORTED, message, line=line, column=column)
    try:
        statements = _Dialect().parse(text)
    except ParseError as error:
        raise _syntax_error(error) from None
    except TokenError as error:
        raise QueryError(ErrorKind.SYNTAX_ERROR, str(error), line=1, column=1) from None
    except RecursionError:
        raise QueryError(ErrorKind.SYNTAX_ERROR, TOO_LARGE, line=1, column=1) from None
    except SqlglotError as error:
        raise QueryError(ErrorKind.SYNTAX_ERROR, str(error)) from None
    if len(statements) != 1 or statements[0] is None:
        message = f"expected one statement, found {len(statements)}"
        raise QueryError(ErrorKind.SYNTAX_ERROR, message, line=1, column=1)
    return statements[0]


def _syntax_error(error: ParseError) -> QueryError:
    first = error.errors[0] if error.errors else {}
    line, token = first.get("line") or 0, first.get("highlight") or ""
    column = max((first.get("col") or 0) - len(token) + 1, 1)
    reason = (first.get("description") or str(error)).rstrip(".")
    if "<class" in reason:  # the parser's own name for what it was reading
        reason = "the rest of the clause is missing"
    reason = reason.partition(" but got <Token")[0]
    message = f"mismatched input '{token or '<EOF>'}': {reason}"
    return QueryError(ErrorKind.SYNTAX_ERROR, message, line=line, column=column)
