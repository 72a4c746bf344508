"""Case + event + decision -> the case after. A case is the fold of its events, and of nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from msgspec import structs

from mailbot.case import deadlines, numbers
from mailbot.case.carry import carry_out, fees
from mailbot.case.lifecycle import AFTER, NUMBERED, move, state_of
from mailbot.case.merge import UNIT_INTENTS
from mailbot.case.quotes import awaits_order, offer
from mailbot.case.rulings import HARMLESS
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
    Pending,
    Quote,
    Request,
    Requested,
    StaffSaid,
    State,
    Verdict,
    Wrote,
)
from mailbot.policy.dates import today
from mailbot.policy.policy import Policy
from mailbot.policy.rules import Answer


def advance(
    case: Case | None, event: Event, decision: Decision, known: Known, policy: Policy, now: datetime
) -> Case | None:
    """Return the case after this event, or None where no case is touched. History and replies are added by the step."""
    after = _after(case, event, decision, known, policy, now)
    if case is None or after is None or _same(case, after):
        return after
    later = structs.replace(after, version=case.version + 1)  # what was offered to staff before is no longer up to date
    return structs.replace(later, tokens=tuple(t for t in later.tokens if t.until > now and t.version == later.version))


def _same(one: Case, other: Case) -> bool:
    return (one.items, one.quotes, one.number, one.pending) == (other.items, other.quotes, other.number, other.pending)


def _after(
    case: Case | None, event: Event, decision: Decision, known: Known, policy: Policy, now: datetime
) -> Case | None:
    day = today(now, policy.timezone)
    match event:
        case Ignored():
            return None
        case CameDue(keys=keys):
            return case and _came_due(case, keys, policy, day)
        case Bounced(bounce=bounce):
            return case and _bounced(case, bounce)
        case StaffSaid() if decision.rulings or decision.told:
            return case and _commanded(case, event, decision, known, policy, day)
        case Ordered(request=request) if case and decision.outcome == "staff":
            case = _held_for_comparison(case, request)
        case _ if case and decision.told:
            return _followed(case, event, decision, policy, day)
        case _ if decision.outcome == "none":
            return case
    return _newly_decided(case, event, decision, known, policy, now)


def _newly_decided(
    case: Case | None,
    event: Requested | Answered | Ordered | StaffSaid,
    decision: Decision,
    known: Known,
    policy: Policy,
    now: datetime,
) -> Case:
    """Take verdicts on units into the case, a new one where there is none yet."""
    day = today(now, policy.timezone)
    opened = structs.replace(case, unreachable=False) if case else _open(event.mail, event.request, known, policy, now)
    after = _decided(opened, event.request, decision, known, policy, day)
    if isinstance(event, Ordered) and decision.outcome == "issue":
        after = _paid(after, decision, event.request)
    asked = any(v.outcome == "ask" or v.disguised for v in decision.verdicts)
    quoted = any(v.outcome == "quote" for v in decision.verdicts)
    return _renewed(opened, after, policy, day, asked=asked, quoted=quoted)


def _renewed(
    before: Case, after: Case, policy: Policy, day: date, *, asked: bool = False, quoted: bool = False
) -> Case:
    """Return the case with its deadlines: those of what was asked, offered or given out just now begin anew."""
    begun: set[tuple[DeadlineKind, bool]] = {
        ("missing", asked),
        ("quote", quoted or len(after.quotes) > len(before.quotes)),
        ("number", after.number != before.number),
    }
    restart = frozenset(kind for kind, now in begun if now)
    return structs.replace(after, deadlines=deadlines.renew(after, policy, day, restart))


def _commanded(case: Case, event: StaffSaid, decision: Decision, known: Known, policy: Policy, day: date) -> Case:
    """Carry out what was granted; note what waits for a second approver (A12)."""
    after, person = _seen_by_others(case, event, policy), event.mail.sender
    for ruling in decision.rulings:
        if ruling.result == "done":
            after = carry_out(after, ruling, person, policy, known, day)
    done = any(r.result == "done" and r.command.name not in HARMLESS for r in decision.rulings)
    waiting = tuple(r.command for r in decision.rulings if r.result == "second")
    if waiting:
        after = structs.replace(after, pending=Pending(waiting, person))
    elif done:
        after = structs.replace(after, pending=None)
    if decision.told == "answered" and not case.items:  # a question that a colleague has answered himself
        after = structs.replace(after, state="closed")
    return _renewed(case, after, policy, day)


def _seen_by_others(case: Case, event: StaffSaid, policy: Policy) -> Case:
    """Take back a token that a colleague's mail has shown to others: its ids and what it quotes go to them too."""
    colleagues = {person.address for person in policy.desk.staff}
    if not event.token or set(event.mail.others) <= colleagues:
        return case
    return structs.replace(case, tokens=tuple(token for token in case.tokens if token.secret != event.token))


