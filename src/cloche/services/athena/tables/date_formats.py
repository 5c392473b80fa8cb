"""Dates in the patterns of Java's DateTimeFormatter that partition projection uses."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from cloche.engines.sql.engine import ErrorKind, QueryError

_DIRECTIVES = {
    "yyyy": "%Y",
    "uuuu": "%Y",
    "yy": "%y",
    "MM": "%m",
    "MMM": "%b",
    "dd": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "DDD": "%j",
}
_LETTERS = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+", re.DOTALL)
_NOW = re.compile(r"NOW\s*(?:([+-])\s*(\d+)\s*(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?)?", re.I)
_SECONDS = {"WEEK": 604800, "DAY": 86400, "HOUR": 3600, "MINUTE": 60, "SECOND": 1}


class DateFormat:
    """A pattern such as `yyyy/MM/dd/HH`.

    Attributes:
        default_unit: the interval between dates where none is said.

    Raises:
        QueryError: the pattern has what is not known here.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._format = "".join(_directive(match) for match in _LETTERS.finditer(pattern))
        self.default_unit = next(
            unit
            for directive, unit in (
                ("%S", "SECONDS"),
                ("%M", "MINUTES"),
                ("%H", "HOURS"),
                ("%d", "DAYS"),
                ("%j", "DAYS"),
                ("%m", "MONTHS"),
                ("%b", "MONTHS"),
                ("", "YEARS"),
            )
            if directive in self._format
        )

    def write(self, instant: datetime) -> str:
        """A date in the pattern."""
        # `%Y` leaves out leading zeros on some systems.
        return instant.strftime(self._format.replace("%Y", f"{instant.year:04d}"))

    def parse(self, text: str, now: datetime) -> datetime:
        """A date of a range: in the pattern, or `NOW-3DAYS`.

        Raises:
            QueryError: it is neither.
        """
        text = text.strip()
        match = _NOW.fullmatch(text)
        if match is not None:
            if match[1] is None:
                return now
            count = int(match[2]) * (1 if match[1] == "+" else -1)
            return moved(now, count, match[3].upper())
        try:
            return datetime.strptime(text, self._format)  # all are in UTC
        except ValueError:
            raise QueryError(
                ErrorKind.GENERIC_USER_ERROR,
                f"INVALID_TABLE_PROPERTY: the projection date {text!r} is not in the format "
                f"{self.pattern!r}",
            ) from None


def moved(instant: datetime, count: int, unit: str) -> datetime:
    """An instant some units later; months of any length."""
    unit = unit.upper().removesuffix("S")
    if unit in _SECONDS:
        return instant + timedelta(seconds=count * _SECONDS[unit])
    months = instant.year * 12 + instant.month - 1 + count * (12 if unit == "YEAR" else 1)
    year, month = divmod(months, 12)
    for day in (instant.day, 30, 29, 28):
        try:
            return instant.replace(year=year, month=month + 1, day=min(day, instant.day))
        except ValueError:
            continue
    return instant


def _directive(match: re.Match[str]) -> str:
    if match[1] is not None:
        return match[1].replace("''", "'").replace("%", "%%") or "'"
    text = match[0]
    if match[2] is None:
        return text.replace("%", "%%")
    if text in _DIRECTIVES:
        return _DIRECTIVES[text]
    raise QueryError(
        ErrorKind.NOT_SUPPORTED, f"Cloche does not know {text!r} of date formats of projections"
    )
