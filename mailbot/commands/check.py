"""``mailbot check``: is everything as it must be, and if not, how is it mended?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailbot.commands import options
from mailbot.settings import MailboxTable, Settings, load, warnings
from mailbot.strict_toml import ConfigError

if TYPE_CHECKING:
    from mailbot.runtime.registry.registry import Registry
    from mailbot.runtime.resources import Resources


class CheckReport:
    """What was looked at, line by line."""

    def __init__(self) -> None:
        self.problems = 0

    def good(self, what: str) -> None:
        """Tell what is as it must be."""
        click.echo(f"{click.style('ok', fg='green')}       {what}")

    def warn(self, what: str) -> None:
        """Tell what works and should be set before going live."""
        click.echo(f"{click.style('warning', fg='yellow')}  {what}")

    def problem(self, what: str) -> None:
        """Tell what must be mended."""
        self.problems += 1
        click.echo(f"{click.style('problem', fg='red')}  {what}")

    def look(self, what: str, at: Callable[[], object]) -> bool:
        """Look at one thing; an error a person can mend is a finding."""
        from mailbot.runtime.registry.registry import RegistryError
        from mailbot.runtime.servers import ServerError
        from mailbot.runtime.store import StateError

        try:
            at()
        except (ConfigError, ServerError, RegistryError, StateError) as error:
            self.problem(str(error))
            return False
        self.good(what)
        return True


@click.command()
@options.config
@click.option("--offline", is_flag=True, help="Leave the mail servers alone.")
def check(config: Path, *, offline: bool) -> None:
    """Look at settings, rules, templates, registries, state, and log in to IMAP and SMTP.

    Every finding says how to mend it. Exit code 1 if anything must be mended; warnings alone are 0. Works while the daemon runs.

    \b
    mailbot check
    mailbot check --offline --config my-desk/mailbot.toml
    """
    from mailbot.runtime.resources import Resources

    found = CheckReport()
    settings = load(config)
    found.good(f"settings: {config}")
    for warning in warnings(settings):
        found.warn(warning)
    try:
        library = Resources.at(settings.home)
    except ConfigError as error:
        found.problem(str(error))
        raise SystemExit(1) from None
    problems = library.letters.check()
    for problem in problems:
        found.problem(f"{library.templates / str(problem)}")
    if not problems:
        found.good(f"templates: {library.templates}")
    for mailbox in settings.file.mailbox:
        _look_at_policy(found, library, mailbox.policy, settings.registry(mailbox))
    found.look(f"state: {settings.file.state}", partial(_state, settings))
    for mailbox in () if offline else settings.file.mailbox:
        imap = f"IMAP: {mailbox.imap.user} at {mailbox.imap.host}:{mailbox.imap.port}"
        found.look(imap, partial(_imap, settings, mailbox))
        smtp = f"SMTP: {mailbox.smtp.host}:{mailbox.smtp.port}"
        found.look(smtp, partial(_smtp, settings, mailbox))
    if found.problems:
        click.echo(f"{found.problems} to mend")
        raise SystemExit(1)
    click.echo("all good")


def _look_at_policy(found: CheckReport, library: Resources, name: str, registry: Path) -> None:
    """Look at a mailbox's rules and at the registry they are to be used on."""
    from mailbot.policy.policy import examples
    from mailbot.policy.registry_checks import implausible_rows

    file = library.rules / f"{name}.toml"
    sound = found.look(f"rules: {file}", partial(library.policy, name))
    if found.look(f"registry: {registry}", partial(_registry, registry, name)) and sound:
        rules = library.policy(name).rules
        for example in examples(rules):
            found.warn(f"{file}: {example}; set it, and delete example = true")
        for doubt in implausible_rows(_registry(registry, name), rules, datetime.now(UTC).date()):
            found.warn(f"{registry}: {doubt}")


def _registry(path: Path, policy: str) -> Registry:
    from mailbot.runtime.registry.registry import Registry

    return Registry.open(path, policy, None)


def _state(settings: Settings) -> None:
    from mailbot.commands.loading import store

    store(settings, read_only=True).close()


def _imap(settings: Settings, mailbox: MailboxTable) -> None:
    from mailbot.runtime.imap.mailbox import Mailbox

    box = Mailbox(settings.imap(mailbox))
    try:
        box.connect()
    finally:
        box.close()


def _smtp(settings: Settings, mailbox: MailboxTable) -> None:
    from mailbot.runtime.smtp.outbox import Outbox

    async def look() -> None:
        outbox = Outbox(settings.smtp(mailbox))
        try:
            await outbox.check()
        finally:
            await outbox.close()

    asyncio.run(look())
