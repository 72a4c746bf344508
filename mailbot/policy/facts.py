"""The facts that a rule can ask for: small pure functions with a finite set of answers.

A fact returns a set of words: exactly one for most facts; any number for ``exclusion`` and ``wish``. A condition holds if it has a
word in common with the answer. To add a fact, add its function here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import date, timedelta
from typing import get_args

from mailbot.model import Exclusion, Fact, Request, RequestedUnit, SpecialRequest, Unit, Value
from mailbot.policy.dates import plus_months
from mailbot.policy.rules import Condition, Rules

Words = frozenset[str]
Facts = dict[str, Words]


class Situation(Value, frozen=True):
    """Everything that facts depend on: one unit of one request, on one day in the company's zone.

    ``unit``: the registry row; None if there is none. ``domains``: the domains of From and Reply-To. ``asked``: what the case has
    asked for before. ``failure``: the failure that the latest repair fixed, as named in the word list; None if it has no name.
    ``paid``: the answer of the fact of that name.
    """

    rules: Rules
    request: Request
    item: RequestedUnit
    unit: Unit | None
    domains: tuple[str, ...]
    today: date
    asked: tuple[str, ...] = ()
    failure: str | None = None
    paid: str = "no"


FactFunction = Callable[[Situation], str | bool | Words]
FACTS: dict[str, FactFunction] = {}
_ANSWERS: dict[str, tuple[str, ...]] = {}


def _fact(*answers: str) -> Callable[[FactFunction], FactFunction]:
    """Add a function to the facts. ``answers``: its possible answers; without any, it answers "yes" or "no"."""

    def add(function: FactFunction) -> FactFunction:
        FACTS[function.__name__], _ANSWERS[function.__name__] = function, answers or ("yes", "no")
        return function

    return add


@_fact("missing", "unknown", "known")
def serial(s: Situation) -> str:
    """Is there a serial number, and is it in the registry? (AP-28)."""
    if not s.item.serial:
        return "missing"
    return "known" if s.unit else "unknown"


@_fact("missing", "vague", "given")
def reason(s: Situation) -> str:
    """Is there a reason, and does it name a symptom? The customer is asked about a vague reason once. (AP-28, ST-3)."""
    if not s.item.reason:
        return "missing"
    return "vague" if s.item.vague and "symptom" not in s.asked else "given"


@_fact("nobody", "owner", "stranger")
def requester(s: Situation) -> str:
    """Are From and Reply-To both in the registered customer's domain or a subdomain of it? (AP-3)."""
    if s.unit is None:
        return "nobody"
    return "owner" if owns(s.domains, s.unit) else "stranger"


@_fact("repair", "doa", "credit", "exchange", "rework")
def intent(s: Situation) -> str:
    """What the customer wants done."""
    return s.request.intent


@_fact("unknown")
def family(s: Situation) -> str:
    """The product family of the unit, as in the registry."""
    return s.unit.family if s.unit and s.unit.family in s.rules.families else "unknown"


@_fact()
def component(s: Situation) -> bool:
    """Is it a component of another manufacturer, with that manufacturer's own warranty? (AP-4)."""
    known = s.rules.families.get(s.unit.family) if s.unit else None
    return known is not None and known.warranty_months == 0


@_fact(*get_args(Exclusion))
def exclusion(s: Situation) -> Words:
    """What the email states that the warranty does not cover. (AP-8, AP-9, AP-10)."""
    return frozenset(s.item.exclusions)


@_fact("none", "inside", "outside")
def window(s: Situation) -> str:
    """Credit or exchange: is today inside the window? (ST-13, AP-43)."""
    until = window_until(s)
    if until is None:
        return "none"
    return "inside" if s.today <= until else "outside"


@_fact("unknown", "current", "old")
def revision(s: Situation) -> str:
    """Is it the current revision of the model? The email takes precedence over the registry. (AP-47)."""
    stated = s.item.revision or (s.unit.revision if s.unit else None)
    current = s.rules.revisions.get(s.unit.model) if s.unit else None
    if not stated or not current:
        return "unknown"
    return "current" if _rank(stated) >= _rank(current) else "old"


def _rank(revision: str) -> list[tuple[int, str]]:
    """Return a sort key for revisions: B10 is later than B9."""
    return [(int(digits or 0), letters) for digits, letters in re.findall(r"(\d+)|([^\W\d_]+)", revision.upper())]


@_fact("none", "same", "other", "unclear")
def repair(s: Situation) -> str:
    """Is a repair that the customer paid for still under warranty, and is it the same failure? (AP-21 to AP-24)."""
    until = repair_until(s)
    if s.unit is None or until is None or s.today > until:
        return "none"
    if s.failure is None or s.item.symptom is None:
        return "unclear"
    return "same" if s.failure == s.item.symptom else "other"


@_fact()
def doa(s: Situation) -> bool:
    """Is it reported as dead on arrival within the window after delivery? (AP-43)."""
    until = doa_until(s)
    return s.request.intent == "doa" and until is not None and s.today <= until


@_fact("unknown", "factory", "extended", "none")
def cover(s: Situation) -> str:
    """Does the factory warranty or an extended plan cover the unit today? (AP-1, AP-2, AP-12, ST-6, ST-7)."""
    if s.unit is None or s.unit.family not in s.rules.families:
        return "unknown"
    if s.today <= factory_until(s.unit, s.rules):
        return "factory"
    return "extended" if s.unit.extended_until and s.today <= s.unit.extended_until else "none"


