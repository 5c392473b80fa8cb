from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloche.core.cron import InvalidSchedule, next_time, parse_cron, parse_schedule


def following(expression: str, after: str, zone: str = "UTC") -> str | None:
    """The next time of an expression, as local time."""
    tz = ZoneInfo(zone)
    start = datetime.fromisoformat(after).replace(tzinfo=tz).timestamp()
    found = next_time(parse_schedule(expression), start, zone=tz)
    return None if found is None else f"{datetime.fromtimestamp(found, tz):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("cron(15 10 ? * 6L 2022-2023)", "2022-01-01", "2022-01-28 10:15"),
        ("cron(0 10 * * ? *)", "2024-02-28 10:00", "2024-02-29 10:00"),
        ("cron(0/15 * * * ? *)", "2024-02-28 10:16", "2024-02-28 10:30"),
        ("cron(0 18 ? * MON-FRI *)", "2024-03-01 18:00", "2024-03-04 18:00"),
        ("cron(0 8 1 * ? *)", "2024-03-01 08:00", "2024-04-01 08:00"),
        ("cron(0/10 * ? * MON-FRI *)", "2024-03-02 00:00", "2024-03-04 00:00"),
        ("cron(0 0 L * ? *)", "2023-02-01", "2023-02-28 00:00"),
        ("cron(0 0 L-2 * ? *)", "2024-02-01", "2024-02-27 00:00"),
        ("cron(0 0 LW * ? *)", "2024-03-01", "2024-03-29 00:00"),
        ("cron(0 0 1W * ? *)", "2024-05-31", "2024-06-03 00:00"),  # the 1st is a Saturday
        ("cron(0 0 15W * ? *)", "2024-06-01", "2024-06-14 00:00"),
        ("cron(0 0 ? * 3#2 *)", "2024-06-01", "2024-06-11 00:00"),
        ("cron(0 0 ? * SUN *)", "2024-06-01", "2024-06-02 00:00"),
        ("cron(0 0 ? * 1 *)", "2024-06-01", "2024-06-02 00:00"),
        ("cron(0 0 ? JAN,JUL FRI#5 *)", "2024-06-01", "2025-01-31 00:00"),
        ("cron(0 0 29 2 ? *)", "2097-01-01", "2104-02-29 00:00"),
        ("cron(0 22-2 * * ? *)", "2024-06-01 23:30", "2024-06-02 00:00"),
        ("cron(0 0 1 1 ? 2020)", "2024-06-01", None),
        ("rate(5 minutes)", "1970-01-01 00:07", "1970-01-01 00:10"),
        ("rate(1 hour)", "1970-01-01 01:00", "1970-01-01 02:00"),
        ("at(2030-01-02T03:04:00)", "2024-01-01", "2030-01-02 03:04"),
        ("at(2030-01-02T03:04:00)", "2030-01-02 03:04", None),
    ],
)
def test_the_next_time(expression: str, after: str, expected: str | None) -> None:
    assert following(expression, after) == expected


def test_local_times_that_are_skipped_or_come_twice() -> None:
    daily = "cron(30 2 * * ? *)"
    assert following(daily, "2024-03-30 12:00", "Europe/Berlin") == "2024-04-01 02:30"
    first = following(daily, "2024-10-26 12:00", "Europe/Berlin")
    assert first == "2024-10-27 02:30"
    assert following(daily, first, "Europe/Berlin") == "2024-10-28 02:30"


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "cron()",
        "cron(* * * * *)",
        "cron(* * * * * *)",
        "cron(0 0 ? * ? *)",
        "cron(0 0 1 * 2 *)",
        "cron(60 0 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 0 0 * ? *)",
        "cron(0 0 32 * ? *)",
        "cron(0 0 * 13 ? *)",
        "cron(0 0 ? * 8 *)",
        "cron(0 0 ? * MON#6 *)",
        "cron(0 0 * * ? 1969)",
        "cron(0/0 0 * * ? *)",
        "cron(a 0 * * ? *)",
        "cron(0,, 0 * * ? *)",
        "0 0 * * ? *",
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(5 weeks)",
        "at(tomorrow)",
    ],
)
def test_what_is_no_schedule(expression: str) -> None:
    with pytest.raises(InvalidSchedule):
        parse_schedule(expression)


numbers = st.integers(0, 59)


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    weekday=st.integers(1, 7),
    after=st.integers(0, 4_000_000_000),
)
def test_the_next_weekday_is_the_first_minute_that_fits(
    minute: int, hour: int, weekday: int, after: int
) -> None:
    found = next_time(parse_cron(f"cron({minute} {hour} ? * {weekday} *)"), after)
    assert found is not None
    assert after < found <= after + 7 * 86400
    when = datetime.fromtimestamp(found, UTC)
    assert (when.minute, when.hour, when.second) == (minute, hour, 0)
    assert when.isoweekday() % 7 + 1 == weekday


@given(
    minutes=st.lists(st.integers(0, 59), min_size=1, max_size=4),
    step=st.integers(1, 23),
    after=st.integers(0, 4_000_000_000),
)
def test_nothing_lies_between_two_times(minutes: list[int], step: int, after: int) -> None:
    text = ",".join(map(str, minutes))
    found = next_time(parse_cron(f"cron({text} 0/{step} * * ? *)"), after)
    assert found is not None

    def fits(when: datetime) -> bool:
        return when.minute in minutes and when.hour % step == 0

    when = datetime.fromtimestamp(after - after % 60, UTC) + timedelta(minutes=1)
    while not fits(when):
        when += timedelta(minutes=1)
    assert when.timestamp() == found


@given(year=st.integers(1970, 2198), month=st.integers(1, 12), day=st.integers(1, 31))
def test_the_nearest_weekday_is_in_the_month(year: int, month: int, day: int) -> None:
    if day > calendar.monthrange(year, month)[1]:
        return
    after = datetime(year, month, 1, tzinfo=UTC).timestamp() - 1
    found = next_time(parse_cron(f"cron(0 0 {day}W {month} ? {year})"), after)
    assert found is not None
    when = datetime.fromtimestamp(found, UTC)
    assert when.month == month
    assert when.weekday() < 5
    assert abs(when.day - day) <= 2


@given(st.text(alphabet="0123456789*?,-/#LWMONFRI cron()", max_size=40))
def test_any_text_is_a_schedule_or_refused(text: str) -> None:
    try:
        next_time(parse_cron(f"cron({text})"), 1e9)
    except InvalidSchedule:
        return
