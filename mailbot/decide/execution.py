"""The changes of a staff command that is permitted (see ``permissions``)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from msgspec import structs

from mailbot.case import numbers, quotes
from mailbot.case.deadlines import postponed
from mailbot.case.lifecycle import RESUMED, event_of
from mailbot.case.quotes import marked, open_quotes
from mailbot.decide.coverage import fees
from mailbot.decide.plan import Plan
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, CaseUnit, Charge, Command, CommandResult, LifecycleEvent, Outcome
from mailbot.policy.dates import plus_business_days
from mailbot.policy.policy import Policy
from mailbot.policy.rules import FindingRule

_DISCLOSED: Final[Mapping[str, Any]] = MappingProxyType(
    {"asks": (), "resume_state": None, "answered_as_unknown": False, "staff_only": False, "known": True, "draft": None}
)
"""Fields of a unit after a decision by staff: it is no longer held, and no longer answered as unknown."""


def execute(plan: Plan, result: CommandResult, person: str) -> None:
    """Plan the changes of a permitted command. Deadlines are updated after all commands of the email.

    ``person``: the address of the member of staff who gave the command (ST-4).
    """
    command, units = result.command, plan.units(result.serials)
    match command.name:
        case "approve":
            _approve(plan, units, command, person)
        case "quote":
            _quote(plan, units, result)
        case "diagnosed":
            _diagnose(plan, units, result)
        case "ship_to":
            plan.update(ship_to=tuple(command.text.splitlines()))
        case "extend":
            _extend(plan, command.days, units)
        case "close" if not plan.current.units:
            plan.update(state="closed")
        case "received" | "shipped" | "close" | "reject" | "repaired" | "not_repairable" | "hold":
            for unit in units:
                _move(plan, unit, command)
            if command.name == "shipped":
                plan.update(outbound=command.shipment)


def _move(plan: Plan, unit: CaseUnit, command: Command) -> None:
    """Change the state of a unit as the command says."""
    event, rules = event_of(command.name, unit.state), plan.context.policy.rules.deadlines
    match command.name:
        case "received":
            due = plus_business_days(plan.context.day, rules.repair.days, rules.repair.holidays)
            plan.move(unit, event, received_on=plan.context.day, repair_due=due, resume_state=None)
        case "shipped":
            plan.move(unit, event, shipped_on=plan.context.day)
            if rules.close.days == 0:
                plan.move(plan.units((unit.serial,))[0], "closed")
        case "reject":
            plan.move(unit, event, outcome="decline", asks=(), resume_state=None)
        case "repaired":
            plan.move(unit, event, repaired=True, not_repairable=False)
        case "not_repairable":
            plan.move(unit, event, not_repairable=True)
        case "hold":
            plan.move(unit, event, resume_state=unit.state)
        case _:
            plan.move(unit, event)


def _approve(plan: Plan, units: tuple[CaseUnit, ...], command: Command, person: str) -> None:
    """Release units, and issue a number if one needs it."""
    before, context = plan.current, plan.context
    quoted = tuple(unit for unit in units if unit.draft and unit.draft.outcome == "quote")
    for unit in quoted:
        plan.move(unit, "quoted_by_staff", outcome="quote", **_DISCLOSED)
    if charges := tuple(charge for unit in quoted if unit.draft for charge in unit.draft.charges):
        plan.update(quotes=quotes.with_quote(plan.current, charges, tuple(unit.serial for unit in quoted), context))
    plan.update(questions=())
    for unit in units:
        if unit in quoted:
            continue
        released = unit.resume_state if unit.state == "held" else None
        event: LifecycleEvent = RESUMED[released] if released else "approved"
        outcome = "quote" if released in ("quoted", "parts_quoted") else "issue"
        plan.move(unit, event, outcome=outcome, **_DISCLOSED)
    prices = [structs.replace(price, currency=price.currency or context.policy.currency) for price in command.prices]
    if prices and command.fee:
        plan.update(fee=prices.pop())
    if any(unit.state == "authorized" for unit in plan.current.units):
        number = numbers.valid_number(before, context.day)
        plan.update(number=number or numbers.assign(context, person))
    still_open = {quote.number for quote in open_quotes(plan.current)}
    for quote in open_quotes(before):  # a PO that staff had to compare is accepted with the last unit of its quote
        if quote.pending_order and quote.number not in still_open:
            plan.update(quotes=marked(plan.current, {quote.number}, order=quote.pending_order))
    if prices:
        plan.update(credit=prices[0])


def _quote(plan: Plan, units: tuple[CaseUnit, ...], result: CommandResult) -> None:
    """Quote the prices of staff: a parts quote if the units have been received (AP-16, AP-19), else the first quote."""
    policy, case, command = plan.context.policy, plan.current, result.command
    parts = quotes.is_for_parts(units)
    fallback = next(iter(policy.rules.fees.values())).label if policy.rules.fees else command.name
    only = result.serials[0] if len(result.serials) == 1 else ""
    charges = tuple(
        Charge("", price.label or command.text or fallback, price.amount, price.currency or policy.currency, only)
        for price in command.prices
    )
    for unit in units:
        plan.move(unit, event_of("quote", unit.state), outcome="quote", **_DISCLOSED)
    plan.update(quotes=quotes.with_quote(case, charges, result.serials, plan.context, parts=parts))


_OUTCOMES: Final[Mapping[str, Outcome | None]] = MappingProxyType(
    {"decline": "decline", "hold": "staff", "quote": "quote", "notice": None}
)
"""The outcome of a finding, by ``FindingRule.then``. The first of several findings on a unit, in this order, decides."""


def finding_rules(case: Case, result: CommandResult, policy: Policy) -> list[FindingRule]:
    """Return the rules for the findings of a command, the most severe first. A finding without a rule is only recorded."""
    found = (policy.rules.findings.get(finding) for finding in result.command.findings)
    fitting = [rule for rule in found if rule and rule.concerns(case.intent)]
    return sorted(fitting, key=lambda rule: list(_OUTCOMES).index(rule.then))


def outcome_of_findings(rules: list[FindingRule], unit: CaseUnit) -> Outcome | None:
    """Return the outcome of the first rule for a unit; None if the findings are only recorded, as for a repair that is paid."""
    outcome = _OUTCOMES[rules[0].then] if rules else None
    return None if outcome == "quote" and unit.billed else outcome


def _diagnose(plan: Plan, units: tuple[CaseUnit, ...], result: CommandResult) -> None:
    """Record findings on units, and bill or quote their fees."""
    case, policy = plan.current, plan.context.policy
    found = finding_rules(case, result, policy)
    for unit in units:
        findings = tuple(dict.fromkeys((*unit.findings, *result.command.findings)))
        match outcome_of_findings(found, unit):
            case "decline":
                plan.move(unit, "diagnosed", findings=findings, outcome="decline")
            case "staff":
                plan.move(unit, "held_for_staff", findings=findings, resume_state="diagnosed", outcome="staff")
            case "quote":
                plan.move(unit, "parts_quoted", findings=findings, outcome="quote")
            case _:
                plan.move(unit, "diagnosed", findings=findings)
    lines = [
        (rule.then, line)
        for serial in result.serials
        for rule in found
        for line in fees(policy, dict.fromkeys(rule.charge), serial)
    ]
    if any(unit.state == "parts_quoted" for unit in plan.units(result.serials)):
        offered = tuple(line for then, line in lines if then == "quote")
        plan.update(quotes=quotes.with_quote(case, offered, result.serials, plan.context, parts=True))
    billed = (line for then, line in lines if then in ("notice", "decline") and line not in case.charges)
    plan.update(charges=(*case.charges, *billed))


def _extend(plan: Plan, days: int, units: tuple[CaseUnit, ...]) -> None:
    """Extend what these units wait for: the validity of the RMA or the quote, or the time to respond."""
    more, states = timedelta(days=days), {unit.state for unit in units}
    number = plan.current.number
    if "authorized" in states and number:
        plan.update(number=structs.replace(number, valid_until=number.valid_until + more))
    if states & {"quoted", "parts_quoted"}:
        keys = {serial_key(unit.serial) for unit in units}
        case = plan.current
        extended = {quote.number for quote in open_quotes(case) if keys & set(map(serial_key, quote.serials))}
        all_quotes = tuple(structs.replace(q, valid_until=q.valid_until + more) if q.number in extended else q for q in case.quotes)
        plan.update(quotes=all_quotes, deadlines=postponed(case, "quote", days))
    if "asking" in states:
        plan.update(deadlines=postponed(plan.current, "missing", days))
