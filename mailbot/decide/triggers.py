"""The decision on an event: outcome, clauses, facts, changes to the case, notices to send."""

from __future__ import annotations

from msgspec import structs

from mailbot.case import deadlines
from mailbot.decide import notices
from mailbot.decide.due_dates import decide_due
from mailbot.decide.plan import Plan
from mailbot.decide.requests import decide_request
from mailbot.decide.staff_commands import decide_staff
from mailbot.model import Bounced, Case, DeadlinesReached, Decision, Event, Ignored, MailRecord, StaffMessage
from mailbot.policy.context import Context


def decide(case: Case | None, event: Event, context: Context) -> Decision:
    """Return the decision on an event, with all its consequences.

    Raises:
        ImpossibleTransitionError: the state of a unit does not allow the event.
    """
    plan = Plan(case, context)
    match event:
        case Ignored(reason=reason):
            return plan.no_action(reason)
        case DeadlinesReached():
            return decide_due(plan, event)
        case Bounced():
            return _decide_bounce(plan, event)
        case StaffMessage():
            return decide_staff(plan, event)
        case _:
            return decide_request(plan, event)


def _decide_bounce(plan: Plan, event: Bounced) -> Decision:
    """Notify the desk. If the customer is unreachable, reminders stop, and expirations are not announced."""
    decision = plan.no_action("an outgoing email could not be delivered")
    case = plan.before
    if case is None:
        return decision
    if not event.bounce.recipients or case.sender in event.bounce.recipients:
        kept = tuple(d for d in case.deadlines if d.is_final or d.kind in deadlines.STAFF_KINDS)
        plan.update(unreachable=True, deadlines=kept)
    about_address = structs.replace(event.mail, sender=", ".join(event.bounce.recipients) or case.sender)
    plan.notify_roles(notices.to_staff(plan, decision, about_address, about="undeliverable"), ("desk",))
    return plan.decided(decision)


def decide_unreadable(record: MailRecord, context: Context) -> Decision:
    """Notify the desk of an email that could not be processed: metadata only, none of its content (promise 4)."""
    plan = Plan(None, context)
    note = notices.without_content("unreadable", record.why, record.at, record.identity)
    plan.notify_roles(structs.replace(note, sender=record.sender), ("desk",))
    return plan.decided(plan.no_action(record.why))
