"""Interpret a trigger: the event that it is, and the case that it belongs to."""

from __future__ import annotations

from datetime import datetime

from msgspec import structs

from mailbot.case.authority import proof
from mailbot.case.matching import case_of_request, case_of_staff_email, may_join, without_units_elsewhere
from mailbot.case.merge import merge_request
from mailbot.intake.desk import staff_member
from mailbot.intake.understand import understand
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
    StaffMessage,
)
from mailbot.policy.context import Context
from mailbot.policy.facts import owns

MACHINES = frozenset({"auto", "list", "spam"})
EXCERPT = 20_000
"""Characters of the sender's text that are stored with an event."""


def interpret(trigger: Message | DueDate | FailedDelivery, case: Case | None, context: Context) -> tuple[Event, Case | None]:
    """Return the event of a trigger, and the case that it belongs to, if any.

    Args:
        trigger: an email, a due date, or an outgoing email that could not be delivered.
        case: the case that the trigger refers to, if any. An email about an active unit of another case may belong to that case.
        context: the policy, the snapshot, and the time.
    """
    if isinstance(trigger, DueDate):
        keys = tuple(d.key for d in case.deadlines if d.at <= trigger.at) if case else ()
        return DeadlinesReached(trigger.at, keys), case
    if isinstance(trigger, FailedDelivery):
        return _failed_delivery(trigger, case, context.now), case
    mail = _reference(trigger, context)
    request = _read(trigger, mail, case, context)
    if request.kind == "bounce":
        final = trigger.bounce and not trigger.bounce.temporary
        if case and trigger.bounce and _to_staff(case, trigger.bounce):
            return Ignored(mail, request, "a notice to staff could not be delivered"), None
        if case and trigger.bounce and final:
            return Bounced(mail, request, trigger.bounce), case
        return Ignored(mail, request, trigger.classification.reason or "delivery report"), None
    if request.kind in MACHINES:
        return Ignored(mail, request, trigger.classification.reason or request.kind), None
    if request.kind == "staff":
        return _from_staff(trigger, mail, request, case, context)
    case = case_of_request(case, request, trigger, sender_domains(mail), context)
    waiting = case is not None and case.state in ("asking", "held")
    request = without_units_elsewhere(case, merge_request(case, request), context.snapshot)
    request = _valid_numbers_only(request, trigger, case, context)
    if request.intent == "po":
        return Ordered(mail, request), case
    return (Answered if waiting else Requested)(mail, request), case


def _from_staff(
    message: Message, mail: MailReference, request: Request, case: Case | None, context: Context
) -> tuple[StaffMessage, Case | None]:
    """Return the event of a staff email and its case: none if our mail server reports that the sender is not genuine."""
    case = case_of_staff_email(case, request, context.snapshot.open_cases)
    how, token = proof(message, case, context.policy.desk, context.now)
    return StaffMessage(mail, request, how, token.secret if token else ""), None if how == "forged" else case


def _read(message: Message, mail: MailReference, case: Case | None, context: Context) -> Request:
    """Understand an email; staff may see all units, any other sender only their own (promise 7)."""
    snapshot, desk = context.snapshot, context.policy.desk
    if staff_member(message, desk) is not None:
        return understand(message, case, snapshot, desk)
    domains = sender_domains(mail)
    owned = {key for key, unit in snapshot.units.items() if owns(domains, unit)}
    return understand(message, case, snapshot, desk, owned)


def sender_domains(mail: MailReference) -> set[str]:
    """Return the domains of the sender's addresses; none if our server reports that the From header is not genuine."""
    if mail.forged:
        return set()
    return {address.rpartition("@")[2] for address in (mail.sender, mail.answer_to) if address}


def _to_staff(case: Case, bounce: Bounce) -> bool:
    """Return whether the bounce is about a notice to staff: no one is notified of that."""
    return any(r.message_id == bounce.original_id and r.audience == "staff" for r in case.replies)


def _valid_numbers_only(request: Request, message: Message, case: Case | None, context: Context) -> Request:
    """Remove the customer's own valid RMA numbers from the claimed ones: only invalid numbers remain (AP-25).

    Another customer's number counts as invalid: the sender does not learn that it exists (promise 7).
    """
    cases = [c for c in (case, *context.snapshot.open_cases) if c is not None and may_join(c, message, context.policy.desk)]
    valid = {c.number.text.upper() for c in cases if c.number and c.number.valid_until >= context.day}
    claimed = tuple(number for number in request.claimed_numbers if number.upper() not in valid)
    return structs.replace(request, claimed_numbers=claimed)


def _failed_delivery(trigger: FailedDelivery, case: Case | None, now: datetime) -> Bounced:
    """Return the failed delivery as a bounce (RFC 5321 §6.1)."""
    reply = next((r for r in case.replies if r.message_id == trigger.message_id), None) if case else None
    to = reply.to if reply else ""
    mail = MailReference(identity="", message_id=None, sender=to, answer_to="", subject="", at=now, text=trigger.why)
    return Bounced(mail, Request("bounce"), Bounce((to,), original_id=trigger.message_id))


def _name_to_greet(name: str) -> str:
    """Return a display name without quotes around it; an address is no name."""
    return "" if "@" in name else name.strip("'\"‘’“”` ")  # noqa: RUF001


def _reference(message: Message, context: Context) -> MailReference:
    answer_to, desk = message.answer_to, context.policy.desk
    recipients = (box.email for box in (*message.to, *message.cc) if not is_ours(box.email, (desk.address, *desk.aliases)))
    forged = message.auth.result == "fail"
    return MailReference(
        identity=message.identity,
        message_id=message.message_id,
        sender=message.sender.email if message.sender else "",
        answer_to=answer_to.email if answer_to else "",
        subject=message.subject,
        at=context.now,
        attachments=tuple(attachment.name for attachment in message.attachments),
        forged=forged,
        name="" if answer_to is None or forged else _name_to_greet(answer_to.name),
        references=tuple(dict.fromkeys((*message.references, *message.in_reply_to))),
        text=message.visible[:EXCERPT],
        other_recipients=tuple(dict.fromkeys(recipients)),
    )
