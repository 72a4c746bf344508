"""Calendar days as the policies count them: the first day is not counted, the last day is in."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Container
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

_SATURDAY = 5


def today(now: datetime, zone: str) -> date:
    """Return the calendar day of ``now`` in the company's zone."""
    return now.astimezone(ZoneInfo(zone)).date()


def at_hour(day: date, hour: int, zone: str) -> datetime:
    """Return the moment at which ``hour`` o'clock of ``day`` comes in the company's zone, in UTC."""
    return datetime.combine(day, time(hour), ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))


def plus_months(day: date, months: int) -> date:
    """Return the anniversary; the 29th to 31st fall back to the month's last day (29 February + 24 = 28 February)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def plus_business_days(day: date, days: int, calendar: str = "") -> date:
    """Return the day that comes ``days`` business days after ``day`` (before it, where negative): no Saturdays and Sundays.

    Args:
        day: not counted itself.
        days: how many.
        calendar: whose holidays do not count either (ST-15): a country's ISO code, with a subdivision "US-CA"; empty: they count.
    """
    free = holidays(calendar)
    step = timedelta(days=1 if days > 0 else -1)
    while days:
        day += step
        if day.weekday() < _SATURDAY and day not in free:
            days -= step.days
    return day


@cache
def holidays(calendar: str) -> Container[date]:
    """Return the holidays of a calendar.

    Raises:
        NotImplementedError: there is no such calendar.
    """
    if not calendar:
        return frozenset()
    from holidays import country_holidays

    country, _, subdivision = calendar.partition("-")
    return country_holidays(country, subdiv=subdivision or None)
