"""Wildcards and policy variables, compiled once for each policy.

`*` is any run of characters and `?` is one character; `${aws:username}` is replaced by a value of
the request, `${aws:PrincipalTag/team, 'none'}` has a default, and `${*}`, `${?}`, `${$}` are the
characters themselves. What a variable brings in is literal: its wildcards match only themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Protocol


class Context(Protocol):
    """The condition keys of a request, by lower-case name; a dict of tuples is one."""

    def get(self, key: str, /) -> tuple[str, ...] | None:
        """The values of a key, or None if the request has no such key."""
        ...


class Wildcard(Enum):
    """A wildcard within a pattern."""

    ANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    """A policy variable within a pattern; its name is in lower case."""

    name: str
    default: str | None


Token = str | Wildcard | Variable

_VARIABLE = re.compile(r"\$\{\s*([*?$]|[A-Za-z0-9-]+:[^{},'\s]+)\s*(?:,\s*'([^']*)')?\s*\}")
_WILDCARD = re.compile(r"([*?])")


def tokens_of(text: str, *, has_variables: bool, has_wildcards: bool = True) -> tuple[Token, ...]:
    """Split a pattern into literal text, wildcards and variables."""
    tokens: list[Token] = []
    position = 0
    if has_variables and "${" in text:
        for match in _VARIABLE.finditer(text):
            _append_literal(tokens, text[position : match.start()], has_wildcards)
            name, default = match.groups()
            tokens.append(name if name in "*?$" else Variable(name.lower(), default))
            position = match.end()
    _append_literal(tokens, text[position:], has_wildcards)
    return tuple(tokens)


def variables_in(text: str) -> list[str]:
    """The names of the variables in a text, as they are written."""
    names = (match.group(1) for match in _VARIABLE.finditer(text))
    return [name for name in names if name not in "*?$"]


def _append_literal(tokens: list[Token], text: str, has_wildcards: bool) -> None:
    if not has_wildcards:
        tokens.append(text)
        return
    for piece in _WILDCARD.split(text):
        if piece in ("*", "?"):
            tokens.append(Wildcard(piece))
        elif piece:
            tokens.append(piece)


def expression_of(tokens: Iterable[str | Wildcard]) -> str:
    """The regular expression of a pattern, whose matching time is linear in each star.

    A piece between two stars is matched where it first occurs and never tried again (atomic
    groups), so that a hostile pattern of many stars can't keep the server busy.
    """
    pieces = [""]
    for token in tokens:
        if token is Wildcard.ANY:
            pieces.append("")
        elif token is Wildcard.ONE:
            pieces[-1] += "."
        else:
            pieces[-1] += re.escape(token)
    if len(pieces) == 1:
        return pieces[0]
    first, *middle, last = pieces
    return first + "".join(f"(?>.*?{piece})" for piece in middle if piece) + ".*" + last


@lru_cache(maxsize=4096)
def _compiled(tokens: tuple[str | Wildcard, ...]) -> re.Pattern[str]:
    return re.compile(expression_of(tokens), re.DOTALL)


def resolve(tokens: tuple[Token, ...], context: Context) -> tuple[str | Wildcard, ...] | None:
    """Put values in place of the variables; None if one has neither value nor default."""
    resolved: list[str | Wildcard] = []
    for token in tokens:
        if not isinstance(token, Variable):
            resolved.append(token)
            continue
        values = context.get(token.name)
        value = values[0] if values is not None and len(values) == 1 else token.default
        if value is None:
            return None
        resolved.append(value)
    return tuple(resolved)


class Patterns:
    """Alternatives, one of which must match a whole text."""

    __slots__ = (
        "_exact",
        "_ignores_case",
        "_matches_everything",
        "_prefixes",
        "_regex",
        "_templates",
    )

    def __init__(
        self,
        texts: Iterable[str],
        *,
        has_variables: bool,
        has_wildcards: bool = True,
        ignores_case: bool = False,
    ) -> None:
        exact: set[str] = set()
        prefixes: list[str] = []
        expressions: list[str] = []
        templates: list[tuple[Token, ...]] = []
        for text in texts:
            tokens = tokens_of(
                text.lower() if ignores_case else text,
                has_variables=has_variables,
                has_wildcards=has_wildcards,
            )
            constant = tuple(token for token in tokens if not isinstance(token, Variable))
            if len(constant) < len(tokens):
                templates.append(tokens)
                continue
            literal = "".join(token for token in constant if isinstance(token, str))
            wildcards = [token for token in constant if isinstance(token, Wildcard)]
            if not wildcards:
                exact.add(literal)
            elif wildcards == [Wildcard.ANY] and constant[-1] is Wildcard.ANY:
                prefixes.append(literal)
            else:
                expressions.append(expression_of(constant))
        self._exact = frozenset(exact)
        # Most patterns are whole texts or beginnings, which need no regular expression.
        self._prefixes = tuple(prefixes)
        self._matches_everything = "" in prefixes
        self._regex = re.compile("|".join(expressions), re.DOTALL) if expressions else None
        self._templates = tuple(templates)
        self._ignores_case = ignores_case

    def matches(self, text: str, context: Context) -> bool:
        """Whether an alternative matches; the text is in lower case where case is ignored."""
        if self._matches_everything or text in self._exact or text.startswith(self._prefixes):
            return True
        if self._regex is not None and self._regex.fullmatch(text) is not None:
            return True
        return bool(self._templates) and self._matches_template(text, context)

    def _matches_template(self, text: str, context: Context) -> bool:
        for template in self._templates:
            tokens = resolve(template, context)
            if tokens is None:
                continue
            if self._ignores_case:
                tokens = tuple(
                    token.lower() if isinstance(token, str) else token for token in tokens
                )
            if _compiled(tokens).fullmatch(text) is not None:
                return True
        return False