@_fact("needed", "done")
def diagnosis(s: Situation) -> str:
    """Is the reference number of a remote diagnosis still needed for an RMA number? (ST-3, key ``diagnosis``)."""
    return "needed" if s.rules.diagnosis == "required" and not s.request.support_case else "done"


@_fact()
def overseas(s: Situation) -> bool:
    """Is the customer in another country than the company? (AP-41)."""
    abroad = bool(s.unit and s.unit.country and s.unit.country.upper() != s.rules.policy.country.value)
    return abroad or "overseas" in s.request.special_requests


@_fact(*get_args(SpecialRequest))
def wish(s: Situation) -> Words:
    """The special requests of the email. (AP-6, AP-12, AP-36, AP-38, AP-39)."""
    return frozenset(s.request.special_requests)


@_fact("default", "instructed")
def insurance(s: Situation) -> str:
    """Has the customer given instructions on insuring the return shipment? (AP-38)."""
    return "instructed" if "insure_instruction" in s.request.special_requests else "default"


@_fact()
def claimed(s: Situation) -> bool:
    """Does the email name an RMA number that we did not issue? (AP-25)."""
    return bool(s.request.claimed_numbers)


@_fact("no", "repair", "other")
def paid(s: Situation) -> str:
    """Does the customer pay for the repair, or for something other (findings, return shipping unrepaired)? (AP-21, AP-40)."""
    return s.paid


def domains(rules: Rules) -> dict[str, tuple[str, ...]]:
    """Return the possible answers of each fact under these rules."""
    return _ANSWERS | {"family": (*rules.families, "unknown")}


def owns(domains_: Collection[str], unit: Unit) -> bool:
    """Return whether all these domains are the registered customer's domain or subdomains of it; False without any domain."""
    owner = unit.customer_domain.lower()
    return bool(owner and domains_) and all(domain == owner or domain.endswith("." + owner) for domain in domains_)


# ---------------------------------------------------------------- the dates behind the facts


def factory_until(unit: Unit, rules: Rules) -> date:
    """Return the last day of the factory warranty; the anniversary of the delivery is included."""
    return plus_months(unit.delivered_on, rules.families[unit.family].warranty_months)


def cover_until(s: Situation) -> date | None:
    """Return the last day of the coverage that is in effect today, else of the latest that has expired; None if unknown."""
    if s.unit is None:
        return None
    factory = factory_until(s.unit, s.rules) if s.unit.family in s.rules.families else None
    if factory and s.today <= factory:
        return factory
    return max((day for day in (factory, s.unit.extended_until) if day), default=None)


def window_until(s: Situation) -> date | None:
    """Return the last day for credit or exchange; None if the rules have no window or neither is requested."""
    windows = s.rules.windows
    days = {"credit": windows.credit, "exchange": windows.exchange}.get(s.request.intent)
    if s.unit is None or days is None:
        return None
    bought = s.unit.purchased_on if windows.credit_from == "purchase" else None
    return (bought or s.unit.delivered_on) + timedelta(days=days.value)


def doa_until(s: Situation) -> date | None:
    """Return the last day on which a unit counts as dead on arrival; None if unknown or if the rules have no window."""
    return s.unit.delivered_on + timedelta(days=s.rules.windows.doa.value) if s.unit and s.rules.windows.doa else None


def repair_until(s: Situation) -> date | None:
    """Return the last day of the warranty on a repair that the customer paid for; None if there is none."""
    if s.unit is None or s.unit.repair_shipped_on is None or s.rules.windows.repair is None:
        return None
    return s.unit.repair_shipped_on + timedelta(days=s.rules.windows.repair.value)


DATES = ("delivered_on", "bought_on", "cover_until", "window_until", "doa_until", "repair_shipped_on", "repair_until", "today")


def dates(s: Situation) -> dict[str, date]:
    """Return the dates that the facts are based on, for the record and for placeholders in sentences."""
    found = {
        "delivered_on": s.unit.delivered_on if s.unit else None,
        "bought_on": (s.unit.purchased_on or s.unit.delivered_on) if s.unit else None,
        "cover_until": cover_until(s),
        "window_until": window_until(s),
        "doa_until": doa_until(s) if s.request.intent == "doa" else None,
        "repair_shipped_on": s.unit.repair_shipped_on if s.unit else None,
        "repair_until": repair_until(s),
        "today": s.today,
    }
    return {name: day for name, day in found.items() if day is not None}


# ---------------------------------------------------------------- conditions


def all_facts(s: Situation) -> Facts:
    """Return the answers of all facts."""
    return {name: words_of(fact(s)) for name, fact in FACTS.items()}


def words_of(condition: Condition | Words) -> Words:
    """Return the words that a condition or an answer names; ``true`` and ``false`` mean "yes" and "no"."""
    if isinstance(condition, bool):
        return frozenset(("yes" if condition else "no",))
    return frozenset((condition,) if isinstance(condition, str) else condition)


def holds(when: dict[str, Condition], facts: Facts) -> bool:
    """Return whether each condition has a word in common with the answer of its fact."""
    return all(facts[name] & words_of(condition) for name, condition in when.items())


def record(facts: Facts, days: dict[str, date]) -> tuple[Fact, ...]:
    """Return facts and dates (ISO 8601) as they are stored with a decision."""
    stated = tuple(Fact(name, " ".join(sorted(words))) for name, words in facts.items() if words)
    return stated + tuple(Fact(name, day.isoformat()) for name, day in days.items())


def recall(facts: tuple[Fact, ...]) -> Facts:
    """Return the answers of all facts from stored facts; a fact that is not stored has no answer."""
    return {name: frozenset() for name in FACTS} | {f.name: frozenset(f.value.split()) for f in facts if f.name in FACTS}
