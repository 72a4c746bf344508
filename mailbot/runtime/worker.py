"""The worker: fetches, processes, sends and checks due dates for several mailboxes on one store."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from mailbot.model import FolderName
from mailbot.runtime import pipeline
from mailbot.runtime.clock import Clock
from mailbot.runtime.imap.mailbox import Disconnected, Mailbox, MailboxError
from mailbot.runtime.pipeline import Disposition, MailboxContext
from mailbot.runtime.registry.registry import Registry, RegistryError
from mailbot.runtime.sending import Sender
from mailbot.runtime.servers import Imap, Smtp
from mailbot.runtime.smtp.outbox import Outbox
from mailbot.runtime.store import StateError, Store

log = structlog.get_logger("mailbot")

_Result = TypeVar("_Result")

BATCH = 50
"""Emails that are made durable together."""
FIRST_PAUSE = 1.0
"""Seconds until a lost server is tried again; longer after each failure."""
SERVER_TRIES = 3
"""How many times ``run --once`` tries a server that disconnects."""
POLL_OTHERS = 0.2
"""Seconds between two checks of ``run --once`` whether another process has finished its work."""


class MailboxConnections:
    """One mailbox with its servers: ``mailbox`` fetches and moves, ``idle`` waits for news, ``outbox`` sends."""

    def __init__(self, context: MailboxContext, imap: Imap, smtp: Smtp) -> None:
        self.context = context
        self.address = context.policy.desk.address
        self.mailbox, self.idle, self.outbox = Mailbox(imap), Mailbox(imap), Outbox(smtp)
        self.news = asyncio.Event()
        self.above = 0
        """The highest UID of the emails that were there at the first start and are skipped."""

    async def close(self) -> None:
        """Disconnect from the servers."""
        self.idle.wake()
        await asyncio.to_thread(self.mailbox.close)
        await asyncio.to_thread(self.idle.close)
        await self.outbox.close()


class Worker:
    """Works on the mailboxes. Blocking calls run in threads; ``lock`` is held by whatever uses the store."""

    def __init__(self, mailboxes: Sequence[MailboxConnections], store: Store, clock: Clock) -> None:
        self.mailboxes, self.store, self.clock = mailboxes, store, clock
        self.contexts = {each.address: each.context for each in mailboxes}
        self.stopping = asyncio.Event()
        self.unsent = asyncio.Event()
        """Set when replies have been committed that may be sent."""
        self.lock = asyncio.Lock()
        outboxes = {each.address: each.outbox for each in mailboxes}
        self.sender = Sender(self.contexts, outboxes, store, clock, lock=self.lock, stopping=self.stopping.is_set)

    async def use_store(self, call: Callable[[], _Result]) -> _Result:
        """Call something that uses the store, in a thread, while nothing else uses it."""
        async with self.lock:
            return await asyncio.to_thread(call)

    # ------------------------------------------------------------ intake

    async def drain(self, connections: MailboxConnections) -> list[Disposition]:
        """Process everything in a mailbox, batch by batch; each batch is durable before it leaves INBOX (promise 1).

        A mailbox that another process reads is left to that process.

        Raises:
            MailboxError: the server cannot be used; ``Disconnected`` if another try may help.
            StateError: the state cannot be written; nothing of the batch was moved or sent.
        """
        done: list[Disposition] = []
        earlier: list[int] = []
        await self._refresh_registry(connections.context)
        while not self.stopping.is_set() and await self.claim(connections):
            uids = await asyncio.to_thread(connections.mailbox.waiting, BATCH, connections.above)
            if not uids:
                break
            if uids == earlier:
                raise MailboxError(connections.mailbox.server, "emails stay in the folder although they were moved")
            earlier = uids
            done += await self._process_uids(connections, uids)
            self.unsent.set()
        return done

    async def _process_uids(self, connections: MailboxConnections, uids: list[int]) -> list[Disposition]:
        box, context = connections.mailbox, connections.context
        fetched = await asyncio.to_thread(box.fetch, uids)
        now = self.clock.now()
        batch = [pipeline.incoming_mail(connections.address, f.raw, now, f.uid) for f in fetched if f.raw is not None]
        large = [each for each in fetched if each.raw is None]

        def process() -> list[Disposition]:
            done = pipeline.process_batch(batch, context)
            return done + [pipeline.too_large(each.uid, each.size, box.uid_validity, context) for each in large]

        done = await self.use_store(process)
        folders: defaultdict[FolderName, list[int]] = defaultdict(list)
        for disposition in done:
            folders[disposition.folder].append(disposition.uid)
        for folder, moved in folders.items():
            await asyncio.to_thread(box.move, moved, folder)
        return done

    async def claim(self, connections: MailboxConnections) -> bool:
        """Say whether this process may read a mailbox: of several processes on PostgreSQL only one does.

        Raises StateError: the database is unreachable.
        """
        return await self.use_store(lambda: self.store.claim_mailbox(connections.address))

    async def release(self, connections: MailboxConnections) -> None:
        """Let another process read a mailbox whose server this one cannot reach."""
        with contextlib.suppress(StateError):  # a lost connection has released it already
            await self.use_store(lambda: self.store.release_mailbox(connections.address))

    async def _refresh_registry(self, context: MailboxContext) -> None:
        """Read a registry that has changed; if it cannot be read, the old rows stay in use."""
        if isinstance(context.registry, Registry):
            try:
                await self.use_store(context.registry.refresh)
            except RegistryError as error:
                log.warning("registry not reloaded; the old rows are still used", error=str(error))

    # ------------------------------------------------------------ due dates, sending, housekeeping

    async def process_due(self) -> None:
        """Process the due dates that have been reached. Raises StateError: the state cannot be written."""
        await self.use_store(lambda: pipeline.process_due(self.contexts, self.store, self.clock))
        self.unsent.set()

    async def send_next(self) -> None:
        """Wait until replies have been committed, then send them; return at once if ``stopping`` and ``unsent`` are set.

        Raises StateError: the state cannot be written.
        """
        await self.unsent.wait()
        self.unsent.clear()
        if not self.stopping.is_set():
            await self.sender.send()

    async def checkpoint(self) -> None:
        """Use a quiet moment for the housekeeping of the store."""
        await self.use_store(lambda: self.store.checkpoint(self.clock.now()))

    # ------------------------------------------------------------ run --once

    async def once(self) -> None:
        """Process all emails and due dates, send all replies, then return.

        With a set clock, due dates are processed before the emails that arrive now. With the real clock the emails came first:
        they may settle what is due. While another process is at work, this one helps and waits: a process that ended early
        could leave the emails of one that is killed.

        Raises MailboxError, StateError: see ``drain``.
        """
        if self.clock.at:
            await self.process_due()
        failed: dict[str, MailboxError] = {}
        sending = asyncio.create_task(self._send_until_stopped())
        try:
            while not await self._round(failed) and not self.stopping.is_set():  # noqa: ASYNC110 - others give no sign
                await asyncio.sleep(POLL_OTHERS)
        finally:
            self.stopping.set()
            self.unsent.set()
            await sending
        for error in failed.values():
            raise error

    async def _send_until_stopped(self) -> None:
        while not self.stopping.is_set():
            await self.send_next()

    async def _round(self, failed: dict[str, MailboxError]) -> bool:
        """Do what there is to do now; say whether nothing is left, for this process and for others."""
        empty = True
        for connections in self.mailboxes:
            if connections.address not in failed:
                try:
                    empty &= await self._drained(connections)
                except MailboxError as error:  # other mailboxes, due dates and replies do not wait for this one
                    failed[connections.address] = error
                    await self.release(connections)
        await self.process_due()
        deferred = {reply.mailbox for reply in await self.sender.send() if reply.state == "deferred"}
        others = self.contexts.keys() - deferred
        return empty and not await self.use_store(lambda: self.store.outstanding(self.clock.now(), others))

    async def _drained(self, connections: MailboxConnections) -> bool:
        """Drain a mailbox, unless another process reads it; say whether it is empty."""
        for attempt in range(1, SERVER_TRIES + 1):
            try:
                await asyncio.to_thread(connections.mailbox.connect)
                if await self.claim(connections):
                    await self.drain(connections)
                return not await asyncio.to_thread(connections.mailbox.waiting, 1, connections.above)
            except Disconnected:
                if attempt == SERVER_TRIES:
                    raise
                await asyncio.sleep(FIRST_PAUSE * attempt)
        return False

    async def close(self) -> None:
        """Disconnect from all servers once nothing is being sent."""
        await self.sender.idle()
        for connections in self.mailboxes:
            await connections.close()
