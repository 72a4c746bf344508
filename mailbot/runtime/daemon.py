"""The daemon: every mailbox attended to, due dates swept, replies sent; one path, one store, one sender at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from mailbot.model import Reply
from mailbot.runtime import pipeline
from mailbot.runtime.clock import Clock
from mailbot.runtime.imap.mailbox import Disconnected, Mailbox, MailboxError
from mailbot.runtime.pipeline import Disposition, MailboxContext
from mailbot.runtime.registry.registry import Registry, RegistryError
from mailbot.runtime.servers import Imap, Smtp
from mailbot.runtime.smtp.outbox import Outbox
from mailbot.runtime.store import StateError, Store, UnavailableError

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = structlog.get_logger("mailbot")

BATCH = 50
"""Mails that are made durable together."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
"""Seconds to wait before a lost server is tried again: doubling from the one to the other."""
IDLE_SECONDS = 9 * 60.0
"""How long one IDLE lasts; servers hang up after 30 minutes (RFC 2177), some routers after ten."""
TRIES = 3
"""How often ``run --once`` tries a server that goes away."""
HELPING = 0.2
"""Seconds between two looks of ``run --once`` at what another process is working on."""


class MailboxConnections:
    """One mailbox with its servers: mail comes in at ``mailbox``, ``ear`` only listens, replies leave by ``outbox``."""

    def __init__(self, context: MailboxContext, imap: Imap, smtp: Smtp) -> None:
        self.room = context
        self.address = context.policy.desk.address
        self.mailbox, self.ear, self.outbox = Mailbox(imap), Mailbox(imap), Outbox(smtp)
        self.hint = asyncio.Event()
        self.above = 0

    async def close(self) -> None:
        """Leave the servers."""
        self.ear.wake()
        await asyncio.to_thread(self.mailbox.close)
        await asyncio.to_thread(self.ear.close)
        await self.outbox.close()


