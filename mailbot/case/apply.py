"""Apply a decision to a case: the only code that changes cases. It needs no policy, no registry and no clock."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import structs

from mailbot.case.lifecycle import ImpossibleTransitionError, next_state, state_of
from mailbot.intake.entities.serials import serial_key
from mailbot.model import (
    Case,
    CaseChanged,
    CaseOpened,
    Change,
    CustomerEvent,
    Decision,
    Event,
    HistoryEntry,
    Reply,
    UnitChanged,
    UnitRemoved,
)


def apply(case: Case | None, event: Event, decision: Decision, at: datetime) -> Case | None:
    """Return the case after an event and the decision on it; None if no case is affected. ``at``: aware, UTC.

    Raises:
        ImpossibleTransitionError: the state of a unit does not allow a change.
    """
    after = case
    for change in decision.changes:
        after = with_change(after, change, at)
    if after is None:
        return None
    after = structs.replace(after, version=version_after(case, after))
    if case is not None and after.version != case.version:  # earlier tokens are for a case that has changed since
        after = structs.replace(after, tokens=tuple(t for t in after.tokens if t.until > at and t.version == after.version))
    writers = (event.mail.sender, event.mail.answer_to) if isinstance(event, CustomerEvent) else ()
    sent = tuple(recipient for notice in decision.notices for recipient in notice.recipients)
    return structs.replace(
        after,
        history=(*after.history, HistoryEntry(at, event, decision, tuple(recipient.message_id for recipient in sent))),
        tokens=(*after.tokens, *(recipient.token for recipient in sent if recipient.token)),
        # Everyone who wrote in this case participates. A Cc address does not.
        participants=tuple(dict.fromkeys((*after.participants, *(address for address in writers if address)))),
    )


def with_replies(case: Case, replies: tuple[Reply, ...]) -> Case:
    """Return the case with the emails of its latest decision added."""
    return structs.replace(case, replies=(*case.replies, *replies))


def version_after(before: Case | None, after: Case) -> int:
    """Return the version of the case: it grows when units, quotes, the number or a pending approval change."""
    if before is None:
        return after.version
    same = (before.units, before.quotes, before.number, before.pending) == (after.units, after.quotes, after.number, after.pending)
    return before.version if same else before.version + 1


def with_change(case: Case | None, change: Change, at: datetime) -> Case:
    """Return the case after one change.

    Raises:
        ImpossibleTransitionError: the state of the unit does not allow the change, or there is no case to change.
    """
    if isinstance(change, CaseOpened):
        return Case(**structs.asdict(change), state="held", opened_at=at)
    if case is None:
        raise ImpossibleTransitionError(f"there is no case to change: {type(change).__name__}")
    match change:
        case UnitChanged():
            return _with_unit(case, change)
        case UnitRemoved(serial=serial):
            units = tuple(unit for unit in case.units if serial_key(unit.serial) != serial_key(serial))
            return structs.replace(case, units=units, state=state_of(units, case.state))
        case CaseChanged():
            fields = {name: getattr(change, name) for name in CaseChanged.__struct_fields__}
            return structs.replace(case, **{name: value for name, value in fields.items() if value is not msgspec.UNSET})


def _with_unit(case: Case, change: UnitChanged) -> Case:
    """Replace or add a unit; its state must be the one that the lifecycle table has for the event."""
    key = serial_key(change.unit.serial)
    units = {serial_key(unit.serial): unit for unit in case.units}
    before = units[key].state if key in units else None
    expected = before if change.event is None else next_state(before, change.event)
    if change.unit.state != expected:
        raise ImpossibleTransitionError(
            f"a unit that is {before or 'new'} cannot become {change.unit.state} by {change.event or 'no event'}"
        )
    units[key] = change.unit
    return structs.replace(case, units=tuple(units.values()), state=state_of(units.values(), case.state))
