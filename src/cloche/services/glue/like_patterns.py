"""SQL's LIKE: `%` is any text, `_` any character."""

from __future__ import annotations

import re
from collections.abc import Callable

from cloche.services.glue.errors import invalid_expression


def like_test(pattern: str, escape: str) -> Callable[[str], bool]:
    """Whether a text is like a pattern.

    The pieces between `%` are looked for one after the other, each at the first place where it
    fits: never again from an earlier one, which would take time without end.

    Args:
        pattern: with `%` and `_`.
        escape: a character before `%`, `_` or itself that makes them ordinary; empty for none.

    Raises:
        InvalidInputException: the escape character is none, or stands before something else.
    """
    if len(escape) > 1:
        raise invalid_expression("ESCAPE must be a single character.")
    first, *others = [re.compile(piece, re.DOTALL) for piece in _pieces(pattern, escape)]
    if not others:
        return lambda text: first.fullmatch(text) is not None
    *middle, last = others
    last_length = _length(pattern, escape)

    def test(text: str) -> bool:
        found = first.match(text)
        if found is None:
            return False
        position = found.end()
        for piece in middle:
            found = piece.search(text, position)
            if found is None:
                return False
            position = found.end()
        start = len(text) - last_length
        return start >= position and last.match(text, start) is not None

    return test


def _pieces(pattern: str, escape: str) -> list[str]:
    """Regular expressions of what stands between the `%`."""
    pieces: list[str] = [""]
    for character, is_special in _characters(pattern, escape):
        if is_special and character == "%":
            pieces.append("")
        else:
            pieces[-1] += "." if is_special else re.escape(character)
    return pieces


def _length(pattern: str, escape: str) -> int:
    """How many characters stand after the last `%`."""
    length = 0
    for character, is_special in _characters(pattern, escape):
        length = 0 if is_special and character == "%" else length + 1
    return length


def _characters(pattern: str, escape: str) -> list[tuple[str, bool]]:
    """A pattern's characters, and whether each is a wildcard."""
    found: list[tuple[str, bool]] = []
    characters = iter(pattern)
    for character in characters:
        if escape and character == escape:
            character = next(characters, "")
            if not character or character not in ("%", "_", escape):
                raise invalid_expression("ESCAPE must stand before %, _ or itself.")
            found.append((character, False))
        else:
            found.append((character, character in "%_"))
    return found
