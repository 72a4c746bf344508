"""Due dates and the outbox: who works on what, and how far each delivery has come."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mailbot.case.delivery import Ambiguous, after_attempt
from mailbot.model import DueDate, Reply
from mailbot.runtime.store import rows
from mailbot.runtime.store.reading import AT_ONCE, Reader
from mailbot.runtime.store.schema import cases, contents, replies

INTERRUPTED = "mailbot stopped during this delivery: the mail may have been sent or not"

_UNSENT = (
    sa.select(replies)
    .where(replies.c.unsent == 1, replies.c.state != "sending")
    .where(sa.or_(replies.c.due_at.is_(None), replies.c.due_at <= sa.bindparam("now")))
    .order_by(replies.c.created_at, replies.c.seq)
)
_CLAIMABLE = (
    _UNSENT.with_only_columns(replies.c.seq)
    .where(replies.c.mailbox.in_(sa.bindparam("mailboxes", expanding=True)))
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    replies.update()
    .where(replies.c.seq.in_(_CLAIMABLE.scalar_subquery()))
    .values(
        state="sending",
        attempts=replies.c.attempts + 1,
        tried_at=sa.func.coalesce(replies.c.tried_at, sa.bindparam("now")),
        worker=sa.bindparam("me"),
    )
    .returning(*replies.c)
)
_MARK = replies.update().where(replies.c.message_id == sa.bindparam("this"))
_MARK_UNSENT = _MARK.where(replies.c.unsent == 1)
_DUE = (
    sa.select(cases.c.id, cases.c.due_at)
    .where(cases.c.due_at <= sa.bindparam("now"), cases.c.mailbox.in_(sa.bindparam("mailboxes", expanding=True)))
    .where(sa.tuple_(cases.c.due_at, cases.c.id) > sa.tuple_(sa.bindparam("at"), sa.bindparam("after", type_=sa.Text)))
    .order_by(cases.c.due_at, cases.c.id)
    .limit(AT_ONCE)
    .with_for_update(skip_locked=True)
)
_CONTENTS = sa.select(contents).where(contents.c.message_id.in_(sa.bindparam("ids", expanding=True)))
_SENDING = sa.select(replies).where(replies.c.unsent == 1, replies.c.state == "sending")


class Deliveries(Reader):
    """The store's due dates and outbox. Marks survive the death of the process at once, a power cut from the next commit on."""

    # ------------------------------------------------------------ due dates

    def due(self, now: datetime) -> tuple[DueDate, ...]:
        """Return one arrival for each case that has a deadline at or before ``now``; the earliest first."""
        query = sa.select(cases.c.id, cases.c.due_at).where(cases.c.due_at <= rows.number(now))
        found = self.session.execute(query.order_by(cases.c.due_at, cases.c.id))
        return tuple(DueDate(row.id, rows.moment(row.due_at)) for row in found)

    def claim_due(self, now: datetime, mailboxes: Collection[str], last: DueDate | None = None) -> tuple[DueDate, ...]:
        """Return some of the cases of these mailboxes that are due, after ``last``; others cannot get them until the commit."""
        self.session.begin()
        values = {"now": rows.number(now), "mailboxes": list(mailboxes), "after": last.case_id if last else ""}
        found = self.session.execute(_DUE, {**values, "at": rows.number(last.at) if last else -(1 << 62)})
        return tuple(DueDate(row.id, rows.moment(row.due_at)) for row in found)

    def next_due(self) -> datetime | None:
        """Return the earliest deadline of all cases."""
        found = self.session.execute(sa.select(sa.func.min(cases.c.due_at))).scalar()
        return None if found is None else rows.moment(found)

    # ------------------------------------------------------------ the outbox

    def unsent(self, now: datetime) -> Iterator[Reply]:
        """Yield the replies that may go out now, in the order of their creation: queued ones, and those whose wait is over."""
        for row in self.session.execute(_UNSENT, {"now": rows.number(now)}).all():
            yield from self._replies([row])

    def reply(self, message_id: str) -> Reply | None:
        """Return a committed reply with its bytes; they are empty if it was sent too long ago."""
        found = self.session.execute(sa.select(replies).where(replies.c.message_id == message_id)).all()
        return next(iter(self._replies(found)), None)

    def claim(self, now: datetime, mailboxes: Collection[str], most: int = 1) -> tuple[Reply, ...]:
        """Take replies of these mailboxes that may go out now, in the order of their creation, and mark them as sending.

        No other process gets them. If this one dies they count as attempts without an answer (promise 3).

        Args:
            now: the moment by which waits are over; the time of the first attempt.
            mailboxes: our own addresses.
            most: how many at most. One at a time keeps the repeats after a kill to one.
        """
        values = {"now": rows.number(now), "mailboxes": list(mailboxes), "most": most, "me": self.session.worker}
        found = self.session.execute(_CLAIM, values).all()
        return tuple(self._replies(sorted(found, key=lambda row: (row.created_at, row.seq))))

    def _replies(self, found: Sequence[Any]) -> list[Reply]:
        """Return the replies of rows, with their bytes."""
        if not found:
            return []
        kept = self.session.execute(_CONTENTS, {"ids": [row.message_id for row in found]})
        content: dict[str, bytes] = {row.message_id: row.content for row in kept}
        return [rows.decode_reply(row, content.get(row.message_id, b"")) for row in found]

    def mark(self, reply: Reply) -> None:
        """Take over the state, attempts, due date and note of a committed reply, at once; its bytes never change.

        Raises:
            KeyError: no committed reply has this Message-ID.
        """
        if self.session.in_transaction:
            raise RuntimeError("a batch is staged: pass the delivery to stage()")
        self._deliver(reply)

    def _deliver(self, reply: Reply) -> None:
        statement = _MARK if reply.state in rows.FINAL else _MARK_UNSENT
        if not self.session.execute(statement, {**rows.delivery(reply), "this": reply.message_id}).rowcount:
            known = sa.select(replies.c.seq).where(replies.c.message_id == reply.message_id)
            if self.session.execute(known).scalar() is None:
                raise KeyError(reply.message_id)

    def recover(self, now: datetime) -> tuple[Reply, ...]:
        """End the attempts without an answer of processes that are gone, and of this one: call it when nothing is being sent.

        Returns:
            the replies that were repeated often enough and are held for staff now.
        """
        held: list[Reply] = []
        for worker in {row.worker for row in self.session.execute(_SENDING).all()}:
            own = worker == self.session.worker
            if not own and not self.session.take_over(worker):
                continue
            try:
                held += self._interrupted(worker, now)
            finally:
                if not own:
                    self.session.leave(worker)
        return tuple(held)

    def _interrupted(self, worker: int | None, now: datetime) -> list[Reply]:
        found = self.session.execute(_SENDING.where(replies.c.worker == worker)).all()
        ended = [after_attempt(rows.decode_reply(row, b""), Ambiguous(INTERRUPTED), now) for row in found]
        for reply in ended:
            self.mark(reply)
        return [reply for reply in ended if reply.state == "held"]

    def pending(self) -> int:
        """Return how many replies are neither sent nor given up (queued, sending, deferred, ambiguous)."""
        return self._count(replies.c.unsent == 1)

    def outstanding(self, now: datetime, mailboxes: Collection[str]) -> int:
        """Return how many replies of these mailboxes may go out now or are being sent."""
        waits = sa.and_(replies.c.state != "sending", replies.c.due_at > rows.number(now))
        return self._count(
            replies.c.unsent == 1, replies.c.mailbox.in_(mailboxes), ~sa.func.coalesce(waits, sa.false())
        )

    def _count(self, *conditions: Any) -> int:
        return int(self.session.execute(sa.select(sa.func.count()).select_from(replies).where(*conditions)).scalar())
