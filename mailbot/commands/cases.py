"""``mailbot cases``: list, show, or export cases. Works while the daemon runs."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Any
from unicodedata import normalize

import click
import msgspec

from mailbot.commands import options
from mailbot.model import Case
from mailbot.runtime import logs
from mailbot.runtime.logs import escaped

_UNIT_COLUMNS = ("unit_state", "received_on", "repair_due", "shipped_on")

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
    from mailbot.case.lifecycle import CLOSED_STATES

    with _store(config) as store:
        found = [case for case in store.cases() if everything or case.state not in CLOSED_STATES]
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
    Console(width=None if _is_terminal() else 160, highlight=False, soft_wrap=not _is_terminal()).print(table)
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
    from mailbot.commands import case_history

    with _store(config) as store:
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
    with _store(config) as store:
        found = list(store.cases())
    if as_json:
        click.echo(logs.as_json([_row(case) for case in found], indent=1))
        return
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "number", "state", "sender", "serial", "outcome", *_UNIT_COLUMNS])
    for case in found:
        number = case.number.text if case.number else ""
        own = (case.id, number, case.state, case.sender)
        units = [(i.serial, i.outcome, i.state, i.received_on, i.repair_due, i.shipped_on) for i in case.units]
        for unit in units or [("",) * 6]:
            writer.writerow([_no_formula(str(cell or "")) for cell in (*own, *unit)])
    click.echo(out.getvalue(), nl=False)


def _store(config: Path) -> Any:
    """Open the state for reading, without locking it."""
    from contextlib import closing

    from mailbot.commands.loading import store
    from mailbot.settings import load

    return closing(store(load(config), read_only=True))


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
    from mailbot.case.deadlines import final_date

    until = final_date(case)
    return (
        case.number.text if case.number else case.id,
        case.state,
        until.isoformat() if until else "",
        f"{case.sender} {', '.join(item.serial or '(no serial yet)' for item in case.units)}",
    )


def _no_formula(cell: str) -> str:
    """Return a cell on one line, quoted if a spreadsheet would run it as a formula (H6, T6)."""
    text = escaped(cell)
    return f"'{text}" if normalize("NFKC", text).lstrip()[:1] in ("=", "+", "-", "@") else text


def _is_terminal() -> bool:
    return sys.stdout.isatty()
