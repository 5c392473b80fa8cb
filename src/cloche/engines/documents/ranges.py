"""The part of the ordered names that a scan asks for."""

from __future__ import annotations

from typing import NamedTuple

_LAST = "\U0010ffff"


class NameRange(NamedTuple):
    """Names from `lower` on, or after it if exclusive, up to `upper` (exclusive; None: no end)."""

    lower: str
    is_exclusive: bool
    upper: str | None

    def contains(self, name: str) -> bool:
        """Whether a name is in the range. Code points have the order of their UTF-8 bytes."""
        above = name > self.lower if self.is_exclusive else name >= self.lower
        return above and (self.upper is None or name < self.upper)


def name_range(prefix: str, after: str) -> NameRange:
    """Names that have the prefix and are greater than `after`."""
    if after and after >= prefix:
        return NameRange(after, True, prefix_end(prefix))
    return NameRange(prefix, False, prefix_end(prefix))


def prefix_end(prefix: str) -> str | None:
    """The least text greater than all that have the prefix; None if there is none."""
    stem = prefix.rstrip(_LAST)
    if not stem:
        return None
    last = ord(stem[-1])
    following = 0xE000 if last == 0xD7FF else last + 1  # surrogates are no characters
    return stem[:-1] + chr(following)
