"""AWS's schedule expressions: `cron(…)` of six fields, `rate(…)` and `at(…)`.

A cron expression is minutes, hours, day of month, month, day of week and year. Of the two kinds of
day one is `?`, and `*` counts as such. Days of the week are 1 (Sunday) to 7 (Saturday). `L` is a
month's last day or, after a weekday, its last one; `15W` the weekday nearest to the 15th, within
the month; `3#2` the second Tuesday.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

FIRST_YEAR = 1970
LAST_YEAR = 2199

_MONTH_NAMES = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"
_WEEKDAY_NAMES = "SUN MON TUE WED THU FRI SAT"
_MONTHS = {name: at for at, name in enumerate(_MONTH_NAMES.split(), 1)}
_WEEKDAYS = {name: at for at, name in enumerate(_WEEKDAY_NAMES.split(), 1)}
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}


class InvalidSchedule(ValueError):
    """A text is no schedule expression."""


class Cron(NamedTuple):
    """A cron expression.

    Attributes:
        minutes: in order; as the hours, months and years.
        days: of the month, None if days of the week count.
        weekdays: of the week, None if days of the month count.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: Days | None
    months: tuple[int, ...]
    weekdays: Weekdays | None
    years: tuple[int, ...]


class Days(NamedTuple):
    """Days of a month.

    Attributes:
        numbers: 1 to 31.
        before_last: `L` is 0, `L-3` is 3.
        nearest: `15W` is 15; 0 is `LW`, the last weekday.
    """

    numbers: frozenset[int] = frozenset()
    before_last: frozenset[int] = frozenset()
    nearest: frozenset[int] = frozenset()


class Weekdays(NamedTuple):
    """Days of the week.

    Attributes:
        numbers: 1 (Sunday) to 7.
        last: those of which only a month's last counts.
        nth: weekday and which of the month.
    """

    numbers: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()
    nth: frozenset[tuple[int, int]] = frozenset()


class Rate(NamedTuple):
    """Every so many seconds."""

    seconds: int


class At(NamedTuple):
    """Once, at a local time."""

    time: datetime


Schedule = Cron | Rate | At


def parse_schedule(text: str) -> Schedule:
    """A schedule of any form.

    Raises:
        InvalidSchedule: it is none.
    """
    form, _, rest = text.strip().partition("(")
    if not rest.endswith(")"):
        raise InvalidSchedule(f"not a schedule expression: {text}")
    inner = rest[:-1]
    if form == "cron":
        return parse_cron(text)
    if form == "rate":
        return _parse_rate(inner)
    if form == "at":
        try:
            return At(datetime.strptime(inner, "%Y-%m-%dT%H:%M:%S"))  # local
        except ValueError as error:
            raise InvalidSchedule(f"not a local time: {inner}") from error
    raise InvalidSchedule(f"not a schedule expression: {text}")


def parse_cron(text: str) -> Cron:
    """A cron expression, within `cron(…)`.

    Raises:
        InvalidSchedule: it is none, or no instant is ever of it.
    """
    match = re.fullmatch(r"\s*cron\((.*)\)\s*", text)
    fields = match[1].split() if match else []
    if len(fields) != 6:
        raise InvalidSchedule(f"a cron expression has six fields: {text}")
    minutes, hours, days, months, weekdays, years = (field.upper() for field in fields)
    if (days == "?") == (weekdays == "?"):
        raise InvalidSchedule(f"one of day of month and day of week must be ?: {text}")
    return Cron(
        minutes=_numbers(minutes, 0, 59),
        hours=_numbers(hours, 0, 23),
        days=None if days == "?" else _days(days),
        months=_numbers(months, 1, 12, _MONTHS),
        weekdays=None if weekdays == "?" else _weekdays(weekdays),
        years=_numbers(years, FIRST_YEAR, LAST_YEAR),
    )


