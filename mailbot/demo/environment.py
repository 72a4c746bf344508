"""Run the real mailbot against embedded mail servers on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

from mailbot.case.delivery import Delivered
from mailbot.demo.traffic import TrafficEntry, read_back
from mailbot.policy.dates import at_hour
from mailbot.rehearsal.player import random_values
from mailbot.runtime.attachment_process import AttachmentProcess
from mailbot.runtime.classifier.classifier import ClassifierProcess, ClassifierSettings
from mailbot.runtime.clock import Clock
from mailbot.runtime.embedded import ImapServer, ReceivedMail, SmtpServer, from_domain, imap_server, smtp_server
from mailbot.runtime.pipeline import MailboxContext
from mailbot.runtime.registry.registry import Registry
from mailbot.runtime.resources import Resources, policy_names
from mailbot.runtime.smtp.outbox import Outbox
from mailbot.runtime.store import Store, open_store
from mailbot.runtime.worker import MailboxConnections, Worker

PASSWORD = "demo"  # noqa: S105 - for servers on loopback that run only during the demo
SERVER = "mx.localhost"
"""The authserv-id in Authentication-Results (RFC 8601 §2.5)."""


class DemoEnvironment:
    """An IMAP and an SMTP server, one store, one worker, and a clock that the scenario sets."""

    def __init__(self, worker: Worker, clock: Clock, smtp: SmtpServer, imap: ImapServer) -> None:
        self.worker, self.clock, self.smtp, self.imap = worker, clock, smtp, imap
        self.store = worker.store
        self.policies = {address: context.policy for address, context in worker.contexts.items()}
        self._smtp = Outbox(smtp.smtp())

    def mailbox(self, policy: str) -> str:
        """Return the address of a company's mailbox."""
        return next(address for address, each in self.policies.items() if each.name == policy)

    async def deliver(self, raw: bytes, sender: str, mailbox: str) -> None:
        """Send an email to the SMTP server, as the sender's own server would. An empty sender is the null reverse-path."""
        result = await self._smtp.send(raw, sender, mailbox)
        assert isinstance(result, Delivered), result  # noqa: S101 - an error in personas.toml must not go unnoticed

    async def work(self) -> None:
        """Let mailbot process everything that is due now: deadlines, incoming mail, replies."""
        await self.worker.process_due()
        for connection in self.worker.mailboxes:
            await self.worker.drain(connection)
        await self.worker.sender.send()

    def traffic(self, store: Store, *, after: int = 0) -> list[TrafficEntry]:
        """Return the emails that the SMTP server received, from number ``after`` + 1 on, with what a store knows about each."""
        return read_back(self.smtp.received, store, self.policies, self.clock.now(), after=after)

    async def close(self) -> None:
        """Close the connections to the servers."""
        await self._smtp.close()
        await self.worker.close()


@asynccontextmanager
async def demo_environment(out: Path, first_day: date, visitor: str) -> AsyncIterator[DemoEnvironment]:
    """Start the servers, with a mailbox for every packaged policy and one for the visitor.

    ``registry.csv`` must already be in ``out``; the state is created in ``out/state``. The clock starts at midnight of the first
    day, in the time zone of the first policy.

    Raises:
        StateError, ConfigError: the demo cannot start.
    """
    resources = Resources.at()
    policies = [resources.policy(name, trusted_authserv_id=SERVER) for name in policy_names(resources.rules)]
    clock = Clock(at_hour(first_day, 0, policies[0].timezone))
    users = dict.fromkeys((*(policy.desk.address for policy in policies), visitor), PASSWORD)
    store, opener, classifier = open_store(f"tinydb:{out / 'state'}"), AttachmentProcess(), ClassifierProcess(ClassifierSettings())
    try:
        async with (
            imap_server(users) as imap,
            smtp_server(mailboxes=imap, addresses={user: user for user in users}, users=users, vouch=vouch, now=clock.now) as smtp,
        ):
            values = random_values("demo", first=0)
            registries = [Registry.open(out / "registry.csv", policy.name) for policy in policies]
            contexts = [
                MailboxContext(policy, registry, store, clock, values.__next__, opener, classifier)
                for policy, registry in zip(policies, registries, strict=True)
            ]
            connections = [MailboxConnections(context, imap.imap(context.policy.desk.address), smtp.smtp()) for context in contexts]
            environment = DemoEnvironment(Worker(connections, store, clock), clock, smtp, imap)
            try:
                for connection in connections:
                    await asyncio.to_thread(connection.mailbox.connect)
                yield environment
            finally:
                await environment.close()
    finally:
        opener.close()
        classifier.close()
        store.close()


def vouch(mail: ReceivedMail) -> str:
    """Return an Authentication-Results header in which every sender passes DMARC."""
    return f"{SERVER}; dmarc=pass header.from={from_domain(mail.raw) or 'localhost'}"
