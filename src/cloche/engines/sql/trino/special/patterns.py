"""Patterns of dates: MySQL's and Joda's, as pieces that DuckDB formats."""

from __future__ import annotations

import re

MYSQL_FORMAT = {
    "a": "%a", "b": "%b", "c": "%-m", "d": "%d", "e": "%-d", "f": "%f", "H": "%H", "h": "%I",
    "I": "%I", "i": "%M", "j": "%j", "k": "%-H", "l": "%-I", "M": "%B", "m": "%m", "p": "%p",
    "r": "%I:%M:%S %p", "S": "%S", "s": "%S", "T": "%H:%M:%S", "v": "%V", "W": "%A", "Y": "%Y",
    "x": "%G", "y": "%y", "%": "%%",
}  # fmt: skip
MYSQL_REFUSED = frozenset("DUuVwX")


class PatternError(ValueError):
    """A pattern has something that isn't supported, or means nothing."""


def mysql(pattern: str) -> str:
    """A pattern of date_format and date_parse for strftime and strptime.

    Raises:
        PatternError: Trino has no such specifier.
    """

    def replaced(match: re.Match[str]) -> str:
        letter = match[1]
        if letter in MYSQL_REFUSED:
            raise PatternError(f"%{letter} not supported in date format string")
        return MYSQL_FORMAT.get(letter, letter)

    if re.search(r"(?<!%)(?:%%)*%$", pattern):
        raise PatternError("the date format string ends with %")
    return re.sub(r"%(.)", replaced, pattern, flags=re.DOTALL)


_JODA = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")


def joda_parts(pattern: str) -> list[tuple[str, str]]:
    """A Joda pattern as letters' runs and literal texts: `("yyyy", "")`, `("", "-")`.

    Raises:
        PatternError: a quote is not closed.
    """
    parts: list[tuple[str, str]] = []
    at = 0
    while at < len(pattern):
        match = _JODA.match(pattern, at)
        if match is None:
            raise PatternError(f"Illegal pattern: {pattern}")
        at = match.end()
        if match[0].startswith("'"):
            parts.append(("", match[1].replace("''", "'") if match[1] else "'"))
        elif match[2]:
            parts.append((match[0], ""))
        else:
            parts.append(("", match[0]))
    return parts


def joda_format(run: str) -> str | None:
    """A run of letters for strftime; None for those that need more than it."""
    letter, count = run[0], len(run)
    match letter:
        case "y" | "Y":
            return "%y" if count == 2 else "%Y" if count <= 4 else None
        case "x":
            return "%G" if count in {1, 3, 4} else None
        case "M":
            return {1: "%-m", 2: "%m", 3: "%b"}.get(count, "%B")
        case "E":
            return "%a" if count <= 3 else "%A"
        case "a":
            return "%p"
        case "e":
            return "%u" if count == 1 else None
        case "S":
            return {3: "%g", 6: "%f"}.get(count)
        case "d" | "H" | "m" | "s":
            code = {"d": "d", "H": "H", "m": "M", "s": "S"}[letter]
            return {1: f"%-{code}", 2: f"%{code}"}.get(count)
        case "h":
            return {1: "%-I", 2: "%I"}.get(count)
        case "D":
            return {1: "%-j", 3: "%j"}.get(count)
        case "w":
            return "%V" if count == 2 else None
        case _:
            return None


def joda_parse(run: str) -> str:
    """A run of letters for strptime.

    Raises:
        PatternError: it isn't supported.
    """
    letter = run[0]
    codes = {"d": "%d", "H": "%H", "h": "%I", "m": "%M", "s": "%S", "a": "%p", "D": "%j"}
    if letter in codes and len(run) <= 3:
        return codes[letter]
    if letter in "yY":
        return "%y" if len(run) == 2 else "%Y"
    if letter == "M":
        return "%m" if len(run) <= 2 else "%b" if len(run) == 3 else "%B"
    if letter == "E":
        return "%a" if len(run) <= 3 else "%A"
    if letter == "S":
        return "%g" if len(run) == 3 else "%f"
    if letter == "Z" and len(run) <= 2:
        return "%z"
    raise PatternError(f"{run} is not supported in this pattern")
