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

    Args:
        units: the rows of the registry.
        rules: the company's, for families and forms of serial numbers.
        today: in the company's zone.
    """
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
    found: dict[str, list[str]] = {}
    count = 0
    for unit in units:
        count += 1
        for problem, is_implausible in checks.items():
            if is_implausible(unit):
                found.setdefault(problem, []).append(unit.serial)
    lines = [f"{len(serials)} of {count} units, first {serials[0]}: {problem}" for problem, serials in found.items()]
    return lines if count else ["the registry is empty, so every serial number will be unknown: add your shipped units"]
