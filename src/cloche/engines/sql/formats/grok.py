"""Grok patterns: regular expressions made of named ones, whose fields are columns.

`%{PATTERN}` stands for a pattern, `%{PATTERN:field}` keeps what it matches as a column of strings,
`%{PATTERN:field:type}` as one of a type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import regex

from cloche.engines.sql.formats.grok_patterns import PATTERNS

TYPES = {
    "byte": "tinyint",
    "boolean": "boolean",
    "double": "double",
    "short": "smallint",
    "int": "int",
    "integer": "int",
    "long": "bigint",
    "float": "float",
    "string": "string",
}

_REFERENCE = re.compile(r"%\{(?P<name>\w+)(?::(?P<field>[^:}]+))?(?::(?P<type>\w+))?\}")
_DEEPEST = 50
_LONGEST_EXPANSION = 200_000
_SECONDS_A_LINE = 1.0


class NotAGrokPattern(ValueError):
    """A pattern names one that there is not, or is no regular expression."""


class Grok(msgspec.Struct, frozen=True):
    """A pattern that can be matched.

    Attributes:
        text: as it was given.
        custom_patterns: as they were given.
        expression: the regular expression, with a group `f0`, `f1`, … for each field.
        fields: their names and Hive types, in order.
    """

    text: str
    custom_patterns: str
    expression: Any
    fields: tuple[tuple[str, str], ...]

    def match(
        self, line: str, timeout_seconds: float = _SECONDS_A_LINE
    ) -> tuple[str | None, ...] | None:
        """Values of the fields in a line; None if it is not of the pattern.

        Raises:
            TimeoutError: the pattern takes longer for it.
        """
        found = self.expression.search(line, timeout=timeout_seconds)
        if found is None:
            return None
        return tuple(found[f"f{at}"] for at in range(len(self.fields)))


def compile_grok(text: str, custom_patterns: str = "") -> Grok:
    """A pattern as a classifier or a GrokSerDe has it.

    Args:
        text: the pattern of a line.
        custom_patterns: further ones, each on a line: its name, a space, the pattern.

    Raises:
        NotAGrokPattern: see there.
    """
    patterns = {**PATTERNS, **parse_custom_patterns(custom_patterns)}
    fields: list[tuple[str, str]] = []
    expanded = _expand(text, patterns, fields, ())
    try:
        expression = regex.compile(expanded)
    except regex.error as error:
        raise NotAGrokPattern(f"the pattern is no regular expression: {error}") from error
    return Grok(text, custom_patterns, expression, tuple(fields))


def parse_custom_patterns(text: str) -> dict[str, str]:
    """Patterns by name, one a line.

    Raises:
        NotAGrokPattern: a line has no name or no pattern.
    """
    patterns: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, pattern = line.strip().partition(" ")
        if not re.fullmatch(r"\w+", name) or not pattern.strip():
            raise NotAGrokPattern(f"a custom pattern is a name, a space and a pattern: {line}")
        patterns[name] = pattern.strip()
    return patterns


def _expand(
    text: str,
    patterns: Mapping[str, str],
    fields: list[tuple[str, str]],
    within: tuple[str, ...],
) -> str:
    pieces: list[str] = []
    at = length = 0
    for reference in _REFERENCE.finditer(text):
        pieces.append(text[at : reference.start()])
        pieces.append(_expand_reference(reference, patterns, fields, within))
        length += len(pieces[-1])
        if length > _LONGEST_EXPANSION:
            raise NotAGrokPattern("the pattern is too long")
        at = reference.end()
    return "".join((*pieces, text[at:]))


def _expand_reference(
    reference: re.Match[str],
    patterns: Mapping[str, str],
    fields: list[tuple[str, str]],
    within: tuple[str, ...],
) -> str:
    name = reference["name"]
    if name not in patterns:
        raise NotAGrokPattern(f"there is no pattern {name}")
    if name in within or len(within) > _DEEPEST:
        raise NotAGrokPattern(f"the pattern {name} leads to itself")
    group = "?:"
    if reference["field"]:
        group = f"?P<f{len(fields)}>"
        fields.append((reference["field"], _type(reference["type"])))
    return f"({group}{_expand(patterns[name], patterns, fields, (*within, name))})"


def _type(name: str | None) -> str:
    if name is None:
        return "string"
    if name.lower() not in TYPES:
        raise NotAGrokPattern(f"a field cannot be of type {name}")
    return TYPES[name.lower()]
