"""The lifecycle of a unit: one table from (state, event) to the next state. The documentation and checks are generated from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, get_args

from mailbot.model import CaseUnit, CommandName, FinalState, LifecycleEvent, OpenState, Outcome, Release, State, Value

ORDER: Final[tuple[State, ...]] = get_args(OpenState)
"""The open states, the least advanced first. The state of a case is the state of its least advanced open unit."""

FINAL_STATES: Final[tuple[State, ...]] = get_args(FinalState)
"""The states in which a unit waits for nothing."""

IN_REPAIR: Final[frozenset[State]] = frozenset({"received", "diagnosed", "parts_quoted", "ordered", "repaired"})
"""The states of a unit that is at our site and must be repaired (ST-15)."""

UNDER_WAY: Final[frozenset[State]] = frozenset({"in_transit", *IN_REPAIR})
"""The states in which the RMA number of a unit stays valid after its last day for shipping."""

NUMBERED: Final[frozenset[State]] = frozenset({"authorized", *UNDER_WAY})
"""The states in which a unit is returned under the RMA number of the case."""

IN_WORK: Final[tuple[State, ...]] = ("received", "diagnosed", "ordered")
"""The states in which we have to act: the unit waits neither for a purchase order nor for the return shipment."""

CANCELABLE: Final[tuple[State, ...]] = ("asking", "quoted", "held", "authorized")
"""The states in which a customer can cancel without staff: the unit has not been shipped to us."""


class Transition(Value, frozen=True):
    """A row of the table: in the states ``before``, the event leads to the state ``after``.

    None in ``before``: the unit is not in the case yet. ``command``: the staff command that causes the event. ``forced``: it needs
    FORCE and a reason. ``label``: the name of the event in the documentation.
    """

    event: LifecycleEvent
    label: str
    before: tuple[State | None, ...]
    after: State
    command: CommandName | None = None
    forced: bool = False


_BEFORE_RECEIPT: Final[tuple[State, ...]] = (*CANCELABLE, "in_transit")
_NOT_UNDER_WAY: Final[tuple[State, ...]] = ("asking", "quoted", "held", *FINAL_STATES)
_NEW: Final[tuple[State | None, ...]] = (None, *_NOT_UNDER_WAY)
_SITE: Final[tuple[State, ...]] = tuple(sorted(IN_REPAIR))

TRANSITIONS: Final[tuple[Transition, ...]] = (
    Transition("issued", "RMA issued", (*_NEW, "authorized"), "authorized"),
    Transition("quoted", "quoted", _NEW, "quoted"),
    Transition("asked", "information requested", _NEW, "asking"),
    Transition("held_for_staff", "held for staff", (*_NEW, "authorized", *IN_WORK, "parts_quoted"), "held"),
    Transition("declined", "declined by policy", _NEW, "declined"),
    Transition("unanswered", "no response", ("asking", "quoted", "held"), "closed"),
    Transition("po_matched", "PO matches the quote", ("quoted", "held"), "authorized"),
    Transition("po_differs", "PO differs from the quote", ("quoted", "parts_quoted", "closed"), "held"),
    Transition("canceled", "canceled by the customer", CANCELABLE, "withdrawn"),
    Transition("number_expired", "RMA expired", ("authorized",), "expired"),
    Transition("announced", "shipped by the customer", ("authorized",), "in_transit"),
    Transition("parts_po_matched", "PO matches the parts quote", ("parts_quoted", "held"), "ordered"),
    Transition("parts_declined", "parts quote declined", ("parts_quoted",), "diagnosed"),
    Transition("approved", "approved", ("held", "asking", "quoted", "declined", "expired"), "authorized", "approve"),
    *(Transition(event, "released", ("held",), event.removeprefix("resumed_"), "approve") for event in get_args(Release)),
    Transition("rejected", "rejected", (*_BEFORE_RECEIPT, "received", "diagnosed"), "declined", "reject"),
    Transition("quoted_by_staff", "quoted by staff", ("asking", "held", "quoted", "declined", "closed"), "quoted", "quote"),
    Transition("parts_quoted", "parts quoted", (*IN_WORK, "parts_quoted"), "parts_quoted", "quote"),
    Transition("received", "received", ("authorized", "in_transit"), "received", "received"),
    Transition("force_received", "received (forced)", _NOT_UNDER_WAY, "received", "received", forced=True),
    Transition("diagnosed", "diagnosed", (*IN_WORK, "parts_quoted"), "diagnosed", "diagnosed"),
    Transition("repaired", "repaired", IN_WORK, "repaired", "repaired"),
    Transition("force_repaired", "repaired (forced)", ("parts_quoted",), "repaired", "repaired", forced=True),
    Transition("not_repairable", "not repairable", (*IN_WORK, "parts_quoted"), "diagnosed", "not_repairable"),
    Transition("shipped", "shipped back", (*IN_WORK, "repaired", "declined"), "shipped", "shipped"),
    Transition(
        "force_shipped", "shipped back (forced)", ("parts_quoted", "authorized", "in_transit"), "shipped", "shipped", forced=True
    ),
    Transition("closed", "closed after shipping", ("shipped",), "closed"),
    Transition("put_on_hold", "put on hold", ("asking", "quoted", "authorized", "in_transit", *_SITE), "held", "hold"),
    Transition("closed_by_staff", "closed by staff", (*_BEFORE_RECEIPT, "declined", "expired", "shipped"), "closed", "close"),
    Transition("force_closed", "closed by staff (forced)", _SITE, "closed", "close", forced=True),
)
"""Everything that can happen to the state of a unit."""

NO_TRANSITION: Final[Mapping[CommandName, tuple[State, ...]]] = MappingProxyType(
    {
        "extend": ("asking", "quoted", "parts_quoted", "authorized"),
        "ship_to": (*_BEFORE_RECEIPT, "declined", "expired"),
        "means": ("held",),
    }
)
"""Staff commands that change something other than the state, and the states in which they can be given."""

NEXT_STATE: Final[Mapping[tuple[State | None, LifecycleEvent], State]] = MappingProxyType(
    {(before, row.event): row.after for row in TRANSITIONS for before in row.before}
)
"""The table: (state, event) to the next state."""

EVENT_OF_OUTCOME: Final[Mapping[Outcome, LifecycleEvent]] = MappingProxyType(
    {"issue": "issued", "quote": "quoted", "ask": "asked", "staff": "held_for_staff", "decline": "declined"}
)
"""The event of each outcome of a verdict."""

RESUMED: Final[Mapping[State, LifecycleEvent]] = MappingProxyType(
    {row.after: row.event for row in TRANSITIONS if row.event.startswith("resumed_")}
)
"""The event that releases a held unit into this state."""


class ImpossibleTransitionError(Exception):
    """The state of a unit does not allow an event."""


def next_state(before: State | None, event: LifecycleEvent) -> State:
    """Return the state that an event leads to.

    Raises:
        ImpossibleTransitionError: the state does not allow the event; the text names both.
    """
    after = NEXT_STATE.get((before, event))
    if after is None:
        raise ImpossibleTransitionError(f"event {event} is not possible for a unit that is {before or 'new'}")
    return after


def is_allowed(command: CommandName, state: State, *, force: bool = False) -> bool:
    """Return whether a staff command is possible for a unit in this state; FORCE allows more states."""
    return state in states_for(command) or (force and _row(command, state, forced=True) is not None)


def event_of(command: CommandName, state: State) -> LifecycleEvent:
    """Return the event that a staff command causes for a unit in this state: the regular one, else the forced one.

    Raises:
        ImpossibleTransitionError: the command is not possible in this state, or does not change the state.
    """
    row = _row(command, state, forced=False) or _row(command, state, forced=True)
    if row is None:
        raise ImpossibleTransitionError(f"command {command} is not possible for a unit that is {state}")
    return row.event


def _row(command: CommandName, state: State, *, forced: bool) -> Transition | None:
    return next((row for row in TRANSITIONS if row.command == command and row.forced == forced and state in row.before), None)


def states_for(command: CommandName) -> tuple[State, ...]:
    """Return the states in which a command is possible without FORCE.

    APPROVE without serial numbers applies to the units in the first of its states that a unit has.
    """
    rows = (row for row in TRANSITIONS if row.command == command and not row.forced)
    found = (state for row in rows for state in row.before if state)
    return tuple(dict.fromkeys((*found, *NO_TRANSITION.get(command, ()))))


def state_of(units: Iterable[CaseUnit], otherwise: State) -> State:
    """Return the state of the least advanced open unit; else the first final state of a unit; else ``otherwise``."""
    states = {unit.state for unit in units}
    return next((state for state in (*ORDER, *FINAL_STATES) if state in states), otherwise)


def diagram() -> str:
    """Return the table as a Mermaid state diagram."""
    pairs = ((before, row) for row in TRANSITIONS for before in row.before if row.after != before)
    arrows = [f"    {before or '[*]'} --> {row.after}: {row.label}" for before, row in pairs]
    arrows += [f"    {state} --> [*]" for state in FINAL_STATES]
    return "\n".join(["stateDiagram-v2", *dict.fromkeys(arrows)]) + "\n"
