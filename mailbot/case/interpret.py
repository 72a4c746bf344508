"""What an arrival means: the event, and the case it happened to."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import structs

from mailbot.case import numbers
from mailbot.case.authority import person, proof
from mailbot.case.lifecycle import CLOSED_STATES, NUMBERED
from mailbot.case.matching import joins
from mailbot.case.merge import UNIT_INTENTS, merge_request, open_to_answer
from mailbot.intake import understand as intake
from mailbot.intake.entities.serials import serial_key
from mailbot.mail.addresses import is_ours
from mailbot.model import (
    Answered,
    Bounce,
    Bounced,
    Case,
    DeadlinesReached,
    DueDate,
    Event,
    FailedDelivery,
    Ignored,
    MailReference,
    Message,
    Ordered,
    Request,
    Requested,
    Snapshot,
    StaffMessage,
)
from mailbot.policy.dates import today
from mailbot.policy.facts import owns
from mailbot.policy.policy import Policy

MACHINES = frozenset({"auto", "list", "spam"})
EXCERPT = 20_000
"""Characters of the sender's words that go on record with an event."""


def interpret(
    arrival: Message | DueDate | FailedDelivery, case: Case | None, snapshot: Snapshot, policy: Policy, now: datetime
) -> tuple[Event, Case | None]:
    """Return what happened, and the case it happened to: a unit that is already being handled brings its own."""
    if isinstance(arrival, DueDate):
        keys = tuple(d.key for d in case.deadlines if d.at <= arrival.at) if case else ()
        return DeadlinesReached(arrival.at, keys), case
    if isinstance(arrival, FailedDelivery):
        return _undelivered(arrival, case, now), case
    mail = _wrote(arrival, policy, now)
    request = _listen(arrival, mail, case, snapshot, policy)
    if request.kind == "bounce":
        final = arrival.bounce and not arrival.bounce.temporary
        if case and arrival.bounce and _to_staff(case, arrival.bounce):
            return Ignored(mail, request, "a notice to staff could not be delivered"), None
        if case and arrival.bounce and final:
            return Bounced(mail, request, arrival.bounce), case
        return Ignored(mail, request, arrival.classification.reason or "delivery report"), None
    if request.kind in MACHINES:
        return Ignored(mail, request, arrival.classification.reason or request.kind), None
    if request.kind == "staff":
        return _of_staff(arrival, mail, request, case, snapshot, policy, now)
    case = _its_case(case, request, mail, snapshot, policy, arrival, today(now, policy.timezone))
    waiting = case is not None and case.state in ("asking", "held")
    request = _elsewhere(case, merge_request(case, request), snapshot)
    request = _foreign_numbers(request, arrival, case, snapshot, policy, now)
    if request.intent == "po":
        return Ordered(mail, request), case
    return (Answered if waiting else Requested)(mail, request), case


def _of_staff(
    message: Message,
    mail: MailReference,
    request: Request,
    case: Case | None,
    snapshot: Snapshot,
    policy: Policy,
    now: datetime,
) -> tuple[StaffMessage, Case | None]:
    """Show by what the writer is known; commands outside any thread are about the one case of the units they name."""
    if mail.forged:
        return StaffMessage(mail, request, "forged"), None
    if case is None and (request.commands or request.unclear) and len(snapshot.open_cases) == 1:
        case = snapshot.open_cases[0]
    known_by, token = proof(message, case, policy.desk, now)
    return StaffMessage(mail, request, known_by, token.secret if token else ""), case


def _listen(message: Message, mail: MailReference, case: Case | None, snapshot: Snapshot, policy: Policy) -> Request:
    """Understand a mail as somebody would who knows the sender's units only; what more there is, staff may see (promise 7)."""
    if person(message, policy.desk) is not None:
        return intake.understand(message, case, snapshot, policy.desk)
    mine = {key: unit for key, unit in snapshot.units.items() if owns(domains(mail), unit)}
    request = intake.understand(message, case, structs.replace(snapshot, units=mine), policy.desk)
    if len(mine) == len(snapshot.units) or request.kind in ("bounce", *MACHINES):
        return request
    seen = intake.understand(message, case, snapshot, policy.desk)
    foreign = (
        item for item in seen.units if serial_key(item.serial) in snapshot.units and serial_key(item.serial) not in mine
    )
    return structs.replace(request, foreign=tuple(foreign))


