"""What a mail newly says, laid over what its case already knows (AP-27: the answer carries the request on)."""

from __future__ import annotations

from msgspec import structs

from mailbot.case.deadlines import awaits_answer
from mailbot.case.lifecycle import OVER
from mailbot.intake.serials import fold
from mailbot.model import Case, CaseItem, Item, Request

UNIT_INTENTS = frozenset({"repair", "doa", "credit", "exchange", "rework"})


def carry_on(case: Case | None, request: Request) -> Request:
    """Return the request with every unit that is to be decided on now.

    Units the case still asks about take serial or reason from the mail. A unit the case knows keeps what was told of it: an
    exclusion once admitted is not forgotten. A mail that opens a case and names no unit yields one without a serial, so that
    the rules can ask for it. What carries nothing on (thanks, a question, the same words again) yields no unit.
    """
    if request.thanks and not (request.items or request.wishes):
        return request
    waiting = [item for item in case.items if open_to_answer(item) or _diagnosed(case, item, request)] if case else []
    intent = request.intent
    if waiting and case and (intent in ("none", "repair") or (intent == "question" and request.items)):
        intent = case.intent
    ended = case is not None and bool(case.items) and case.state in OVER and not waiting
    if ended and case and (intent == "none" or (request.renews and intent == "question")):
        intent = "repair" if case.intent in ("credit", "exchange") else case.intent
    if intent not in UNIT_INTENTS:
        return request
    if waiting and case:
        items = _answer(waiting, request)
        asked_enough = "symptom" in case.asked and any(
            item.vague for item in items
        )  # ST-3: a symptom is asked about once
        nothing_new = items == tuple(item.told for item in waiting) and not (request.items or request.support_case)
        if nothing_new and not asked_enough:
            return structs.replace(request, intent="question")
    elif ended and case and not request.items:  # what ended is asked for again: it is looked at anew
        items = tuple(_fill(item, _unnamed(request)) for item in case.items if not item.hidden)
    else:
        before = {fold(item.serial): item for item in case.items} if case else {}
        items = tuple(_fill(before[fold(i.serial)], i) if fold(i.serial) in before else i for i in request.items)
        if not items and not before:
            items = (_unnamed(request),)
    if case and request.corrects:
        items = tuple(_put_right(case, item, request) for item in items)
    support_case = request.support_case or (case.support_case if case else None)
    wishes = tuple(dict.fromkeys((*(case.wishes if case else ()), *request.wishes)))
    return structs.replace(request, items=items, intent=intent, wishes=wishes, support_case=support_case)


def _put_right(case: Case, item: Item, request: Request) -> Item:
    """Hand what was told of a unit over to the serial that takes its place."""
    known = {fold(each.serial) for each in case.items}
    wrong = [each for each in case.items if fold(each.serial) == fold(request.instead)] if request.instead else []
    others = wrong or [each for each in case.items if fold(each.serial) != fold(item.serial) and each.reason]
    if fold(item.serial) in known or len(others) != 1:
        return item
    told = others[0].told
    return structs.replace(_fill(others[0], structs.replace(item, reason="")), serial=item.serial, reason=told.reason)


def open_to_answer(item: CaseItem) -> bool:
    """Say whether what was asked about this unit may still be answered: also when its case was closed meanwhile."""
    return awaits_answer(item) or (item.state == "closed" and bool(item.asks) and not item.hidden)


def _diagnosed(case: Case, item: CaseItem, request: Request) -> bool:
    """Say whether the mail brings the reference of the diagnosis for which a repair was held (ST-3)."""
    brings = bool(request.support_case) and not case.support_case
    return brings and item.state == "held" and not item.disguised and case.intent in ("repair", "doa")


def _unnamed(request: Request) -> Item:
    return Item(serial="", reason=request.reason, exclusions=request.exclusions, vague=request.vague)


def _answer(waiting: list[CaseItem], request: Request) -> tuple[Item, ...]:
    """Lay the mail's units over the waiting ones: the same serial fills a gap, another serial takes a gap's place."""
    named = {fold(item.serial): item for item in request.items}
    open_gaps = [item for item in waiting if fold(item.serial) not in named and not (item.known and item.serial)]
    units: list[Item] = []
    for item in waiting:
        if fold(item.serial) in named:
            units.append(_fill(item, named.pop(fold(item.serial))))
        elif item not in open_gaps:
            units.append(_fill(item, _unnamed(request)))
    for new in named.values():
        gap = open_gaps.pop(0) if open_gaps else None
        units.append(_fill(gap, new) if gap else new)
    units += [_fill(gap, _unnamed(request)) for gap in open_gaps]
    return tuple(units)


def _fill(item: CaseItem, new: Item) -> Item:
    """Return the unit as the mail now tells it, with what was told before where the mail is silent."""
    told = new.reason and not (item.reason and new.vague)
    return Item(
        serial=new.serial or item.serial,
        reason=new.reason if told else item.reason,
        vague=new.vague if told else item.vague,
        exclusions=tuple(dict.fromkeys((*item.exclusions, *new.exclusions))),
        symptom=new.symptom or item.symptom,
        revision=new.revision or item.revision,
    )
