"""``mailbot lifecycle``: document the lifecycle of a unit, from the table that the program itself uses."""

from __future__ import annotations

from collections.abc import Iterator

import click

from mailbot.case.lifecycle import FINAL_STATES, NO_TRANSITION, ORDER, TRANSITIONS, Transition, diagram, states_for
from mailbot.decide.permissions import ROLES
from mailbot.model import CommandName, State

_PAGE = """\
# The lifecycle of a unit

`mailbot lifecycle` prints this page from the table in `mailbot/case/lifecycle.py`, which the program itself uses. A test
compares the page with the table. The table maps a state and an event to the next state. A staff command that does not fit the
state of a unit is refused in the reply. Any other event that is not in the table is a defect: the email goes to the folder
Attention; a due date is logged and tried again.

Each unit has its own state. A case has the state of its least advanced open unit. A case without units has a state of its own:
asking or held, closed at the end. In the states {ends}, nothing is awaited any more.
`[*]` is a unit that is not in the case yet.

## From request to closing

```mermaid
{forward}```

## The table

Customers' emails, due dates and staff commands cause these events. The last column names the staff command and the roles that
may give it ([staff.md](staff.md)). With `FORCE` and a reason, staff can do what the plain command does not allow; each forced
event has its own row.

{table}
The table is not the only condition:

- `APPROVE` releases a unit that was put on hold, or is held for a finding or a purchase order (`resumed_...`): the unit has on
  record in which state it continues. Any other unit is `approved`. Without serial numbers, `APPROVE` applies to the units in the
  first of these states that a unit has: {approves}.
- `SHIPPED` without `FORCE` needs a unit that has been received, also if it is declined.
- `CLOSE` without `FORCE` needs a unit that is not at our site, or has been shipped back.
- `QUOTE` applies only to the units that are being repaired, if there are any.

These commands do not change the state of a unit:

{others}
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
        approves=", ".join(states_for("approve")),
        others="".join(f"- {_command(name)}, in the states {', '.join(states)}\n" for name, states in NO_TRANSITION.items()),
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
    yield f"`{transition.event}`"
    yield transition.label
    yield ", ".join(state or "`[*]`" for state in (None, *ORDER, *FINAL_STATES) if state in transition.before)
    yield transition.after
    yield _command(transition.command, forced=transition.forced) if transition.command else ""


def _command(name: CommandName, *, forced: bool = False) -> str:
    """Return a staff command with the roles that may give it."""
    return f"`{name.upper().replace('_', ' ')}`{' with `FORCE`' if forced else ''}: {', '.join(ROLES[name])}"
