"""The decision on due dates: reminders, expirations, closings. At most one email to the customer for each kind of deadline."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import structs

from mailbot.case import deadlines
from mailbot.case.lifecycle import IN_WORK
from mailbot.case.quotes import open_quotes
from mailbot.decide import notices
from mailbot.decide.orders import decline_parts
from mailbot.decide.plan import Plan
from mailbot.model import Case, Deadline, DeadlineKind, DeadlinesReached, Decision, LifecycleEvent, Notice
from mailbot.policy.rules import Moment

_EXPIRATIONS: Final[Mapping[DeadlineKind, LifecycleEvent]] = MappingProxyType(
    {"missing": "unanswered", "quote": "unanswered", "number": "number_expired", "close": "closed"}
)
"""What happens to the units that still wait when a kind of deadline expires."""


def decide_due(plan: Plan, event: DeadlinesReached) -> Decision:
    """Decide on the deadlines of a case that have been reached: what expires, and who is reminded."""
    policy, case = plan.context.policy, plan.before
    reached = [deadline for deadline in case.deadlines if deadline.key in event.keys] if case else []
    announced: list[tuple[Deadline, Decision]] = []
    for kind in dict.fromkeys(deadline.kind for deadline in reached):  # the expiration if it was reached, else the last reminder
        latest = max((d for d in reached if d.kind == kind), key=lambda d: (d.is_final, d.at))
        clause: str = getattr(policy.rules.deadlines, kind).clause
        announced.append((latest, Decision("none", (clause,), f"{kind}: {policy.clause_text(clause)}", policy.stamp)))
    if case is not None:
        _plan_expirations(plan, reached)
        for deadline, basis in announced:
            _plan_notice(plan, case, deadline, basis)
    clauses = tuple(dict.fromkeys(clause for _, basis in announced for clause in basis.clauses))
    why = "; ".join(basis.why for _, basis in announced)
    return plan.decided(Decision("none", clauses, why or "a deadline was reached", policy.stamp))


def _plan_expirations(plan: Plan, reached: list[Deadline]) -> None:
    """Plan the expirations, and remove the deadlines that were reached from the case."""
    policy = plan.context.policy
    expired = {deadline.kind for deadline in reached if deadline.is_final}
    if "quote" in expired:
        decline_parts(plan, plan.context.answers.parts_lapsed, [unit.serial for unit in plan.current.units])
    for kind, event in _EXPIRATIONS.items():
        for unit in deadlines.waiting_units(plan.current, kind) if kind in expired else ():
            plan.move(unit, event)
    if not plan.current.units and expired:
        plan.update(state="closed")
    case = plan.current
    remaining = [d for d in case.deadlines if d not in reached and deadlines.waits_for(case, d.kind)]
    if any(d.kind == "held" for d in reached) and deadlines.waits_for(case, "held"):
        remaining.append(deadlines.next_staff_reminder(policy, plan.context.day, policy.rules.deadlines.held.every))
    plan.update(deadlines=deadlines.by_time(remaining))


def _plan_notice(plan: Plan, case: Case, deadline: Deadline, decision: Decision) -> None:
    """Plan the email of one deadline; ``case`` is the case before the deadline was reached."""
    lapsed = [unit.serial for unit in case.units if unit.state == "parts_quoted"]
    match deadline.kind:
        case "close":
            return
        case "repair":
            about = "repair_due" if "-before:" in deadline.key else "repair_overdue"
            waiting = tuple(u.serial for u in case.units if u.state in IN_WORK and u.repair_due)
            note = structs.replace(notices.to_staff(plan, decision, None, about=about), facts=(), units=waiting)
            plan.notify_roles(note, ("desk",))
        case "held":
            _remind_staff(plan, case, decision)
        case "quote" if deadline.is_final and lapsed:
            units = plan.units(lapsed)
            plan.inform_customer(notices.progress(plan, "parts_lapsed", units, decision))
            note = notices.to_staff(plan, decision, None, about="told")
            note = structs.replace(note, units=tuple(unit.serial for unit in units))
            plan.notify_roles(note, ("desk",))
        case _:
            plan.inform_customer(_reminder(plan, case, deadline, decision))


def _remind_staff(plan: Plan, case: Case, decision: Decision) -> None:
    """Remind staff of a held case, with the facts of the latest decision that staff were notified of."""
    last = next((entry for entry in reversed(case.history) if entry.decision.notify), None)
    shown = last.decision if last else decision
    mail = None if last is None or isinstance(last.event, DeadlinesReached) else last.event.mail
    plan.notify_roles(notices.to_staff(plan, shown, mail, about="held"), shown.notify or ("approver",))


def _reminder(plan: Plan, case: Case, deadline: Deadline, decision: Decision) -> Notice:
    """Return the reminder to the customer, or the notice of expiration."""
    number = case.number if deadline.kind == "number" else None
    waiting = deadlines.waiting_units(case, deadline.kind)
    end = next((d.due_on for d in case.deadlines if d.kind == deadline.kind and d.is_final), deadline.due_on)
    moments: set[Moment] = {"expired" if deadline.is_final else "reminder"} if number else set()
    lines = notices.informs(plan.context.policy, decision, moments)
    return Notice(
        kind="reminder" if not deadline.is_final else "expired" if number else "closed",
        about={"missing": "asking"}.get(deadline.kind, deadline.kind),
        clauses=tuple(dict.fromkeys((*decision.clauses, *(line.clause for line in lines)))),
        basis=decision.clauses,
        asks=tuple(dict.fromkeys(ask for unit in waiting for ask in unit.asks)),
        greeting=case.name,
        informs=lines,
        units=tuple(unit.serial for unit in waiting),
        number=number,
        quote=next(reversed(open_quotes(case)), None) if deadline.kind == "quote" else None,
        until=end,
        days_left=(end - plan.context.day).days,
    )
