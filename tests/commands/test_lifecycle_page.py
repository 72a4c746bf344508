"""The page about the lifecycle is what the program prints; the table itself is tested in tests/case/test_lifecycle.py."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from mailbot.case.lifecycle import NO_TRANSITION, TRANSITIONS, diagram
from mailbot.decide.permissions import ROLES
from mailbot.model import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Done

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"


def test_the_page_is_what_the_command_prints(mailbot: Callable[..., Done]) -> None:
    """After a change of the table, the page is printed again: `mailbot lifecycle > docs/lifecycle.md`."""
    done = mailbot("lifecycle")
    assert done.code == 0
    assert done.out == PAGE.read_text(encoding="utf-8")


def test_the_page_has_the_whole_table() -> None:
    """The page has every event, every state, every command with its roles, and the drawing of all of it."""
    page = PAGE.read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| `")]
    assert [row[0] for row in rows] == [f"`{way.event}`" for way in TRANSITIONS]
    for row, way in zip(rows, TRANSITIONS, strict=True):
        force = " with `FORCE`" if way.forced else ""
        command = f"`{way.command.upper().replace('_', ' ')}`{force}: " if way.command else ""
        assert row[-1] == (command + ", ".join(ROLES[way.command]) if way.command else "")
    assert all(state in page for state in get_args(State))
    assert all(f"- `{name.upper().replace('_', ' ')}`: {', '.join(ROLES[name])}" in page for name in NO_TRANSITION)
    assert diagram() in page


def test_the_way_forward_leads_from_the_request_to_the_end() -> None:
    """The first drawing is the one to read: it leads from nothing to closed, through every open state but "held"."""
    drawn = PAGE.read_text(encoding="utf-8").split("```mermaid\n")[1].split("```")[0]
    arrows = [line.split(":")[0].strip().split(" --> ") for line in drawn.splitlines()[1:]]
    reached = {"[*]"}
    for _ in arrows:
        reached |= {after for before, after in arrows if before in reached}
    assert reached == {state for arrow in arrows for state in arrow}
    assert {"authorized", "received", "parts_quoted", "ordered", "repaired", "shipped", "closed"} <= reached