def _followed(case: Case, event: Event, decision: Decision, policy: Policy, day: date) -> Case:
    """Take a customer's news into the case: withdrawn, under way, ordered, declined."""
    if isinstance(event, CameDue | Bounced | Ignored | StaffSaid):
        return case
    request, keys = event.request, {fold(verdict.serial) for verdict in decision.verdicts}

    def each(change: Callable[[CaseItem], CaseItem]) -> Case:
        items = tuple(change(item) if fold(item.serial) in keys else item for item in case.items)
        return structs.replace(case, items=items, state=state_of(items, case.state), unreachable=False)

    after = structs.replace(case, unreachable=False)
    match decision.told:
        case "withdrawn":
            after = each(lambda i: structs.replace(i, state=move(i.state, "withdrawn"), asks=(), resumes=None))
        case "under_way":
            after = each(
                lambda i: structs.replace(i, state=move(i.state, "in_transit")) if i.state == "authorized" else i
            )
            after = structs.replace(after, inbound=request.parcel)
        case "parts_ordered":
            after = _paid(each(lambda i: structs.replace(i, state=move(i.state, "ordered"))), decision, request)
        case "parts_declined":
            after = parts_declined(case, policy, policy.rules.answers.parts_declined, keys)
    after = structs.replace(after, wishes=tuple(dict.fromkeys((*case.wishes, *request.wishes))))
    return structs.replace(after, deadlines=deadlines.renew(after, policy, day))


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


def _paid(case: Case, decision: Decision, request: Request) -> Case:
    """Note the order on the quote that it accepts, and that the customer pays for these units (AP-17, AP-21)."""
    keys = {fold(verdict.serial) for verdict in decision.verdicts}
    items = tuple(
        structs.replace(item, charged=True, outcome="issue") if fold(item.serial) in keys else item
        for item in case.items
    )
    accepted = structs.replace(case.quotes[-1], order=request.order.number if request.order else "")
    return structs.replace(case, items=items, quotes=(*case.quotes[:-1], accepted))


def _held_for_comparison(case: Case, request: Request) -> Case:
    """Hold the units that an order is about until a person has compared it with the quote (AP-17, O3)."""
    keys = {fold(serial) for quote in case.quotes for serial in quote.serials}

    def hold(item: CaseItem) -> CaseItem:
        lapsed = item.state == "closed" and item.shipped_on is None and fold(item.serial) in keys
        if not (awaits_order(item) or lapsed) or item.state == "held":
            return item
        resumes: State = "ordered" if item.state == "parts_quoted" else "authorized"
        return structs.replace(item, state=move(item.state, "held"), resumes=resumes, charged=True)

    items = tuple(hold(item) for item in case.items)
    number = request.order.number if request.order else request.po_number or ""
    noted = tuple(case.quotes[:-1]) + tuple(structs.replace(q, offered=number) for q in case.quotes[-1:])
    return structs.replace(case, items=items, quotes=noted, state=state_of(items, case.state))


