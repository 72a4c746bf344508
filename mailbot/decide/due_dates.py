"""The decision on due dates: reminders, expirations, closings. One email for each kind of deadline."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from mailbot.case import deadlines
from mailbot.case.lifecycle import IN_WORK
from mailbot.case.quotes import open_quotes
from mailbot.decide import notices
from mailbot.decide.orders import decline_parts
from mailbot.decide.plan import Plan
from mailbot.model import Case, CaseUnit, Deadline, DeadlineKind, DeadlinesReached, Decision, Notice
from mailbot.policy.policy import Policy
from mailbot.policy.rules import Moment


def decide_due(plan: Plan, event: DeadlinesReached) -> Decision:
    """Decide on the deadlines of a case that have been reached: what expires, and who is reminded."""
    policy = plan.context.policy
    if plan.before is None:
        return Decision("none", (), "a deadline was reached", policy.stamp)
    reached = [deadline for deadline in plan.before.deadlines if deadline.key in event.keys]
    announced = list(_one_of_each_kind(reached))
    _plan_expirations(plan, reached)
    for deadline in announced:
        _plan_notice(plan, plan.before, deadline)
    clauses = tuple(dict.fromkeys(clause for deadline in announced for clause in _basis(policy, deadline)))
    why = "; ".join(f"{deadline.kind}: {policy.clause_text(_basis(policy, deadline)[0])}" for deadline in announced)
    return plan.decided(Decision("none", clauses, why or "a deadline was reached", policy.stamp))


def _one_of_each_kind(reached: list[Deadline]) -> Iterator[Deadline]:
    """Yield one deadline of each kind: the expiration if it was reached, else the latest reminder."""
    for kind in dict.fromkeys(deadline.kind for deadline in reached):
        yield max((d for d in reached if d.kind == kind), key=lambda d: (d.is_final, d.at))


def _basis(policy: Policy, deadline: Deadline) -> tuple[str, ...]:
    """Return the clause that a deadline is based on."""
    clause: str = getattr(policy.rules.deadlines, deadline.kind).clause
    return (clause,)


# ---------------------------------------------------------------- changes


def _plan_expirations(plan: Plan, reached: list[Deadline]) -> None:
    """Plan the expirations, and remove the deadlines that were reached from the case."""
    context = plan.context
    expired = {deadline.kind for deadline in reached if deadline.is_final}
    if "quote" in expired:
        decline_parts(plan, context.answers.parts_lapsed, [unit.serial for unit in plan.current.units])
    for unit in plan.current.units:
        _expire_unit(plan, unit, expired)
    if not plan.current.units and expired:
        plan.update(state="closed")
    keys = {deadline.key for deadline in reached}
    case = plan.current
    remaining = tuple(d for d in case.deadlines if d.key not in keys and deadlines.waits_for(case, d.kind))
    if any(d.kind == "held" for d in reached) and deadlines.waits_for(case, "held"):
        remaining = deadlines.by_time((*remaining, deadlines.next_staff_reminder(context.policy, context.day)))
    plan.update(deadlines=remaining)


def _expire_unit(plan: Plan, unit: CaseUnit, expired: set[DeadlineKind]) -> None:
    if "missing" in expired and deadlines.awaits_answer(unit):
        plan.move(unit, "unanswered")
    elif "close" in expired and unit.state == "shipped":
        plan.move(unit, "closed")
    elif "quote" in expired and unit.state == "quoted":
        plan.move(unit, "unanswered")
    elif "number" in expired and unit.state == "authorized":
        plan.move(unit, "number_expired")


# ---------------------------------------------------------------- notices


def _plan_notice(plan: Plan, case: Case, deadline: Deadline) -> None:
    """Plan the email of one deadline; ``case`` is the case before the deadline was reached."""
    policy = plan.context.policy
    decision = Decision("none", _basis(policy, deadline), "", policy.stamp)
    decision = structs.replace(decision, why=f"{deadline.kind}: {policy.clause_text(decision.clauses[0])}")
    lapsed = [unit.serial for unit in case.units if unit.state == "parts_quoted"]
    match deadline.kind:
        case "close":
            return
        case "repair":
            about = "repair_due" if "-before:" in deadline.key else "repair_overdue"
            waiting = tuple(u.serial for u in case.units if u.state in IN_WORK and u.repair_due)
            note = structs.replace(notices.to_staff(plan, decision, None, about=about), facts=(), units=waiting)
            plan.notify_staff(note, notices.people(policy, ("desk",)))
        case "held":
            _remind_staff(plan, case, decision)
        case "quote" if deadline.is_final and lapsed:
            units = plan.units(lapsed)
            if case.sender and not case.unreachable:
                plan.notify_customer(notices.progress(plan, "parts_lapsed", units, decision), case.sender)
            note = notices.to_staff(plan, decision, None, about="told")
            note = structs.replace(note, units=tuple(unit.serial for unit in units))
            plan.notify_staff(note, notices.people(policy, ("desk",)))
        case _ if case.sender and not case.unreachable:
            plan.notify_customer(_reminder(plan, case, deadline, decision), case.sender)


def _remind_staff(plan: Plan, case: Case, decision: Decision) -> None:
    """Remind staff of a held case, with the facts of the latest decision that staff were notified of."""
    last = next((entry for entry in reversed(case.history) if entry.decision.notify), None)
    shown = last.decision if last else decision
    mail = None if last is None or isinstance(last.event, DeadlinesReached) else last.event.mail
    note = notices.to_staff(plan, shown, mail, about="held")
    plan.notify_staff(note, notices.people(plan.context.policy, shown.notify or ("approver",)))


def _reminder(plan: Plan, case: Case, deadline: Deadline, decision: Decision) -> Notice:
    """Return the reminder to the customer, or the notice of expiration."""
    number = case.number if deadline.kind == "number" else None
    waiting = tuple(unit for unit in case.units if _concerned(unit, deadline))
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


def _concerned(unit: CaseUnit, deadline: Deadline) -> bool:
    match deadline.kind:
        case "missing":
            return deadlines.awaits_answer(unit)
        case "quote":
            return unit.state in ("quoted", "parts_quoted")
        case "number":
            return unit.state == "authorized"
        case _:
            return False
