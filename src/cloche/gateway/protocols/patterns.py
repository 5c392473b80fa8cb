"""The models' regular expressions, which are Java's."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import regex

MATCH_SECONDS = 0.2
"""How long a pattern may search; a value that takes longer does not satisfy it."""

_SURROGATE_RANGE = r"\uD800\uDC00-\uDBFF\uDFFF"
_HEXADECIMAL = regex.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")


def _translate(pattern: str) -> str:
    """Java's spelling of characters beyond 16 bits and of hexadecimal escapes, as Python's."""
    pattern = pattern.replace(_SURROGATE_RANGE, r"\U00010000-\U0010FFFF")
    return _HEXADECIMAL.sub(lambda match: f"\\U{int(match[1], 16):08X}", pattern)


@lru_cache(maxsize=4096)
def compile_pattern(pattern: str) -> Callable[[str], bool] | None:
    """A function that tells whether text satisfies a pattern; None if Python can't read it.

    A pattern must match all of the text, anchored or not: AWS refuses `my_model` by SageMaker's
    `^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}`.
    """
    version = regex.VERSION1 if "&&" in pattern else regex.VERSION0
    try:
        compiled = regex.compile(_translate(pattern), version)
    except regex.error:
        return None

    def satisfies(text: str) -> bool:
        try:
            return compiled.fullmatch(text, timeout=MATCH_SECONDS) is not None
        except TimeoutError:
            return False

    return satisfies
