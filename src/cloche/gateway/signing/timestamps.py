"""The two forms of time in signed requests: `20150830T123600Z` and HTTP dates."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

_BASIC_FORMAT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")
_HTTP_DATE_CHARACTERS = 64


@lru_cache(maxsize=1024)
def parse_basic(text: str) -> float | None:
    """Seconds since 1970 of a time in ISO 8601's basic format; None if it is not one."""
    match = _BASIC_FORMAT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None


def parse_http_date(text: str) -> float | None:
    """Seconds since 1970 of a `Date` header in either format; None if it has neither."""
    seconds = parse_basic(text)
    if seconds is not None or len(text) > _HTTP_DATE_CHARACTERS:
        return seconds
    try:
        moment = parsedate_to_datetime(text)
        # A zone of -0000 gives a naive datetime, which is meant as UTC.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def basic(seconds: float) -> str:
    """A time in ISO 8601's basic format, as signatures have it."""
    return _moment(seconds).strftime("%Y%m%dT%H%M%SZ")


def extended(seconds: float) -> str:
    """A time in ISO 8601's extended format, as S3's errors have it."""
    return _moment(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
