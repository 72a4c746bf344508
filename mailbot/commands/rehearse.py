"""`mailbot rehearse`: test conversation files against rules and templates."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from mailbot.commands.case_history import decision_lines, event_lines
from mailbot.commands.loading import Processes
from mailbot.model import Case
from mailbot.rehearsal import conversation_file, player
from mailbot.rehearsal.expectations import describe
from mailbot.runtime import logs
from mailbot.runtime.logs import escaped
from mailbot.runtime.resources import Resources, packaged
from mailbot.strict_toml import ConfigError

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("paths", metavar="PATH…", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--rules", type=_FOLDER, help="Use the rules in this folder instead of the packaged ones.")
@click.option("--templates", type=_FOLDER, help="Use the templates in this folder instead of the packaged ones.")
@click.option("-v", "--verbose", is_flag=True, help="Print titles and every email that is sent.")
def rehearse(paths: tuple[Path, ...], rules: Path | None, templates: Path | None, *, verbose: bool) -> None:
    """Run conversation files and check that mailbot answers as they expect.

    PATH is a conversation file (TOML) or a folder of them. The steps are simulated: emails arrive, time passes, deadlines
    are reached. Nothing is sent or stored, and no settings are needed. Each file gives a line `PASS file` or
    `FAIL file: step N: what`.

    \b
    title = "In warranty: an RMA is issued"
    policy = "american-portwell"
    registry = [ {serial = "AH2F104432", model = "WADE-8013", family = "ipc", delivered_on = 2026-03-01,
                  customer = "Acme", customer_domain = "acme.example"} ]
    [[step]]
    at = 2026-11-20T10:00:00Z
    from = "kim@acme.example"
    subject = "WADE board dead"
    body = "Serial AH2F104432 no longer powers on."
      [[step.sent]]
      to = "kim@acme.example"
      cites = ["AP-1"]
      contains = ["{rma1}"]

    \b
    Test a change before it goes live:
      mailbot init trial --policy american-portwell && $EDITOR trial/rules/american-portwell.toml
      mailbot rehearse --rules trial/rules conversations/

    Exit codes: 0 all files pass, 1 at least one fails, 2 usage error.
    """
    logs.configure(logging.ERROR)
    chosen = Resources(rules or packaged("rules"), templates or packaged("templates"))
    files = list(_files(paths))
    if not files:
        raise click.UsageError("no conversation file (*.toml) in these folders.")
    with Processes() as processes:
        failed = sum(not _rehearse(file, chosen, processes, verbose=verbose) for file in files)
    if len(files) > 1:
        click.echo(f"{len(files) - failed} of {len(files)} pass", err=True)
    sys.exit(1 if failed else 0)


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """Yield the files; for a folder, its conversation files sorted by path."""
    for path in paths:
        yield from sorted(path.rglob("*.toml")) if path.is_dir() else [path]


def _rehearse(file: Path, resources: Resources, processes: Processes, *, verbose: bool) -> bool:
    """Run one file, print the result, and return whether it passed."""
    try:
        conversation = conversation_file.load(file)
        policy = player.policy_of(conversation, resources)
    except ConfigError as error:
        click.echo(f"FAIL {file}: {escaped(str(error))}")
        return False
    played = player.play(conversation, policy, file.parent, processes.opener, processes.classifier)
    failure = played.failure
    click.echo(f"FAIL {file}: step {failure.step}: {escaped(failure.what)}" if failure else f"PASS {file}")
    if verbose:
        _print_indented(_transcript(conversation.title, played))
    if failure:
        _print_indented(_failure_details(played, failure, emails=not verbose))
    return failure is None


def _print_indented(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(f"     {escaped(line)}")


def _failure_details(played: player.ConversationRun, failure: player.Failure, *, emails: bool) -> Iterator[str]:
    """Yield the other differences, the decision with its clauses, the state of the case, and the emails that were sent."""
    yield from failure.detail
    step = next((step for step in played.steps if step.count == failure.step), None)
    if step is None:
        return
    for result in step.results:
        if result.event:
            yield from event_lines(result.event)
        if result.decision:
            yield from decision_lines(result.decision, "  ")
        elif result.record:
            yield f"  {result.record.why}"
    if step.case:
        yield _case_line(step.case)
        yield from (f"  {unit.serial or '(no serial yet)'}: {unit.state}" for unit in step.case.units)
    for mail in step.sent if emails else ():
        yield from describe(mail)


def _case_line(case: Case) -> str:
    number = f", {case.number.text} until {case.number.valid_until}" if case.number else ""
    return f"{case.id}: {case.state}{number}"


def _transcript(title: str, played: player.ConversationRun) -> Iterator[str]:
    """Yield the title, then every step with the state of its case and the emails that were sent."""
    yield title
    for step in played.steps:
        state = f"  ({_case_line(step.case)})" if step.case else ""
        yield f"step {step.count}, {step.step.at.isoformat()}{state}"
        for mail in step.sent:
            yield from (f"  {line}" for line in describe(mail, None))
