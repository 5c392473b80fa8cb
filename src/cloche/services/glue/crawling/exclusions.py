"""Exclude patterns: which objects of a target are left out.

A pattern is held against the key as seen from the target's path. `*` and `?` stay within a folder,
`**` crosses folders; `[a-c]`, `[!a]` and `{one,two}` are as usual, and a backslash takes the
meaning from the character after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence


class NotAPattern(ValueError):
    """A text is no exclude pattern."""


def compile_exclusions(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Whether an object is left out, by its key as seen from the target's path.

    Raises:
        NotAPattern: one of the patterns is none.
    """
    expressions = [re.compile(_translated(pattern), re.DOTALL) for pattern in patterns]

    def is_excluded(path: str) -> bool:
        return any(expression.fullmatch(path) is not None for expression in expressions)

    return is_excluded


def _translated(pattern: str) -> str:
    pieces: list[str] = []
    at, is_in_group = 0, False
    while at < len(pattern):
        char = pattern[at]
        if char in "[\\":
            piece, at = _bracket(pattern, at) if char == "[" else _escaped(pattern, at)
            pieces.append(piece)
            continue
        if char == "{" and is_in_group:
            raise NotAPattern(f"groups cannot be within each other: {pattern}")
        if pattern.startswith("**", at):
            pieces.append(".*")
            at += 1
        elif char == "{" or ((char in "},") and is_in_group):
            pieces.append({"{": "(?:", "}": ")", ",": "|"}[char])
            is_in_group = char != "}"
        else:
            pieces.append({"*": "[^/]*", "?": "[^/]"}.get(char) or re.escape(char))
        at += 1
    if is_in_group:
        raise NotAPattern(f"a group does not end: {pattern}")
    return "".join(pieces)


def _escaped(pattern: str, at: int) -> tuple[str, int]:
    if at + 1 == len(pattern):
        raise NotAPattern(f"a backslash at the end means nothing: {pattern}")
    return re.escape(pattern[at + 1]), at + 2


def _bracket(pattern: str, at: int) -> tuple[str, int]:
    end = pattern.find("]", at + 2)
    if end < 0:
        raise NotAPattern(f"a bracket does not end: {pattern}")
    inside = pattern[at + 1 : end]
    negated = inside[0] in "!^"
    if negated:
        inside = inside[1:]
    ranges = re.sub(r"([\\\[\]^&~|])", r"\\\1", inside)
    expression = f"(?!/)[{'^' if negated else ''}{ranges}]"
    try:
        re.compile(expression)
    except re.error as error:
        raise NotAPattern(f"a bracket is not valid: {pattern}") from error
    return expression, end + 1
