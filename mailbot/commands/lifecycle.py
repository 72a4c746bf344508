"""``mailbot lifecycle``: document the lifecycle of a unit, from the table that the program itself uses."""

from __future__ import annotations

from collections.abc import Iterator

import click

from mailbot.case.lifecycle import FINAL_STATES, ORDER, TRANSITIONS, Transition, diagram
from mailbot.decide.permissions import ROLES
from mailbot.model import State

_PAGE = """\
# The lifecycle of a unit

`mailbot lifecycle` prints this page from the table in `mailbot/case/lifecycle.py`, which the program itself uses. A test
compares the page with the table. The table maps a state and an event to the next state. A staff command that does not fit the
state of a unit is refused in the reply. Any other event that is not in the table is a defect: the email goes to the folder
Attention; a due date is logged and tried again.

Each unit has its own state. A case has the state of its least advanced open unit. In the states {ends}, nothing is
awaited any more. `[*]` is a unit that is not in the case yet.

## From request to closing

```mermaid
{forward}```

## The table

Customers' emails, due dates and staff commands cause these events. The last column names the staff command and the roles that
may give it ([staff.md](staff.md)). With `FORCE` and a reason, staff can do what the plain command does not allow; each forced
event has its own row.

{table}
<details><summary>The whole table as a diagram</summary>

```mermaid
{diagram}```

</details>
"""

_HEAD = ("| event | meaning | states | next state | staff command and roles |", "|---|---|---|---|---|")


@click.command()
def lifecycle() -> None:
    """Print the states of a unit, the events, and who can cause them, as Markdown with Mermaid diagrams.

    \b
    mailbot lifecycle > docs/lifecycle.md
    """
    click.echo(page(), nl=False)


def page() -> str:
    """Return docs/lifecycle.md."""
    rows = (f"| {' | '.join(_cells(transition))} |" for transition in TRANSITIONS)
    return _PAGE.format(
        ends=f"{', '.join(FINAL_STATES[:-1])} and {FINAL_STATES[-1]}",
        forward="".join(f"{line}\n" for line in ("stateDiagram-v2", *_forward())),
        table="".join(f"{line}\n" for line in (*_HEAD, *rows)),
        diagram=diagram(),
    )


def _forward() -> Iterator[str]:
    """Yield the arrows of the simple diagram: forward transitions only, without held and final states."""
    line: list[State | None] = [None, *(state for state in ORDER if state != "held"), "closed"]
    found: dict[tuple[State | None, State], list[str]] = {}
    for transition in TRANSITIONS:
        for before in transition.before:
            onward = before in line and transition.after in line and line.index(before) < line.index(transition.after)
            if onward and not transition.forced and (transition.after != "closed" or before == "shipped"):
                found.setdefault((before, transition.after), []).append(transition.label)
    for (start, end), labels in found.items():
        yield f"    {start or '[*]'} --> {end}: {', '.join(labels)}"


def _cells(transition: Transition) -> Iterator[str]:
    force = " with `FORCE`" if transition.forced else ""
    yield f"`{transition.event}`"
    yield transition.label
    yield ", ".join(state or "`[*]`" for state in (None, *ORDER, *FINAL_STATES) if state in transition.before)
    yield transition.after
    command = transition.command
    yield f"`{command.upper().replace('_', ' ')}`{force}: {', '.join(ROLES[command])}" if command else ""
