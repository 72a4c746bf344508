"""The decision on a customer's email: by the state of its case, else by the rules of coverage, else by staff."""

from __future__ import annotations

from msgspec import structs

from mailbot.case import numbers
from mailbot.case.lifecycle import EVENT_OF_OUTCOME, NUMBERED, next_state
from mailbot.case.matching import base_subject, case_id
from mailbot.case.merge import UNIT_INTENTS
from mailbot.case.quotes import with_quote
from mailbot.decide import notices
from mailbot.decide.active_case import decide_active
from mailbot.decide.coverage import Inquiry, answer_decision, decide_units
from mailbot.decide.orders import decline_parts, hold_for_comparison, note_payment
from mailbot.decide.plan import Plan
from mailbot.intake.entities.serials import serial_key
from mailbot.model import (
    CaseOpened,
    CaseUnit,
    CustomerEvent,
    Decision,
    LifecycleEvent,
    MailReference,
    Notice,
    Ordered,
    Request,
    RequestedUnit,
    StaffMessage,
    UnitRemoved,
    Verdict,
)

ANSWERS_IF_FORGED = 1
"""Replies per day to an address in a From header that our mail server reports as not genuine."""
ANSWERS_A_DAY = 5
"""Direct replies to one address per day. After that, none are sent, and staff are notified once."""


def decide_request(plan: Plan, event: CustomerEvent) -> Decision:
    """Decide on a customer's email."""
    decision = _decide(plan, event)
    if plan.case and decision.answer_key and not (isinstance(event, Ordered) and decision.outcome == "staff"):
        _plan_update(plan, event.request, decision)
        serials = [verdict.serial for verdict in decision.verdicts]
        units = tuple(unit for serial in serials for unit in plan.units((serial,)))
        added = event.request.special_requests
        _plan_answer(plan, event, decision, notices.progress(plan, decision.answer_key, units, decision, added))
    elif decision.outcome != "none":
        if plan.case and isinstance(event, Ordered) and decision.outcome == "staff":
            hold_for_comparison(plan, event.request)
        first = plan.case is None or not plan.case.replies
        plan_verdicts(plan, event, decision)
        _plan_answer(plan, event, decision, notices.answer(plan, decision, event.mail, first=first))
    return plan.decided(decision)


def _decide(plan: Plan, event: CustomerEvent) -> Decision:
    context, case, mail, request = plan.context, plan.case, event.mail, event.request
    answers, inquiry = context.answers, Inquiry(mail, request, case)
    if request.thanks and not (request.units or request.special_requests or request.shipment):
        return plan.no_action("thanks")
    if case is not None and (decision := decide_active(case, event, context)):
        return decision
    if request.attention or request.may_be_machine:
        return answer_decision(context, inquiry, answers.other)
    if isinstance(event, Ordered):
        return answer_decision(context, inquiry, answers.order)
    if request.intent == "accept_quote":
        return answer_decision(context, inquiry, answers.accept)
    about_units = request.intent in UNIT_INTENTS
    if about_units and request.units:
        decision = decide_units(context, inquiry)
        # A serial number that could not be matched twice, whether it exists or not (promise 7), needs a person.
        again = case is not None and "known_serial" in case.asked and "known_serial" in decision.asks
        return structs.replace(decision, notify=decision.notify or ("approver",)) if again else decision
    plain = answer_decision(context, inquiry, answers.other)
    if about_units and request.foreign:  # answered as if it named no unit; staff see the units that it names (promise 7)
        foreign = decide_units(context, inquiry)
        roles = tuple(dict.fromkeys((*foreign.notify, *plain.notify)))
        return structs.replace(plain, verdicts=foreign.verdicts, notify=roles)
    return plain


# ---------------------------------------------------------------- changes


