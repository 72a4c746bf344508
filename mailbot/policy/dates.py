"""Calendar days as the policies count them: the first day is not counted, the last day is in."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, timedelta
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


def plus_business_days(day: date, days: int) -> date:
    """Return the day that comes ``days`` business days after ``day``; Saturdays and Sundays do not count."""
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < _SATURDAY
    return day
