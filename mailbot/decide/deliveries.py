"""The decision on emails of ours that could not be delivered, and on emails that could not be read."""

from __future__ import annotations

from msgspec import structs

from mailbot.case import deadlines
from mailbot.decide import notices
from mailbot.decide.plan import Plan
from mailbot.decide.results import nothing
from mailbot.model import Bounced, Decision, MailRecord, Notice
from mailbot.policy.context import Context


def decide_bounce(plan: Plan, event: Bounced) -> Decision:
    """Notify the desk; if the customer cannot be reached, reminders stop, and what expires does so silently (B1)."""
    decision = nothing(plan.context, "an email of ours could not be delivered")
    case = plan.before
    if case is None:
        return decision
    if not event.bounce.recipients or case.sender in event.bounce.recipients:
        kept = tuple(d for d in case.deadlines if d.is_final or d.kind in deadlines.STAFF_KINDS)
        plan.update(unreachable=True, deadlines=kept)
    unreached = structs.replace(event.mail, sender=", ".join(event.bounce.recipients) or case.sender)
    note = notices.to_staff(plan, decision, unreached, about="undeliverable")
    plan.notify_staff(note, notices.people(plan.context.policy, ("desk",)))
    return plan.decided(decision)


def decide_unreadable(record: MailRecord, context: Context) -> Decision:
    """Tell the desk about an email that could not be processed: metadata only, nothing of its content (promise 4)."""
    plan = Plan(None, context)
    facts = (("arrived", record.at.isoformat(timespec="seconds")), ("identity", record.identity.strip()))
    note = Notice(kind="notice", about="unreadable", why=record.why, facts=facts, sender=record.sender)
    plan.notify_staff(note, notices.people(context.policy, ("desk",)))
    return plan.decided(nothing(context, record.why))