class Worker:
    """Works off what arrives at the stations, on one store. Blocking work runs in threads, the store in turn."""

    def __init__(self, stations: Sequence[MailboxConnections], store: Store, clock: Clock) -> None:
        self.stations, self.store, self.clock = stations, store, clock
        self.rooms = {station.address: station.room for station in stations}
        self.outboxes = {station.address: station.outbox for station in stations}
        self.stopping = asyncio.Event()
        self.turn = asyncio.Lock()

    async def drain(self, station: MailboxConnections) -> list[Disposition]:
        """Take in all that waits in a mailbox, batch by batch; each is durable before it leaves INBOX (promise 1).

        A mailbox that another process reads is left to it.

        Raises:
            MailboxError: the server cannot be used; ``Disconnected`` where another try may help.
            StateError: the state cannot be written; nothing of the batch was moved or sent.
        """
        done: list[Disposition] = []
        before: list[int] = []
        await self._reload(station)
        while not self.stopping.is_set() and await self.claim(station):
            uids = await asyncio.to_thread(station.mailbox.waiting, BATCH, station.above)
            if not uids:
                break
            if uids == before:
                raise MailboxError(station.mailbox.server, "mails stay in the folder although they were moved")
            before = uids
            done += await self._batch(station, uids)
            await self.send()
        return done

    async def _batch(self, station: MailboxConnections, uids: list[int]) -> list[Disposition]:
        box, room = station.mailbox, station.room
        fetched = await asyncio.to_thread(box.fetch, uids)
        now = self.clock.now()
        mails = [pipeline.incoming_mail(station.address, f.raw, now, f.uid) for f in fetched if f.raw is not None]
        async with self.turn:
            settled = await asyncio.to_thread(pipeline.process_batch, mails, room)
            for large in (f for f in fetched if f.raw is None):
                settled.append(
                    await asyncio.to_thread(pipeline.too_large, large.uid, large.size, box.uid_validity, room)
                )
        folders: defaultdict[pipeline.FolderName, list[int]] = defaultdict(list)
        for mail in settled:
            folders[mail.folder].append(mail.uid)
        for folder, moved in folders.items():
            await asyncio.to_thread(box.move, moved, folder)
        return settled

    async def claim(self, station: MailboxConnections) -> bool:
        """Say whether this process may read a mailbox; of several processes on PostgreSQL one does.

        Raises:
            StateError: the state cannot be reached.
        """
        async with self.turn:
            return await asyncio.to_thread(self.store.claim_mailbox, station.address)

    async def release(self, station: MailboxConnections) -> None:
        """Let another process read a mailbox whose server this one cannot reach."""
        with contextlib.suppress(StateError):  # a lost connection has released it
            async with self.turn:
                await asyncio.to_thread(self.store.release_mailbox, station.address)

    async def sweep(self) -> None:
        """Take along the path what has come due.

        Raises:
            StateError: the state cannot be written.
        """
        async with self.turn:
            await asyncio.to_thread(pipeline.process_due, self.rooms, self.store, self.clock)

    async def send(self) -> list[Reply]:
        """Send what may go out now; return what was tried.

        Raises:
            StateError: the state cannot be written.
        """
        async with self.turn:
            return await pipeline.deliver(self.rooms, self.outboxes, self.store, self.clock, self.stopping.is_set)

    async def tidy(self) -> None:
        """Use a quiet moment to put the state in order."""
        async with self.turn:
            await asyncio.to_thread(self.store.checkpoint, self.clock.now())

    async def _reload(self, station: MailboxConnections) -> None:
        """Take over a registry that has changed; one that cannot be read leaves the old rows in force."""
        if isinstance(station.room.registry, Registry):
            try:
                async with self.turn:
                    await asyncio.to_thread(station.room.registry.refresh)
            except RegistryError as error:
                log.warning("registry not reloaded; the old rows stay in force", error=str(error))

    async def once(self) -> None:
        """Drain all mailboxes, due dates and the outbox, then return.

        A clock that was set says that what is due comes before what arrives now; by the real clock, what waits in a
        mailbox came first, and may have settled what is due. While another process works on something, this one helps and
        waits: a process that ends early could leave the mail of one that is killed.

        Raises:
            MailboxError, StateError: as ``drain``.
        """
        if self.clock.at:
            await self.sweep()
        failed: dict[str, MailboxError] = {}
        while not await self._round(failed) and not self.stopping.is_set():  # noqa: ASYNC110 - others give no sign
            await asyncio.sleep(HELPING)
        for error in failed.values():
            raise error

    async def _round(self, failed: dict[str, MailboxError]) -> bool:
        """Do what there is to do now; say whether nothing is left, neither for this process nor for another."""
        idle = True
        for station in self.stations:
            if station.address not in failed:
                try:
                    idle &= await self._drained(station)
                except MailboxError as error:  # the other mailboxes, what is due and the outbox do not wait for it
                    failed[station.address] = error
                    await self.release(station)
        await self.sweep()
        put_off = {reply.mailbox for reply in await self.send() if reply.state == "deferred"}
        async with self.turn:
            waiting = await asyncio.to_thread(self.store.outstanding, self.clock.now(), self.rooms.keys() - put_off)
        return idle and not waiting

    async def _drained(self, station: MailboxConnections) -> bool:
        """Drain a mailbox, or look at one that another process reads; say whether it is empty."""
        for attempt in range(1, TRIES + 1):
            try:
                await asyncio.to_thread(station.mailbox.connect)
                if await self.claim(station):
                    await self.drain(station)
                return not await asyncio.to_thread(station.mailbox.waiting, 1, station.above)
            except Disconnected:
                if attempt == TRIES:
                    raise
                await asyncio.sleep(FIRST_PAUSE * attempt)
        return False

    async def close(self) -> None:
        """Leave all servers."""
        for station in self.stations:
            await station.close()


