"""The stage: embedded mail servers on loopback, and mailbot at work between them with its real parts."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

from mailbot.case.delivery import Delivered
from mailbot.demo.traffic import TrafficEntry, read_back
from mailbot.policy.dates import at_hour
from mailbot.runtime.attachment_process import AttachmentProcess
from mailbot.runtime.clock import Clock
from mailbot.runtime.daemon import Daemon
from mailbot.runtime.embedded import ImapServer, ReceivedMail, SmtpServer, from_domain, imap_server, smtp_server
from mailbot.runtime.pipeline import MailboxContext
from mailbot.runtime.registry.registry import Registry
from mailbot.runtime.resources import Resources, policy_names
from mailbot.runtime.smtp.outbox import Outbox
from mailbot.runtime.store import Store, open_store
from mailbot.runtime.worker import MailboxConnections, Worker

PASSWORD = "demo"  # noqa: S105 - of servers that live on loopback as long as the demo does
SERVER = "mx.localhost"
"""By this name the mail server vouches for senders (RFC 8601 §2.5)."""


class DemoEnvironment:
    """Two servers, one store, one worker, and a clock that the play sets."""

    def __init__(self, worker: Worker, clock: Clock, smtp: SmtpServer, imap: ImapServer) -> None:
        self.worker, self.clock, self.smtp, self.imap = worker, clock, smtp, imap
        self.store = worker.store
        self.policies = {address: room.policy for address, room in worker.contexts.items()}
        self._courier = Outbox(smtp.smtp())

    def mailbox(self, policy: str) -> str:
        """Return the address of a company's mailbox."""
        return next(address for address, each in self.policies.items() if each.name == policy)

    async def post(self, raw: bytes, sender: str, mailbox: str) -> None:
        """Hand a mail to the SMTP server, as its writer's own server would; an empty sender is the null path."""
        sent = await self._courier.send(raw, sender, mailbox)
        assert isinstance(sent, Delivered), sent  # noqa: S101 - a slip in the cast must not pass for silence

    async def work(self) -> None:
        """Let mailbot do what there is to do at this moment: due dates, mail, replies."""
        await self.worker.process_due()
        for station in self.worker.mailboxes:
            await self.worker.drain(station)
        await self.worker.send()

    async def attend(self, stopped: asyncio.Event) -> None:
        """Let the daemon run by the real clock until ``stopped``."""
        self.clock.at = None
        daemon = Daemon(self.worker, poll_seconds=2, from_now=False)
        running = asyncio.create_task(daemon.run())
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        daemon.stop()
        await running

    def post_of(self, store: Store, *, after: int = 0) -> list[TrafficEntry]:
        """Return the mails that have passed the SMTP server, from number ``after`` + 1 on, with what a store says of each."""
        return read_back(self.smtp.received, store, self.policies, self.clock.now(), after=after)

    async def close(self) -> None:
        """Leave the servers."""
        await self._courier.close()
        await self.worker.close()


@asynccontextmanager
async def demo_environment(out: Path, first_day: date, visitor: str) -> AsyncIterator[DemoEnvironment]:
    """Set the stage: every packaged policy gets its mailbox; ``registry.csv`` lies in ``out`` already.

    Args:
        out: the demo's folder; the state goes into its ``state``.
        first_day: the day that the clock shows at first, its first minute.
        visitor: an address of somebody who may look on, with a mailbox of its own.

    Raises:
        StateError, ConfigError: nothing was begun.
    """
    library = Resources.at()
    policies = [library.policy(name, trusted_authserv_id=SERVER) for name in policy_names(library.rules)]
    clock = Clock(at_hour(first_day, 0, policies[0].timezone))
    users = dict.fromkeys((*(policy.desk.address for policy in policies), visitor), PASSWORD)
    store, opener = open_store(f"tinydb:{out / 'state'}"), AttachmentProcess()
    try:
        async with (
            imap_server(users) as imap,
            smtp_server(
                mailboxes=imap, addresses={user: user for user in users}, users=users, vouch=vouch, now=clock.now
            ) as smtp,
        ):
            chance = ids()
            registries = [Registry.open(out / "registry.csv", policy.name) for policy in policies]
            rooms = [
                MailboxContext(policy, registry, store, clock, chance.__next__, opener)
                for policy, registry in zip(policies, registries, strict=True)
            ]
            stations = [MailboxConnections(room, imap.imap(room.policy.desk.address), smtp.smtp()) for room in rooms]
            here = DemoEnvironment(Worker(stations, store, clock), clock, smtp, imap)
            try:
                for station in stations:
                    await asyncio.to_thread(station.mailbox.connect)
                yield here
            finally:
                await here.close()
    finally:
        opener.close()
        store.close()


def vouch(mail: ReceivedMail) -> str:
    """Return the Authentication-Results of a server that found every sender genuine."""
    return f"{SERVER}; dmarc=pass header.from={from_domain(mail.raw) or 'localhost'}"


def ids() -> Iterator[str]:
    """Yield 128 bits each that look like chance and are the same in every run, so that the demo can be told again."""
    return (hashlib.sha256(f"demo {count}".encode()).hexdigest()[:32] for count in itertools.count())
