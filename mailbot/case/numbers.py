"""RMA numbers: unique, assigned by us alone, with a check digit that catches a slip of the pen (AP-25, ST-4)."""

from __future__ import annotations

import re
from datetime import date, timedelta

from stdnum import luhn

from mailbot.case.lifecycle import NUMBERED
from mailbot.model import Case, Number
from mailbot.policy.context import Context


def assign(context: Context, issued_by: str, until: date | None = None) -> Number:
    """Return the next number: valid from today (not counted) for the days the rules give, or fewer (AP-43, ST-5).

    Args:
        context: the rules, the next sequence number, and today.
        issued_by: the rule or the person (ST-4).
        until: the last day that the number may be valid at all.
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
    """Return the case's number if a further unit may travel under it: it is valid, and a unit travels under it."""
    number = case.number
    if number is None or number.valid_until < day:
        return None
    return number if any((i.resume_state if i.state == "held" else i.state) in NUMBERED for i in case.units) else None


def pattern(form: str) -> str:
    """Return the regular expression that finds numbers of this format, ours and made-up ones alike."""
    return re.escape(form.partition("{")[0]) + r"\d[\dA-Z-]*"


def format_number(form: str, year: int, sequence: int) -> str:
    """Write a number in the rules' format; the check digit (Luhn) is over the digits of year and sequence."""
    digits = re.sub(r"\D", "", form.format(year=year, sequence=sequence, check=""))
    return form.format(year=year, sequence=sequence, check=luhn.calc_check_digit(digits))
