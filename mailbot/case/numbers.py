"""RMA numbers: unique, issued only by us, with a check digit that detects typing errors (AP-25, ST-4)."""

from __future__ import annotations

import re
from datetime import date, timedelta

from stdnum import luhn

from mailbot.case.lifecycle import NUMBERED
from mailbot.model import Case, Number
from mailbot.policy.context import Context


def assign(context: Context, issued_by: str, until: date | None = None) -> Number:
    """Return the next number, valid for the number of days in the rules, today not counted, or fewer (AP-43, ST-5).

    ``issued_by``: the rule, or the address of the member of staff (ST-4). ``until``: the latest last valid day.
    """
    rules, day = context.policy.rules.number, context.day
    last = day + timedelta(days=rules.valid_days.value)
    return Number(
        text=format_number(rules.format, day.year, context.snapshot.sequence),
        issued_on=day,
        valid_until=min(last, until or last),
        issued_by=issued_by,
    )


def valid_number(case: Case, day: date) -> Number | None:
    """Return the number of the case if another unit may be returned under it: it is valid, and at least one unit uses it."""
    number = case.number
    if number is None or number.valid_until < day:
        return None
    return number if any((i.resume_state if i.state == "held" else i.state) in NUMBERED for i in case.units) else None


def pattern(form: str) -> str:
    """Return the regular expression that finds all numbers in this format, whether we issued them or not."""
    return re.escape(form.partition("{")[0]) + r"\d[\dA-Z-]*"


def format_number(form: str, year: int, sequence: int) -> str:
    """Return a number in the format of the rules; the check digit (Luhn) covers the digits of year and sequence."""
    digits = re.sub(r"\D", "", form.format(year=year, sequence=sequence, check=""))
    return form.format(year=year, sequence=sequence, check=luhn.calc_check_digit(digits))
