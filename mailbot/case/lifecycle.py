"""The lifecycle: one table holds every transition. Docs and checks are drawn from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from mailbot.model import CaseUnit, CommandName, Outcome, State, Value

ORDER: Final[tuple[State, ...]] = (
    "asking",
    "quoted",
    "held",
    "authorized",
    "in_transit",
    "received",
    "diagnosed",
    "parts_quoted",
    "ordered",
    "repaired",
    "shipped",
)
"""The open states, the least advanced first: a case has the state of its least advanced open item."""

FINAL_STATES: Final[tuple[State, ...]] = ("expired", "closed", "withdrawn", "declined")
CLOSED_STATES: Final[frozenset[State]] = frozenset(FINAL_STATES)
"""The states in which nothing is awaited any more."""

ON_SITE: Final[frozenset[State]] = frozenset({"received", "diagnosed", "parts_quoted", "ordered", "repaired"})
"""The states of a unit that lies with us: repair is due (ST-15)."""

NUMBERED: Final[frozenset[State]] = frozenset({"authorized", "in_transit", *ON_SITE})
"""The states in which a unit travels under the case's RMA number."""


class Transition(Value, frozen=True):
    """A row of the table: what happens, in which states it can, and where it leads. None: a unit not asked for yet.

    ``command`` is the command of staff that does it; with a reason staff may also force it from the states in ``forced`` (O2).
    """

    on: str
    before: tuple[State | None, ...]
    after: tuple[State, ...]
    command: CommandName | None = None
    forced: tuple[State, ...] = ()


IN_WORK: Final[tuple[State, ...]] = ("received", "diagnosed", "ordered")
"""The states in which the next move is ours: neither an order nor the shipment back is awaited."""

_AWAY: tuple[State, ...] = ("asking", "quoted", "held", "authorized", "in_transit")
_FIRST: tuple[State, ...] = ("asking", "quoted", "held", "declined", "authorized")

TRANSITIONS: Final[tuple[Transition, ...]] = (
    Transition("asked for", (None, "asking", "quoted", "held", *FINAL_STATES), _FIRST),
    Transition("asked for again", ("authorized",), ("authorized", "held")),
    Transition("stays unanswered", ("asking", "quoted", "held"), ("closed",)),
    Transition("order matches the quote", ("quoted",), ("authorized",)),
    Transition("order differs from the quote", ("quoted", "parts_quoted"), ("held",)),
    Transition("withdrawn", _AWAY, ("withdrawn",)),
    Transition("number ends", ("authorized",), ("expired",)),
    Transition("on its way", ("authorized",), ("in_transit",)),
    Transition("order matches the parts quote", ("parts_quoted",), ("ordered",)),
    Transition("parts quote declined", ("parts_quoted",), ("diagnosed",)),
    Transition("approved", ("held", "asking", "quoted", "declined", "expired"), ("authorized",), "approve"),
    Transition("goes on where it stood", ("held",), ("in_transit", *sorted(ON_SITE)), "approve"),
    Transition("rejected", (*_AWAY, "received", "diagnosed"), ("declined",), "reject"),
    Transition("quoted", ("asking", "held", "quoted", "declined", "closed"), ("quoted",), "quote"),
    Transition("parts quoted", (*IN_WORK, "parts_quoted"), ("parts_quoted",), "quote"),
    Transition(
        "received",
        ("authorized", "in_transit"),
        ("received",),
        "received",
        ("asking", "quoted", "held", "expired", "declined", "withdrawn", "closed"),
    ),
    Transition("diagnosed", (*IN_WORK, "parts_quoted"), ("diagnosed", "parts_quoted", "held"), "diagnosed"),
    Transition("repaired", IN_WORK, ("repaired",), "repaired", ("parts_quoted",)),
    Transition("not repairable", (*IN_WORK, "parts_quoted"), ("diagnosed",), "not_repairable"),
    Transition(
        "shipped back", (*IN_WORK, "repaired"), ("shipped",), "shipped", ("parts_quoted", "authorized", "in_transit")
    ),
    Transition("shipped back", ("declined",), ("shipped",), "shipped"),
    Transition("done", ("shipped",), ("closed",)),
    Transition("put on hold", (*_AWAY[:2], "authorized", "in_transit", *sorted(ON_SITE)), ("held",), "hold"),
    Transition(
        "closed by staff", (*_AWAY, "declined", "expired", "shipped"), ("closed",), "close", tuple(sorted(ON_SITE))
    ),
    Transition("given more time", ("asking", "quoted", "parts_quoted", "authorized"), (), "extend"),
    Transition("another delivery address", (*_AWAY, "declined", "expired"), (), "ship_to"),
)
"""What can happen to a unit. A row without a place where it leads changes something else than the state."""


def _next_states() -> Mapping[State | None, frozenset[State]]:
    leads: dict[State | None, set[State]] = {}
    for way in TRANSITIONS:
        for before in (*way.before, *way.forced):
            leads.setdefault(before, set()).update(way.after)
    return MappingProxyType({before: frozenset(after) for before, after in leads.items()})


NEXT_STATES: Final = _next_states()
"""Where the table leads from each state."""

STATE_AFTER_OUTCOME: Final[Mapping[Outcome, State]] = MappingProxyType(
    {"issue": "authorized", "quote": "quoted", "ask": "asking", "staff": "held", "decline": "declined"}
)
"""The state a unit is in after a verdict."""


class ImpossibleTransitionError(Exception):
    """A unit was to go where the table does not lead."""


def move(before: State | None, after: State) -> State:
    """Return ``after`` if the table leads there.

    Raises:
        ImpossibleTransitionError: naming both states.
    """
    if after not in NEXT_STATES.get(before, frozenset()):
        raise ImpossibleTransitionError(f"a unit that is {before or 'new'} cannot become {after}")
    return after


def takes(command: CommandName, state: State, *, force: bool = False) -> bool:
    """Say whether a command of staff can concern a unit in this state; more so where it is forced (O2)."""
    return any(
        way.command == command and (state in way.before or (force and state in way.forced)) for way in TRANSITIONS
    )


def states_for(command: CommandName) -> tuple[State, ...]:
    """Return the states in which a command can concern a unit, without force."""
    found = (state for way in TRANSITIONS if way.command == command for state in way.before if state)
    return tuple(dict.fromkeys(found))


def state_of(items: Iterable[CaseUnit], otherwise: State) -> State:
    """Return the state of the least advanced open item; where none is open, the one that says most of how it ended."""
    states = {unit.state for unit in items}
    return next((state for state in (*ORDER, *FINAL_STATES) if state in states), otherwise)


def diagram() -> str:
    """Draw the table as a state diagram (Mermaid)."""
    return "\n".join(["stateDiagram-v2", *dict.fromkeys(_arrows())]) + "\n"


def _arrows() -> Iterator[str]:
    for way in TRANSITIONS:
        for before in way.before:
            for after in way.after:
                if after != before:
                    yield f"    {before or '[*]'} --> {after}: {way.on}"
    for state in FINAL_STATES:
        yield f"    {state} --> [*]"
