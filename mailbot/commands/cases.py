"""``mailbot cases``: look at the cases; works while the daemon runs."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unicodedata import normalize

import click
import msgspec

from mailbot.commands import options
from mailbot.model import CameDue, Case, Entry
from mailbot.shell import logs
from mailbot.shell.logs import escaped
from mailbot.shell.store import Store

as_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group()
def cases() -> None:
    """Look at the cases: a list, the whole story of one, or an export for another tool.

    \b
    mailbot cases list
    mailbot cases show RMA-2026000017
    mailbot cases export --json > cases.json
    """


@cases.command(name="list")
@options.config
@as_json
@click.option("--all", "everything", is_flag=True, help="Closed, expired and declined ones too.")
def list_(config: Path, *, as_json: bool, everything: bool) -> None:
    """List the open cases, the oldest first.

    \b
    mailbot cases list
    mailbot cases list --all --json
    """
    from mailbot.case.lifecycle import OVER

    with _store(config) as store:
        found = [case for case in store.cases() if everything or case.state not in OVER]
    if as_json:
        click.echo(logs.as_json([_row(case) for case in found], indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("case", "number", "state", "customer", "units", "opened", "next date", box=None, header_style="bold")
    for case in found:
        table.add_row(*(escaped(cell) for cell in _cells(case)))
    Console(width=None if _terminal() else 160, highlight=False, soft_wrap=not _terminal()).print(table)
    click.echo(f"{len(found)} case{'' if len(found) == 1 else 's'}")


@cases.command()
@options.config
@as_json
@click.argument("name")
def show(config: Path, name: str, *, as_json: bool) -> None:
    """Tell the whole story of one case, named by its id or its RMA number: mails, decisions, clauses, facts, deadlines.

    \b
    mailbot cases show RMA-2026000017
    """
    with _store(config) as store:
        found = store.case(name.upper()) or next(iter(store.find([], [name])), None)
    if found is None:
        raise click.ClickException(f"there is no case {name!r}. `mailbot cases list --all` shows all.")
    hidden = story.secrets(found)
    if as_json:
        text = logs.as_json(msgspec.to_builtins(story.without_secrets(found)), indent=1)
        click.echo(_SECRET.sub(lambda mark: "…" if mark[0] in hidden else mark[0], text))
        return
    for line in story.laid_out(story.story(found), hidden):
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
    writer.writerow(["id", "number", "state", "sender", "serial", "outcome"])
    for case in found:
        number = case.number.text if case.number else ""
        for serial, outcome in [(i.serial, i.outcome) for i in case.items] or [("", "")]:
            writer.writerow([_neutral(cell) for cell in (case.id, number, case.state, case.sender, serial, outcome)])
    click.echo(out.getvalue(), nl=False)


def _store(config: Path) -> Any:
    """Open the state for reading, without its lock."""
    from contextlib import closing

    from mailbot.settings import load
    from mailbot.shell.tiny import TinyStore

    store: Store = TinyStore(load(config).state, read_only=True)
    return closing(store)


def _row(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "number": case.number.text if case.number else None,
        "state": case.state,
        "sender": case.sender,
        "items": [{"serial": item.serial, "outcome": item.outcome} for item in case.items],
    }


def _cells(case: Case) -> tuple[str, ...]:
    from mailbot.case.deadlines import outer

    until = outer(case)
    return (
        case.id,
        case.number.text if case.number else "",
        case.state,
        case.sender,
        ", ".join(item.serial or "(no serial yet)" for item in case.items),
        f"{case.opened_at:%Y-%m-%d}",
        until.isoformat() if until else "",
    )


def _neutral(cell: str) -> str:
    """Return a cell on one line that no spreadsheet takes for a formula (H6, T6)."""
    text = escaped(cell)
    return f"'{text}" if normalize("NFKC", text).lstrip()[:1] in ("=", "+", "-", "@") else text


def _terminal() -> bool:
    return sys.stdout.isatty()
