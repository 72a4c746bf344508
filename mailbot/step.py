"""The one path, for every arrival: understand, decide, advance, compose. Pure: no I/O, no clock, no chance."""

from __future__ import annotations

from datetime import datetime

from msgspec import structs

from mailbot.case.advance import advance
from mailbot.case.merge import UNIT_INTENTS, carry_on, open_to_answer
from mailbot.case.thread import joins
from mailbot.intake import understand as intake
from mailbot.intake.serials import fold
from mailbot.model import (
    Answered,
    Bounce,
    Bounced,
    CameDue,
    Case,
    Decision,
    Due,
    Entry,
    Event,
    Ignored,
    Known,
    Message,
    Ordered,
    Record,
    Request,
    Requested,
    StaffSaid,
    Step,
    Undelivered,
    Wrote,
)
from mailbot.policy.dates import today
from mailbot.policy.decide import answered, decide_units
from mailbot.policy.facts import owns
from mailbot.policy.policy import Policy
from mailbot.reply.compose import compose

MACHINES = frozenset({"auto", "list", "spam"})
EXCERPT = 20_000
"""Characters of the sender's words that go on record with an event."""


def step(arrival: Message | Due | Undelivered, case: Case | None, known: Known, policy: Policy, now: datetime) -> Step:
    """Return what follows from one arrival.

    Args:
        arrival: a mail, read; deadlines of a case that have come; or a mail of ours that could not be sent.
        case: the case it belongs to, if its thread or its number names one.
        known: what the core needs to know of the world.
        policy: the company's rules at this desk.
        now: aware, UTC: when it arrives. Dates in the mail are hearsay.
    """
    event, case = understand(arrival, case, known, policy, now)
    decision = decide(policy, case, event, known)
    after = advance(case, event, decision, known, policy, now)
    replies = compose(case, event, decision, after, known, policy, now)
    if after is not None:
        entry = Entry(now, event, decision, tuple(reply.message_id for reply in replies))
        after = structs.replace(
            after, history=(*after.history, entry), replies=(*after.replies, *replies), participants=_who(after, event)
        )
    record = _record(event, decision, after, policy, now) if isinstance(arrival, Message) else None
    return Step(event, decision, after, replies, record)


def understand(
    arrival: Message | Due | Undelivered, case: Case | None, known: Known, policy: Policy, now: datetime
) -> tuple[Event, Case | None]:
    """Return what happened, and the case it happened to: a unit that is already being handled brings its own."""
    if isinstance(arrival, Due):
        keys = tuple(d.key for d in case.deadlines if d.at <= arrival.at) if case else ()
        return CameDue(arrival.at, keys), case
    if isinstance(arrival, Undelivered):
        return _undelivered(arrival, case, now), case
    mail = _wrote(arrival, now)
    request = _listen(arrival, mail, case, known, policy)
    if request.kind == "bounce":
        final = arrival.bounce and not arrival.bounce.temporary
        if case and arrival.bounce and _to_staff(case, arrival.bounce):
            return Ignored(mail, request, "a notice to staff could not be delivered"), None
        if case and arrival.bounce and final:
            return Bounced(mail, request, arrival.bounce), case
        return Ignored(mail, request, arrival.machine.because or "delivery report"), None
    if request.kind in MACHINES:
        return Ignored(mail, request, arrival.machine.because or request.kind), None
    if request.kind == "staff":
        return StaffSaid(mail, request), case
    case = _its_case(case, request, mail, known)
    waiting = case is not None and case.state in ("asking", "held")
    request = _foreign_numbers(carry_on(case, request), arrival, case, known, policy, now)
    if request.intent == "po":
        return Ordered(mail, request), case
    return (Answered if waiting else Requested)(mail, request), case


def decide(policy: Policy, case: Case | None, event: Event, known: Known) -> Decision:
    """Return outcome, clauses and facts for what happened."""
    rules = policy.rules
    match event:
        case CameDue():
            return Decision("none", (), "a deadline came", policy.stamp)
        case Ignored(because=because):
            return Decision("none", (), because, policy.stamp)
        case Bounced():
            return Decision("none", (), "a mail of ours could not be delivered", policy.stamp)
        case StaffSaid(request=request) if request.intent == "none" and not request.items:
            return Decision("none", (), "a note by staff", policy.stamp)
        case Requested(request=request) | Answered(request=request) if request.thanks and not (
            request.items or request.wishes
        ):
            return Decision("none", (), "thanks", policy.stamp)
    mail, request = event.mail, event.request
    if isinstance(event, StaffSaid) or request.attention:
        return answered(policy, rules.answers.other, mail, request, case)
    if isinstance(event, Ordered):
        return answered(policy, rules.answers.order, mail, request, case)
    if request.intent == "accept_quote":
        return answered(policy, rules.answers.accept, mail, request, case)
    if request.intent in UNIT_INTENTS and (request.items or request.foreign):
        decision = decide_units(policy, mail, request, case, known)
        return _told_again(decision, case)
    return answered(policy, rules.answers.other, mail, request, case)


