"""The words, names, literals and symbols of a partition expression."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Literal, NamedTuple

from cloche.services.glue.errors import InvalidInputException, invalid_expression

Kind = Literal["name", "word", "text", "number", "symbol", "end"]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*')
      | (?P<name>"(?:[^"]|"")+"|`(?:[^`]|``)+`)
      | (?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?!\w))
      | (?P<symbol><>|!=|<=|>=|==|[=<>(),])
      | (?P<word>\w+)
    )""",
    re.VERBOSE,
)
_RESERVED = frozenset({"AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "IS", "NULL", "ESCAPE"})
_TYPED_LITERALS = frozenset({"DATE", "TIMESTAMP"})


class Token(NamedTuple):
    """A piece of an expression.

    Attributes:
        text: without quotes.
        position: of its first character, counted from 1.
    """

    kind: Kind
    text: str
    position: int


class Tokens:
    """An expression's pieces, taken one after the other.

    Raises:
        InvalidInputException: the text has what belongs to no expression.
    """

    def __init__(self, text: str) -> None:
        self._tokens = list(_read(text))
        self._next = 0

    def peek(self, ahead: int = 0) -> Token:
        """The next one, or one after it."""
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def take(self) -> Token:
        """The next one, which is then behind."""
        token = self.peek()
        self._next += 1
        return token

    def take_word(self, word: str) -> bool:
        """Take a keyword if it is next."""
        token = self.peek()
        if token.kind != "word" or token.text.upper() != word:
            return False
        self._next += 1
        return True

    def take_symbol(self, symbol: str) -> bool:
        """Take a symbol if it is next."""
        token = self.peek()
        if token.kind != "symbol" or token.text != symbol:
            return False
        self._next += 1
        return True

    def take_one_of(self, symbols: Container[str]) -> str:
        """Take a symbol, which must be one of some."""
        token = self.peek()
        if token.kind != "symbol" or token.text not in symbols:
            raise self.unexpected()
        return self.take().text

    def take_name(self) -> Token:
        """Take a name, which must be next."""
        token = self.peek()
        is_name = token.kind == "name" or (
            token.kind == "word" and token.text.upper() not in _RESERVED
        )
        if not is_name:
            raise self.unexpected()
        return self.take()

    def is_literal(self) -> bool:
        """Whether a literal is next."""
        return self.peek().kind in ("text", "number") or self._is_typed_literal()

    def take_literal(self) -> Token:
        """Take a text, a number, a date or a timestamp, which must be next."""
        if self._is_typed_literal():
            self.take()
        if self.peek().kind not in ("text", "number"):
            raise self.unexpected()
        return self.take()

    def take_text(self) -> str:
        """Take a quoted text, which must be next."""
        if self.peek().kind != "text":
            raise self.unexpected()
        return self.take().text

    def expect_word(self, word: str) -> None:
        """Take a keyword, which must be next."""
        if not self.take_word(word):
            raise self.unexpected()

    def expect_symbol(self, symbol: str) -> None:
        """Take a symbol, which must be next."""
        if not self.take_symbol(symbol):
            raise self.unexpected()

    def expect_end(self) -> None:
        """Refuse what is left."""
        if self.peek().kind != "end":
            raise self.unexpected()

    def unexpected(self) -> InvalidInputException:
        """The error for the next one."""
        token = self.peek()
        what = "end of the expression" if token.kind == "end" else repr(token.text)
        return invalid_expression(f"Unexpected {what} at position {token.position}.")

    def _is_typed_literal(self) -> bool:
        token = self.peek()
        is_type = token.kind == "word" and token.text.upper() in _TYPED_LITERALS
        return is_type and self.peek(1).kind == "text"


def _read(text: str) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            found = text[position:].lstrip()[:1]
            raise invalid_expression(f"Unexpected {found!r} at position {position + 1}.")
        kind: Kind = match.lastgroup  # type: ignore[assignment]
        tokens.append(Token(kind, _unquoted(match[kind]), match.start(kind) + 1))
        position = match.end()
    tokens.append(Token("end", "", end + 1))
    return tokens


def _unquoted(text: str) -> str:
    quote = text[0]
    if quote not in "'\"`":
        return text
    return text[1:-1].replace(quote * 2, quote)
