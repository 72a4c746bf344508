"""What a mail newly says, laid over what its case already knows (AP-27: the answer carries the request on)."""

from __future__ import annotations

from msgspec import structs

from mailbot.case.deadlines import awaits_answer
from mailbot.case.lifecycle import CLOSED_STATES
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, CaseUnit, Request, RequestedUnit

UNIT_INTENTS = frozenset({"repair", "doa", "credit", "exchange", "rework"})


def merge_request(case: Case | None, request: Request) -> Request:
    """Return the request with every unit that is to be decided on now.

    Units the case still asks about take serial or reason from the mail. A unit the case knows keeps what was told of it: an
    exclusion once admitted is not forgotten. A mail that opens a case and names no unit yields one without a serial, so that
    the rules can ask for it. What carries nothing on (thanks, a question, the same words again) yields no unit.
    """
    if request.thanks and not (request.units or request.special_requests):
        return request
    waiting = [unit for unit in case.units if open_to_answer(unit) or _diagnosed(case, unit, request)] if case else []
    intent = request.intent
    if waiting and case and (intent in ("none", "repair") or (intent == "question" and request.units)):
        intent = case.intent
    ended = case is not None and bool(case.units) and case.state in CLOSED_STATES and not waiting
    if ended and case and (intent == "none" or (request.renews_number and intent == "question")):
        intent = "repair" if case.intent in ("credit", "exchange") else case.intent
    if intent not in UNIT_INTENTS:
        return request
    if waiting and case:
        items = _answer(waiting, request)
        asked_enough = "symptom" in case.asked and any(
            unit.vague for unit in items
        )  # ST-3: a symptom is asked about once
        nothing_new = items == tuple(unit.as_requested for unit in waiting) and not (
            request.units or request.support_case
        )
        if nothing_new and not asked_enough:
            return structs.replace(request, intent="question")
    elif ended and case and not request.units:  # what ended is asked for again: it is looked at anew
        items = tuple(_fill(unit, _unnamed(request)) for unit in case.units if not unit.staff_only)
    else:
        before = {serial_key(unit.serial): unit for unit in case.units} if case else {}
        items = tuple(
            _fill(before[serial_key(i.serial)], i) if serial_key(i.serial) in before else i for i in request.units
        )
        if not items and not before:
            items = (_unnamed(request),)
    if case and request.corrects_serial:
        items = tuple(_put_right(case, unit, request) for unit in items)
    support_case = request.support_case or (case.support_case if case else None)
    wishes = tuple(dict.fromkeys((*(case.special_requests if case else ()), *request.special_requests)))
    return structs.replace(request, units=items, intent=intent, special_requests=wishes, support_case=support_case)


def _put_right(case: Case, unit: RequestedUnit, request: Request) -> RequestedUnit:
    """Hand what was told of a unit over to the serial that takes its place."""
    known = {serial_key(each.serial) for each in case.units}
    wrong = (
        [each for each in case.units if serial_key(each.serial) == serial_key(request.corrected_serial)]
        if request.corrected_serial
        else []
    )
    others = wrong or [
        each for each in case.units if serial_key(each.serial) != serial_key(unit.serial) and each.reason
    ]
    if serial_key(unit.serial) in known or len(others) != 1:
        return unit
    told = others[0].as_requested
    return structs.replace(_fill(others[0], structs.replace(unit, reason="")), serial=unit.serial, reason=told.reason)


def open_to_answer(unit: CaseUnit) -> bool:
    """Say whether what was asked about this unit may still be answered: also when its case was closed meanwhile."""
    return awaits_answer(unit) or (unit.state == "closed" and bool(unit.asks) and not unit.staff_only)


def _diagnosed(case: Case, unit: CaseUnit, request: Request) -> bool:
    """Say whether the mail brings the reference of the diagnosis for which a repair was held (ST-3)."""
    brings = bool(request.support_case) and not case.support_case
    return brings and unit.state == "held" and not unit.answered_as_unknown and case.intent in ("repair", "doa")


def _unnamed(request: Request) -> RequestedUnit:
    return RequestedUnit(serial="", reason=request.reason, exclusions=request.exclusions, vague=request.vague)


def _answer(waiting: list[CaseUnit], request: Request) -> tuple[RequestedUnit, ...]:
    """Lay the mail's units over the waiting ones: the same serial fills a gap, another serial takes a gap's place."""
    named = {serial_key(unit.serial): unit for unit in request.units}
    open_gaps = [unit for unit in waiting if serial_key(unit.serial) not in named and not (unit.known and unit.serial)]
    units: list[RequestedUnit] = []
    for unit in waiting:
        if serial_key(unit.serial) in named:
            units.append(_fill(unit, named.pop(serial_key(unit.serial))))
        elif unit not in open_gaps:
            units.append(_fill(unit, _unnamed(request)))
    for new in named.values():
        gap = open_gaps.pop(0) if open_gaps else None
        units.append(_fill(gap, new) if gap else new)
    units += [_fill(gap, _unnamed(request)) for gap in open_gaps]
    return tuple(units)


def _fill(unit: CaseUnit, new: RequestedUnit) -> RequestedUnit:
    """Return the unit as the mail now tells it, with what was told before where the mail is silent."""
    told = new.reason and not (unit.reason and new.vague)
    return RequestedUnit(
        serial=new.serial or unit.serial,
        reason=new.reason if told else unit.reason,
        vague=new.vague if told else unit.vague,
        exclusions=tuple(dict.fromkeys((*unit.exclusions, *new.exclusions))),
        symptom=new.symptom or unit.symptom,
        revision=new.revision or unit.revision,
    )
