"""Case + event + decision -> the case after. A case is the fold of its events, and of nothing else."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import structs

from mailbot.case import deadlines, numbers
from mailbot.case.deadlines import renewed
from mailbot.case.lifecycle import NUMBERED, STATE_AFTER_OUTCOME, move, state_of
from mailbot.case.matching import base_subject, case_id
from mailbot.case.merge import UNIT_INTENTS
from mailbot.case.quotes import offer
from mailbot.case.updates import apply_commands, apply_update, held_for_comparison, paid, parts_declined
from mailbot.intake.entities.serials import serial_key
from mailbot.model import (
    Answered,
    Bounce,
    Bounced,
    Case,
    CaseUnit,
    DeadlineKind,
    DeadlinesReached,
    Decision,
    Event,
    Ignored,
    MailReference,
    Ordered,
    Quote,
    Request,
    Requested,
    RequestedUnit,
    Snapshot,
    StaffMessage,
    State,
    Verdict,
)
from mailbot.policy.dates import today
from mailbot.policy.policy import Policy


def apply(
    case: Case | None, event: Event, decision: Decision, snapshot: Snapshot, policy: Policy, now: datetime
) -> Case | None:
    """Return the case after this event, or None where no case is touched. History and replies are added by the step."""
    after = _after(case, event, decision, snapshot, policy, now)
    if case is None or after is None or _same(case, after):
        return after
    later = structs.replace(after, version=case.version + 1)  # what was offered to staff before is no longer up to date
    return structs.replace(later, tokens=tuple(t for t in later.tokens if t.until > now and t.version == later.version))


def _same(one: Case, other: Case) -> bool:
    return (one.units, one.quotes, one.number, one.pending) == (other.units, other.quotes, other.number, other.pending)


def _after(
    case: Case | None, event: Event, decision: Decision, snapshot: Snapshot, policy: Policy, now: datetime
) -> Case | None:
    day = today(now, policy.timezone)
    match event:
        case Ignored():
            return None
        case DeadlinesReached(keys=keys):
            return case and _came_due(case, keys, policy, day)
        case Bounced(bounce=bounce):
            return case and _bounced(case, bounce)
        case StaffMessage() if decision.rulings or decision.told:
            return case and apply_commands(case, event, decision, snapshot, policy, day)
        case Ordered(request=request) if case and decision.outcome == "staff":
            case = held_for_comparison(case, request)
        case _ if case and decision.told:
            return apply_update(case, event, decision, policy, day)
        case _ if decision.outcome == "none":
            return case
    return _newly_decided(case, event, decision, snapshot, policy, now)


def _newly_decided(
    case: Case | None,
    event: Requested | Answered | Ordered | StaffMessage,
    decision: Decision,
    snapshot: Snapshot,
    policy: Policy,
    now: datetime,
) -> Case:
    """Take verdicts on units into the case, a new one where there is none yet."""
    day = today(now, policy.timezone)
    opened = (
        structs.replace(case, unreachable=False) if case else _open(event.mail, event.request, snapshot, policy, now)
    )
    after = _decided(opened, event.request, decision, snapshot, policy, day)
    if isinstance(event, Ordered) and decision.outcome == "issue":
        after = paid(after, decision, event.request)
    asked = any(v.outcome == "ask" or v.answered_as_unknown for v in decision.verdicts)
    quoted = any(v.outcome == "quote" for v in decision.verdicts)
    return renewed(opened, after, policy, day, asked=asked, quoted=quoted)


def _bounced(case: Case, bounce: Bounce) -> Case:
    """The customer cannot be reached: reminders stop; what ends still ends, in silence (B1)."""
    if bounce.recipients and case.sender not in bounce.recipients:
        return case
    return structs.replace(
        case, unreachable=True, deadlines=tuple(d for d in case.deadlines if d.ends or d.kind in deadlines.OF_STAFF)
    )


def _open(mail: MailReference, request: Request, snapshot: Snapshot, policy: Policy, now: datetime) -> Case:
    """Open a case for whoever is to be answered."""
    return Case(
        id=case_id(snapshot.id_entropy),
        mailbox=policy.desk.address,
        policy=policy.name,
        sender=mail.answer_to or mail.sender,
        state="held",
        opened_at=now,
        subject="" if mail.forged else base_subject(mail.subject),
        name=mail.name,
        language=request.language,
        intent=request.intent,
        participants=tuple(dict.fromkeys(a for a in (mail.sender, mail.answer_to) if a)),
    )


def _decided(case: Case, request: Request, decision: Decision, snapshot: Snapshot, policy: Policy, day: date) -> Case:
    items = _taken_back(_items(case, request, decision), request, decision)
    issued = next((v for v in decision.verdicts if v.outcome == "issue" and not v.number), None)
    number = case.number
    if issued and numbers.valid_number(case, day) is None:
        number = numbers.assign(policy, snapshot, day, f"rule {issued.clauses[0]}", issued.valid_until)
    limits = [v.valid_until for v in decision.verdicts if v.outcome == "issue" and v.valid_until]
    if number and limits and not any(v.number for v in decision.verdicts):  # AP-43: the earlier day holds for the box
        number = structs.replace(number, valid_until=min(number.valid_until, *limits))
    state = state_of(items, case.state) if decision.verdicts else _without_units(case, decision)
    return structs.replace(
        case,
        units=items,
        intent=request.intent if decision.verdicts and request.intent in UNIT_INTENTS else case.intent,
        number=number,
        quotes=_quotes(case, decision, policy, day),
        state=state,
        asked=tuple(dict.fromkeys((*case.asked, *decision.asks))),
        special_requests=request.special_requests or case.special_requests,
        support_case=request.support_case or case.support_case,
    )


def _items(case: Case, request: Request, decision: Decision) -> tuple[CaseUnit, ...]:
    """Return the case's units after the verdicts: decided ones renewed, gaps that were filled gone, the rest kept."""
    told = {serial_key(unit.serial): unit.told for unit in case.units}
    told |= {serial_key(unit.serial): unit for unit in (*request.foreign, *request.units)}
    before = {serial_key(unit.serial): unit for unit in case.units}
    decided = {
        serial_key(v.serial): _item(before.get(serial_key(v.serial)), told[serial_key(v.serial)], v)
        for v in decision.verdicts
        if v.number in (None, case.number)  # another case's RMA answers
        and not _goes_on(before.get(serial_key(v.serial)), v)
    }
    if not decision.verdicts:
        return case.units
    kept = {
        key: unit for key, unit in before.items() if key in decided or (unit.known and unit.serial) or _settled(unit)
    }
    return tuple((kept | decided).values())


