"""Case + event + decision -> the case after. A case is the fold of its events, and of nothing else."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import structs

from mailbot.case import deadlines, numbers
from mailbot.case.lifecycle import AFTER, move, state_of
from mailbot.case.thread import base_subject, case_id
from mailbot.intake.serials import fold
from mailbot.model import (
    Answered,
    Bounce,
    Bounced,
    CameDue,
    Case,
    CaseItem,
    DeadlineKind,
    Decision,
    Event,
    Ignored,
    Item,
    Known,
    Ordered,
    Quote,
    Request,
    Requested,
    State,
    Verdict,
    Wrote,
)
from mailbot.policy.dates import today
from mailbot.policy.policy import Policy


def advance(
    case: Case | None, event: Event, decision: Decision, known: Known, policy: Policy, now: datetime
) -> Case | None:
    """Return the case after this event, or None where no case is touched. History and replies are added by the step."""
    day = today(now, policy.timezone)
    match event:
        case Ignored():
            return None
        case CameDue(keys=keys):
            return case and _came_due(case, keys, policy, day)
        case Bounced(bounce=bounce):
            return case and _bounced(case, bounce)
        case Ordered() if case and decision.outcome == "staff":
            case = _held(case, "quoted")  # until a person has compared the two (AP-17)
        case Requested(request=request) | Answered(request=request) if case and request.intent == "cancel":
            case = _held(
                case, "asking", "quoted", "authorized"
            )  # until a person has withdrawn it; no reminder goes out
        case _ if decision.outcome == "none":
            return case
    opened = structs.replace(case, unreachable=False) if case else _open(event.mail, event.request, known, policy, now)
    after = _decided(opened, event.request, decision, known, policy, day)
    restart: set[DeadlineKind] = set()
    if any(v.outcome == "ask" or v.disguised for v in decision.verdicts):
        restart.add("missing")
    if any(v.outcome == "quote" for v in decision.verdicts):
        restart.add("quote")
    if after.number != opened.number:
        restart.add("number")
    return structs.replace(after, deadlines=deadlines.renew(after, policy, day, frozenset(restart)))


def _bounced(case: Case, bounce: Bounce) -> Case:
    """The customer cannot be reached: reminders stop; what ends still ends, in silence (B1)."""
    if bounce.recipients and case.sender not in bounce.recipients:
        return case
    return structs.replace(case, unreachable=True, deadlines=tuple(d for d in case.deadlines if d.ends))


def _open(mail: Wrote, request: Request, known: Known, policy: Policy, now: datetime) -> Case:
    """Open a case for whoever is to be answered."""
    return Case(
        id=case_id(known.fresh),
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


def _decided(case: Case, request: Request, decision: Decision, known: Known, policy: Policy, day: date) -> Case:
    items = _items(case, request, decision)
    issued = next((v for v in decision.verdicts if v.outcome == "issue" and not v.number), None)
    number = case.number
    if issued and (number is None or number.valid_until < day):
        number = numbers.assign(policy, known, day, issued)
    limits = [v.valid_until for v in decision.verdicts if v.outcome == "issue" and v.valid_until]
    if number and limits and not any(v.number for v in decision.verdicts):  # AP-43: the earlier day holds for the box
        number = structs.replace(number, valid_until=min(number.valid_until, *limits))
    state = state_of(items, case.state) if decision.verdicts else _without_units(case, decision)
    return structs.replace(
        case,
        items=items,
        intent=request.intent if decision.verdicts else case.intent,
        number=number,
        quotes=(*case.quotes, *_quote(case, decision, policy, day)),
        state=state,
        asked=tuple(dict.fromkeys((*case.asked, *decision.asks))),
        wishes=request.wishes or case.wishes,
        support_case=request.support_case or case.support_case,
    )


def _items(case: Case, request: Request, decision: Decision) -> tuple[CaseItem, ...]:
    """Return the case's units after the verdicts: decided ones renewed, gaps that were filled gone, the rest kept."""
    told = {fold(item.serial): item for item in (*request.foreign, *request.items)}
    before = {fold(item.serial): item for item in case.items}
    decided = {
        fold(v.serial): _item(before.get(fold(v.serial)), told[fold(v.serial)], v)
        for v in decision.verdicts
        if v.number in (None, case.number)  # another case's RMA answers
        and not (_has_number(before.get(fold(v.serial))) and v.outcome not in ("issue", "staff"))
    }
    if not decision.verdicts:
        return case.items
    kept = {
        key: item for key, item in before.items() if key in decided or (item.known and item.serial) or _settled(item)
    }
    return tuple((kept | decided).values())