def plan_verdicts(plan: Plan, event: CustomerEvent | StaffMessage, decision: Decision) -> None:
    """Plan the changes that the verdicts of a decision cause; open a case if there is none."""
    request, context = event.request, plan.context
    if plan.case is None:
        _open(plan, event.mail, request)
    plan.update(unreachable=False)
    since = plan.current
    matched = isinstance(event, Ordered) and decision.outcome == "issue"
    _plan_units(plan, request, decision, matched=matched)
    _plan_number(plan, decision, numbers.valid_number(since, context.day) is not None)
    quoted = [verdict for verdict in decision.verdicts if verdict.outcome == "quote"]
    charges = tuple(charge for verdict in quoted for charge in verdict.charges)
    if charges:
        plan.update(quotes=with_quote(since, charges, tuple(verdict.serial for verdict in quoted), context))
    if not decision.verdicts and not since.history:
        plan.update(state="asking" if decision.outcome == "ask" else "held")
    plan.update(
        intent=request.intent if decision.verdicts and request.intent in UNIT_INTENTS else since.intent,
        asked=tuple(dict.fromkeys((*since.asked, *decision.asks))),
        special_requests=request.special_requests or since.special_requests,
        support_case=request.support_case or since.support_case,
        questions=request.in_question if any(unit.draft for unit in plan.current.units) else (),
    )
    if matched:
        note_payment(plan, decision, request)
    asked = any(verdict.outcome == "ask" or verdict.answered_as_unknown for verdict in decision.verdicts)
    plan.renew_deadlines(since, asked=asked, quoted=bool(quoted))


def _open(plan: Plan, mail: MailReference, request: Request) -> None:
    """Open a case for the address that replies go to."""
    policy = plan.context.policy
    plan.add(
        CaseOpened(
            id=case_id(plan.context.snapshot.id_entropy),
            mailbox=policy.desk.address,
            policy=policy.name,
            sender=mail.answer_to or mail.sender,
            subject="" if mail.forged else base_subject(mail.subject),
            name=mail.name,
            language=request.language,
            intent=request.intent,
            participants=tuple(dict.fromkeys(address for address in (mail.sender, mail.answer_to) if address)),
        )
    )


def _plan_units(plan: Plan, request: Request, decision: Decision, *, matched: bool) -> None:
    """Update the units that were decided on, and remove units without a known serial number that were replaced."""
    if not decision.verdicts:
        return
    case = plan.current
    requested = {serial_key(unit.serial): unit.as_requested for unit in case.units}
    requested |= {serial_key(unit.serial): unit for unit in (*request.foreign, *request.units)}
    before = {serial_key(unit.serial): unit for unit in case.units}
    verdicts = {
        serial_key(verdict.serial): verdict
        for verdict in decision.verdicts
        if verdict.number in (None, case.number)  # else the RMA of another case covers the unit
        and not _stays_unchanged(before.get(serial_key(verdict.serial)), verdict)
    }
    for key, unit in before.items():
        if key not in verdicts and not (unit.known and unit.serial) and unit.state in ("asking", "held"):
            plan.add(UnitRemoved(unit.serial))
    for key, verdict in verdicts.items():
        event = EVENT_OF_OUTCOME[verdict.outcome]
        earlier = before.get(key)
        if matched and earlier and verdict.outcome == "issue" and earlier.state in ("quoted", "held"):
            event = "po_matched"
        plan.put(_decided_unit(earlier, requested[key], verdict, event), event)
    _withdraw_corrected(plan, request, decision)


def _stays_unchanged(unit: CaseUnit | None, verdict: Verdict) -> bool:
    """Return whether the verdict does not change the unit: it has an RMA number, is under way, or was put on hold."""
    if unit is None or unit.state not in (*NUMBERED, "held"):
        return False
    if unit.state == "authorized":
        return verdict.outcome not in ("issue", "staff")
    if unit.state != "held":
        return True
    released = unit.billed and verdict.outcome == "issue"  # by a purchase order that matches
    return unit.resume_state is not None and not released


def _decided_unit(before: CaseUnit | None, requested: RequestedUnit, verdict: Verdict, event: LifecycleEvent) -> CaseUnit:
    return CaseUnit(
        serial=verdict.serial,
        state=next_state(before.state if before else None, event),
        outcome=verdict.outcome,
        clauses=verdict.clauses,
        known=verdict.known and not verdict.answered_as_unknown,
        model=verdict.model,
        reason=requested.reason,
        exclusions=requested.exclusions,
        vague=requested.vague,
        answered_as_unknown=verdict.answered_as_unknown,
        staff_only=verdict.staff_only,
        owner=verdict.owner,
        asks=verdict.asks,
        symptom=requested.symptom,
        revision=requested.revision,
        draft=verdict.draft,
    )


