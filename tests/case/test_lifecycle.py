"""The table of transitions: a unit goes where it leads, and nowhere else."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.case.lifecycle import (
    CLOSED_STATES,
    FINAL_STATES,
    NEXT_STATES,
    ORDER,
    STATE_AFTER_OUTCOME,
    ImpossibleTransitionError,
    move,
    state_of,
)
from mailbot.model import CaseUnit, Outcome, State

STATES: tuple[State, ...] = get_args(State)
FROM = [*STATES, None]


@pytest.mark.parametrize("before", FROM)
@pytest.mark.parametrize("after", STATES)
def test_a_unit_goes_only_where_the_table_leads(before: State | None, after: State) -> None:
    """A step the table does not know is refused, and the refusal names both states."""
    if after in NEXT_STATES.get(before, ()):
        assert move(before, after) == after
        return
    with pytest.raises(ImpossibleTransitionError, match=f"{before or 'new'} cannot become {after}"):
        move(before, after)


def test_the_table_is_closed() -> None:
    """Every state a unit can be brought into is one the table can lead on from, or is one that nothing follows yet."""
    reached = {state for states in NEXT_STATES.values() for state in states}
    assert reached <= set(STATES)
    assert reached <= {state for state in NEXT_STATES if state}


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_every_verdict_has_its_state_and_can_be_the_first(outcome: Outcome) -> None:
    """Whatever is decided for a new unit, the unit can take it."""
    assert move(None, STATE_AFTER_OUTCOME[outcome]) == STATE_AFTER_OUTCOME[outcome]


@pytest.mark.parametrize("before", ["asking", "quoted", "held", "declined", "expired", "closed"])
@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_a_unit_without_a_number_can_be_decided_anew(before: State, outcome: Outcome) -> None:
    """Before anything is sent in, a customer may ask again, and any verdict may follow."""
    assert move(before, STATE_AFTER_OUTCOME[outcome]) == STATE_AFTER_OUTCOME[outcome]


def test_every_state_is_open_or_over() -> None:
    """A state is on the way or at an end."""
    assert set(ORDER) | CLOSED_STATES == set(STATES)
    assert not set(ORDER) & CLOSED_STATES


def items(*states: State) -> list[CaseUnit]:
    return [CaseUnit(str(n), state, "issue", ("X-1",)) for n, state in enumerate(states)]


@given(st.lists(st.sampled_from(STATES), min_size=1, max_size=6))
def test_a_case_has_the_state_of_its_least_advanced_open_unit(states: list[State]) -> None:
    """As long as one unit is open, the case stands where the slowest of them stands; then where the most telling end is."""
    assert state_of(items(*states), "held") == min(states, key=(*ORDER, *FINAL_STATES).index)


def test_a_case_without_units_keeps_its_state() -> None:
    """A question about nothing in particular has the state that its case has."""
    assert state_of([], "held") == "held"
