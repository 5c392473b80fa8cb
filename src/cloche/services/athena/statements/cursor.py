"""Reads a statement token by token."""

from __future__ import annotations

from typing import NamedTuple

from cloche.engines.sql.engine import QueryError
from cloche.services.athena.statements.tokens import (
    Token,
    hive_string,
    syntax_error,
    tokenize,
    trino_string,
)


class TableName(NamedTuple):
    """A table as a statement names it, in lower case; empty where it leaves a part out."""

    name: str
    schema: str = ""
    catalog: str = ""


class Cursor:
    """A place in a statement.

    Args:
        sql: the statement.
        is_hive: see `tokenize`.
    """

    def __init__(self, sql: str, *, is_hive: bool) -> None:
        self.sql = sql
        self.is_hive = is_hive
        self.tokens = tokenize(sql, is_hive=is_hive)
        self.index = 0
        while len(self.tokens) > 1 and self.tokens[-2].text == ";":
            del self.tokens[-2]

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.index]

    def peek(self, ahead: int = 1) -> Token:
        """A token after the next one."""
        return self.tokens[min(self.index + ahead, len(self.tokens) - 1)]

    def take(self) -> Token:
        """The next token, which is then behind."""
        token = self.token
        if token.kind != "end":
            self.index += 1
        return token

    def accept(self, *keywords: str) -> bool:
        """Go past keywords if all of them are next."""
        if not self.sees(*keywords):
            return False
        self.index += len(keywords)
        return True

    def sees(self, *keywords: str) -> bool:
        """Whether keywords are next."""
        return all(self.peek(ahead).keyword == word for ahead, word in enumerate(keywords))

    def expect(self, *keywords: str) -> None:
        """Go past keywords.

        Raises:
            QueryError: they are not next.
        """
        for word in keywords:
            if not self.accept(word):
                raise self.unexpected(f"'{word}'")

    def accept_symbol(self, symbol: str) -> bool:
        """Go past a symbol if it is next."""
        if self.token.kind == "symbol" and self.token.text == symbol:
            self.index += 1
            return True
        return False

    def expect_symbol(self, symbol: str) -> None:
        """Go past a symbol.

        Raises:
            QueryError: it is not next.
        """
        if not self.accept_symbol(symbol):
            raise self.unexpected(f"'{symbol}'")

    def unexpected(self, expecting: str) -> QueryError:
        """The error for what is next, in Trino's words."""
        found = self.token.text or "<EOF>"
        return syntax_error(f"mismatched input '{found}'. Expecting: {expecting}", self.token)

    def end(self) -> None:
        """See to it that nothing is left.

        Raises:
            QueryError: something is.
        """
        if self.token.kind != "end":
            raise self.unexpected("<EOF>")

    def identifier(self) -> str:
        """A name, in lower case as the catalog keeps it.

        Raises:
            QueryError: none is next.
        """
        token = self.token
        if token.kind == "word":
            return self.take().text.lower()
        if token.kind == "name":
            quote = token.text[0]
            return self.take().text[1:-1].replace(quote * 2, quote).lower()
        if token.kind == "number":
            # Hive lets a name begin with digits: `2024_sales` lexes as a number and a word.
            following = self.peek()
            text = self.take().text
            if following.kind == "word" and following.start == token.end:
                text += self.take().text
            return text.lower()
        raise self.unexpected("<identifier>")

    def table_name(self) -> TableName:
        """A name of up to three parts.

        Raises:
            QueryError: none is next.
        """
        parts = [self.identifier()]
        while self.accept_symbol("."):
            parts.append(self.identifier())
            if len(parts) > 3:
                raise self.unexpected("<EOF>")
        if len(parts) == 1 and self.is_hive and parts[0].count(".") == 1:
            parts = parts[0].split(".")  # SHOW CREATE TABLE writes `database.table` so
        parts.reverse()
        return TableName(*parts)

    def string(self) -> str:
        """A string.

        Raises:
            QueryError: none is next.
        """
        token = self.token
        if token.kind == "string":
            return hive_string(token.text) if self._taken().is_hive else trino_string(token.text)
        if token.kind == "name" and token.text[0] == '"' and self.is_hive:
            self.take()
            return hive_string(token.text)
        raise self.unexpected("<string>")

    def _taken(self) -> Cursor:
        self.take()
        return self

    def integer(self) -> int:
        """A whole number.

        Raises:
            QueryError: none is next.
        """
        if self.token.kind == "number" and self.token.text.isdigit():
            return int(self.take().text)
        raise self.unexpected("<integer>")

    def properties(self) -> dict[str, str]:
        """`('name' = 'value', …)`.

        Raises:
            QueryError: that is not next.
        """
        self.expect_symbol("(")
        found: dict[str, str] = {}
        while True:
            name = self.string()
            self.expect_symbol("=")
            found[name] = self.take().text if self.token.kind == "number" else self.string()
            if not self.accept_symbol(","):
                break
        self.expect_symbol(")")
        return found

    def names(self) -> list[str]:
        """`(name, …)`.

        Raises:
            QueryError: that is not next.
        """
        self.expect_symbol("(")
        found = [self.identifier()]
        while self.accept_symbol(","):
            found.append(self.identifier())
        self.expect_symbol(")")
        return found

    def skip_group(self) -> tuple[int, int]:
        """Go past a group in parentheses; the offsets of what is within.

        Raises:
            QueryError: it is not closed, or none is next.
        """
        opening = self.token
        self.expect_symbol("(")
        start = opening.end
        depth = 1
        while True:
            token = self.take()
            if token.kind == "end":
                raise syntax_error("mismatched input '<EOF>'. Expecting: ')'", token)
            if token.kind == "symbol":
                depth += {"(": 1, ")": -1}.get(token.text, 0)
                if depth == 0:
                    return start, token.start
