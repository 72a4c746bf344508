"""``mailbot lifecycle``: the life of a unit, drawn from the one table that the program itself follows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mailbot.case.lifecycle import Way

_PAGE = """\
# The life of a unit

`mailbot lifecycle` prints this page: it is drawn from the table in `mailbot/case/lifecycle.py`, which every step of the program
follows, and a test keeps it so. A unit that went where the table does not lead would stop the mail, not the desk.

Every unit goes its own way; a case stands where its least advanced open unit stands. Nothing is awaited any more in {ends}.
`[*]` is a unit that nobody has asked for yet.

## What can happen

A row with a command happens when somebody with one of these roles writes it ([staff.md](staff.md)); the others when a customer
writes, or when a date comes. With `FORCE` and a reason, a command also works in the states of the last column.

{table}
## The same as a drawing

```mermaid
{diagram}```
"""


@click.command()
def lifecycle() -> None:
    """Print the life of a unit: what can happen to it, who can do that, and where it leads; as Markdown with a Mermaid diagram.

    \b
    mailbot lifecycle > docs/lifecycle.md
    """
    click.echo(page(), nl=False)


def page() -> str:
    """Return docs/lifecycle.md."""
    from mailbot.case.lifecycle import ENDS, WAYS, diagram

    rows = [" | ".join(_cells(way)) for way in WAYS]
    head = ("what happens | in | leads to | command, and whose | with `FORCE` also in", "---|---|---|---|---")
    table = "".join(f"| {row} |\n" for row in (head[0], *rows)).replace("\n", f"\n|{head[1]}|\n", 1)
    return _PAGE.format(ends=", ".join(ENDS), table=table, diagram=diagram())


def _cells(way: Way) -> Iterator[str]:
    from mailbot.case.rulings import ROLES

    yield way.on
    yield _listed(way.before)
    yield _listed(way.after) or "the same"
    yield f"`{way.command.upper().replace('_', ' ')}`: {', '.join(ROLES[way.command])}" if way.command else ""
    yield _listed(way.forced)


def _listed(states: Collection[str | None]) -> str:
    """Name states as they follow each other in a life."""
    from mailbot.case.lifecycle import ENDS, ORDER

    order = (None, *ORDER, *ENDS)
    return ", ".join(state or "`[*]`" for state in order if state in states)
