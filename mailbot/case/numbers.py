"""RMA numbers: unique, assigned by us alone, with a check digit that catches a slip of the pen (AP-25, ST-4)."""

from __future__ import annotations

import re
from datetime import date, timedelta

from stdnum import luhn

from mailbot.model import Known, Number, Verdict
from mailbot.policy.policy import Policy


def assign(policy: Policy, known: Known, day: date, verdict: Verdict) -> Number:
    """Return the next number: valid from ``day`` (not counted) for the days the rules give, or less (AP-43, ST-5)."""
    rules = policy.rules.number
    until = day + timedelta(days=rules.valid_days.value)
    return Number(
        text=write(rules.format, day.year, known.sequence),
        issued_on=day,
        valid_until=min(until, verdict.valid_until or until),
        issued_by=f"rule {verdict.clauses[0]}",
    )


def pattern(form: str) -> str:
    """Return the regular expression that finds numbers of this format, ours and made-up ones alike."""
    return re.escape(form.partition("{")[0]) + r"\d[\dA-Z-]*"


def write(form: str, year: int, sequence: int) -> str:
    """Write a number in the rules' format; the check digit (Luhn) is over the digits of year and sequence."""
    digits = re.sub(r"\D", "", form.format(year=year, sequence=sequence, check=""))
    return form.format(year=year, sequence=sequence, check=luhn.calc_check_digit(digits))
