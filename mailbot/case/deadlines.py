"""Deadlines: reminders and expirations while a case waits. Each has a unique key, so that it takes effect once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from msgspec import structs

from mailbot.case.lifecycle import IN_REPAIR, IN_WORK
from mailbot.model import Case, CaseUnit, Deadline, DeadlineKind, State
from mailbot.policy.dates import at_hour, plus_business_days
from mailbot.policy.policy import Policy

STAFF_KINDS: Final[frozenset[DeadlineKind]] = frozenset({"held", "repair"})
"""Kinds of deadlines of which staff are reminded instead of the customer."""


def awaits_answer(unit: CaseUnit) -> bool:
    """Return whether the customer has been asked about this unit, also if it is answered as unknown."""
    return unit.state == "asking" or (unit.state == "held" and unit.answered_as_unknown and not unit.staff_only)


_WAITS: Final[Mapping[DeadlineKind, Callable[[CaseUnit], bool]]] = MappingProxyType(
    {
        "missing": awaits_answer,
        "quote": lambda unit: unit.state in ("quoted", "parts_quoted"),
        "number": lambda unit: unit.state == "authorized",
        "held": lambda unit: unit.state == "held",
        "repair": lambda unit: unit.state in IN_WORK and unit.repair_due is not None and not unit.not_repairable,
        "close": lambda unit: unit.state == "shipped",
    }
)
"""Which units wait for what each kind of deadline ends: information, a purchase order, the shipment, staff, the repair (ST-15)."""


def waiting_units(case: Case, kind: DeadlineKind) -> tuple[CaseUnit, ...]:
    """Return the units of a case that a kind of deadline concerns."""
    return tuple(unit for unit in case.units if _WAITS[kind](unit))


def waits_for(case: Case, kind: DeadlineKind) -> bool:
    """Return whether a kind of deadline concerns the case. A question, which has no units, waits for staff."""
    if kind == "held" and not case.units:
        return case.state == "held"
    return bool(waiting_units(case, kind)) and (kind != "number" or case.number is not None)


def deadlines_of(case: Case, policy: Policy, today: date, restart: Collection[str] = ()) -> tuple[Deadline, ...]:
    """Return the deadlines of a case in its current state: those that still apply, and new ones.

    ``today``: in the company's zone. ``restart``: kinds of deadlines that start again today.
    """
    kept: list[Deadline] = []
    for kind in _WAITS:
        if not waits_for(case, kind):
            continue
        current = [deadline for deadline in case.deadlines if deadline.kind == kind]
        again = kind in restart or kind == "repair"  # which unit is due first may have changed
        kept += current if current and not again else _new_deadlines(case, kind, policy, today)
    return by_time(kept)


def by_time(found: Iterable[Deadline]) -> tuple[Deadline, ...]:
    """Return deadlines in order of time."""
    return tuple(sorted(found, key=lambda deadline: deadline.at))


def _new_deadlines(case: Case, kind: DeadlineKind, policy: Policy, today: date) -> Iterator[Deadline]:
    rules = policy.rules.deadlines
    if kind == "number" and case.number:
        last = case.number.valid_until
        for days in sorted(rules.number.remind_before, reverse=True):
            day = last - timedelta(days=days)
            if day > max(case.number.issued_on, today):
                yield _deadline(policy, kind, "remind", day)
        yield _deadline(policy, kind, "end", last, is_final=True, later=1)  # the last day is included
    elif kind == "repair":
        due = min(unit.repair_due for unit in waiting_units(case, kind) if unit.repair_due)
        counted = [(f"{days}-before", -days) for days in rules.repair.remind_before]
        for word, days in (*counted, *((f"{days}-after", days) for days in rules.repair.remind_after)):
            day = plus_business_days(due, days, rules.repair.holidays)
            if day > today:
                yield _deadline(policy, kind, word, day)
    elif kind == "held":
        yield next_staff_reminder(policy, today, rules.held.first)
    elif kind == "close":
        yield _deadline(policy, kind, "end", today + timedelta(days=rules.close.days), is_final=True)
    else:
        period = rules.missing if kind == "missing" else rules.quote
        for days in (*period.remind, period.close):
            is_final = days == period.close
            yield _deadline(policy, kind, "end" if is_final else "remind", today + timedelta(days=days), is_final=is_final)


def _deadline(policy: Policy, kind: DeadlineKind, word: str, day: date, *, is_final: bool = False, later: int = 0) -> Deadline:
    at = at_hour(day + timedelta(days=later), policy.rules.deadlines.hour.value, policy.timezone)
    return Deadline(key=f"{kind}:{word}:{day.isoformat()}", kind=kind, at=at, due_on=day, is_final=is_final)


def postponed(case: Case, kind: DeadlineKind, days: int) -> tuple[Deadline, ...]:
    """Return the deadlines of a case, those of one kind postponed by a number of days."""
    more = timedelta(days=days)
    return by_time(
        structs.replace(d, key=f"{d.key}+{days}", at=d.at + more, due_on=d.due_on + more) if d.kind == kind else d
        for d in case.deadlines
    )


def next_staff_reminder(policy: Policy, today: date, days: int) -> Deadline:
    """Return the deadline of the next reminder to staff about a held case, in a number of business days from today."""
    return _deadline(policy, "held", "remind", plus_business_days(today, days))


def final_date(case: Case) -> date | None:
    """Return the day on which the state of the case expires, or by which the first repair is due; None if there is no such day."""
    if case.state in IN_REPAIR:
        return min((unit.repair_due for unit in case.units if unit.state in IN_REPAIR and unit.repair_due), default=None)
    kinds: dict[State, DeadlineKind] = {"asking": "missing", "quoted": "quote", "authorized": "number", "shipped": "close"}
    return next((d.due_on for d in case.deadlines if d.is_final and d.kind == kinds.get(case.state)), None)
