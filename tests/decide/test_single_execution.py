"""Staff commands are executed once: when they are permitted and proven, and never before."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.every_trigger import Taken, named, walked
from support.memory_desk import COMPANIES

from mailbot.core import handle
from mailbot.decide import execution, staff_commands, triggers
from mailbot.model import StaffMessage, UnitChanged

if TYPE_CHECKING:
    from mailbot.decide.plan import Plan
    from mailbot.model import CommandResult, Decision


class Executions:
    """The executions of commands in one step: on the plan of the decision, and on a plan that is thrown away."""

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.real: list[str] = []
        self.trial: list[str] = []


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Executions:
    """Count every call of ``execution.execute``."""
    seen = Executions()

    def decide_staff(plan: Plan, event: StaffMessage) -> Decision:
        seen.plan, seen.real, seen.trial = plan, [], []
        return staff_commands.decide_staff(plan, event)

    def execute(plan: Plan, result: CommandResult, person: str) -> None:
        (seen.real if plan is seen.plan else seen.trial).append(result.command.name)
        execution.execute(plan, result, person)

    monkeypatch.setattr(triggers, "decide_staff", decide_staff)
    monkeypatch.setattr(staff_commands, "execute", execute)
    return seen


def again(taken: Taken) -> Decision:
    """Take a step again."""
    step = handle(taken.trigger, taken.case, taken.context)
    assert step == taken.step
    return step.decision


def permitted(decision: Decision) -> list[str]:
    return [result.command.name for result in decision.command_results if result.result == "done"]


@pytest.mark.parametrize("company", COMPANIES)
def test_each_permitted_command_is_executed_exactly_once(company: str, watched: Executions) -> None:
    """In every staff email, each permitted command is executed once, in its order; no other command is executed."""
    executed: Counter[str] = Counter()
    for taken in walked(company):
        if not isinstance(taken.step.event, StaffMessage):
            continue
        decision = again(taken)
        about_a_case = permitted(decision) if taken.step.after else []
        assert watched.real == about_a_case, taken.name
        assert not (watched.real and watched.trial), "nothing is executed twice, not even for judging"
        executed.update(watched.real)
    assert {"approve", "reject", "quote", "received", "diagnosed", "repaired", "shipped", "hold", "close"} <= set(executed)


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize(
    ("name", "commands"),
    [("confirmation", ["approve"]), ("second approval", ["approve"]), ("command: several", ["diagnosed", "repaired", "shipped"])],
)
def test_a_confirmed_a_second_and_a_combined_command_are_executed_once(
    company: str, watched: Executions, name: str, commands: list[str]
) -> None:
    """A confirmation, a second approval and an email with several commands execute each command once."""
    [taken] = named(company, name)
    again(taken)
    assert (watched.real, watched.trial) == (commands, [])


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize("name", ["command: unproven", "command: unproven again", "forged staff", "command: refused"])
def test_an_unproven_forged_or_refused_command_is_not_executed(company: str, watched: Executions, name: str) -> None:
    """A command that is to be confirmed first, that is forged or that is refused changes nothing."""
    for taken in named(company, name):
        decision = again(taken)
        assert watched.real == []
        assert [change for change in decision.changes if isinstance(change, UnitChanged)] == []
        assert permitted(decision) == []


@pytest.mark.parametrize("company", COMPANIES)
def test_a_command_above_the_limit_is_not_executed_before_the_second_approval(company: str, watched: Executions) -> None:
    """A command above the limit waits; the second approval executes it, once, in the case as it is then."""
    [first], [second] = named(company, "command: above the limit"), named(company, "second approval")
    assert again(first).command_results[0].result == "second"
    assert (watched.real, watched.trial) == ([], [])
    assert first.step.after
    assert first.step.after.pending
    assert first.step.after.number is None
    again(second)
    assert watched.real == ["approve"]
    assert second.step.after
    assert (second.step.after.pending, second.step.after.number is None) == (None, False)
    assert second.step.after.credit


@pytest.mark.parametrize("company", COMPANIES)
def test_each_command_changes_its_unit_once(company: str) -> None:
    """The changes of a decision have one event for each command: nothing happens to a unit twice."""
    [taken] = named(company, "command: several")
    events = [c.event for c in taken.step.decision.changes if isinstance(c, UnitChanged) and c.event]
    assert events[:3] == ["diagnosed", "repaired", "shipped"]
    assert events[3:] in ([], ["closed"])
    [approved] = named(company, "second approval")
    assert [c.event for c in approved.step.decision.changes if isinstance(c, UnitChanged)] == ["approved"]