def _taken_back(items: tuple[CaseUnit, ...], request: Request, decision: Decision) -> tuple[CaseUnit, ...]:
    """Let go the unit whose serial the mail takes back, or the only other one where it does not name it."""
    if not request.corrects or not any(verdict.known for verdict in decision.verdicts):
        return items
    right = {serial_key(unit.serial) for unit in request.units}
    others = [
        serial_key(i.serial)
        for i in items
        if serial_key(i.serial) not in right and i.state in ("asking", "quoted", "authorized")
    ]
    wrong = {serial_key(request.instead)} if request.instead else set(others if len(others) == 1 else ())
    return tuple(
        structs.replace(unit, state=move(unit.state, "withdrawn"), asks=())
        if serial_key(unit.serial) in wrong and serial_key(unit.serial) in others
        else unit
        for unit in items
    )


def _goes_on(unit: CaseUnit | None, verdict: Verdict) -> bool:
    """A number that was given stays given, whatever else is asked for; what is under way or put on hold stays where it is."""
    if unit is None or unit.state not in (*NUMBERED, "held"):
        return False
    if unit.state == "authorized":
        return verdict.outcome not in ("issue", "staff")
    if unit.state != "held":
        return True
    return unit.resume_state is not None and not (
        unit.charged and verdict.outcome == "issue"
    )  # an order that matches lets it go


def _settled(unit: CaseUnit) -> bool:
    return unit.state not in ("asking", "held")


def _item(before: CaseUnit | None, told: RequestedUnit, verdict: Verdict) -> CaseUnit:
    return CaseUnit(
        serial=verdict.serial,
        state=move(before.state if before else None, STATE_AFTER_OUTCOME[verdict.outcome]),
        outcome=verdict.outcome,
        clauses=verdict.clauses,
        known=verdict.known and not verdict.answered_as_unknown,
        model=verdict.model,
        reason=told.reason,
        exclusions=told.exclusions,
        vague=told.vague,
        answered_as_unknown=verdict.answered_as_unknown,
        staff_only=verdict.staff_only,
        owner=verdict.owner,
        asks=verdict.asks,
        symptom=told.symptom,
        revision=told.revision,
    )


def _without_units(case: Case, decision: Decision) -> State:
    """Return the state after a decision about no unit: a new case waits for a person or an answer, another goes on."""
    if not case.history:
        return "asking" if decision.outcome == "ask" else "held"
    return case.state


def _quotes(case: Case, decision: Decision, policy: Policy, day: date) -> tuple[Quote, ...]:
    quoted = [v for v in decision.verdicts if v.outcome == "quote"]
    charges = tuple(charge for v in quoted for charge in v.charges)
    if not charges:
        return case.quotes
    return offer(case, charges, tuple(v.serial for v in quoted), policy, day)


def _came_due(case: Case, keys: tuple[str, ...], policy: Policy, day: date) -> Case:
    """Take the deadlines that came out of the case, and let what ended with them end."""
    came = [d for d in case.deadlines if d.key in keys]
    ended = {d.kind for d in came if d.ends}
    if "quote" in ended:
        all_of_them = {serial_key(unit.serial) for unit in case.units}
        case = parts_declined(case, policy, policy.rules.answers.parts_lapsed, all_of_them)
    items = tuple(_ended(unit, ended) for unit in case.units)
    left = tuple(d for d in case.deadlines if d.key not in keys)
    after = structs.replace(case, units=items, deadlines=left, state=_state_after(case, items, ended))
    after = structs.replace(after, deadlines=tuple(d for d in left if deadlines.waits_for(after, d.kind)))
    if any(d.kind == "held" for d in came) and deadlines.waits_for(after, "held"):
        after = structs.replace(after, deadlines=deadlines.in_order((*after.deadlines, deadlines.again(policy, day))))
    return after


def _state_after(case: Case, items: tuple[CaseUnit, ...], ended: set[DeadlineKind]) -> State:
    if items:
        return state_of(items, case.state)
    return "closed" if ended else case.state


def _ended(unit: CaseUnit, ended: set[DeadlineKind]) -> CaseUnit:
    if "missing" in ended and deadlines.awaits_answer(unit):
        return structs.replace(unit, state=move(unit.state, "closed"))
    if "close" in ended and unit.state == "shipped":
        return structs.replace(unit, state=move(unit.state, "closed"))
    if "quote" in ended and unit.state == "quoted":
        return structs.replace(unit, state=move(unit.state, "closed"))
    if "number" in ended and unit.state == "authorized":
        return structs.replace(unit, state=move(unit.state, "expired"))
    return unit