def _told_again(decision: Decision, case: Case | None) -> Decision:
    """Have a person look when a serial could not be matched a second time, whoever asks (promise 7)."""
    again = case is not None and "known_serial" in case.asked and "known_serial" in decision.asks
    return structs.replace(decision, notify=decision.notify or ("approver",)) if again else decision


def _listen(message: Message, mail: Wrote, case: Case | None, known: Known, policy: Policy) -> Request:
    """Understand a mail as somebody would who knows the sender's units only; what more there is, staff may see (promise 7)."""
    if mail.sender in {person.address for person in policy.desk.staff}:
        return intake.understand(message, case, known, policy.desk)
    mine = {key: unit for key, unit in known.units.items() if owns(_domains(mail), unit)}
    request = intake.understand(message, case, structs.replace(known, units=mine), policy.desk)
    if len(mine) == len(known.units) or request.kind in ("bounce", *MACHINES):
        return request
    seen = intake.understand(message, case, known, policy.desk)
    foreign = (item for item in seen.items if fold(item.serial) in known.units and fold(item.serial) not in mine)
    return structs.replace(request, foreign=tuple(foreign))


def _its_case(case: Case | None, request: Request, mail: Wrote, known: Known) -> Case | None:
    """Return the case that this request belongs to.

    A mail in a thread that asks for other units than the thread's case is a case of its own. A mail outside any thread
    whose units are all being handled in one case of the same customer belongs to that case.
    """
    keys = {fold(item.serial) for item in request.items}
    if case is not None:
        waiting = any(open_to_answer(item) for item in case.items)
        others = keys - {fold(item.serial) for item in case.items}
        return None if others and request.intent in UNIT_INTENTS and not waiting and case.items else case
    if not keys or not all(key in known.units for key in keys):
        return None
    for open_case in known.open_cases:
        mine = {fold(item.serial) for item in open_case.items if not item.disguised}
        if keys <= mine and all(owns(_domains(mail), known.units[key]) for key in keys):
            return open_case
    return None


def _domains(mail: Wrote) -> set[str]:
    if mail.forged:
        return set()
    return {address.rpartition("@")[2] for address in (mail.sender, mail.answer_to) if address}


def _to_staff(case: Case, bounce: Bounce) -> bool:
    """Say whether the report is about a notice to staff: nobody is written to about that (B5)."""
    return any(r.message_id == bounce.original_id and r.audience == "staff" for r in case.replies)


def _foreign_numbers(
    request: Request, message: Message, case: Case | None, known: Known, policy: Policy, now: datetime
) -> Request:
    """Leave of the RMA numbers that the mail names those that are not valid ones of this customer (AP-25).

    Another customer's number is no better than a made-up one: nobody learns here that it exists (promise 7).
    """
    day = today(now, policy.timezone)
    cases = [c for c in (case, *known.open_cases) if c is not None and joins(c, message, policy.desk)]
    valid = {c.number.text.upper() for c in cases if c.number and c.number.valid_until >= day}
    claimed = tuple(number for number in request.claimed_numbers if number.upper() not in valid)
    return structs.replace(request, claimed_numbers=claimed)


def _undelivered(arrival: Undelivered, case: Case | None, now: datetime) -> Bounced:
    """The server's refusal is a delivery report like any other (RFC 5321 §6.1)."""
    reply = next((r for r in case.replies if r.message_id == arrival.message_id), None) if case else None
    to = reply.to if reply else ""
    mail = Wrote(identity="", message_id=None, sender=to, answer_to="", subject="", at=now, text=arrival.why)
    return Bounced(mail, Request("bounce"), Bounce((to,), original_id=arrival.message_id))


def _wrote(message: Message, now: datetime) -> Wrote:
    answer_to = message.answer_to
    return Wrote(
        identity=message.identity,
        message_id=message.message_id,
        sender=message.sender.email if message.sender else "",
        answer_to=answer_to.email if answer_to else "",
        subject=message.subject,
        at=now,
        attachments=tuple(attachment.name for attachment in message.attachments),
        forged=message.auth.result == "fail",
        name="" if answer_to is None or message.auth.result == "fail" else answer_to.name,
        references=tuple(dict.fromkeys((*message.references, *message.in_reply_to))),
        text=message.visible[:EXCERPT],
    )


def _who(case: Case, event: Event) -> tuple[str, ...]:
    """Return the participants: those who wrote in this case; being on Cc makes nobody one (P4)."""
    if isinstance(event, CameDue | StaffSaid | Bounced | Ignored):
        return case.participants
    addresses = (event.mail.sender, event.mail.answer_to)
    return tuple(dict.fromkeys((*case.participants, *(address for address in addresses if address))))


def _record(event: Event, decision: Decision, after: Case | None, policy: Policy, now: datetime) -> Record | None:
    if isinstance(event, CameDue):
        return None
    return Record(
        identity=event.mail.identity,
        at=now,
        mailbox=policy.desk.address,
        folder="Ignored" if isinstance(event, Ignored) else "Done",
        kind=event.request.kind,
        sender=event.mail.sender,
        subject=event.mail.subject,
        message_id=event.mail.message_id,
        case_id=after.id if after else None,
        outcome=decision.outcome,
        why=decision.why,
    )