class Daemon:
    """A worker that does not stop: it listens, polls, sweeps, and comes back when a server goes away."""

    def __init__(self, worker: Worker, *, poll_seconds: int, from_now: bool) -> None:
        self.worker, self.poll_seconds, self.from_now = worker, poll_seconds, from_now
        self._failed: BaseException | None = None

    def stop(self) -> None:
        """Finish the batch in hand, then end."""
        log.info("stopping")
        self.worker.stopping.set()
        for station in self.worker.stations:
            station.hint.set()
            station.ear.wake()

    async def run(self) -> None:
        """Work until ``stop``.

        Raises:
            StateError: the state cannot be trusted or written: nothing may go on (promise 8).
        """
        worker = self.worker
        scheduler = self._scheduler()
        tasks = [asyncio.create_task(self._attend(station)) for station in worker.stations]
        tasks += [asyncio.create_task(self._listen(station)) for station in worker.stations]
        scheduler.start()
        log.info("ready", mailboxes=[station.address for station in worker.stations])
        try:
            await worker.stopping.wait()
            await asyncio.gather(*tasks)
        finally:
            scheduler.pause()
            async with worker.turn:  # the job in hand ends: a mail half sent would go out twice
                scheduler.shutdown(wait=False)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await worker.close()
        if self._failed:
            raise self._failed

    def _scheduler(self) -> AsyncIOScheduler:
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        # A job that comes late still runs, once: due dates live in the store, the scheduler only wakes the sweep.
        scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        soon = datetime.now(UTC) + timedelta(seconds=1)
        scheduler.add_job(self._poll, "interval", seconds=self.poll_seconds, id="poll")
        scheduler.add_job(self._guarded, "interval", args=[self._due], seconds=30, id="due", next_run_time=soon)
        scheduler.add_job(self._guarded, "interval", args=[self.worker.tidy], minutes=15, id="clean-up")
        return scheduler

    async def _poll(self) -> None:
        for station in self.worker.stations:
            station.hint.set()

    async def _due(self) -> None:
        await self.worker.sweep()
        await self.worker.send()

    async def _guarded(self, job: object) -> None:
        """Run a job; a state that cannot be written stops the daemon."""
        try:
            await job()  # type: ignore[operator]
        except StateError as error:
            self._fail(error)

    def _fail(self, error: StateError) -> bool:
        """Stop where the state is in doubt; a disk that is full or away for a while is tried again (C4)."""
        if isinstance(error, UnavailableError):
            log.error("the state cannot be written; nothing is sent or moved", error=str(error))
            return False
        log.error("stopped: the state cannot be used", error=str(error))
        self._failed = error
        self.stop()
        return True

    async def _attend(self, station: MailboxConnections) -> None:
        """Take in what arrives at one mailbox; when its server goes away, come back with backoff."""
        pause = FIRST_PAUSE
        stopping = self.worker.stopping
        while not stopping.is_set():
            try:
                await asyncio.to_thread(station.mailbox.connect)
                pause, begun = FIRST_PAUSE, False
                while not stopping.is_set():
                    station.hint.clear()
                    if await self.worker.claim(station):
                        if not begun:
                            await self._begin(station)
                        begun = True
                        await self.worker.drain(station)
                    await station.hint.wait()
            except MailboxError as error:
                log.warning("mailbox out of reach", mailbox=station.address, error=str(error), again_in_seconds=pause)
                await asyncio.to_thread(station.mailbox.close)
                await self.worker.release(station)
                pause = await self._rest(pause)
            except StateError as error:
                if not self._fail(error):
                    pause = await self._rest(pause)
            except Exception:  # whatever a server says, its mailbox is attended to again
                log.exception("mailbox out of reach", mailbox=station.address, again_in_seconds=pause)
                await asyncio.to_thread(station.mailbox.close)
                pause = await self._rest(pause)

    async def _rest(self, pause: float) -> float:
        """Wait, unless the daemon stops; return how long to wait the next time."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.worker.stopping.wait(), pause)
        return min(pause * 2, LONGEST_PAUSE)

    async def _begin(self, station: MailboxConnections) -> None:
        """Note at the very first start where new mail begins, so that years of old mail are left alone (Q1).

        Where the server has numbered its mails anew since (S7), the day of the first start tells old from new.
        """
        store, box, name = self.worker.store, station.mailbox, f"first uid of {station.address}"
        async with self.worker.turn:
            noted = (store.get_fact(name) or "").split(" ")
        if len(noted) == 3 and noted[0] == str(box.uid_validity):  # noqa: PLR2004 - UIDVALIDITY, UID, day
            station.above = int(noted[1])
            return
        if len(noted) == 3:  # noqa: PLR2004
            day = date.fromisoformat(noted[2])
            above = await asyncio.to_thread(box.first_since, day) - 1 if int(noted[1]) else 0
            log.warning("the server has numbered its mails anew", mailbox=station.address)
        else:
            day = self.worker.clock.now().date()
            above = await asyncio.to_thread(box.uid_next) - 1 if self.from_now else 0
            log.info("first start", mailbox=station.address, old_mail="left alone" if above else "none, or taken in")
        async with self.worker.turn:
            store.set_fact(name, f"{box.uid_validity} {above} {day.isoformat()}")
            store.commit()
        station.above = above

    async def _listen(self, station: MailboxConnections) -> None:
        """Use IDLE as a hint that mail has come; polling is the truth."""
        pause = FIRST_PAUSE
        stopping = self.worker.stopping
        while not stopping.is_set():
            try:
                await asyncio.to_thread(station.ear.connect)
                pause = FIRST_PAUSE
                while not stopping.is_set():
                    if await asyncio.to_thread(station.ear.idle, IDLE_SECONDS):
                        station.hint.set()
            except Exception as error:  # it only listens; polling is the truth
                if not isinstance(error, MailboxError):
                    log.exception("cannot listen", mailbox=station.address)
                await asyncio.to_thread(station.ear.close)
                pause = await self._rest(pause)
