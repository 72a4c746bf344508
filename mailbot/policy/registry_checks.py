"""What in a registry is readable and yet cannot be meant: units that no rule covers, customers whom nobody can be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date

from mailbot.intake.entities.serials import serial_key
from mailbot.model import Unit
from mailbot.policy.rules import Rules

_DOMAIN = re.compile(r"[^\s@]+\.[^\s@.]+")


def implausible_rows(units: Iterable[Unit], rules: Rules, today: date) -> list[str]:
    """Name each kind of doubt once: how many units it concerns, the first of them, and the mend."""
    forms = [re.compile(form) for form in rules.serials.forms]
    looks: dict[str, Callable[[Unit], bool]] = {
        f"family is none of {', '.join(rules.families)}: add it to [families], or mend the row": (
            lambda unit: unit.family not in rules.families
        ),
        "customer_domain is no domain, so the customer is a stranger to the desk: write one like acme.example": (
            lambda unit: not _DOMAIN.fullmatch(unit.customer_domain)
        ),
        "delivered_on lies in the future": lambda unit: unit.delivered_on > today,
        "serial has none of the forms of [serials], so it may be overlooked in a mail: add its form": (
            lambda unit: not any(form.fullmatch(serial_key(unit.serial)) for form in forms)
        ),
    }
    found: dict[str, list[str]] = {}
    count = 0
    for unit in units:
        count += 1
        for what, doubtful in looks.items():
            if doubtful(unit):
                found.setdefault(what, []).append(unit.serial)
    told = [f"{len(serials)} of {count} units, first {serials[0]}: {what}" for what, serials in found.items()]
    return told if count else ["there is no unit in it, so every serial will be unknown: fill it"]
