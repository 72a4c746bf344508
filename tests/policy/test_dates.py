"""Days as the policies count them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.policy.dates import at_hour, plus_business_days, plus_months, today

LOS_ANGELES = "America/Los_Angeles"
DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))


@pytest.mark.parametrize(
    ("day", "months", "last"),
    [
        (date(2024, 3, 15), 24, date(2026, 3, 15)),
        (date(2024, 2, 29), 24, date(2026, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2023, 2, 28), 12, date(2024, 2, 28)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 8, 31), 1, date(2026, 9, 30)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2026, 11, 30), 13, date(2027, 12, 30)),
        (date(2026, 5, 4), 0, date(2026, 5, 4)),
    ],
)
def test_a_warranty_ends_on_its_anniversary(day: date, months: int, last: date) -> None:
    """The last day is the same day of the month, or the month's last where there is none: 29 February becomes 28."""
    assert plus_months(day, months) == last


@given(DAYS, st.integers(0, 120))
def test_months_never_overshoot(day: date, months: int) -> None:
    """However long a warranty is, its last day lies in the month that the count of months names."""
    last = plus_months(day, months)
    assert (last.year * 12 + last.month) - (day.year * 12 + day.month) == months
    assert last.day == day.day or (last.day < day.day and (last + timedelta(days=1)).day == 1)


@pytest.mark.parametrize(
    ("day", "days", "then"),
    [
        (date(2026, 11, 20), 1, date(2026, 11, 23)),  # a Friday
        (date(2026, 11, 21), 1, date(2026, 11, 23)),  # a Saturday
        (date(2026, 11, 22), 1, date(2026, 11, 23)),  # a Sunday
        (date(2026, 11, 23), 10, date(2026, 12, 7)),  # a Monday
        (date(2026, 12, 24), 2, date(2026, 12, 28)),  # Christmas is a working day here
        (date(2026, 11, 20), 0, date(2026, 11, 20)),
    ],
)
def test_business_days_leave_out_saturdays_and_sundays(day: date, days: int, then: date) -> None:
    """Ten business days are two weeks, whatever day they begin on."""
    assert plus_business_days(day, days) == then


@given(DAYS, st.integers(1, 60))
def test_business_days_can_be_counted_back(day: date, days: int) -> None:
    """Between two moments lie exactly so many Mondays to Fridays."""
    then = plus_business_days(day, days)
    between = (day + timedelta(days=n) for n in range(1, (then - day).days + 1))
    assert sum(each.weekday() < 5 for each in between) == days
    assert then.weekday() < 5


@pytest.mark.parametrize(
    ("now", "zone", "day"),
    [
        (datetime(2026, 11, 21, 7, 59, tzinfo=UTC), LOS_ANGELES, date(2026, 11, 20)),
        (datetime(2026, 11, 21, 8, 0, tzinfo=UTC), LOS_ANGELES, date(2026, 11, 21)),
        (datetime(2026, 7, 1, 6, 59, tzinfo=UTC), LOS_ANGELES, date(2026, 6, 30)),
        (datetime(2026, 7, 1, 7, 0, tzinfo=UTC), LOS_ANGELES, date(2026, 7, 1)),
        (datetime(2026, 11, 20, 15, 0, tzinfo=UTC), "Asia/Tokyo", date(2026, 11, 21)),
        (datetime(2026, 12, 31, 11, 0, tzinfo=UTC), "Pacific/Kiritimati", date(2027, 1, 1)),
    ],
)
def test_a_day_is_the_companys_day(now: datetime, zone: str, day: date) -> None:
    """A mail at ten in the evening belongs to that day at the company, whatever day it is in Greenwich."""
    assert today(now, zone) == day


@pytest.mark.parametrize("zone", [LOS_ANGELES, "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago"])
@pytest.mark.parametrize("hour", [0, 2, 9, 23])
def test_a_deadline_comes_on_its_day_and_in_order(zone: str, hour: int) -> None:
    """Over a whole year, clock changes included, each day's deadline is one moment of that day, and later than the one before."""
    moments = [at_hour(date(2026, 1, 1) + timedelta(days=n), hour, zone) for n in range(366)]
    assert all(moment.tzinfo is not None and moment.utcoffset() == timedelta(0) for moment in moments)
    assert [today(moment, zone) for moment in moments] == [date(2026, 1, 1) + timedelta(days=n) for n in range(366)]
    assert all(timedelta(hours=22) <= b - a <= timedelta(hours=26) for a, b in pairwise(moments))


def test_an_hour_is_the_companys_hour() -> None:
    """Nine o'clock stays nine o'clock before and after the clocks change."""
    for day in (date(2026, 3, 7), date(2026, 3, 8), date(2026, 11, 1), date(2026, 11, 2)):
        assert at_hour(day, 9, LOS_ANGELES).astimezone(ZoneInfo(LOS_ANGELES)).hour == 9
