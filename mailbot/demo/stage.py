"""The stage: embedded mail servers on loopback, and mailbot at work between them with its real parts."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from mailbot.demo.post import Post, read_back
from mailbot.policy.policy import Policy
from mailbot.shell.clock import Clock
from mailbot.shell.daemon import Daemon, Station, Worker
from mailbot.shell.embedded import NAME, ImapServer, Received, SmtpServer, from_domain, imap_server, smtp_server
from mailbot.shell.library import Library, names
from mailbot.shell.outbox import Outbox
from mailbot.shell.path import Room
from mailbot.shell.registry import Registry
from mailbot.shell.tiny import TinyStore

PASSWORD = "demo"  # noqa: S105 - of servers that live on loopback as long as the demo does


class Stage:
    """Two servers, one store, one worker, and a clock that the play sets."""

    def __init__(self, worker: Worker, clock: Clock, smtp: SmtpServer, imap: ImapServer) -> None:
        self.worker, self.clock, self.smtp, self.imap = worker, clock, smtp, imap
        self.store = worker.store
        self.policies = {address: room.policy for address, room in worker.rooms.items()}
        self._courier = Outbox(smtp.smtp())
        self._told = 0

    def mailbox(self, policy: str) -> str:
        """Return the address of a company's mailbox."""
        return next(address for address, each in self.policies.items() if each.name == policy)

    async def post(self, raw: bytes, sender: str, mailbox: str) -> None:
        """Hand a mail to the SMTP server, as a customer's own server would; an empty sender is the null path."""
        await self._courier.send(raw, sender, mailbox)

    async def work(self) -> None:
        """Let mailbot do what there is to do at this moment: due dates, mail, replies."""
        await self.worker.sweep()
        for station in self.worker.stations:
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

    def news(self) -> list[Post]:
        """Return what has passed the SMTP server since the last call, with what the store says of it."""
        fresh = self._read(self._told)
        self._told += len(fresh)
        return fresh

    def everything(self) -> list[Post]:
        """Return every mail so far, with what the store says of it now."""
        return self._read(0)

    def _read(self, after: int) -> list[Post]:
        return read_back(self.smtp.received, self.store, self.policies, self.clock.now(), after=after)

    async def close(self) -> None:
        """Leave the servers."""
        await self._courier.close()
        await self.worker.close()


@asynccontextmanager
async def stage(out: Path, begins: datetime, visitor: str) -> AsyncIterator[Stage]:
    """Set the stage: every packaged policy gets its mailbox; ``registry.csv`` lies in ``out`` already.

    Args:
        out: the demo's folder; the state goes into its ``state``.
        begins: what the clock shows at first.
        visitor: an address of somebody who may look on, with a mailbox of its own.

    Raises:
        StateError, ConfigError: nothing was begun.
    """
    library, clock = Library.at(), Clock(begins)
    policies = [library.policy(name, trusted_authserv_id=NAME) for name in names(library.rules)]
    users = {address: PASSWORD for address in (*(policy.desk.address for policy in policies), visitor)}
    store = TinyStore(out / "state")
    registry = Registry(out / "registry.csv", out / "state")
    try:
        async with (
            imap_server(users) as imap,
            smtp_server(
                mailboxes=imap, addresses={user: user for user in users}, users=users, vouch=vouch, now=clock.now
            ) as smtp,
        ):
            chance = ids()
            rooms = [Room(policy, registry, store, clock, chance.__next__) for policy in policies]
            stations = [Station(room, imap.imap(room.policy.desk.address), smtp.smtp()) for room in rooms]
            here = Stage(Worker(stations, store, clock), clock, smtp, imap)
            try:
                for station in stations:
                    await asyncio.to_thread(station.mailbox.connect)
                yield here
            finally:
                await here.close()
    finally:
        store.close()


def vouch(mail: Received) -> str:
    """Return the Authentication-Results of a server that found every sender genuine."""
    return f"{NAME}; dmarc=pass header.from={from_domain(mail.raw) or 'localhost'}"


def ids() -> Iterator[str]:
    """Yield 128 bits each that look like chance and are the same in every run, so that the demo can be told again."""
    return (hashlib.sha256(f"demo {count}".encode()).hexdigest()[:32] for count in itertools.count())


def company(policy: Policy) -> str:
    """Return the name of a policy's company."""
    return policy.rules.policy.company