def _bounced(case: Case, bounce: Bounce) -> Case:
    """The customer cannot be reached: reminders stop; what ends still ends, in silence (B1)."""
    if bounce.recipients and case.sender not in bounce.recipients:
        return case
    return structs.replace(
        case, unreachable=True, deadlines=tuple(d for d in case.deadlines if d.ends or d.kind in deadlines.OF_STAFF)
    )


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
    items = _taken_back(_items(case, request, decision), request, decision)
    issued = next((v for v in decision.verdicts if v.outcome == "issue" and not v.number), None)
    number = case.number
    if issued and numbers.stands(case, day) is None:
        number = numbers.assign(policy, known, day, f"rule {issued.clauses[0]}", issued.valid_until)
    limits = [v.valid_until for v in decision.verdicts if v.outcome == "issue" and v.valid_until]
    if number and limits and not any(v.number for v in decision.verdicts):  # AP-43: the earlier day holds for the box
        number = structs.replace(number, valid_until=min(number.valid_until, *limits))
    state = state_of(items, case.state) if decision.verdicts else _without_units(case, decision)
    return structs.replace(
        case,
        items=items,
        intent=request.intent if decision.verdicts and request.intent in UNIT_INTENTS else case.intent,
        number=number,
        quotes=_quotes(case, decision, policy, day),
        state=state,
        asked=tuple(dict.fromkeys((*case.asked, *decision.asks))),
        wishes=request.wishes or case.wishes,
        support_case=request.support_case or case.support_case,
    )


def _items(case: Case, request: Request, decision: Decision) -> tuple[CaseItem, ...]:
    """Return the case's units after the verdicts: decided ones renewed, gaps that were filled gone, the rest kept."""
    told = {fold(item.serial): item.told for item in case.items}
    told |= {fold(item.serial): item for item in (*request.foreign, *request.items)}
    before = {fold(item.serial): item for item in case.items}
    decided = {
        fold(v.serial): _item(before.get(fold(v.serial)), told[fold(v.serial)], v)
        for v in decision.verdicts
        if v.number in (None, case.number)  # another case's RMA answers
        and not _goes_on(before.get(fold(v.serial)), v)
    }
    if not decision.verdicts:
        return case.items
    kept = {
        key: item for key, item in before.items() if key in decided or (item.known and item.serial) or _settled(item)
    }
    return tuple((kept | decided).values())


def _taken_back(items: tuple[CaseItem, ...], request: Request, decision: Decision) -> tuple[CaseItem, ...]:
    """Let go the unit whose serial the mail takes back, or the only other one where it does not name it."""
    if not request.corrects or not any(verdict.known for verdict in decision.verdicts):
        return items
    right = {fold(item.serial) for item in request.items}
    others = [
        fold(i.serial) for i in items if fold(i.serial) not in right and i.state in ("asking", "quoted", "authorized")
    ]
    wrong = {fold(request.instead)} if request.instead else set(others if len(others) == 1 else ())
    return tuple(
        structs.replace(item, state=move(item.state, "withdrawn"), asks=())
        if fold(item.serial) in wrong and fold(item.serial) in others
        else item
        for item in items
    )


def _goes_on(item: CaseItem | None, verdict: Verdict) -> bool:
    """A number that was given stays given, whatever else is asked for; what is under way or put on hold stays where it is."""
    if item is None or item.state not in (*NUMBERED, "held"):
        return False
    if item.state == "authorized":
        return verdict.outcome not in ("issue", "staff")
    return item.state != "held" or item.resumes is not None


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
        all_of_them = {fold(item.serial) for item in case.items}
        case = parts_declined(case, policy, policy.rules.answers.parts_lapsed, all_of_them)
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
    if "close" in ended and item.state == "shipped":
        return structs.replace(item, state=move(item.state, "closed"))
    if "quote" in ended and item.state == "quoted":
        return structs.replace(item, state=move(item.state, "closed"))
    if "number" in ended and item.state == "authorized":
        return structs.replace(item, state=move(item.state, "expired"))
    return item