def _withdraw_corrected(plan: Plan, request: Request, decision: Decision) -> None:
    """Cancel the unit whose serial number the email corrects; if it does not name it, the only other unit."""
    if not request.corrects_serial or not any(verdict.known for verdict in decision.verdicts):
        return
    right = {serial_key(unit.serial) for unit in request.units}
    open_units = [unit for unit in plan.current.units if unit.state in ("asking", "quoted", "authorized")]
    others = [unit for unit in open_units if serial_key(unit.serial) not in right]
    if request.corrected_serial:
        others = [unit for unit in others if serial_key(unit.serial) == serial_key(request.corrected_serial)]
    if len(others) == 1:
        plan.move(others[0], "canceled", asks=())


def _plan_number(plan: Plan, decision: Decision, valid: bool) -> None:  # noqa: FBT001 - private, called once
    """Issue a number if a unit needs one, and limit its validity as the verdicts require (AP-43)."""
    issued = next((v for v in decision.verdicts if v.outcome == "issue" and not v.number), None)
    number = plan.current.number
    if issued and not valid:
        number = numbers.assign(plan.context, f"rule {issued.clauses[0]}", issued.valid_until)
    limits = [v.valid_until for v in decision.verdicts if v.outcome == "issue" and v.valid_until]
    # The earliest of these days applies to the whole shipment.
    if number and limits and not any(v.number for v in decision.verdicts):
        number = structs.replace(number, valid_until=min(number.valid_until, *limits))
    plan.update(number=number)


def _plan_update(plan: Plan, request: Request, decision: Decision) -> None:
    """Plan the changes of a customer's email about an active case: canceled, shipped, PO for parts, parts declined."""
    serials = [verdict.serial for verdict in decision.verdicts]
    match decision.answer_key:
        case "withdrawn" | "withdrawn_part":
            for unit in plan.units(serials):
                plan.move(unit, "canceled", asks=(), resume_state=None)
        case "under_way":
            for unit in plan.units(serials):
                if unit.state == "authorized":
                    plan.move(unit, "announced")
            plan.update(inbound=request.shipment)
        case "parts_ordered":
            for unit in plan.units(serials):
                plan.move(unit, "parts_po_matched", resume_state=None)
            note_payment(plan, decision, request)
        case "parts_declined":
            decline_parts(plan, plan.context.answers.parts_declined, serials)
    added = (*plan.current.special_requests, *request.special_requests)
    plan.update(unreachable=False, special_requests=tuple(dict.fromkeys(added)))
    plan.renew_deadlines(plan.current)


# ---------------------------------------------------------------- notices


def _plan_answer(plan: Plan, event: CustomerEvent, decision: Decision, notice: Notice) -> None:
    """Plan one reply to one email, within the daily limit for this address, and notify staff if necessary."""
    mail, sent_today = event.mail, plan.context.snapshot.answers_today
    limit = ANSWERS_IF_FORGED if mail.forged else ANSWERS_A_DAY
    over = sent_today >= limit
    if mail.answer_to and mail.answer_to != plan.current.sender:  # a colleague writes: not the one who opened the case
        notice = structs.replace(notice, greeting=mail.name)
    if mail.answer_to and not event.request.may_be_machine:
        withheld = {"withheld": "the daily limit of replies to this address has been reached", "documents": None} if over else {}
        plan.notify_customer(structs.replace(notice, direct=True, **withheld), mail.answer_to)
    if sent_today > limit:
        return
    if over:  # staff are notified once a day: neither they nor the customer can be flooded
        why = (
            f"{mail.answer_to} has had the day's answers ({limit}). This mail and the day's further ones are decided and on "
            f"record, and get no answer."
        )
        note = notices.to_staff(plan, structs.replace(decision, why=why), mail, about="silent", request=event.request)
        plan.notify_roles(note, decision.notify or ("desk",))
    elif decision.notify:
        compared = any(unit.billed and unit.state == "held" for unit in plan.current.units)
        held = compared or any(verdict.outcome == "staff" for verdict in decision.verdicts)
        about = "held" if held else "told" if decision.verdicts else "passed_on"
        plan.notify_roles(notices.to_staff(plan, decision, mail, about=about, request=event.request), decision.notify)
