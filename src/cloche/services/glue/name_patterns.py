"""Patterns of names, as GetTables and GetUserDefinedFunctions take them.

They are regular expressions of the whole name, without regard to case, in which as in Hive's `*`
alone is any text: both `flights.*` and `flights*` find what begins with `flights`.
"""

from __future__ import annotations

from collections.abc import Callable

import regex

from cloche.services.glue.errors import InvalidInputException

_SECONDS = 2.0
_LONE_STAR = regex.compile(r"(?<![.)\]\\])\*")


def name_test(expression: str) -> Callable[[str], bool]:
    """Whether a name matches a pattern.

    Raises:
        InvalidInputException: it is none, now; matching takes too long, when asked.
    """
    try:
        pattern = regex.compile(_LONE_STAR.sub(".*", expression), regex.IGNORECASE)
    except regex.error as error:
        raise InvalidInputException(f"The pattern is not valid: {error}") from None

    def test(name: str) -> bool:
        try:
            return pattern.fullmatch(name, timeout=_SECONDS) is not None
        except TimeoutError:
            raise InvalidInputException("The pattern takes too long to match.") from None

    return test
