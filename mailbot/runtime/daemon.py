"""The daemon runs a worker: it listens, polls, checks due dates, and reconnects when a server is unreachable."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from mailbot.runtime.imap.mailbox import MailboxError
from mailbot.runtime.store import StateError, UnavailableError
from mailbot.runtime.worker import FIRST_PAUSE, MailboxConnections, Worker

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = structlog.get_logger("mailbot")

LONGEST_PAUSE = 300.0
"""Seconds between two tries of a lost server at most; the pause doubles from ``FIRST_PAUSE`` on."""
IDLE_SECONDS = 9 * 60.0
"""How long one IDLE lasts; servers close the connection after 30 minutes (RFC 2177), some routers after ten."""


class Daemon:
    """Runs a worker until it is stopped. Each mailbox is checked every ``poll_seconds``, whether or not IDLE reports news.

    With ``from_now``, the emails that are in the mailbox at the very first start are skipped.
    """

    def __init__(self, worker: Worker, *, poll_seconds: int, from_now: bool) -> None:
        self.worker, self.poll_seconds, self.from_now = worker, poll_seconds, from_now
        self._failure: StateError | None = None

    def stop(self) -> None:
        """Finish the current batch, then end."""
        log.info("stopping")
        self.worker.stopping.set()
        self.worker.unsent.set()
        for connections in self.worker.mailboxes:
            connections.news.set()
            connections.idle.wake()

    async def run(self) -> None:
        """Work until ``stop``. Raises StateError: the state is damaged: nothing may be processed or sent (promise 8)."""
        worker = self.worker
        scheduler = self._scheduler()
        tasks = [asyncio.create_task(self._watch_mailbox(connections)) for connections in worker.mailboxes]
        tasks += [asyncio.create_task(self._listen(connections)) for connections in worker.mailboxes]
        tasks.append(asyncio.create_task(self._keep_sending()))
        scheduler.start()
        log.info("ready", mailboxes=[connections.address for connections in worker.mailboxes])
        try:
            await worker.stopping.wait()
            await asyncio.gather(*tasks)
        finally:
            scheduler.pause()
            async with worker.lock:  # a job that uses the store ends first
                scheduler.shutdown(wait=False)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await worker.close()
        if self._failure:
            raise self._failure

    def _scheduler(self) -> AsyncIOScheduler:
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        # A late job still runs, once. The due dates are in the store; the scheduler only starts the check.
        scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1})
        soon = datetime.now(UTC) + timedelta(seconds=1)
        due, housekeeping = self.worker.process_due, self.worker.checkpoint
        scheduler.add_job(self._poll, "interval", seconds=self.poll_seconds, id="poll")
        scheduler.add_job(self._guard, "interval", args=[due], seconds=30, id="due dates", next_run_time=soon)
        scheduler.add_job(self._guard, "interval", args=[housekeeping], minutes=15, id="housekeeping")
        return scheduler

    async def _poll(self) -> None:
        for connections in self.worker.mailboxes:
            connections.news.set()

    async def _guard(self, job: Callable[[], Awaitable[None]]) -> None:
        """Run a job; a damaged state stops the daemon."""
        try:
            await job()
        except StateError as error:
            self._fail(error)

    def _fail(self, error: StateError) -> bool:
        """Stop if the state is damaged; say so. A full disk or an unreachable database is tried again."""
        if isinstance(error, UnavailableError):
            log.error("the state cannot be written; nothing is sent or moved", error=str(error))
            return False
        log.error("stopped: the state cannot be used", error=str(error))
        self._failure = error
        self.stop()
        return True

    async def _keep_sending(self) -> None:
        """Send whenever there is something to send."""
        pause = FIRST_PAUSE
        while not self.worker.stopping.is_set():
            try:
                await self.worker.send_next()
                pause = FIRST_PAUSE
            except StateError as error:
                if not self._fail(error):
                    pause = await self._pause(pause)
                    self.worker.unsent.set()

    async def _watch_mailbox(self, connections: MailboxConnections) -> None:
        """Process what arrives in one mailbox; if its server is unreachable, try again with backoff."""
        pause, stopping = FIRST_PAUSE, self.worker.stopping
        while not stopping.is_set():
            try:
                await asyncio.to_thread(connections.mailbox.connect)
                pause, begun = FIRST_PAUSE, False
                while not stopping.is_set():
                    connections.news.clear()
                    if await self.worker.claim(connections):
                        if not begun:
                            await self._note_first_uid(connections)
                        begun = True
                        await self.worker.drain(connections)
                    await connections.news.wait()
            except StateError as error:
                if not self._fail(error):
                    pause = await self._pause(pause)
            except Exception as error:  # noqa: BLE001 - no answer of a server ends the work on its mailbox
                known = isinstance(error, MailboxError)
                report = log.warning if known else log.exception
                report("mailbox unreachable", mailbox=connections.address, error=str(error), again_in_seconds=pause)
                await asyncio.to_thread(connections.mailbox.close)
                if known:
                    await self.worker.release(connections)
                pause = await self._pause(pause)

    async def _pause(self, seconds: float) -> float:
        """Wait, unless the daemon stops; return how long to wait the next time."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.worker.stopping.wait(), seconds)
        return min(seconds * 2, LONGEST_PAUSE)

    async def _note_first_uid(self, connections: MailboxConnections) -> None:
        """Note at the very first start where new mail begins, so that old emails are skipped.

        If the server has assigned new UIDs since, the day of the first start separates old emails from new ones.
        """
        worker, box, name = self.worker, connections.mailbox, f"first uid of {connections.address}"
        noted = (await worker.use_store(lambda: worker.store.get_fact(name)) or "").split(" ")
        if len(noted) == 3 and noted[0] == str(box.uid_validity):  # noqa: PLR2004 - UIDVALIDITY, UID, day
            connections.above = int(noted[1])
            return
        if len(noted) == 3:  # noqa: PLR2004
            day = date.fromisoformat(noted[2])
            above = await asyncio.to_thread(box.first_since, day) - 1 if int(noted[1]) else 0
            log.warning("the server has assigned new UIDs", mailbox=connections.address)
        else:
            day = worker.clock.now().date()
            above = await asyncio.to_thread(box.uid_next) - 1 if self.from_now else 0
            log.info("first start", mailbox=connections.address, old_emails="skipped" if above else "none, or processed")

        def note() -> None:
            worker.store.set_fact(name, f"{box.uid_validity} {above} {day.isoformat()}")
            worker.store.commit()

        await worker.use_store(note)
        connections.above = above

    async def _listen(self, connections: MailboxConnections) -> None:
        """Use IDLE as a hint that email has arrived; polling finds what IDLE misses."""
        pause, stopping = FIRST_PAUSE, self.worker.stopping
        while not stopping.is_set():
            try:
                await asyncio.to_thread(connections.idle.connect)
                pause = FIRST_PAUSE
                while not stopping.is_set():
                    if await asyncio.to_thread(connections.idle.idle, IDLE_SECONDS):
                        connections.news.set()
            except Exception as error:  # polling continues without it
                if not isinstance(error, MailboxError):
                    log.exception("IDLE failed", mailbox=connections.address)
                await asyncio.to_thread(connections.idle.close)
                pause = await self._pause(pause)
