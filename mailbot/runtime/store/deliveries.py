"""Due dates and the outbox: who works on what, and how far each delivery has come."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from mailbot.case.delivery import Ambiguous, after_attempt
from mailbot.model import DueDate, Reply
from mailbot.runtime.store import rows
from mailbot.runtime.store.database import Database

INTERRUPTED = "mailbot stopped during this delivery: the mail may have been sent or not"

REPLY = "SELECT 1 FROM replies WHERE message_id = :message_id"
_SENDING = "SELECT *, NULL AS content FROM replies WHERE unsent = 1 AND state = 'sending'"
_CLAIM = """
UPDATE replies SET state = 'sending', attempts = attempts + 1, tried_at = coalesce(tried_at, :now), worker = :worker
WHERE seq IN (
    SELECT seq FROM replies
    WHERE unsent = 1 AND state <> 'sending' AND (due_at IS NULL OR due_at <= :now) AND mailbox IN :mailboxes
    ORDER BY created_at, seq LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING *, (SELECT content FROM contents WHERE contents.message_id = replies.message_id) AS content"""
MARK = """
UPDATE replies SET state = :state, unsent = :unsent, attempts = :attempts, due_at = :due_at, tried_at = :tried_at,
    unanswered = :unanswered, note = :note
WHERE message_id = :message_id AND unsent >= :unsent"""
"""Sets how far a delivery has come; what is sent or given up stays so."""
_OUTSTANDING = """
SELECT count(*) FROM replies
WHERE unsent = 1 AND (state = 'sending' OR due_at IS NULL OR due_at <= :now) AND mailbox IN :mailboxes"""
_DUE = """
SELECT id, due_at FROM cases WHERE due_at <= :now AND mailbox IN :mailboxes AND (due_at, id) > (:at, :after)
ORDER BY due_at, id LIMIT 200 FOR UPDATE SKIP LOCKED"""


class Deliveries:
    """The store's due dates and outbox. Marks survive the death of the process at once, a power cut from the next commit on."""

    database: Database

    def claim_due(self, now: datetime, mailboxes: Collection[str], last: DueDate | None = None) -> tuple[DueDate, ...]:
        """Return some of the cases of these mailboxes that are due, after ``last``; others cannot get them until the commit."""
        self.database.begin()
        after = {"at": rows.number(last.at) if last else -(1 << 62), "after": last.case_id if last else ""}
        found = self.database.run(_DUE, {"now": rows.number(now), "mailboxes": list(mailboxes), **after})
        return tuple(DueDate(row.id, rows.moment(row.due_at)) for row in found)

    def next_due(self) -> datetime | None:
        """Return the earliest deadline of all cases."""
        found = self.database.value("SELECT min(due_at) FROM cases")
        return None if found is None else rows.moment(found)

    def claim(self, now: datetime, mailboxes: Collection[str], most: int = 1) -> tuple[Reply, ...]:
        """Mark at most ``most`` replies of these mailboxes that may go out now as sending; return them, the oldest first.

        No other process gets them. If this one dies they count as attempts without an answer (promise 3).
        """
        values = {"now": rows.number(now), "mailboxes": list(mailboxes), "most": most, "worker": self.database.worker}
        found = self.database.run(_CLAIM, values).fetchall()
        return tuple(map(rows.decode_reply, sorted(found, key=lambda row: (row.created_at, row.seq))))

    def mark(self, reply: Reply) -> None:
        """Store the state, attempts, due date and note of a committed reply, at once; its bytes never change.

        Raises KeyError if no committed reply has this Message-ID, RuntimeError if a batch is staged.
        """
        if self.database.in_transaction:
            raise RuntimeError("a batch is staged: pass the delivery to stage()")
        row = rows.delivery_row(reply)
        if not self.database.run(MARK, row).rowcount and not self.database.value(REPLY, row):
            raise KeyError(reply.message_id)

    def recover(self, now: datetime, *, own: bool = True) -> tuple[Reply, ...]:
        """End the attempts without an answer of processes that are gone; return the replies that are held for staff now.

        With ``own``, those of this process count too. Ask so only while it sends nothing.
        """
        database, ended = self.database, list[Reply]()
        for worker in {row.worker for row in database.run(_SENDING).fetchall()}:
            if (worker in database.workers and not own) or not database.lock(worker):
                continue
            for row in database.run(f"{_SENDING} AND worker = :worker", {"worker": worker}).fetchall():
                ended.append(after_attempt(rows.decode_reply(row), Ambiguous(INTERRUPTED), now))
                self.mark(ended[-1])
            if worker != database.worker:
                database.unlock(worker)
        return tuple(reply for reply in ended if reply.state == "held")

    def outstanding(self, now: datetime, mailboxes: Collection[str]) -> int:
        """Return how many replies of these mailboxes may go out now or are being sent."""
        return int(self.database.value(_OUTSTANDING, {"now": rows.number(now), "mailboxes": list(mailboxes)}))