def _has_number(item: CaseItem | None) -> bool:
    """A number that was given stays given, whatever else is asked for and refused."""
    return item is not None and item.state == "authorized"


def _settled(item: CaseItem) -> bool:
    return item.state not in ("asking", "held")


def _item(before: CaseItem | None, told: Item, verdict: Verdict) -> CaseItem:
    return CaseItem(
        serial=verdict.serial,
        state=move(before.state if before else None, AFTER[verdict.outcome]),
        outcome=verdict.outcome,
        clauses=verdict.clauses,
        known=verdict.known and not verdict.disguised,
        model=verdict.model,
        reason=told.reason,
        exclusions=told.exclusions,
        vague=told.vague,
        disguised=verdict.disguised,
        hidden=verdict.hidden,
        owner=verdict.owner,
        asks=verdict.asks,
        symptom=told.symptom,
        revision=told.revision,
    )


def _held(case: Case, *states: State) -> Case:
    """Hold the units in these states for a person."""
    items = tuple(
        structs.replace(item, state=move(item.state, "held")) if item.state in states else item for item in case.items
    )
    return structs.replace(case, items=items, state=state_of(items, case.state))


def _without_units(case: Case, decision: Decision) -> State:
    """Return the state after a decision about no unit: a new case waits for a person or an answer, another goes on."""
    if not case.history:
        return "asking" if decision.outcome == "ask" else "held"
    return case.state


def _quote(case: Case, decision: Decision, policy: Policy, day: date) -> tuple[Quote, ...]:
    quoted = [v for v in decision.verdicts if v.outcome == "quote"]
    if not quoted:
        return ()
    closes = policy.rules.deadlines.quote.close
    charges = tuple(charge for v in quoted for charge in v.charges)
    if case.quotes and case.quotes[-1].charges == charges and day <= case.quotes[-1].valid_until:
        return ()  # the same offer stands
    return (
        Quote(
            number=f"Q-{case.id.removeprefix('C-')}-{len(case.quotes) + 1}",
            on=day,
            valid_until=date.fromordinal(day.toordinal() + closes - 1),  # on the next it is closed
            charges=charges,
            serials=tuple(v.serial for v in quoted),
        ),
    )


def _came_due(case: Case, keys: tuple[str, ...], policy: Policy, day: date) -> Case:
    """Take the deadlines that came out of the case, and let what ended with them end."""
    came = [d for d in case.deadlines if d.key in keys]
    ended = {d.kind for d in came if d.ends}
    items = tuple(_ended(item, ended) for item in case.items)
    left = tuple(d for d in case.deadlines if d.key not in keys)
    after = structs.replace(case, items=items, deadlines=left, state=_state_after(case, items, ended))
    after = structs.replace(after, deadlines=tuple(d for d in left if deadlines.waits_for(after, d.kind)))
    if any(d.kind == "held" for d in came) and deadlines.waits_for(after, "held"):
        after = structs.replace(after, deadlines=deadlines.in_order((*after.deadlines, deadlines.again(policy, day))))
    return after


def _state_after(case: Case, items: tuple[CaseItem, ...], ended: set[DeadlineKind]) -> State:
    if items:
        return state_of(items, case.state)
    return "closed" if ended else case.state


def _ended(item: CaseItem, ended: set[DeadlineKind]) -> CaseItem:
    if "missing" in ended and deadlines.awaits_answer(item):
        return structs.replace(item, state=move(item.state, "closed"))
    if "quote" in ended and item.state == "quoted":
        return structs.replace(item, state=move(item.state, "closed"))
    if "number" in ended and item.state == "authorized":
        return structs.replace(item, state=move(item.state, "expired"))
    return item
