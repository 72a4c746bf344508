"""The decision on an event: outcome, clauses, facts, changes to the case, notices to send."""

from __future__ import annotations

from mailbot.decide.deliveries import decide_bounce
from mailbot.decide.due_dates import decide_due
from mailbot.decide.plan import Plan
from mailbot.decide.requests import decide_request
from mailbot.decide.results import no_action
from mailbot.decide.staff_commands import decide_staff
from mailbot.model import Bounced, Case, DeadlinesReached, Decision, Event, Ignored, StaffMessage
from mailbot.policy.context import Context


def decide(case: Case | None, event: Event, context: Context) -> Decision:
    """Return the decision on an event, with all its consequences.

    Args:
        case: the case that the event belongs to, if any.
        event: what happened.
        context: the policy, the snapshot, and the time.

    Raises:
        ImpossibleTransitionError: the state of a unit does not allow the event.
    """
    plan = Plan(case, context)
    match event:
        case Ignored(reason=reason):
            return no_action(context, reason)
        case DeadlinesReached():
            return decide_due(plan, event)
        case Bounced():
            return decide_bounce(plan, event)
        case StaffMessage():
            return decide_staff(plan, event)
        case _:
            return decide_request(plan, event)
