"""``mailbot cases``: list, show, or export cases. Works while the daemon runs."""

from __future__ import annotations

import csv
import io
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from unicodedata import normalize

import click
import msgspec

from mailbot.case.deadlines import final_date
from mailbot.case.lifecycle import FINAL_STATES
from mailbot.commands import case_history, loading, options
from mailbot.model import Case
from mailbot.runtime import logs
from mailbot.runtime.logs import escaped
from mailbot.settings import load

_CASE_COLUMNS = ("id", "number", "state", "sender")
_UNIT_COLUMNS = ("serial", "outcome", "state", "received_on", "repair_due", "shipped_on")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def cases() -> None:
    """List cases, show the whole history of one, or export all for another tool.

    \b
    mailbot cases list
    mailbot cases show RMA-2026000017
    mailbot cases export --json > cases.json
    """


@cases.command(name="list")
@options.config
@as_json
@click.option("--all", "everything", is_flag=True, help="Include closed, expired, and declined cases.")
def list_(config: Path, *, as_json: bool, everything: bool) -> None:
    """List the open cases, oldest first: RMA number or id, state, and the date of the next deadline.

    \b
    mailbot cases list
    mailbot cases list --all --json
    """
    with closing(loading.store(load(config), read_only=True)) as store:
        found = [case for case in store.cases() if everything or case.state not in FINAL_STATES]
    if as_json:
        click.echo(logs.as_json([_row(case) for case in found], indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("case", "state", "until"):
        table.add_column(heading, no_wrap=True)
    table.add_column("customer, units", overflow="fold")
    for case in found:
        table.add_row(*(escaped(cell) for cell in _cells(case)))
    is_terminal = sys.stdout.isatty()
    Console(width=None if is_terminal else 160, highlight=False, soft_wrap=not is_terminal).print(table)
    click.echo(f"{len(found)} case{'' if len(found) == 1 else 's'}")


@cases.command()
@options.config
@as_json
@click.argument("name")
def show(config: Path, name: str, *, as_json: bool) -> None:
    """Show the whole history of one case. NAME is its id or its RMA number.

    First the units, quotes, orders, and dates; then every email with the decision, its clauses and facts, the results of
    staff commands, and the emails that were sent. One-time tokens are never shown.

    \b
    mailbot cases show RMA-2026000017
    """
    with closing(loading.store(load(config), read_only=True)) as store:
        found = store.case(name.upper()) or next(iter(store.find([], [name])), None)
    if found is None:
        raise click.ClickException(f"there is no case {name!r}. `mailbot cases list --all` lists all cases.")
    secrets = case_history.secrets(found)
    if as_json:
        text = logs.as_json(msgspec.to_builtins(case_history.without_secrets(found)), indent=1)
        click.echo(case_history.remove_secrets(text, secrets))
        return
    for line in case_history.wrapped(case_history.case_history(found), secrets):
        click.echo(line)


@cases.command()
@options.config
@as_json
def export(config: Path, *, as_json: bool) -> None:
    """Export every case: CSV, or with --json an array of {id, number, state, sender, items}.

    \b
    mailbot cases export > cases.csv
    mailbot cases export --json > cases.json
    """
    with closing(loading.store(load(config), read_only=True)) as store:
        found = list(store.cases())
    if as_json:
        click.echo(logs.as_json([_row(case) for case in found], indent=1))
        return
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*_CASE_COLUMNS, *("unit_state" if column == "state" else column for column in _UNIT_COLUMNS)])
    for case in found:
        row = _row(case)
        for unit in case.units or (None,):
            cells = (*(row[column] for column in _CASE_COLUMNS), *(getattr(unit, column, "") for column in _UNIT_COLUMNS))
            writer.writerow([_no_formula(str(cell or "")) for cell in cells])
    click.echo(out.getvalue(), nl=False)


def _row(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "number": case.number.text if case.number else None,
        "state": case.state,
        "sender": case.sender,
        "items": [{"serial": unit.serial, "outcome": unit.outcome} for unit in case.units],
    }


def _cells(case: Case) -> tuple[str, ...]:
    """Return a row of the list. The case is named by its RMA number, or by its id if it has no number yet."""
    until = final_date(case)
    return (
        case.number.text if case.number else case.id,
        case.state,
        until.isoformat() if until else "",
        f"{case.sender} {', '.join(item.serial or '(no serial yet)' for item in case.units)}",
    )


def _no_formula(cell: str) -> str:
    """Return a cell on one line, quoted if a spreadsheet would run it as a formula."""
    text = escaped(cell)
    return f"'{text}" if normalize("NFKC", text).lstrip()[:1] in ("=", "+", "-", "@") else text
