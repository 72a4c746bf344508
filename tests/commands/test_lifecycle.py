"""docs/lifecycle.md is the output of `mailbot lifecycle`, and it contains the whole table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from mailbot.case.lifecycle import TRANSITIONS, diagram
from mailbot.model import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Done

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"


def test_the_page_is_what_the_command_prints(mailbot: Callable[..., Done]) -> None:
    """After a change of the table, update the page: `mailbot lifecycle > docs/lifecycle.md`."""
    done = mailbot("lifecycle")
    assert done.code == 0
    assert done.out == PAGE.read_text(encoding="utf-8")


def test_the_page_holds_the_whole_table() -> None:
    """The page has every row, every state, every command with its roles, and the whole diagram."""
    page = PAGE.read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "---" not in line][1:]
    assert [row.split("|")[1].strip() for row in rows] == [f"`{transition.event}`" for transition in TRANSITIONS]
    with_command = [bool(transition.command) for transition in TRANSITIONS]
    assert ["`: " in row.split("|")[5] for row in rows] == with_command
    assert all(state in page for state in get_args(State))
    assert diagram() in page


def test_the_simple_diagram_leads_from_request_to_closed() -> None:
    """In the simple diagram, every state can be reached from the start, and so can "closed"."""
    drawn = PAGE.read_text(encoding="utf-8").split("```mermaid\n")[1].split("```")[0]
    arrows = [line.split(":")[0].strip().split(" --> ") for line in drawn.splitlines()[1:]]
    reached = {"[*]"}
    for _ in arrows:
        reached |= {after for before, after in arrows if before in reached}
    assert reached == {state for arrow in arrows for state in arrow}
    assert {"authorized", "received", "parts_quoted", "ordered", "repaired", "shipped", "closed"} <= reached
