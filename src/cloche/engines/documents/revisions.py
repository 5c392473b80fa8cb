"""Revision numbers that no process gives out twice, without asking the store for each."""

from __future__ import annotations

_NUMBERS_OF_AN_OPENING = 1 << 40


class Revisions:
    """The revisions that one opening of a store may give out: a million a second for twelve days.

    Used by one thread.

    Args:
        opening: how often the store has been opened, this time included; unique to the process.
    """

    __slots__ = ("_last",)

    def __init__(self, opening: int) -> None:
        self._last = opening * _NUMBERS_OF_AN_OPENING

    def next(self) -> int:
        """A number that no document of the store ever had; it fits in 63 bits."""
        self._last += 1
        return self._last
