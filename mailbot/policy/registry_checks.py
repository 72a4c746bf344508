"""Implausible rows of a registry: they can be read, but no rule covers the unit or no one can be its customer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date

from mailbot.intake.entities.serials import serial_key
from mailbot.model import Unit
from mailbot.policy.rules import Rules

_DOMAIN = re.compile(r"[^\s@]+\.[^\s@.]+")


def implausible_rows(units: Iterable[Unit], rules: Rules, today: date) -> list[str]:
    """Return a line for each kind of problem: the number of units, the first of them, and how to fix it.

    ``today``: in the company's zone.
    """
    rows = list(units)
    if not rows:
        return ["the registry is empty, so every serial number will be unknown: add your shipped units"]
    forms = [re.compile(form) for form in rules.serials.forms]
    checks: dict[str, Callable[[Unit], bool]] = {
        f"family is none of {', '.join(rules.families)}: add it to [families], or fix the row": (
            lambda unit: unit.family not in rules.families
        ),
        "customer_domain is not a valid domain, so the customer is not recognized: use one such as acme.example": (
            lambda unit: not _DOMAIN.fullmatch(unit.customer_domain)
        ),
        "delivered_on is in the future": lambda unit: unit.delivered_on > today,
        "serial matches no form in [serials], so it may be missed in emails: add its form": (
            lambda unit: not any(form.fullmatch(serial_key(unit.serial)) for form in forms)
        ),
    }
    found = ((problem, [unit.serial for unit in rows if is_implausible(unit)]) for problem, is_implausible in checks.items())
    return [f"{len(serials)} of {len(rows)} units, first {serials[0]}: {problem}" for problem, serials in found if serials]
