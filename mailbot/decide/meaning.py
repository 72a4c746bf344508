"""MEANS: a member of staff says what the sentence in question means, and the decision is made again."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import structs

from mailbot.decide.coverage import decide_units, latest_inquiry
from mailbot.decide.plan import Plan
from mailbot.decide.requests import plan_verdicts
from mailbot.intake.entities.serials import serial_key
from mailbot.intake.statements.conclusions import concluded, explained
from mailbot.model import Command, Intent, Requested, Statement, TaughtExample, Verdict

WITHDRAWALS: Final[frozenset[str]] = frozenset({"stop cancel", "stop info"})
"""What a sentence means if the customer does not want the return."""

_INTENTS: Final[Mapping[str, Intent]] = MappingProxyType(
    {"money credit": "credit", "money exchange": "exchange", "rework": "rework", "doa": "doa"}
)
"""The intents of sentences that ask for something other than a repair."""


def decide_meaning(plan: Plan, command: Command) -> tuple[Verdict, ...]:
    """Decide again on the units whose decision waits for the first sentence in question, and plan the changes."""
    inquiry = latest_inquiry(plan.current)
    if inquiry is None or not plan.current.questions:
        return ()
    first, *others = plan.current.questions
    plan.update(questions=tuple(others))
    drafted = tuple(unit for unit in plan.current.units if unit.draft)
    about = tuple(unit for unit in drafted if not first.units or serial_key(unit.serial) in first.units)
    if command.text in WITHDRAWALS:
        for unit in about:
            plan.move(unit, "canceled", asks=(), draft=None)
        plan.renew_deadlines(plan.current)
        return ()
    if command.text == "stop hold":
        for unit in about:
            plan.put(structs.replace(unit, draft=None))
        return ()
    request = structs.replace(
        inquiry.request,
        intent=_INTENTS.get(command.text, inquiry.request.intent),
        units=tuple(unit.as_requested for unit in drafted),
        statements=(explained(first, command.text), *others),
    )
    keys = {unit.serial: serial_key(unit.serial) for unit in request.units}
    request = concluded(request, keys, plan.context.policy.desk.certainty)
    decision = decide_units(plan.context, inquiry._replace(request=request))
    plan_verdicts(plan, Requested(inquiry.mail, request), decision)
    return decision.verdicts


def taught_example(questions: tuple[Statement, ...], command: Command, language: str) -> TaughtExample | None:
    """Return the sentence in question as an example of what the member of staff says that it means."""
    return TaughtExample(command.text, language, questions[0].masked) if questions else None
