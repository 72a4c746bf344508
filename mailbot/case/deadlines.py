"""Deadlines: reminders and expirations while a case waits. Each has a unique key, so that it takes effect once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from msgspec import structs

from mailbot.case.lifecycle import IN_WORK, ON_SITE
from mailbot.model import Case, CaseUnit, Deadline, DeadlineKind, State
from mailbot.policy.context import Context
from mailbot.policy.dates import at_hour, plus_business_days
from mailbot.policy.policy import Policy

KINDS: tuple[DeadlineKind, ...] = ("missing", "quote", "number", "held", "repair", "close")

STAFF_KINDS: frozenset[DeadlineKind] = frozenset({"held", "repair"})
"""Kinds of deadlines of which staff are reminded instead of the customer."""


def waits_for(case: Case, kind: DeadlineKind) -> bool:
    """Return whether the case waits for this: missing information, a purchase order, the shipment, a decision by staff, ..."""
    match kind:
        case "missing":
            return any(awaits_answer(unit) for unit in case.units)
        case "quote":
            return any(unit.state in ("quoted", "parts_quoted") for unit in case.units)
        case "number":
            return case.number is not None and any(unit.state == "authorized" for unit in case.units)
        case "held":
            return any(unit.state == "held" for unit in case.units) or (not case.units and case.state == "held")
        case "repair":
            return repair_due(case) is not None
        case "close":
            return any(unit.state == "shipped" for unit in case.units)


def repair_due(case: Case) -> date | None:
    """Return the earliest day by which a received unit must be repaired; None if no repair is due (ST-15)."""
    waiting = (unit.repair_due for unit in case.units if unit.state in IN_WORK and not unit.not_repairable)
    return min((day for day in waiting if day), default=None)


def awaits_answer(unit: CaseUnit) -> bool:
    """Return whether the customer has been asked about this unit, also if it is answered as unknown."""
    return unit.state == "asking" or (unit.state == "held" and unit.answered_as_unknown and not unit.staff_only)


def deadlines_of(case: Case, policy: Policy, today: date, restart: frozenset[DeadlineKind] = frozenset()) -> tuple[Deadline, ...]:
    """Return the deadlines of a case in its current state: those that still apply, and new ones.

    Args:
        case: with its deadlines so far.
        policy: the company's.
        today: in the company's zone.
        restart: kinds of deadlines that start again today.
    """
    kept: list[Deadline] = []
    for kind in KINDS:
        if not waits_for(case, kind):
            continue
        current = [deadline for deadline in case.deadlines if deadline.kind == kind]
        again = kind in restart or kind == "repair"  # which unit is due first may have changed
        kept += current if current and not again else _new_deadlines(case, kind, policy, today)
    return by_time(kept)


def deadlines_after(
    before: Case, after: Case, context: Context, *, asked: bool = False, quoted: bool = False
) -> tuple[Deadline, ...]:
    """Return the deadlines of ``after``; those of what was asked, quoted or issued since ``before`` start again today."""
    changed: set[tuple[DeadlineKind, bool]] = {
        ("missing", asked),
        ("quote", quoted or len(after.quotes) > len(before.quotes)),
        ("number", after.number != before.number),
    }
    restart = frozenset(kind for kind, is_new in changed if is_new)
    return deadlines_of(after, context.policy, context.day, restart)


def by_time(found: Iterable[Deadline]) -> tuple[Deadline, ...]:
    """Return deadlines in order of time."""
    return tuple(sorted(found, key=lambda deadline: deadline.at))


def _new_deadlines(case: Case, kind: DeadlineKind, policy: Policy, today: date) -> Iterator[Deadline]:
    rules = policy.rules.deadlines

    def deadline(word: str, day: date, due_on: date, *, is_final: bool = False) -> Deadline:
        at = at_hour(day, rules.hour.value, policy.timezone)
        return Deadline(key=f"{kind}:{word}:{due_on.isoformat()}", kind=kind, at=at, due_on=due_on, is_final=is_final)

    if kind == "number":
        last = case.number.valid_until if case.number else today
        for days in sorted(rules.number.remind_before, reverse=True):
            day = last - timedelta(days=days)
            if case.number and day > max(case.number.issued_on, today):
                yield deadline("remind", day, day)
        yield deadline("end", last + timedelta(days=1), last, is_final=True)  # the last day is included
    elif kind == "repair":
        yield from (deadline(word, day, day) for word, day in _repair_reminders(repair_due(case), policy) if day > today)
    elif kind == "held":
        day = plus_business_days(today, rules.held.first)
        yield deadline("remind", day, day)
    elif kind == "close":
        day = today + timedelta(days=rules.close.days)
        yield deadline("end", day, day, is_final=True)
    else:
        period = rules.missing if kind == "missing" else rules.quote
        for days in (*period.remind, period.close):
            day = today + timedelta(days=days)
            yield deadline("end" if days == period.close else "remind", day, day, is_final=days == period.close)


def _repair_reminders(due: date | None, policy: Policy) -> Iterator[tuple[str, date]]:
    """Yield the business days on which staff are reminded of a repair, before and after it is due, each with a word for the key."""
    rules = policy.rules.deadlines.repair
    if due is None:
        return
    for days in rules.remind_before:
        yield f"{days}-before", plus_business_days(due, -days, rules.holidays)
    for days in rules.remind_after:
        yield f"{days}-after", plus_business_days(due, days, rules.holidays)


def postponed(case: Case, kind: DeadlineKind, days: int) -> tuple[Deadline, ...]:
    """Return the deadlines of a case, those of one kind postponed by a number of days."""
    more = timedelta(days=days)
    return by_time(
        structs.replace(d, key=f"{d.key}+{days}", at=d.at + more, due_on=d.due_on + more) if d.kind == kind else d
        for d in case.deadlines
    )


def next_staff_reminder(policy: Policy, today: date) -> Deadline:
    """Return the deadline of the next reminder to staff about a case that is still held. ``today``: in the company's zone."""
    rules = policy.rules.deadlines
    day = plus_business_days(today, rules.held.every)
    at = at_hour(day, rules.hour.value, policy.timezone)
    return Deadline(key=f"held:remind:{day.isoformat()}", kind="held", at=at, due_on=day)


def final_date(case: Case) -> date | None:
    """Return the day on which the state of the case expires, or by which the first repair is due; None if there is no such day."""
    if case.state in ON_SITE:
        return min((unit.repair_due for unit in case.units if unit.state in ON_SITE and unit.repair_due), default=None)
    kinds: dict[State, DeadlineKind] = {"asking": "missing", "quoted": "quote", "authorized": "number", "shipped": "close"}
    return next((d.due_on for d in case.deadlines if d.is_final and d.kind == kinds.get(case.state)), None)
