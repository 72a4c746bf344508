"""Calendar days as the policies count them: the first day is excluded, the last day is included."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Container
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

_SATURDAY = 5


def today(now: datetime, zone: str) -> date:
    """Return the calendar day of ``now`` (aware) in the company's zone (an IANA name)."""
    return now.astimezone(ZoneInfo(zone)).date()


def at_hour(day: date, hour: int, zone: str) -> datetime:
    """Return the time, in UTC, at which it is ``hour`` o'clock on ``day`` in the company's zone (an IANA name)."""
    return datetime.combine(day, time(hour), ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))


def plus_months(day: date, months: int) -> date:
    """Return the same day of a later month, at most the last day of that month (February 29 + 24 months = February 28)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def plus_business_days(day: date, days: int, calendar: str = "") -> date:
    """Return the day that is a number of business days after ``day`` (negative: before it), which is not counted itself.

    ``calendar``: the holidays, which are not business days (ST-15): an ISO 3166 code such as "US" or "US-CA"; empty: none.

    Raises:
        NotImplementedError: there is no such calendar.
    """
    days_off = holidays(calendar)
    step = timedelta(days=1 if days > 0 else -1)
    while days:
        day += step
        if day.weekday() < _SATURDAY and day not in days_off:
            days -= step.days
    return day


@cache
def holidays(calendar: str) -> Container[date]:
    """Return the holidays of a calendar (see ``plus_business_days``).

    Raises:
        NotImplementedError: there is no such calendar.
    """
    if not calendar:
        return frozenset()
    from holidays import country_holidays

    country, _, subdivision = calendar.partition("-")
    return country_holidays(country, subdiv=subdivision or None)
