"""Purchase orders (PO): comparison with the open quotes, and the changes that they cause (AP-17, AP-20, ST-6)."""

from __future__ import annotations

from msgspec import structs

from mailbot.case import quotes
from mailbot.case.quotes import awaits_order, latest_quote, marked, open_quotes, quotes_named
from mailbot.decide.coverage import Inquiry, answer_decision, answer_units, fees, keyed_answer
from mailbot.decide.plan import Plan
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, Decision, Request
from mailbot.policy.context import Context
from mailbot.policy.policy import Policy
from mailbot.policy.rules import AnswerRule, DecisionRule


def decide_order(context: Context, inquiry: Inquiry, case: Case) -> Decision | None:
    """Decide on a purchase order by the open quotes; None: staff must compare them."""
    request, answers = inquiry.request, context.answers
    offers = open_quotes(case)
    if not offers or request.order is None or request.attention:
        return None
    if not request.order.copy:
        return answer_decision(context, inquiry, answers.accept)
    quote = quotes.accepted_quote(request.order, offers, context.day)
    keys = {serial_key(serial) for serial in quote.serials} if quote else set()
    units = [unit for unit in case.units if serial_key(unit.serial) in keys and awaits_order(unit)]
    if quote is None or any(unit.resume_state in ("quoted", "parts_quoted") for unit in units):  # put on hold by staff
        return None
    if quote.parts:
        return keyed_answer(context, inquiry, "parts_ordered", units)
    if rule := _missing_diagnosis(case, context.policy):
        held = AnswerRule(clause=rule.clause, then=rule.then, says=rule.says, source=rule.source, also=rule.also)
        return answer_units(context, inquiry, held, units, notify=("approver",))
    says = answers.matches.says.replace("{order}", request.order.number)
    billed = [structs.replace(unit, billed=True) for unit in units]
    return answer_units(context, inquiry, answers.matches, billed, says=says)


def _missing_diagnosis(case: Case, policy: Policy) -> DecisionRule | None:
    """Return the rule that requires a remote diagnosis, if it is still missing; a paid repair needs it, too (ST-3)."""
    needed = policy.rules.diagnosis == "required" and not case.support_case and case.intent in ("repair", "doa")
    return next((rule for rule in policy.rules.decide if needed and rule.when.get("diagnosis") == "needed"), None)


def note_payment(plan: Plan, decision: Decision, request: Request) -> None:
    """Record the purchase order with the quote that it accepts, and mark the units as billed (AP-17, AP-21)."""
    case, units = plan.current, plan.units([verdict.serial for verdict in decision.verdicts])
    accepted = {quote.number for unit in units if (quote := latest_quote(case, unit.serial))}
    for unit in units:
        plan.put(structs.replace(unit, billed=True, outcome="issue"))
    order = (request.order.number if request.order else "") or "accepted"
    plan.update(quotes=marked(plan.current, accepted, order=order))


def hold_for_comparison(plan: Plan, request: Request) -> None:
    """Hold the units that a purchase order is for until staff have compared it with the quote (AP-17)."""
    case = plan.current
    number = request.order.number if request.order else request.po_number or ""
    offers = open_quotes(case)
    if not offers:  # the quote has expired: the PO can only be for the latest one
        offers = case.quotes[-1:] if case.quotes and not case.quotes[-1].order else ()
    chosen = quotes_named(request.order, offers) if request.order else offers
    for unit in plan.units([serial for quote in chosen for serial in quote.serials]):
        expired = unit.state == "closed" and unit.shipped_on is None
        if not (awaits_order(unit) or expired):
            continue
        parts = "parts_quoted" in (unit.state, unit.resume_state) or unit.resume_state == "ordered"
        fields = {"resume_state": "ordered" if parts else "authorized", "billed": True}
        if unit.state == "held":
            plan.put(structs.replace(unit, **fields))
        else:
            plan.move(unit, "po_differs", **fields)
    plan.update(quotes=marked(plan.current, {quote.number for quote in chosen}, pending_order=number or "order"))


def decline_parts(plan: Plan, answer: AnswerRule, serials: list[str]) -> None:
    """Plan the return of units whose parts quote is not accepted, unrepaired; the fees of the answer are billed (AP-13)."""
    policy, charges = plan.context.policy, plan.current.charges
    declined = [unit for unit in plan.units(serials) if unit.state == "parts_quoted"]
    for unit in declined:
        plan.move(unit, "parts_declined", outcome="decline", not_repairable=True)
    lines = [line for unit in declined for line in fees(policy, dict.fromkeys(answer.charge), unit.serial) if line not in charges]
    plan.update(charges=(*charges, *lines))
