"""The page that shows the life of a unit is what the program prints, and what it prints is the table that it follows."""

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
    """Whoever changes the table prints the page anew: `mailbot lifecycle > docs/lifecycle.md`."""
    done = mailbot("lifecycle")
    assert done.code == 0
    assert done.out == PAGE.read_text(encoding="utf-8")


def test_the_page_holds_the_whole_table() -> None:
    """Every row, every state, every command with whose it is, and the drawing of all of it stand on the page."""
    page = PAGE.read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "---" not in line][1:]
    assert [row.split("|")[1].strip() for row in rows] == [way.on for way in TRANSITIONS]
    assert [way.command for way, row in zip(TRANSITIONS, rows, strict=True) if bool(way.command) != ("`:" in row)] == []
    assert all(state in page for state in get_args(State))
    assert diagram() in page


def test_the_way_forward_leads_from_the_request_to_the_end() -> None:
    """The first drawing is the one to read: from nothing to closed, every open state but "held" on the way."""
    drawn = PAGE.read_text(encoding="utf-8").split("```mermaid\n")[1].split("```")[0]
    arrows = [line.split(":")[0].strip().split(" --> ") for line in drawn.splitlines()[1:]]
    reached = {"[*]"}
    for _ in arrows:
        reached |= {after for before, after in arrows if before in reached}
    assert reached == {state for arrow in arrows for state in arrow}
    assert {"authorized", "received", "parts_quoted", "ordered", "repaired", "shipped", "closed"} <= reached
