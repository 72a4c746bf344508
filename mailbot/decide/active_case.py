"""Customer emails about an active case: purchase orders, cancellations, shipments, status requests, late renewals."""

from __future__ import annotations

from datetime import timedelta

from mailbot.case.lifecycle import CANCELABLE, NUMBERED, UNDER_WAY
from mailbot.decide.coverage import Inquiry, answer_decision, answer_units, keyed_answer
from mailbot.decide.orders import decide_order
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, CaseUnit, CustomerEvent, Decision, Ordered, Request
from mailbot.policy.context import Context


def decide_active(case: Case, event: CustomerEvent, context: Context) -> Decision | None:
    """Decide on a customer's email about a case; None if the rules of coverage or staff must decide."""
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
    under_way = _in(case, *UNDER_WAY)
    if asked and asked <= {serial_key(unit.serial) for unit in under_way}:
        return keyed_answer(context, inquiry, "status", under_way)
    last = context.day - timedelta(days=context.policy.rules.number.renew_days.value)
    long_ago = case.state == "expired" and case.number is not None and case.number.valid_until < last
    if long_ago and (request.units or request.renews_number):  # so long that staff must decide on a new number
        return answer_units(context, inquiry, context.answers.late_renewal, _in(case, "expired"), notify=("approver",))
    known = all(unit.known and not (unit.staff_only or unit.answered_as_unknown) for unit in case.units)
    if request.intent == "status" and case.units and known:
        return keyed_answer(context, inquiry, "status", case.units)
    return None


def _shipped(case: Case, request: Request) -> tuple[CaseUnit, ...]:
    """Return the units that the customer has shipped: those that the email names, else all that are due to be shipped."""
    named = {serial_key(serial) for serial in request.shipment.serials} if request.shipment else set()
    return tuple(unit for unit in _in(case, "authorized") if not named or serial_key(unit.serial) in named)


def _in(case: Case, *states: str) -> tuple[CaseUnit, ...]:
    return tuple(unit for unit in case.units if unit.state in states)


def _canceled(context: Context, inquiry: Inquiry, case: Case) -> Decision | None:
    """Cancel units that have not been shipped to us; decline a parts quote (AP-13); None: staff must decide."""
    named = {serial_key(unit.serial) for unit in inquiry.request.units}
    requested = [unit for unit in case.units if not named or serial_key(unit.serial) in named]
    if requested and all(unit.state in CANCELABLE and not unit.on_site for unit in requested):
        others = [unit for unit in case.units if unit not in requested and unit.state in NUMBERED]
        return keyed_answer(context, inquiry, "withdrawn_part" if others else "withdrawn", requested)
    declined = [unit for unit in requested if unit.state == "parts_quoted"]
    if declined:
        return keyed_answer(context, inquiry, "parts_declined", declined)
    return None
