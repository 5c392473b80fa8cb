"""Timestamps in the three forms that AWS writes them in.

All values are timezone-aware and in UTC. What is written has milliseconds at most, as AWS's
services do.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from functools import lru_cache

import msgspec

from cloche.gateway.protocols.faults import ParseError
from cloche.gateway.protocols.shapes import TimestampFormat

_DATE_TIME = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):?(\d{2}))",
    re.ASCII,
)
_TIME = r"(?P<time>\d{2}:\d{2}:\d{2})(?:\.(?P<fraction>\d+))?"
_WEEKDAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_HTTP_DATES = (
    re.compile(
        rf"{_WEEKDAY}, (?P<day>\d{{2}}) (?P<month>[A-Z][a-z]{{2}}) (?P<year>\d{{4}}) {_TIME} GMT",
        re.ASCII,
    ),
    re.compile(
        rf"{_WEEKDAY}[a-z]*, (?P<day>\d{{2}})-(?P<month>[A-Z][a-z]{{2}})-(?P<year>\d{{2}}) "
        rf"{_TIME} GMT",
        re.ASCII,
    ),
    re.compile(
        rf"{_WEEKDAY} (?P<month>[A-Z][a-z]{{2}}) (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})",
        re.ASCII,
    ),
)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_encode = msgspec.json.Encoder().encode
"""Writes a datetime in quotes, with microseconds if there are any: 20 times as fast as Python."""
_WHOLE_SECONDS = len('"2019-12-16T23:48:18Z"')
_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH = re.compile(r"-?\d{1,18}(?:\.\d{0,18})?(?:[eE][+-]?\d{1,2})?", re.ASCII)


def parse_timestamp(text: str, form: TimestampFormat, *, offsets_allowed: bool = False) -> datetime:
    """Read a timestamp from text.

    Args:
        text: what the client wrote.
        form: the form that the model asks for; no other is taken.
        offsets_allowed: take `+01:00` instead of `Z` too, as the query services do.

    Raises:
        ParseError: the text is not of that form, or is no date that exists.
    """
    try:
        if form == "date-time":
            return _parse_date_time(text, offsets_allowed)
        if form == "http-date":
            return _parse_http_date(text)
    except ValueError as error:
        raise ParseError(f"Invalid timestamp: {text[:64]}") from error
    if _EPOCH.fullmatch(text) is None:
        raise ParseError(f"Invalid timestamp: {text[:64]}")
    return from_epoch(float(text))


def _microsecond(fraction: str | None) -> int:
    return int(fraction[:6].ljust(6, "0")) if fraction else 0


def _parse_date_time(text: str, offsets_allowed: bool) -> datetime:
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year, month, day, hour, minute, second, fraction, sign, *offset = match.groups()
    zone: timezone = UTC
    if sign is not None:
        if not offsets_allowed:
            raise ValueError(text)
        distance = timedelta(hours=int(offset[0]), minutes=int(offset[1]))
        zone = timezone(-distance if sign == "-" else distance)
    value = datetime(
        int(year), int(month), int(day), int(hour), int(minute), int(second),
        _microsecond(fraction), zone,
    )  # fmt: skip
    try:
        return value if sign is None else value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def _parse_http_date(text: str) -> datetime:
    for pattern in _HTTP_DATES:
        match = pattern.fullmatch(text)
        if match is not None:
            break
    else:
        raise ValueError(text)
    year = int(match["year"])
    if len(match["year"]) == 2:
        year += 1900 if year >= 70 else 2000
    month = _MONTHS.get(match["month"], 0)
    hour, minute, second = (int(part) for part in match["time"].split(":"))
    fraction = _microsecond(match["fraction"])
    return datetime(year, month, int(match["day"]), hour, minute, second, fraction, UTC)


def from_epoch(seconds: float) -> datetime:
    """The instant so many seconds after 1970.

    Raises:
        ParseError: not a number, or beyond the years 1 to 9999.
    """
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise ParseError("Timestamp out of range") from error


def as_datetime(value: datetime | float) -> datetime:
    """What an operation gave as a timestamp, in UTC; seconds since 1970 are taken too."""
    if isinstance(value, datetime):
        if value.tzinfo is UTC:
            return value
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return datetime.fromtimestamp(value, UTC)


def to_epoch(value: datetime | float) -> float:
    """Seconds since 1970, a whole number where there is no fraction; milliseconds at most."""
    since = as_datetime(value) - _EPOCH_START
    seconds = since.days * 86400 + since.seconds
    millisecond = since.microseconds // 1000
    return seconds if millisecond == 0 else (seconds * 1000 + millisecond) / 1000


def format_date_time(value: datetime | float) -> str:
    """`2019-12-16T23:48:18Z`, or `…18.123Z` where there is a fraction."""
    text = _encode(as_datetime(value)).decode()
    if len(text) == _WHOLE_SECONDS or text[21:24] == "000":
        return text[1:20] + "Z"
    return text[1:24] + "Z"


# The next two are cached, because much of what is listed or read was written in the same seconds.
@lru_cache(maxsize=4096)
def format_date_time_milliseconds(value: datetime | float) -> str:
    """`2019-12-16T23:48:18.000Z`, as S3 writes it always."""
    text = _encode(as_datetime(value)).decode()
    return text[1:20] + ".000Z" if len(text) == _WHOLE_SECONDS else text[1:24] + "Z"


@lru_cache(maxsize=4096)
def format_http_date(value: datetime | float) -> str:
    """`Mon, 16 Dec 2019 23:48:18 GMT`."""
    return format_datetime(as_datetime(value), usegmt=True)


def format_timestamp(value: datetime | float, form: TimestampFormat) -> str:
    """Write a timestamp as text."""
    if form == "date-time":
        return format_date_time(value)
    if form == "http-date":
        return format_http_date(value)
    return str(to_epoch(value))
