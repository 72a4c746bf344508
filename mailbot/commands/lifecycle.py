"""``mailbot lifecycle``: the life of a unit, drawn from the one table that the program itself follows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mailbot.case.lifecycle import Transition
    from mailbot.model import State

_PAGE = """\
# The life of a unit

`mailbot lifecycle` prints this page. It is drawn from the table in `mailbot/case/lifecycle.py`, which the program itself follows;
a test keeps the page true. A mail that would lead elsewhere is set aside in the folder Attention.

Every unit goes its own way; a case stands where its least advanced open unit stands. At {ends}, nothing is
awaited any more. `[*]` is a unit that nobody has asked for yet.

## The way forward

```mermaid
{forward}```

## Everything that can happen

A row with a command happens when somebody with one of these roles writes it ([staff.md](staff.md)); the others when a customer
writes, or when a date comes. With `FORCE` and a reason, a command also works in the states of the last column.

{table}
<details><summary>The whole table as a drawing</summary>

```mermaid
{diagram}```

</details>
"""

_HEAD = (
    "| what happens | in | leads to | command, and whose | with `FORCE` also in |",
    "|---|---|---|---|---|",
)


@click.command()
def lifecycle() -> None:
    """Print what can happen to a unit, who can do it, and where it leads: Markdown with Mermaid drawings.

    \b
    mailbot lifecycle > docs/lifecycle.md
    """
    click.echo(page(), nl=False)


def page() -> str:
    """Return docs/lifecycle.md."""
    from mailbot.case.lifecycle import FINAL_STATES, TRANSITIONS, diagram

    rows = (f"| {' | '.join(_cells(way))} |" for way in TRANSITIONS)
    return _PAGE.format(
        ends=f"{', '.join(FINAL_STATES[:-1])} and {FINAL_STATES[-1]}",
        forward="".join(f"{line}\n" for line in ("stateDiagram-v2", *_forward())),
        table="".join(f"{line}\n" for line in (*_HEAD, *rows)),
        diagram=diagram(),
    )


def _forward() -> Iterator[str]:
    """Yield the arrows that lead on, holds and ends left out: few enough to be followed by eye."""
    from mailbot.case.lifecycle import ORDER, TRANSITIONS

    line: list[State | None] = [None, *(state for state in ORDER if state != "held"), "closed"]
    found: dict[tuple[State | None, State], list[str]] = {}
    for way in TRANSITIONS:
        for before in way.before:
            for after in way.after:
                onward = before in line and after in line and line.index(before) < line.index(after)
                if onward and (after != "closed" or before == "shipped"):
                    found.setdefault((before, after), []).append(way.on)
    for (start, end), ways in found.items():
        yield f"    {start or '[*]'} --> {end}: {', '.join(ways)}"


def _cells(way: Transition) -> Iterator[str]:
    from mailbot.decide.permissions import ROLES

    yield way.on
    yield _listed(way.before)
    yield _listed(way.after) or "the same"
    yield f"`{way.command.upper().replace('_', ' ')}`: {', '.join(ROLES[way.command])}" if way.command else ""
    yield _listed(way.forced)


def _listed(states: Collection[str | None]) -> str:
    """Name states as they follow each other in a life."""
    from mailbot.case.lifecycle import FINAL_STATES, ORDER

    return ", ".join(state or "`[*]`" for state in (None, *ORDER, *FINAL_STATES) if state in states)
