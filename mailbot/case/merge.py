"""Merge a new email with what its case already knows (AP-27: a reply continues the request)."""

from __future__ import annotations

from msgspec import structs

from mailbot.case.deadlines import awaits_answer
from mailbot.case.lifecycle import FINAL_STATES
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, CaseUnit, Request, RequestedUnit

UNIT_INTENTS = frozenset({"repair", "doa", "credit", "exchange", "rework"})


def merge_request(case: Case | None, request: Request) -> Request:
    """Return the request with all units that must be decided on now.

    Units for which the case waits for information take the serial number or the reason from the email. A unit of the case
    keeps what is known about it, for example the exclusions that the customer has stated. A new request that names no unit
    gets one without a serial number, so that the rules can ask for it. Thanks, questions and repetitions get no units.
    """
    if request.thanks and not (request.units or request.special_requests):
        return request
    waiting = [unit for unit in case.units if open_to_answer(unit) or _diagnosed(case, unit, request)] if case else []
    intent = request.intent
    if waiting and case and (intent in ("none", "repair") or (intent == "question" and request.units)):
        intent = case.intent
    closed = case is not None and bool(case.units) and case.state in FINAL_STATES and not waiting
    if closed and case and (intent == "none" or (request.renews_number and intent == "question")):
        intent = "repair" if case.intent in ("credit", "exchange") else case.intent
    if intent not in UNIT_INTENTS:
        return request
    if waiting and case:
        units = _merged_units(waiting, request)
        # ST-3: the customer is asked for a symptom once.
        asked_enough = "symptom" in case.asked and any(unit.vague for unit in units)
        nothing_new = units == tuple(unit.as_requested for unit in waiting) and not (request.units or request.support_case)
        if nothing_new and not asked_enough:
            return structs.replace(request, intent="question")
    elif closed and case and not request.units:  # a closed request is made again: it is decided on again
        units = tuple(_merged_unit(unit, _unit_without_serial(request)) for unit in case.units if not unit.staff_only)
    else:
        before = {serial_key(unit.serial): unit for unit in case.units} if case else {}
        units = tuple(_merged_unit(before[serial_key(i.serial)], i) if serial_key(i.serial) in before else i for i in request.units)
        if not units and not before:
            units = (_unit_without_serial(request),)
    if case and request.corrects_serial:
        units = tuple(_corrected_unit(case, unit, request) for unit in units)
    support_case = request.support_case or (case.support_case if case else None)
    special = tuple(dict.fromkeys((*(case.special_requests if case else ()), *request.special_requests)))
    earlier = case.questions if case else ()
    return structs.replace(
        request,
        units=units,
        intent=intent,
        special_requests=special,
        support_case=support_case,
        statements=(*request.statements, *earlier),
    )


def _corrected_unit(case: Case, unit: RequestedUnit, request: Request) -> RequestedUnit:
    """Return the unit with what is known about the unit whose serial number it corrects."""
    known = {serial_key(each.serial) for each in case.units}
    corrected = serial_key(request.corrected_serial)
    wrong = [each for each in case.units if corrected and serial_key(each.serial) == corrected]
    others = wrong or [each for each in case.units if serial_key(each.serial) != serial_key(unit.serial) and each.reason]
    if serial_key(unit.serial) in known or len(others) != 1:
        return unit
    replaced = others[0]
    merged = _merged_unit(replaced, structs.replace(unit, reason=""))
    return structs.replace(merged, serial=unit.serial, reason=replaced.reason)


def open_to_answer(unit: CaseUnit) -> bool:
    """Return whether the customer can still answer a question about this unit, also after it was closed without a response."""
    return awaits_answer(unit) or (unit.state == "closed" and bool(unit.asks) and not unit.staff_only)


def _diagnosed(case: Case, unit: CaseUnit, request: Request) -> bool:
    """Return whether the email supplies the reference number of the remote diagnosis that a repair was held for (ST-3)."""
    supplied = bool(request.support_case) and not case.support_case
    return supplied and unit.state == "held" and not unit.answered_as_unknown and case.intent in ("repair", "doa")


def _unit_without_serial(request: Request) -> RequestedUnit:
    return RequestedUnit(serial="", reason=request.reason, exclusions=request.exclusions, vague=request.vague)


def _merged_units(waiting: list[CaseUnit], request: Request) -> tuple[RequestedUnit, ...]:
    """Merge the units of an email with those that wait for information.

    A unit with the same serial number is completed. A unit with another serial number replaces one without a known serial number.
    """
    named = {serial_key(unit.serial): unit for unit in request.units}
    unknown = [unit for unit in waiting if serial_key(unit.serial) not in named and not (unit.known and unit.serial)]
    units: list[RequestedUnit] = []
    for unit in waiting:
        if serial_key(unit.serial) in named:
            units.append(_merged_unit(unit, named.pop(serial_key(unit.serial))))
        elif unit not in unknown:
            units.append(_merged_unit(unit, _unit_without_serial(request)))
    for new in named.values():
        replaced = unknown.pop(0) if unknown else None
        units.append(_merged_unit(replaced, new) if replaced else new)
    units += [_merged_unit(unit, _unit_without_serial(request)) for unit in unknown]
    return tuple(units)


def _merged_unit(unit: CaseUnit, new: RequestedUnit) -> RequestedUnit:
    """Return the unit as the email describes it, completed from the case."""
    better = new.reason and not (unit.reason and new.vague)
    return RequestedUnit(
        serial=new.serial or unit.serial,
        reason=new.reason if better else unit.reason,
        vague=new.vague if better else unit.vague,
        exclusions=tuple(dict.fromkeys((*unit.exclusions, *new.exclusions))),
        symptom=new.symptom or unit.symptom,
        revision=new.revision or unit.revision,
    )
