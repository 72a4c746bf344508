"""The lifecycle of a unit: what leads where, what is impossible, and that apply and the docs follow the one table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.memory_desk import NOW, PORTWELL, policy

from mailbot.case.apply import apply
from mailbot.case.lifecycle import (
    EVENT_OF_OUTCOME,
    FINAL_STATES,
    NEXT_STATE,
    ORDER,
    ImpossibleTransitionError,
    diagram,
    event_of,
    is_allowed,
    next_state,
    state_of,
    states_for,
)
from mailbot.model import Case, CaseUnit, CommandName, DeadlinesReached, Decision, LifecycleEvent, Outcome, State, UnitChanged

STATES: tuple[State, ...] = get_args(State)
EVENTS: tuple[LifecycleEvent, ...] = get_args(LifecycleEvent)
BEFORE: tuple[State | None, ...] = (None, *STATES)
PAGE = (Path(__file__).parents[2] / "docs" / "lifecycle.md").read_text(encoding="utf-8")

# ------------------------------------------------------------------ the expected life, written by hand

EXPECTED: list[tuple[State | None, LifecycleEvent, State]] = [
    # Under warranty: request, RMA number, receipt, repair, return shipment, end.
    (None, "issued", "authorized"),
    ("authorized", "announced", "in_transit"),
    ("authorized", "received", "received"),
    ("in_transit", "received", "received"),
    ("received", "diagnosed", "diagnosed"),
    ("received", "repaired", "repaired"),
    ("diagnosed", "repaired", "repaired"),
    ("repaired", "shipped", "shipped"),
    ("shipped", "closed", "closed"),
    # Out of warranty: quote, purchase order, RMA number.
    (None, "quoted", "quoted"),
    ("quoted", "po_matched", "authorized"),
    ("quoted", "po_differs", "held"),
    ("held", "po_matched", "authorized"),
    ("closed", "po_differs", "held"),
    ("quoted", "unanswered", "closed"),
    # Missing information.
    (None, "asked", "asking"),
    ("asking", "issued", "authorized"),
    ("asking", "quoted", "quoted"),
    ("asking", "declined", "declined"),
    ("asking", "unanswered", "closed"),
    ("held", "unanswered", "closed"),
    # A person decides.
    (None, "held_for_staff", "held"),
    ("held", "approved", "authorized"),
    ("held", "rejected", "declined"),
    ("held", "quoted_by_staff", "quoted"),
    ("asking", "approved", "authorized"),
    ("quoted", "approved", "authorized"),
    ("declined", "approved", "authorized"),
    ("expired", "approved", "authorized"),
    ("authorized", "rejected", "declined"),
    ("received", "rejected", "declined"),
    # Declined by policy, and sent back if it is here.
    (None, "declined", "declined"),
    ("declined", "shipped", "shipped"),
    # Parts are quoted after diagnosis.
    ("received", "parts_quoted", "parts_quoted"),
    ("diagnosed", "parts_quoted", "parts_quoted"),
    ("parts_quoted", "parts_po_matched", "ordered"),
    ("held", "parts_po_matched", "ordered"),
    ("parts_quoted", "po_differs", "held"),
    ("parts_quoted", "parts_declined", "diagnosed"),
    ("ordered", "repaired", "repaired"),
    ("ordered", "not_repairable", "diagnosed"),
    ("diagnosed", "shipped", "shipped"),
    ("received", "held_for_staff", "held"),
    # The number expires; the customer asks again.
    ("authorized", "number_expired", "expired"),
    ("expired", "issued", "authorized"),
    ("closed", "issued", "authorized"),
    ("withdrawn", "issued", "authorized"),
    ("authorized", "issued", "authorized"),
    # The customer cancels.
    ("asking", "canceled", "withdrawn"),
    ("quoted", "canceled", "withdrawn"),
    ("held", "canceled", "withdrawn"),
    ("authorized", "canceled", "withdrawn"),
    # Staff put a unit on hold, release it, and close it.
    ("quoted", "put_on_hold", "held"),
    ("repaired", "put_on_hold", "held"),
    ("held", "resumed_asking", "asking"),
    ("held", "resumed_quoted", "quoted"),
    ("held", "resumed_authorized", "authorized"),
    ("held", "resumed_in_transit", "in_transit"),
    ("held", "resumed_received", "received"),
    ("held", "resumed_diagnosed", "diagnosed"),
    ("held", "resumed_parts_quoted", "parts_quoted"),
    ("held", "resumed_ordered", "ordered"),
    ("held", "resumed_repaired", "repaired"),
    ("authorized", "closed_by_staff", "closed"),
    # Staff force a step, with a reason.
    ("expired", "force_received", "received"),
    ("withdrawn", "force_received", "received"),
    ("parts_quoted", "force_repaired", "repaired"),
    ("authorized", "force_shipped", "shipped"),
    ("received", "force_closed", "closed"),
]
"""What can happen to a unit in the course of a return: state, event, next state."""

IMPOSSIBLE: list[tuple[State | None, LifecycleEvent]] = [
    # A new unit can only be decided on.
    (None, "approved"),
    (None, "received"),
    (None, "force_received"),
    (None, "canceled"),
    (None, "po_matched"),
    (None, "closed"),
    # No number without a decision, an order or a person.
    ("declined", "po_matched"),
    ("closed", "po_matched"),
    ("asking", "po_matched"),
    ("withdrawn", "approved"),
    ("closed", "approved"),
    # What travels or is here is not decided on again.
    ("in_transit", "issued"),
    ("received", "issued"),
    ("received", "quoted"),
    ("received", "asked"),
    ("received", "declined"),
    ("repaired", "held_for_staff"),
    ("shipped", "issued"),
    ("authorized", "quoted"),
    ("authorized", "asked"),
    ("authorized", "declined"),
    # What is here cannot be canceled, and does not expire.
    ("in_transit", "canceled"),
    ("received", "canceled"),
    ("repaired", "canceled"),
    ("shipped", "canceled"),
    ("in_transit", "number_expired"),
    ("received", "number_expired"),
    ("quoted", "number_expired"),
    ("authorized", "unanswered"),
    # Nothing is repaired or shipped back that was not received, unless staff force it.
    ("asking", "repaired"),
    ("authorized", "repaired"),
    ("in_transit", "diagnosed"),
    ("authorized", "shipped"),
    ("parts_quoted", "repaired"),
    ("parts_quoted", "shipped"),
    ("asking", "force_shipped"),
    ("shipped", "force_shipped"),
    ("closed", "force_shipped"),
    # Nothing is received twice, or after its return shipment.
    ("received", "received"),
    ("repaired", "received"),
    ("shipped", "received"),
    ("shipped", "force_received"),
    # An order for parts needs a parts quote.
    ("quoted", "parts_po_matched"),
    ("diagnosed", "parts_po_matched"),
    ("closed", "parts_po_matched"),
    ("quoted", "parts_declined"),
    ("parts_quoted", "po_matched"),
    # Only a held unit is released, and a held unit is not put on hold.
    ("authorized", "resumed_authorized"),
    ("declined", "resumed_quoted"),
    ("held", "put_on_hold"),
    ("shipped", "put_on_hold"),
    ("closed", "put_on_hold"),
    # A closed unit is not closed again; what is here is closed only by force.
    ("closed", "closed_by_staff"),
    ("withdrawn", "closed_by_staff"),
    ("received", "closed_by_staff"),
    ("received", "closed"),
    ("authorized", "force_closed"),
    ("repaired", "rejected"),
    ("shipped", "rejected"),
]
"""What cannot happen: state and event."""

PLAIN: dict[CommandName, dict[State, State]] = {
    "approve": dict.fromkeys(("asking", "quoted", "held", "declined", "expired"), "authorized"),
    "reject": dict.fromkeys(
        ("asking", "quoted", "held", "authorized", "in_transit", "received", "diagnosed"), "declined"
    ),
    "quote": {
        **dict.fromkeys(("asking", "quoted", "held", "declined", "closed"), "quoted"),
        **dict.fromkeys(("received", "diagnosed", "ordered", "parts_quoted"), "parts_quoted"),
    },
    "received": {"authorized": "received", "in_transit": "received"},
    "diagnosed": dict.fromkeys(("received", "diagnosed", "ordered", "parts_quoted"), "diagnosed"),
    "repaired": dict.fromkeys(("received", "diagnosed", "ordered"), "repaired"),
    "not_repairable": dict.fromkeys(("received", "diagnosed", "ordered", "parts_quoted"), "diagnosed"),
    "shipped": dict.fromkeys(("received", "diagnosed", "ordered", "repaired", "declined"), "shipped"),
    "hold": dict.fromkeys(
        (
            "asking", "quoted", "authorized", "in_transit", "received", "diagnosed", "parts_quoted", "ordered",
            "repaired",
        ),
        "held",
    ),
    "close": dict.fromkeys(
        ("asking", "quoted", "held", "authorized", "in_transit", "declined", "expired", "shipped"), "closed"
    ),
}  # fmt: skip
"""What a staff command does to a unit in each state: command, state, next state."""

FORCED: dict[CommandName, dict[State, State]] = {
    "received": dict.fromkeys(
        ("asking", "quoted", "held", "expired", "declined", "withdrawn", "closed"), "received"
    ),
    "repaired": {"parts_quoted": "repaired"},
    "shipped": dict.fromkeys(("parts_quoted", "authorized", "in_transit"), "shipped"),
    "close": dict.fromkeys(("received", "diagnosed", "parts_quoted", "ordered", "repaired"), "closed"),
}  # fmt: skip
"""What FORCE and a reason allow besides (O2)."""

UNMOVED: dict[CommandName, set[State]] = {
    "extend": {"asking", "quoted", "parts_quoted", "authorized"},
    "ship_to": {"asking", "quoted", "held", "authorized", "in_transit", "declined", "expired"},
    "means": {"held"},
    "note": set(),
    "help": set(),
    "confirm": set(),
}
"""Commands that leave a unit in its state, and the states in which they can concern it."""


@pytest.mark.parametrize(("before", "event", "after"), EXPECTED)
def test_what_happens_in_a_return_leads_where_it_should(before: State | None, event: LifecycleEvent, after: State) -> None:
    """Each important step of a return leads to the state that the hand-written list names."""
    assert next_state(before, event) == after


@pytest.mark.parametrize(("before", "event"), IMPOSSIBLE)
def test_what_cannot_happen_is_refused(before: State | None, event: LifecycleEvent) -> None:
    """An event that a state does not allow is refused, and the refusal names both."""
    with pytest.raises(ImpossibleTransitionError, match=f"{event} is not possible for a unit that is {before or 'new'}"):
        next_state(before, event)


def test_the_hand_written_lists_use_every_event_and_every_state() -> None:
    """No event and no state is left out of the hand-written lists, and no pair is in both."""
    assert {event for _, event, _ in EXPECTED} == set(EVENTS)
    assert {before for before, _, _ in EXPECTED} | {None} == set(BEFORE)
    assert {after for _, _, after in EXPECTED} == set(STATES)
    assert {(before, event) for before, event, _ in EXPECTED}.isdisjoint(IMPOSSIBLE)


# ------------------------------------------------------------------ staff commands


@pytest.mark.parametrize("name", get_args(CommandName))
@pytest.mark.parametrize("state", STATES)
def test_a_staff_command_fits_the_states_of_the_hand_written_table(name: CommandName, state: State) -> None:
    """Each command, plain and with FORCE, is possible in exactly the states of the table, and leads where the table says."""
    plain, forced = PLAIN.get(name, {}), FORCED.get(name, {})
    assert is_allowed(name, state) == (state in plain or state in UNMOVED.get(name, set()))
    assert is_allowed(name, state, force=True) == (is_allowed(name, state) or state in forced)
    expected = (plain | forced).get(state)
    if expected is None:
        with pytest.raises(ImpossibleTransitionError):
            event_of(name, state)
    else:
        assert next_state(state, event_of(name, state)) == expected
        assert event_of(name, state).startswith("force_") == (state in forced)


@pytest.mark.parametrize("name", get_args(CommandName))
def test_a_refusal_can_name_the_states_of_a_command(name: CommandName) -> None:
    """The states that a refused command names are those in which it is possible without FORCE."""
    assert set(states_for(name)) == set(PLAIN.get(name, {})) | UNMOVED.get(name, set())
    assert set(PLAIN.get(name, {})).isdisjoint(FORCED.get(name, {}))


# ------------------------------------------------------------------ apply follows the table

EVENT = DeadlinesReached(NOW, ())


def after_change(before: State | None, event: LifecycleEvent | None, after: State) -> State:
    """Return the state of a unit after a decision with this one change."""
    units = (CaseUnit("A1", before, "issue", ("X-1",)),) if before else ()
    case = Case("C-BCDFGHJKMN", "rma@x.example", "x", "kim@acme.example", before or "held", NOW, units=units)
    change = UnitChanged(CaseUnit("A1", after, "issue", ("X-1",)), event)
    changed = apply(case, EVENT, Decision("none", (), "", policy(PORTWELL).stamp, changes=(change,)), NOW)
    assert changed
    [unit] = changed.units
    assert changed.state == unit.state
    return unit.state


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("before", BEFORE)
def test_apply_follows_the_table_for_every_state_and_event(before: State | None, event: LifecycleEvent) -> None:
    """A change is applied only if the table has its state and event, and only with the state to which they lead."""
    leads = NEXT_STATE.get((before, event))
    for after in STATES:
        if after == leads:
            assert after_change(before, event, after) == after
        else:
            with pytest.raises(ImpossibleTransitionError):
                after_change(before, event, after)


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("after", STATES)
def test_without_an_event_a_unit_keeps_its_state(before: State | None, after: State) -> None:
    """A change without an event cannot bring a unit into another state, and cannot add one."""
    if before == after:
        assert after_change(before, None, after) == after
    else:
        with pytest.raises(ImpossibleTransitionError, match="by no event"):
            after_change(before, None, after)


# ------------------------------------------------------------------ the docs show the table


def test_the_table_of_the_docs_is_the_table() -> None:
    """The table in docs/lifecycle.md has every state, event and next state of the program, and nothing else."""
    rows = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("| `")]
    shown = {
        (None if "[*]" in state else state.strip(), event.strip(" `"), after.strip())
        for event, _, before, after, _ in rows
        for state in before.split(",")
    }
    assert shown == {(before, event, after) for (before, event), after in NEXT_STATE.items()}


@pytest.mark.parametrize("drawing", [PAGE.split("```mermaid\n")[-1].split("```")[0], diagram()], ids=["docs", "program"])
def test_the_diagram_of_the_docs_is_the_table(drawing: str) -> None:
    """The last drawing in docs/lifecycle.md has an arrow for every change of state in the program, and no other."""
    arrows = set(re.findall(r"(?m)^ {4}(\S+) --> (\S+): ", drawing))
    assert arrows == {(before or "[*]", after) for (before, _), after in NEXT_STATE.items() if before != after}
    ends = re.findall(r"(?m)^ {4}(\S+) --> \[\*\]$", drawing)
    assert sorted(ends) == ["closed", "declined", "expired", "withdrawn"]


# ------------------------------------------------------------------ verdicts, and the state of a case

VERDICTS: dict[Outcome, State] = {"issue": "authorized", "quote": "quoted", "ask": "asking", "staff": "held", "decline": "declined"}


@pytest.mark.parametrize("outcome", get_args(Outcome))
@pytest.mark.parametrize("before", [None, "asking", "quoted", "held", "declined", "expired", "closed", "withdrawn"])
def test_before_a_unit_is_sent_in_any_verdict_can_follow(before: State | None, outcome: Outcome) -> None:
    """A new unit takes any verdict; so does one that has no valid number when its customer asks again."""
    assert next_state(before, EVENT_OF_OUTCOME[outcome]) == VERDICTS[outcome]


def test_every_state_is_open_or_final() -> None:
    """A state is either on the way or at the end."""
    assert set(ORDER) | set(FINAL_STATES) == set(STATES)
    assert not set(ORDER) & set(FINAL_STATES)
    assert {"closed", "expired", "withdrawn", "declined"} == set(FINAL_STATES)


def units(*states: State) -> list[CaseUnit]:
    return [CaseUnit(str(n), state, "issue", ("X-1",)) for n, state in enumerate(states)]


@given(st.lists(st.sampled_from(STATES), min_size=1, max_size=6))
def test_a_case_has_the_state_of_its_least_advanced_open_unit(states: list[State]) -> None:
    """While a unit is open, the case has the state of the slowest one; then the most telling final state."""
    assert state_of(units(*states), "held") == min(states, key=(*ORDER, *FINAL_STATES).index)


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (("authorized", "asking"), "asking"),
        (("shipped", "received", "repaired"), "received"),
        (("closed", "in_transit"), "in_transit"),
        (("held", "quoted"), "quoted"),
        (("closed", "expired"), "expired"),
        (("withdrawn", "declined"), "withdrawn"),
        (("closed", "declined", "withdrawn"), "closed"),
    ],
)
def test_the_state_of_a_case_by_example(states: tuple[State, ...], state: State) -> None:
    """Each example names the state of a case with these units."""
    assert state_of(units(*states), "held") == state


def test_a_case_without_units_keeps_its_state() -> None:
    """A question about no unit has the state that its case has."""
    assert state_of([], "held") == "held"