def next_time(
    schedule: Schedule, after: float, *, zone: tzinfo = UTC, start: float = 0.0
) -> float | None:
    """The first instant of a schedule that is later than another; None if there is none.

    A local time that a change to summer time skips is left out; one that comes twice counts once.

    Args:
        schedule: the schedule.
        after: seconds since 1970.
        zone: of the schedule's local times.
        start: from which a rate counts.
    """
    if isinstance(schedule, Rate):
        periods = max(0, int((after - start) // schedule.seconds) + 1)
        return start + periods * schedule.seconds
    if isinstance(schedule, At):
        instant = schedule.time.replace(tzinfo=zone).timestamp()
        return instant if instant > after else None
    return _next_cron_time(schedule, after, zone)


def _next_cron_time(cron: Cron, after: float, zone: tzinfo) -> float | None:
    local = datetime.fromtimestamp(after, zone).replace(tzinfo=None, second=0, microsecond=0)
    # An hour back for the local times that come twice.
    begin = local - timedelta(hours=1)
    day = begin.date()
    while True:
        found = _next_day(cron, day.year, day.month, day.day)
        if found is None:
            return None
        day = found.date()
        for hour in cron.hours:
            for minute in cron.minutes:
                instant = _instant(found.replace(hour=hour, minute=minute), zone)
                if instant is not None and instant > after:
                    return instant
        day += timedelta(days=1)


def _instant(local: datetime, zone: tzinfo) -> float | None:
    aware = local.replace(tzinfo=zone)
    instant = aware.timestamp()
    if datetime.fromtimestamp(instant, zone).replace(tzinfo=None) != local:
        return None
    return instant


def _next_day(cron: Cron, year: int, month: int, day: int) -> datetime | None:
    """The first day of the expression that is not before a given one."""
    for candidate_year in cron.years:
        if candidate_year < year:
            continue
        for candidate_month in cron.months:
            if (candidate_year, candidate_month) < (year, month):
                continue
            is_first = (candidate_year, candidate_month) == (year, month)
            for each in _days_of_month(cron, candidate_year, candidate_month):
                if not is_first or each >= day:
                    return datetime(candidate_year, candidate_month, each)  # local
    return None


def _days_of_month(cron: Cron, year: int, month: int) -> list[int]:
    length = calendar.monthrange(year, month)[1]
    if cron.days is not None:
        found = {number for number in cron.days.numbers if number <= length}
        found |= {length - each for each in cron.days.before_last if each < length}
        found |= {
            _nearest_weekday(year, month, number or length, length)
            for number in cron.days.nearest
            if number <= length
        }
        return sorted(found)
    weekdays = cron.weekdays or Weekdays()
    return [day for day in range(1, length + 1) if _is_weekday(weekdays, year, month, day, length)]


def _is_weekday(weekdays: Weekdays, year: int, month: int, day: int, length: int) -> bool:
    number = (calendar.weekday(year, month, day) + 1) % 7 + 1
    return (
        number in weekdays.numbers
        or (number in weekdays.last and day > length - 7)
        or (number, (day - 1) // 7 + 1) in weekdays.nth
    )


def _nearest_weekday(year: int, month: int, day: int, length: int) -> int:
    weekday = calendar.weekday(year, month, day)
    if weekday == 5:
        return day - 1 if day > 1 else day + 2
    if weekday == 6:
        return day + 1 if day < length else day - 2
    return day


def _numbers(
    text: str, least: int, most: int, names: dict[str, int] | None = None
) -> tuple[int, ...]:
    """What a field of lists, ranges and steps stands for, in order."""
    found: set[int] = set()
    for item in text.split(","):
        span, slash, step_text = item.partition("/")
        step = _number(step_text, 1, most - least + 1, {}) if slash else 1
        if span in ("*", ""):
            if not span and not slash:
                raise InvalidSchedule(f"an item is missing in {text}")
            first, last = least, most
        else:
            first_text, dash, last_text = span.partition("-")
            first = _number(first_text, least, most, names or {})
            last = _number(last_text, least, most, names or {}) if dash else first
            if slash and not dash:
                last = most
        if first > last:  # such as FRI-MON
            found.update(range(first, most + 1, step))
            found.update(range(least, last + 1, step))
        else:
            found.update(range(first, last + 1, step))
    return tuple(sorted(found))


def _number(text: str, least: int, most: int, names: dict[str, int]) -> int:
    if text in names:
        return names[text]
    if not re.fullmatch(r"[0-9]{1,4}", text) or not least <= int(text) <= most:
        raise InvalidSchedule(f"{text or 'nothing'} is not between {least} and {most}")
    return int(text)


def _days(text: str) -> Days:
    days = Days()
    for item in text.split(","):
        if match := re.fullmatch(r"L(?:-(\d{1,2}))?", item):
            before = _number(match[1] or "0", 0, 30, {})
            days = days._replace(before_last=days.before_last | {before})
        elif match := re.fullmatch(r"(\d{1,2})W", item):
            days = days._replace(nearest=days.nearest | {_number(match[1], 1, 31, {})})
        elif item in ("LW", "WL"):
            days = days._replace(nearest=days.nearest | {0})
        else:
            days = days._replace(numbers=days.numbers | set(_numbers(item, 1, 31)))
    return days


def _weekdays(text: str) -> Weekdays:
    weekdays = Weekdays()
    for item in text.split(","):
        if item == "L":  # a week's last day
            weekdays = weekdays._replace(numbers=weekdays.numbers | {7})
        elif match := re.fullmatch(r"([A-Z]{3}|\d)L", item):
            number = _number(match[1], 1, 7, _WEEKDAYS)
            weekdays = weekdays._replace(last=weekdays.last | {number})
        elif match := re.fullmatch(r"([A-Z]{3}|\d)#(\d)", item):
            which = (_number(match[1], 1, 7, _WEEKDAYS), _number(match[2], 1, 5, {}))
            weekdays = weekdays._replace(nth=weekdays.nth | {which})
        else:
            numbers = set(_numbers(item, 1, 7, _WEEKDAYS))
            weekdays = weekdays._replace(numbers=weekdays.numbers | numbers)
    return weekdays


def _parse_rate(text: str) -> Rate:
    match = re.fullmatch(r"\s*([1-9]\d*)\s+(minute|hour|day)(s?)\s*", text)
    if match is None or (match[1] == "1") == bool(match[3]):
        raise InvalidSchedule(f"not a rate such as 1 hour or 5 minutes: {text}")
    return Rate(int(match[1]) * _UNITS[match[2]])
