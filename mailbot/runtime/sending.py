"""Sending: the only place that hands replies to SMTP. A slow server delays neither intake nor other mailboxes (promise 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from mailbot.case import delivery
from mailbot.core import handle
from mailbot.model import FailedDelivery, Reply
from mailbot.runtime.clock import Clock
from mailbot.runtime.pipeline import MailboxContext, snapshot_for, stage_and_commit
from mailbot.runtime.store import Store

log = structlog.get_logger("mailbot")


class MailSender(Protocol):
    """An outbox: one email, these bytes, one recipient; the result is a value."""

    async def send(self, raw: bytes | str, sender: str, recipient: str) -> delivery.DeliveryResult:
        """Send one email."""


class Sender:
    """Sends the replies of several mailboxes (by address): one at a time for each mailbox, the mailboxes side by side.

    The store is used only while ``lock`` is held, never while a server is contacted. No email is begun while ``stopping``.
    """

    def __init__(
        self,
        contexts: Mapping[str, MailboxContext],
        outboxes: Mapping[str, MailSender],
        store: Store,
        clock: Clock,
        *,
        lock: asyncio.Lock | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._contexts, self._outboxes, self._store, self._clock = contexts, outboxes, store, clock
        self._lock, self._stopping = lock or asyncio.Lock(), stopping
        self._busy = {address: asyncio.Lock() for address in outboxes}

    async def send(self) -> list[Reply]:
        """Send what may go out now, and return what was tried, with its state after the attempt (promise 3).

        Raises StateError: the state cannot be written; what was being sent elsewhere has ended before this is raised.
        """
        async with self._lock:
            if not any(busy.locked() for busy in self._busy.values()):  # what is marked as being sent was interrupted
                for held in self._store.recover(self._clock.now()):
                    self._record(held)
        ended = await asyncio.gather(*map(self._send_mailbox, self._outboxes), return_exceptions=True)
        for each in ended:
            if isinstance(each, BaseException):
                raise each
        return [reply for each in ended if isinstance(each, list) for reply in each]

    async def idle(self) -> None:
        """Wait until nothing is being sent."""
        for busy in self._busy.values():
            async with busy:
                pass

    async def _send_mailbox(self, address: str) -> list[Reply]:
        """Send the replies of one mailbox; what its server cannot take now waits for another time."""
        tried: list[Reply] = []
        async with self._busy[address]:
            while not self._stopping():
                async with self._lock:
                    claimed = self._store.claim(self._clock.now(), [address])
                if not claimed:
                    break
                [reply] = claimed
                result = await self._outboxes[address].send(reply.raw, reply.mailbox, reply.to)
                ended = delivery.after_attempt(reply, result, self._clock.now())
                async with self._lock:
                    self._record(ended)
                level = log.info if ended.state == "sent" else log.warning
                level("reply " + ended.state, to=ended.to, subject=ended.subject, note=ended.note)
                tried.append(ended)
                if isinstance(result, delivery.Deferred) and result.server:
                    break
        return tried

    def _record(self, reply: Reply) -> None:
        """Put the result of an attempt on record; a reply that will not arrive is a trigger, in the same commit (promise 3).

        If a notice to staff fails, that is only logged.
        """
        context = self._contexts.get(reply.mailbox)
        if reply.state not in ("failed", "held"):
            self._store.mark(reply)
        elif reply.audience == "staff" or context is None or not self._store.find([reply.message_id]):
            log.error("reply will not arrive", to=reply.to, subject=reply.subject, note=reply.note)
            self._store.mark(reply)
        else:
            stage_and_commit(self._store, lambda: self._stage_failure(reply, context))

    def _stage_failure(self, reply: Reply, context: MailboxContext) -> None:
        [case, *_] = self._store.find([reply.message_id])
        trigger = FailedDelivery(case.id, reply.message_id, reply.note)
        step = handle(trigger, case, context.core_context(snapshot_for(case, context)))
        self._store.stage(step, delivery=reply)
