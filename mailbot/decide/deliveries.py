"""The decision on outgoing emails that could not be delivered, and on incoming emails that could not be processed."""

from __future__ import annotations

from msgspec import structs

from mailbot.case import deadlines
from mailbot.decide import notices
from mailbot.decide.plan import Plan
from mailbot.decide.results import no_action
from mailbot.model import Bounced, Decision, MailRecord, Notice
from mailbot.policy.context import Context


def decide_bounce(plan: Plan, event: Bounced) -> Decision:
    """Notify the desk. If the customer is unreachable, reminders stop, and expirations are not announced (B1)."""
    decision = no_action(plan.context, "an outgoing email could not be delivered")
    case = plan.before
    if case is None:
        return decision
    if not event.bounce.recipients or case.sender in event.bounce.recipients:
        kept = tuple(d for d in case.deadlines if d.is_final or d.kind in deadlines.STAFF_KINDS)
        plan.update(unreachable=True, deadlines=kept)
    about_address = structs.replace(event.mail, sender=", ".join(event.bounce.recipients) or case.sender)
    note = notices.to_staff(plan, decision, about_address, about="undeliverable")
    plan.notify_staff(note, notices.people(plan.context.policy, ("desk",)))
    return plan.decided(decision)


def decide_unreadable(record: MailRecord, context: Context) -> Decision:
    """Notify the desk of an email that could not be processed: metadata only, none of its content (promise 4)."""
    plan = Plan(None, context)
    facts = (("arrived", record.at.isoformat(timespec="seconds")), ("identity", record.identity.strip()))
    note = Notice(kind="notice", about="unreadable", why=record.why, facts=facts, sender=record.sender)
    plan.notify_staff(note, notices.people(context.policy, ("desk",)))
    return plan.decided(no_action(context, record.why))
