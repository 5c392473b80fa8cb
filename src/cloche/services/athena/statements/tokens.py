"""From a statement's text to its tokens, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from cloche.engines.sql.engine import ErrorKind, QueryError

TokenKind = Literal["word", "name", "string", "number", "symbol", "end"]


class Token(NamedTuple):
    """A token.

    Attributes:
        kind: `word` is an unquoted name or a keyword, `name` one in backticks or double quotes,
            `string` one in single quotes.
        text: as it stands in the statement.
        start: offset of its first character.
        line: 1-based.
        column: 1-based.
    """

    kind: TokenKind
    text: str
    start: int
    line: int
    column: int

    @property
    def end(self) -> int:
        """Offset after its last character."""
        return self.start + len(self.text)

    @property
    def keyword(self) -> str:
        """In upper case, if it may be a keyword."""
        return self.text.upper() if self.kind == "word" else ""


_PATTERN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
    | (?P<word>[^\W\d][\w$@]*)
    | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    | (?P<string>'(?:[^'\\]|''|\\.)*')
    | (?P<plain_string>'(?:[^']|'')*')
    | (?P<name>"(?:[^"\\]|""|\\.)*"|`(?:[^`]|``)*`)
    | (?P<plain_name>"(?:[^"]|"")*")
    | (?P<symbol>.)
    """,
    re.VERBOSE | re.DOTALL,
)
# A backslash escapes in Hive's strings and stands for itself in Trino's.
_TRINO_PATTERN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
    | (?P<word>[^\W\d][\w$@]*)
    | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    | (?P<string>'(?:[^']|'')*')
    | (?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`)
    | (?P<symbol>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_KINDS: dict[str, TokenKind] = {"plain_string": "string", "plain_name": "name"}


def tokenize(sql: str, *, is_hive: bool) -> list[Token]:
    """The tokens of a statement, ended by one of kind `end`.

    Args:
        sql: the statement.
        is_hive: whether a backslash escapes within strings.

    Raises:
        QueryError: a string, a name or a comment has no end.
    """
    return list(_tokens(sql, _PATTERN if is_hive else _TRINO_PATTERN))


def first_words(sql: str, count: int) -> list[str]:
    """The keywords that a statement begins with; fewer where other tokens come."""
    found: list[str] = []
    for token in _tokens(sql, _TRINO_PATTERN):
        if token.kind != "word" or len(found) == count:
            break
        found.append(token.keyword)
    return found


def syntax_error(message: str, token: Token) -> QueryError:
    """A syntax error at a token."""
    return QueryError(ErrorKind.SYNTAX_ERROR, message, line=token.line, column=token.column)


def _tokens(sql: str, pattern: re.Pattern[str]) -> Iterator[Token]:
    line, line_start = 1, 0
    position = 0
    for match in pattern.finditer(sql):
        group = match.lastgroup or "symbol"
        text = match[0]
        position = match.start()
        token = Token(
            _KINDS.get(group, group),  # type: ignore[arg-type]  # `space` is left out below
            text,
            position,
            line,
            position - line_start + 1,
        )
        if group != "space":
            if group == "symbol" and text in "'\"`":
                raise syntax_error(f"mismatched input '{text}': it is never closed", token)
            if sql.startswith("/*", position):
                raise syntax_error("mismatched input '/*': the comment is never closed", token)
            yield token
        newlines = text.count("\n")
        if newlines:
            line += newlines
            line_start = position + text.rindex("\n") + 1
    yield Token("end", "", len(sql), line, len(sql) - line_start + 1)


_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|[0-3][0-7]{2}|.)", re.DOTALL)
_ESCAPED = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}


def hive_string(text: str) -> str:
    """The value of a string in Hive's DDL, in single or double quotes."""
    quote = text[0]
    return _ESCAPE.sub(_unescape, text[1:-1].replace(quote * 2, quote))


def trino_string(text: str) -> str:
    """The value of a string in single quotes in Trino's SQL."""
    return text[1:-1].replace("''", "'")


def _unescape(match: re.Match[str]) -> str:
    escape = match[1]
    if len(escape) == 5:
        return chr(int(escape[1:], 16))
    if len(escape) == 3:
        return chr(int(escape, 8))
    if escape in "%_":
        return match[0]
    return _ESCAPED.get(escape, escape)
