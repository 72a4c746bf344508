"""What follows in a running case: the commands of staff, and the news of its customer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from msgspec import structs

from mailbot.case.carry import carry_out, fees
from mailbot.case.deadlines import renew, renewed
from mailbot.case.lifecycle import move, state_of
from mailbot.case.quotes import awaits_order, latest, marked, meant, standing
from mailbot.intake.serials import fold
from mailbot.model import (
    Bounced,
    CameDue,
    Case,
    CaseItem,
    Decision,
    Event,
    Ignored,
    Known,
    Pending,
    Request,
    StaffSaid,
    State,
)
from mailbot.policy.policy import Policy
from mailbot.policy.rules import Answer


def commanded(case: Case, event: StaffSaid, decision: Decision, known: Known, policy: Policy, day: date) -> Case:
    """Carry out what was granted; note what waits for a second approver (A12)."""
    after, person = _seen_by_others(case, event, policy), event.mail.sender
    for ruling in decision.rulings:
        if ruling.result == "done":
            after = carry_out(after, ruling, person, policy, known, day)
    waiting = tuple(r.command for r in decision.rulings if r.result == "second")
    asked = case.pending.commands if case.pending else ()
    if waiting:
        after = structs.replace(after, pending=Pending(waiting, person))
    elif any(r.result == "done" and (r.command in asked or r.command.name == "reject") for r in decision.rulings):
        after = structs.replace(after, pending=None)
    if decision.told == "answered" and not case.items:  # a question that a colleague has answered himself
        after = structs.replace(after, state="closed")
    return renewed(case, after, policy, day)


def _seen_by_others(case: Case, event: StaffSaid, policy: Policy) -> Case:
    """Take back a token that a colleague's mail has shown to others: its ids and what it quotes go to them too."""
    colleagues = {person.address for person in policy.desk.staff}
    if not event.token or set(event.mail.others) <= colleagues:
        return case
    return structs.replace(case, tokens=tuple(token for token in case.tokens if token.secret != event.token))


def followed(case: Case, event: Event, decision: Decision, policy: Policy, day: date) -> Case:
    """Take a customer's news into the case: withdrawn, under way, ordered, declined."""
    if isinstance(event, CameDue | Bounced | Ignored | StaffSaid):
        return case
    request, keys = event.request, {fold(verdict.serial) for verdict in decision.verdicts}

    def each(change: Callable[[CaseItem], CaseItem]) -> Case:
        items = tuple(change(item) if fold(item.serial) in keys else item for item in case.items)
        return structs.replace(case, items=items, state=state_of(items, case.state), unreachable=False)

    after = structs.replace(case, unreachable=False)
    match decision.told:
        case "withdrawn" | "withdrawn_part":
            after = each(lambda i: structs.replace(i, state=move(i.state, "withdrawn"), asks=(), resumes=None))
        case "under_way":
            after = each(
                lambda i: structs.replace(i, state=move(i.state, "in_transit")) if i.state == "authorized" else i
            )
            after = structs.replace(after, inbound=request.parcel)
        case "parts_ordered":
            after = paid(each(lambda i: structs.replace(i, state=move(i.state, "ordered"))), decision, request)
        case "parts_declined":
            after = parts_declined(case, policy, policy.rules.answers.parts_declined, keys)
    after = structs.replace(after, wishes=tuple(dict.fromkeys((*case.wishes, *request.wishes))))
    return structs.replace(after, deadlines=renew(after, policy, day))


def parts_declined(case: Case, policy: Policy, answer: Answer, keys: set[str]) -> Case:
    """Let the units whose parts quote is not accepted wait for their way back, the diagnosis charged (AP-13)."""
    refused = [item.serial for item in case.items if item.state == "parts_quoted" and fold(item.serial) in keys]
    items = tuple(
        structs.replace(item, state=move(item.state, "diagnosed"), outcome="decline", unrepairable=True)
        if item.serial in refused
        else item
        for item in case.items
    )
    lines = tuple(
        line for serial in refused for line in fees(policy, answer.charge, serial) if line not in case.charges
    )
    return structs.replace(case, items=items, state=state_of(items, case.state), charges=(*case.charges, *lines))


def paid(case: Case, decision: Decision, request: Request) -> Case:
    """Note the order on the quote that it accepts, and that the customer pays for these units (AP-17, AP-21)."""
    keys = {fold(verdict.serial) for verdict in decision.verdicts}
    items = tuple(
        structs.replace(item, charged=True, outcome="issue") if fold(item.serial) in keys else item
        for item in case.items
    )
    accepted = {
        quote.number for item in case.items if fold(item.serial) in keys and (quote := latest(case, item.serial))
    }
    order = (request.order.number if request.order else "") or "accepted"
    return structs.replace(case, items=items, quotes=marked(case, accepted, order=order))


def held_for_comparison(case: Case, request: Request) -> Case:
    """Hold the units that an order is about until a person has compared it with the quote (AP-17, O3)."""
    number = request.order.number if request.order else request.po_number or ""
    offers = standing(case)
    if not offers:  # the offer has lapsed: its last one is what the order can be for
        offers = case.quotes[-1:] if case.quotes and not case.quotes[-1].order else ()
    chosen = meant(request.order, offers) if request.order else offers
    keys = {fold(serial) for quote in chosen for serial in quote.serials}

    def hold(item: CaseItem) -> CaseItem:
        lapsed = item.state == "closed" and item.shipped_on is None
        if fold(item.serial) not in keys or not (awaits_order(item) or lapsed):
            return item
        parts = "parts_quoted" in (item.state, item.resumes) or item.resumes == "ordered"
        state: State = item.state if item.state == "held" else move(item.state, "held")
        return structs.replace(item, state=state, resumes="ordered" if parts else "authorized", charged=True)

    items = tuple(hold(item) for item in case.items)
    noted = marked(case, {quote.number for quote in chosen}, offered=number or "order")
    return structs.replace(case, items=items, quotes=noted, state=state_of(items, case.state))
