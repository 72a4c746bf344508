"""The lifecycle: one table holds every transition. Docs and checks are drawn from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from mailbot.model import CaseItem, Outcome, State

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

ENDS: Final[tuple[State, ...]] = ("expired", "closed", "withdrawn", "declined")
OVER: Final[frozenset[State]] = frozenset(ENDS)
"""The states in which nothing is awaited any more."""

_FIRST_CONTACT: Final[frozenset[State]] = frozenset({"asking", "quoted", "held", "declined", "authorized"})

TRANSITIONS: Final[Mapping[State | None, frozenset[State]]] = MappingProxyType(
    {
        None: _FIRST_CONTACT,  # a unit is asked for the first time
        "asking": _FIRST_CONTACT | {"closed"},  # what was missing came, in part or in whole; or it stayed out
        "quoted": _FIRST_CONTACT | {"closed"},  # asked again, ordered (held until compared); or the quote ended
        "held": _FIRST_CONTACT | {"closed"},  # more was told, or nothing came back
        "declined": _FIRST_CONTACT,  # asked for something else
        "authorized": frozenset({"authorized", "expired", "held"}),  # the number ends
        "expired": _FIRST_CONTACT,  # asked again
        "closed": _FIRST_CONTACT,  # written to again
    }
)

AFTER: Final[Mapping[Outcome, State]] = MappingProxyType(
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
    if after not in TRANSITIONS.get(before, frozenset()):
        raise ImpossibleTransitionError(f"a unit that is {before or 'new'} cannot become {after}")
    return after


def state_of(items: Iterable[CaseItem], otherwise: State) -> State:
    """Return the state of the least advanced open item; where none is open, the one that says most of how it ended."""
    states = {item.state for item in items}
    return next((state for state in (*ORDER, *ENDS) if state in states), otherwise)
