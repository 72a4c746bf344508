"""``mailbot check``: check settings, rules, templates, registries, state and mail servers."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from mailbot.commands import options
from mailbot.settings import MailboxTable, Settings, load, warnings
from mailbot.strict_toml import ConfigError

if TYPE_CHECKING:
    from mailbot.runtime.classifier.classifier import ClassifierSettings
    from mailbot.runtime.resources import Resources


class CheckReport:
    """Prints one line per check and counts problems and warnings."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, kind: Literal["ok", "warning", "problem"], what: str) -> None:
        """Print a line. A problem must be fixed; a warning should be, before going live."""
        self.counts[kind] += 1
        color = {"ok": "green", "warning": "yellow", "problem": "red"}[kind]
        click.echo(f"{click.style(kind, fg=color)}{' ' * (9 - len(kind))}{what}")

    def run(self, what: str, check: Callable[[], object]) -> bool:
        """Run one check and return whether it passed. An error that the user can fix is a problem."""
        from mailbot.runtime.registry.registry import RegistryError
        from mailbot.runtime.servers import ServerError
        from mailbot.runtime.store import StateError

        try:
            check()
        except (ConfigError, ServerError, RegistryError, StateError) as error:
            self.add("problem", str(error))
            return False
        self.add("ok", what)
        return True


@click.command()
@options.config
@click.option("--offline", is_flag=True, help="Skip the servers.")
def check(config: Path, *, offline: bool) -> None:
    """Check settings, rules, templates, registries, state, and classifier, and log in to IMAP and SMTP.

    Every problem says how to fix it. Exit code 1 if there is a problem; 0 if there are only warnings. Works while the daemon
    runs.

    \b
    mailbot check
    mailbot check --offline --config my-desk/mailbot.toml
    """
    from mailbot.runtime.logs import configure
    from mailbot.runtime.resources import Resources

    configure(logging.ERROR)
    report = CheckReport()
    settings = load(config)
    report.add("ok", f"settings: {config}")
    for warning in warnings(settings):
        report.add("warning", warning)
    try:
        resources = Resources.at(settings.home)
    except ConfigError as error:
        report.add("problem", str(error))
        raise SystemExit(1) from None
    bad_templates = resources.letters.check()
    for problem in bad_templates:
        report.add("problem", f"{resources.templates / str(problem)}")
    if not bad_templates:
        report.add("ok", f"templates: {resources.templates}")
    for mailbox in settings.file.mailbox:
        _check_policy(report, resources, mailbox.policy, settings.registry(mailbox))
    report.run(f"state: {settings.file.state}", partial(_state, settings))
    _check_classifier(report, settings, offline=offline)
    for mailbox in () if offline else settings.file.mailbox:
        imap = f"IMAP: {mailbox.imap.user} at {mailbox.imap.host}:{mailbox.imap.port}"
        report.run(imap, partial(_imap, settings, mailbox))
        smtp = f"SMTP: {mailbox.smtp.host}:{mailbox.smtp.port}"
        report.run(smtp, partial(_smtp, settings, mailbox))
    problems, warned = report.counts["problem"], report.counts["warning"]
    click.echo(f"{f'Problems found: {problems}' if problems else 'No problems found'} (warnings: {warned})")
    if problems:
        raise SystemExit(1)


def _check_policy(report: CheckReport, resources: Resources, name: str, registry: Path) -> None:
    """Check a mailbox's rules and its registry. Warn about example values and implausible rows."""
    from mailbot.policy.policy import examples
    from mailbot.policy.registry_checks import implausible_rows
    from mailbot.runtime.registry.registry import Registry

    file = resources.rules / f"{name}.toml"
    rules_ok = report.run(f"rules: {file}", partial(resources.policy, name))
    open_registry = partial(Registry.open, registry, name)
    if report.run(f"registry: {registry}", open_registry) and rules_ok:
        rules = resources.policy(name).rules
        for example in examples(rules):
            report.add("warning", f"{file}: {example}; set it to your value and delete example = true")
        for warning in implausible_rows(open_registry(), rules, datetime.now(UTC).date()):
            report.add("warning", f"{registry}: {warning}")


def _check_classifier(report: CheckReport, settings: Settings, *, offline: bool) -> None:
    """Classify one sentence. A server that cannot be used is a problem; without the local model, mailbot still works."""
    from mailbot.runtime.classifier.classifier import TRIAL, ClassifierProcess

    try:
        chosen = settings.classifier
    except ConfigError as error:
        report.add("problem", str(error))
        return
    if chosen.kind == "phrases":
        report.add("ok", "classifier: none; people read every email with a sentence that no phrase explains")
        return
    is_server = chosen.kind != "local"
    if is_server and offline:
        return
    with ClassifierProcess(chosen) as classifier:
        if chosen.kind == "embeddings" and not report.run(f"embeddings: {chosen.model} at {chosen.url}", partial(_embed, chosen)):
            return
        classifier.classify([TRIAL])
        problem = classifier.problem
    sent = f"the sentences that phrases leave open are sent to {chosen.url}, without serial numbers and models"
    if problem:
        report.add("problem" if chosen.kind == "chat" else "warning", f"classifier: {problem} Until then people read these emails.")
    else:
        report.add("ok", f"classifier: {chosen.kind}; {sent if is_server else 'nothing leaves this machine'}")


def _embed(chosen: ClassifierSettings) -> None:
    """Embed one sentence. Raises ConfigError: the server cannot be used."""
    from mailbot.runtime.classifier.classifier import TRIAL
    from mailbot.runtime.classifier.embedders import EndpointEmbedder
    from mailbot.runtime.classifier.endpoint import EndpointError

    try:
        EndpointEmbedder(chosen).embed([TRIAL])
    except EndpointError as error:
        raise ConfigError(str(error)) from None


def _state(settings: Settings) -> None:
    from mailbot.commands.loading import store

    store(settings, read_only=True).close()


def _imap(settings: Settings, mailbox: MailboxTable) -> None:
    from mailbot.runtime.imap.mailbox import Mailbox

    with closing(Mailbox(settings.imap(mailbox))) as connection:
        connection.connect()


def _smtp(settings: Settings, mailbox: MailboxTable) -> None:
    from mailbot.runtime.smtp.outbox import Outbox

    async def log_in() -> None:
        outbox = Outbox(settings.smtp(mailbox))
        try:
            await outbox.check()
        finally:
            await outbox.close()

    asyncio.run(log_in())
