"""`mailbot rehearse`: play conversation files against rules and templates."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailbot.runtime.logs import escaped
from mailbot.strict_toml import ConfigError

if TYPE_CHECKING:
    from mailbot.model import Case
    from mailbot.rehearsal.player import ConversationPlayer, Failure
    from mailbot.runtime.attachment_process import AttachmentProcess
    from mailbot.runtime.resources import Resources

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("paths", metavar="PATH…", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--rules", type=_FOLDER, help="Play under the rules in this folder instead of the shipped ones.")
@click.option("--templates", type=_FOLDER, help="Write with the templates in this folder instead of the shipped ones.")
@click.option("-v", "--verbose", is_flag=True, help="Show titles, and every mail that is sent.")
def rehearse(paths: tuple[Path, ...], rules: Path | None, templates: Path | None, *, verbose: bool) -> None:
    """Play conversations and see whether mailbot answers as they say.

    PATH is a conversation file (TOML) or a folder of them. Mails arrive, time passes, deadlines come; nothing is sent
    and nothing is stored, and no settings are needed. A line `PASS file` or `FAIL file: step N: what` for each.

    \b
    title = "In warranty: the number goes out"
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
    Try a change before it goes live:
      mailbot init trial --policy american-portwell && $EDITOR trial/rules/american-portwell.toml
      mailbot rehearse --rules trial/rules conversations/

    Exit codes: 0 all pass, 1 one fails, 2 called wrongly.
    """
    import logging

    from mailbot.runtime import logs, resources
    from mailbot.runtime.attachment_process import AttachmentProcess

    logs.configure(logging.ERROR)
    shelf = resources.Resources(rules or resources.packaged("rules"), templates or resources.packaged("templates"))
    files = list(_files(paths))
    if not files:
        raise click.UsageError("there is no conversation file (*.toml) in these folders.")
    with AttachmentProcess() as opener:
        failed = sum(not _rehearse(file, shelf, opener, verbose=verbose) for file in files)
    if len(files) > 1:
        click.echo(f"{len(files) - failed} of {len(files)} pass", err=True)
    sys.exit(1 if failed else 0)


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """Yield the files, and those in the folders in the order of their names."""
    for path in paths:
        yield from sorted(path.rglob("*.toml")) if path.is_dir() else [path]


def _rehearse(file: Path, shelf: Resources, opener: AttachmentProcess, *, verbose: bool) -> bool:
    """Play one file, say how it went, and return whether it passed."""
    from mailbot.rehearsal import conversation_file, player

    try:
        script = conversation_file.load(file)
        policy = player.policy_of(script, shelf)
    except ConfigError as error:
        click.echo(f"FAIL {file}: {escaped(str(error))}")
        return False
    played = player.play(script, policy, file.parent, opener)
    failure = played.failure
    click.echo(f"FAIL {file}: step {failure.step}: {escaped(failure.what)}" if failure else f"PASS {file}")
    if verbose:
        _say(_told(script.title, played))
    if failure:
        _say(_instead(played, failure, mails=not verbose))
    return failure is None


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(f"     {escaped(line)}")


def _instead(played: ConversationPlayer, failure: Failure, *, mails: bool) -> Iterator[str]:
    """Tell what else was otherwise, what was decided instead and by which clauses, how the case stands, and what was sent."""
    from mailbot.commands.case_history import decision_lines, event_lines
    from mailbot.rehearsal.expectations import describe

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
        yield _stands(step.case)
        yield from (f"  {unit.serial or '(no serial yet)'}: {unit.state}" for unit in step.case.units)
    for mail in step.sent if mails else ():
        yield from describe(mail)


def _stands(case: Case) -> str:
    number = f", {case.number.text} until {case.number.valid_until}" if case.number else ""
    return f"{case.id}: {case.state}{number}"


def _told(title: str, played: ConversationPlayer) -> Iterator[str]:
    from mailbot.rehearsal.expectations import describe

    yield title
    for step in played.steps:
        state = f"  ({_stands(step.case)})" if step.case else ""
        yield f"step {step.count}, {step.step.at.isoformat()}{state}"
        for mail in step.sent:
            yield from (f"  {line}" for line in describe(mail, None))
