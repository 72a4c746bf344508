"""Customers' emails about a case that is under way: cancellations, shipments, questions about the status."""

from __future__ import annotations

from msgspec import structs

from mailbot.case.lifecycle import NUMBERED, ON_SITE
from mailbot.decide.coverage import Inquiry, answer_decision, answer_verdict
from mailbot.decide.orders import decide_order
from mailbot.decide.results import about_case, keyed_answer, verdicts_decision
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Answered, Case, CaseUnit, Decision, Ordered, Request, Requested
from mailbot.policy.context import Context

CANCELABLE = frozenset({"asking", "quoted", "held", "authorized"})
"""States in which a customer can simply cancel: the unit has not been received."""


def decide_active(case: Case, event: Requested | Answered | Ordered, context: Context) -> Decision | None:
    """Decide what a customer's email means for a case; None if the rules of coverage or a person must decide."""
    mail, request = event.mail, event.request
    inquiry = Inquiry(mail, request, case)
    if mail.forged:
        return None
    if isinstance(event, Ordered):
        return decide_order(context, inquiry, case)
    if request.intent == "cancel":
        return _canceled(context, inquiry, case)
    if request.shipment and (shipped := _shipped(case, request)):
        return keyed_answer(context, inquiry, "under_way", shipped)
    if request.shipment and _in(case, "expired"):  # shipped under an expired number: staff must know (AP-25)
        return answer_decision(context, inquiry, context.answers.other)
    asked = {serial_key(unit.serial) for unit in request.units}
    held = {serial_key(unit.serial) for unit in case.units if unit.state == "held" and unit.resume_state}
    if asked and asked <= held:  # staff are dealing with these units
        return answer_decision(context, inquiry, context.answers.other)
    travelling = _in(case, "in_transit", *ON_SITE)
    if asked and asked <= {serial_key(unit.serial) for unit in travelling}:
        return keyed_answer(context, inquiry, "status", travelling)
    if _expired_long_ago(case, context) and (request.units or request.renews_number):
        about = inquiry._replace(request=about_case(case, request))
        verdicts = tuple(answer_verdict(context, about, context.answers.late_renewal, unit) for unit in _in(case, "expired"))
        return structs.replace(verdicts_decision(context, verdicts, request), notify=("approver",))
    known = all(unit.known and not (unit.staff_only or unit.answered_as_unknown) for unit in case.units)
    if request.intent == "status" and case.units and known:
        return keyed_answer(context, inquiry, "status", case.units)
    return None


def _expired_long_ago(case: Case, context: Context) -> bool:
    """Say whether the number expired so long ago that a person must decide on a new one."""
    limit = context.policy.rules.number.renew_days.value
    return case.state == "expired" and case.number is not None and (context.day - case.number.valid_until).days > limit


def _shipped(case: Case, request: Request) -> tuple[CaseUnit, ...]:
    """Return the units that the email says are shipped: those it names, else all that were to be shipped."""
    named = {serial_key(serial) for serial in request.shipment.serials} if request.shipment else set()
    return tuple(unit for unit in _in(case, "authorized") if not named or serial_key(unit.serial) in named)


def _in(case: Case, *states: str) -> tuple[CaseUnit, ...]:
    return tuple(unit for unit in case.units if unit.state in states)


def _canceled(context: Context, inquiry: Inquiry, case: Case) -> Decision | None:
    """Cancel what we have not received; a parts quote can be declined (AP-13); for the rest ask a person."""
    named = {serial_key(unit.serial) for unit in inquiry.request.units}
    meant = [unit for unit in case.units if not named or serial_key(unit.serial) in named]
    if meant and all(unit.state in CANCELABLE and not unit.on_site for unit in meant):
        others = [unit for unit in case.units if unit not in meant and unit.state in NUMBERED]
        return keyed_answer(context, inquiry, "withdrawn_part" if others else "withdrawn", meant)
    declined = [unit for unit in meant if unit.state == "parts_quoted"]
    if declined:
        return keyed_answer(context, inquiry, "parts_declined", declined)
    return None
