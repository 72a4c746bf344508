"""What follows in a running case: the commands of staff, and the news of its customer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from msgspec import structs

from mailbot.case.deadlines import renew, renewed
from mailbot.case.execute import execute, fees
from mailbot.case.lifecycle import move, state_of
from mailbot.case.quotes import awaits_order, latest, marked, open_quotes, quotes_named
from mailbot.intake.entities.serials import serial_key
from mailbot.model import (
    Bounced,
    Case,
    CaseUnit,
    DeadlinesReached,
    Decision,
    Event,
    Ignored,
    PendingApproval,
    Request,
    Snapshot,
    StaffMessage,
    State,
)
from mailbot.policy.policy import Policy
from mailbot.policy.rules import AnswerRule


def apply_commands(
    case: Case, event: StaffMessage, decision: Decision, snapshot: Snapshot, policy: Policy, day: date
) -> Case:
    """Carry out what was granted; note what waits for a second approver (A12)."""
    after, person = _seen_by_others(case, event, policy), event.mail.sender
    for ruling in decision.rulings:
        if ruling.result == "done":
            after = execute(after, ruling, person, policy, snapshot, day)
    waiting = tuple(r.command for r in decision.rulings if r.result == "second")
    asked = case.pending.commands if case.pending else ()
    if waiting:
        after = structs.replace(after, pending=PendingApproval(waiting, person))
    elif any(r.result == "done" and (r.command in asked or r.command.name == "reject") for r in decision.rulings):
        after = structs.replace(after, pending=None)
    if decision.told == "answered" and not case.units:  # a question that a colleague has answered himself
        after = structs.replace(after, state="closed")
    return renewed(case, after, policy, day)


def _seen_by_others(case: Case, event: StaffMessage, policy: Policy) -> Case:
    """Take back a token that a colleague's mail has shown to others: its ids and what it quotes go to them too."""
    colleagues = {person.address for person in policy.desk.staff}
    if not event.token or set(event.mail.others) <= colleagues:
        return case
    return structs.replace(case, tokens=tuple(token for token in case.tokens if token.secret != event.token))


def apply_update(case: Case, event: Event, decision: Decision, policy: Policy, day: date) -> Case:
    """Take a customer's news into the case: withdrawn, under way, ordered, declined."""
    if isinstance(event, DeadlinesReached | Bounced | Ignored | StaffMessage):
        return case
    request, keys = event.request, {serial_key(verdict.serial) for verdict in decision.verdicts}

    def each(change: Callable[[CaseUnit], CaseUnit]) -> Case:
        items = tuple(change(unit) if serial_key(unit.serial) in keys else unit for unit in case.units)
        return structs.replace(case, units=items, state=state_of(items, case.state), unreachable=False)

    after = structs.replace(case, unreachable=False)
    match decision.told:
        case "withdrawn" | "withdrawn_part":
            after = each(lambda i: structs.replace(i, state=move(i.state, "withdrawn"), asks=(), resume_state=None))
        case "under_way":
            after = each(
                lambda i: structs.replace(i, state=move(i.state, "in_transit")) if i.state == "authorized" else i
            )
            after = structs.replace(after, inbound=request.parcel)
        case "parts_ordered":
            after = paid(each(lambda i: structs.replace(i, state=move(i.state, "ordered"))), decision, request)
        case "parts_declined":
            after = parts_declined(case, policy, policy.rules.answers.parts_declined, keys)
    after = structs.replace(
        after, special_requests=tuple(dict.fromkeys((*case.special_requests, *request.special_requests)))
    )
    return structs.replace(after, deadlines=renew(after, policy, day))


def parts_declined(case: Case, policy: Policy, answer: AnswerRule, keys: set[str]) -> Case:
    """Let the units whose parts quote is not accepted wait for their way back, the diagnosis charged (AP-13)."""
    refused = [unit.serial for unit in case.units if unit.state == "parts_quoted" and serial_key(unit.serial) in keys]
    items = tuple(
        structs.replace(unit, state=move(unit.state, "diagnosed"), outcome="decline", unrepairable=True)
        if unit.serial in refused
        else unit
        for unit in case.units
    )
    lines = tuple(
        line for serial in refused for line in fees(policy, answer.charge, serial) if line not in case.charges
    )
    return structs.replace(case, units=items, state=state_of(items, case.state), charges=(*case.charges, *lines))


def paid(case: Case, decision: Decision, request: Request) -> Case:
    """Note the order on the quote that it accepts, and that the customer pays for these units (AP-17, AP-21)."""
    keys = {serial_key(verdict.serial) for verdict in decision.verdicts}
    items = tuple(
        structs.replace(unit, charged=True, outcome="issue") if serial_key(unit.serial) in keys else unit
        for unit in case.units
    )
    accepted = {
        quote.number for unit in case.units if serial_key(unit.serial) in keys and (quote := latest(case, unit.serial))
    }
    order = (request.order.number if request.order else "") or "accepted"
    return structs.replace(case, units=items, quotes=marked(case, accepted, order=order))


def held_for_comparison(case: Case, request: Request) -> Case:
    """Hold the units that an order is about until a person has compared it with the quote (AP-17, O3)."""
    number = request.order.number if request.order else request.po_number or ""
    offers = open_quotes(case)
    if not offers:  # the offer has lapsed: its last one is what the order can be for
        offers = case.quotes[-1:] if case.quotes and not case.quotes[-1].order else ()
    chosen = quotes_named(request.order, offers) if request.order else offers
    keys = {serial_key(serial) for quote in chosen for serial in quote.serials}

    def hold(unit: CaseUnit) -> CaseUnit:
        lapsed = unit.state == "closed" and unit.shipped_on is None
        if serial_key(unit.serial) not in keys or not (awaits_order(unit) or lapsed):
            return unit
        parts = "parts_quoted" in (unit.state, unit.resume_state) or unit.resume_state == "ordered"
        state: State = unit.state if unit.state == "held" else move(unit.state, "held")
        return structs.replace(unit, state=state, resume_state="ordered" if parts else "authorized", charged=True)

    items = tuple(hold(unit) for unit in case.units)
    noted = marked(case, {quote.number for quote in chosen}, pending_order=number or "order")
    return structs.replace(case, units=items, quotes=noted, state=state_of(items, case.state))