def _its_case(
    case: Case | None,
    request: Request,
    mail: MailReference,
    snapshot: Snapshot,
    policy: Policy,
    message: Message,
    day: date,
) -> Case | None:
    """Return the case that this request belongs to.

    A mail in a thread that asks for other units than the thread's case is a case of its own, unless it adds them to that case or
    corrects a serial of it. So is one that asks again for units that have been shipped back, or that were left behind. A mail
    outside any thread belongs to the case of the same customer that has most of its units in hand.
    """
    keys = {serial_key(unit.serial) for unit in request.units}
    if case is not None:
        elsewhere = next(
            (other for other in snapshot.open_cases if other.id != case.id and keys <= _handled(other)), None
        )
        if keys and elsewhere and request.intent in UNIT_INTENTS and joins(elsewhere, message, policy.desk):
            return elsewhere
        waiting = any(open_to_answer(unit) for unit in case.units)
        others = keys - {serial_key(unit.serial) for unit in case.units}
        asks = request.intent in UNIT_INTENTS
        joined = waiting or ((request.adds or request.corrects) and case.state not in CLOSED_STATES)
        if asks and case.units and ((others and not joined) or _gone_back(case, keys) or _left_behind(case, keys, day)):
            return None
        return case
    if not keys or not all(key in snapshot.units for key in keys):
        return None
    if not all(owns(domains(mail), snapshot.units[key]) for key in keys):
        return None
    running = [(len(keys & _handled(open_case)), open_case) for open_case in snapshot.open_cases]
    most, nearest = max(running, key=lambda pair: pair[0], default=(0, None))
    return nearest if most else None


def _handled(case: Case) -> set[str]:
    """Return the units that a case has in hand."""
    return {
        serial_key(i.serial)
        for i in case.units
        if i.known and i.state not in CLOSED_STATES and not (i.answered_as_unknown or i.shipped_on)
    }


def _elsewhere(case: Case | None, request: Request, snapshot: Snapshot) -> Request:
    """Leave out the units that another case has in hand: one unit is never decided on in two (ST-4)."""
    others = [each for each in snapshot.open_cases if case is None or each.id != case.id]
    held = {key: each for each in others for key in _handled(each)} if case is not None else {}
    items = tuple(unit for unit in request.units if serial_key(unit.serial) not in held)
    if request.units and not items:  # all of it is in hand elsewhere: what is meant, a person must say
        return structs.replace(request, units=(), intent="question")
    return structs.replace(request, units=items)


def _gone_back(case: Case, keys: set[str]) -> bool:
    """Say whether what is asked for has been shipped back in this case: then it is a new return."""
    meant = [unit for unit in case.units if not keys or serial_key(unit.serial) in keys]
    return bool(meant) and all(unit.shipped_on for unit in meant)


def _left_behind(case: Case, keys: set[str], day: date) -> bool:
    """Say whether what is asked for again has ended while others still travel under the case's number, which has ended too."""
    ended = {serial_key(unit.serial) for unit in case.units if unit.state in CLOSED_STATES}
    travels = any(unit.state in NUMBERED for unit in case.units)
    return bool(keys) and keys <= ended and travels and numbers.valid_number(case, day) is None


def domains(mail: MailReference) -> set[str]:
    """Return the domains in whose name a mail speaks; none where our server says that the From is not genuine."""
    if mail.forged:
        return set()
    return {address.rpartition("@")[2] for address in (mail.sender, mail.answer_to) if address}


def _to_staff(case: Case, bounce: Bounce) -> bool:
    """Say whether the report is about a notice to staff: nobody is written to about that (B5)."""
    return any(r.message_id == bounce.original_id and r.audience == "staff" for r in case.replies)


def _foreign_numbers(
    request: Request, message: Message, case: Case | None, snapshot: Snapshot, policy: Policy, now: datetime
) -> Request:
    """Leave of the RMA numbers that the mail names those that are not valid ones of this customer (AP-25).

    Another customer's number is no better than a made-up one: nobody learns here that it exists (promise 7).
    """
    day = today(now, policy.timezone)
    cases = [c for c in (case, *snapshot.open_cases) if c is not None and joins(c, message, policy.desk)]
    valid = {c.number.text.upper() for c in cases if c.number and c.number.valid_until >= day}
    claimed = tuple(number for number in request.claimed_numbers if number.upper() not in valid)
    return structs.replace(request, claimed_numbers=claimed)


def _undelivered(arrival: FailedDelivery, case: Case | None, now: datetime) -> Bounced:
    """The server's refusal is a delivery report like any other (RFC 5321 §6.1)."""
    reply = next((r for r in case.replies if r.message_id == arrival.message_id), None) if case else None
    to = reply.to if reply else ""
    mail = MailReference(identity="", message_id=None, sender=to, answer_to="", subject="", at=now, text=arrival.why)
    return Bounced(mail, Request("bounce"), Bounce((to,), original_id=arrival.message_id))


def _wrote(message: Message, policy: Policy, now: datetime) -> MailReference:
    answer_to = message.answer_to
    ours = (policy.desk.address, *policy.desk.aliases)
    others = (box.email for box in (*message.to, *message.cc) if not is_ours(box.email, ours))
    return MailReference(
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
        others=tuple(dict.fromkeys(others)),
    )
