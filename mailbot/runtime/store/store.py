"""The store: cases, replies, the mail log, due dates and small facts, on one connection.

A step is staged, then committed with others at once; look-ups see what is staged. Nothing may be sent and no mail may leave
INBOX before the commit that holds it has returned (promises 1 and 8 of the design).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from mailbot.model import Case, Reply, Step
from mailbot.runtime.store import rows
from mailbot.runtime.store.deliveries import Deliveries
from mailbot.runtime.store.errors import DuplicateError, StaleError, UnavailableError
from mailbot.runtime.store.filing import Filing
from mailbot.runtime.store.reading import BY_ID, DELIVERIES
from mailbot.runtime.store.schema import case_keys, cases, contents, facts, mails, numbers, replies
from mailbot.runtime.store.sessions import Session

_KEYS = sa.select(case_keys.c.key).where(case_keys.c.case_id == sa.bindparam("id"))
_CHANGED_CASE = cases.update().where(cases.c.id == sa.bindparam("this"), cases.c.revision == sa.bindparam("expected"))
_OWNER = sa.select(numbers.c.case_id).where(numbers.c.number == sa.bindparam("number"))
_MARK = replies.update().where(replies.c.message_id == sa.bindparam("this"))


class Store(Deliveries):
    """One durable place for everything mailbot knows. ``open_store`` makes it.

    One thread at a time may use it; it may move between threads. All moments are aware datetimes in UTC. Every method may
    raise ``StateError``; then nothing of the call took effect. After an ``UnavailableError`` a later call may succeed.
    """

    def __init__(self, session: Session, filing: Filing | None = None, *, keep_sent_days: int = 30) -> None:
        super().__init__(session, filing)
        self._keep_sent = timedelta(days=keep_sent_days)
        self._staged: dict[str, tuple[bytes, str]] = {}  # case id: document, folder of the file before
        self._used: list[int] = []  # sequences that staged steps use
        self._pruned: date | None = None
        session.connection  # noqa: B018 - the connection is made now, so that what is wrong with it is said now
        if filing and not session.read_only:
            filing.complete()

    # ------------------------------------------------------------ writing

    def stage(self, step: Step, delivery: Reply | None = None) -> None:
        """Put a step's case, replies and log line in line for the next commit.

        Delivery is the store's: a reply that it holds keeps its state unless the step's is final (sent, failed, held), so
        that a step from an older look at the case sends nothing twice. Replies that are in no case are kept as notes.

        Args:
            step: what the core returned.
            delivery: the reply whose failed delivery led to the step; its state is staged with it (promise 3).

        Raises:
            DuplicateError: the step would take effect twice.
            StaleError: another process changed the case meanwhile.
            ValueError: a value in it could not be read back; nothing of the step is staged.
            KeyError: no committed reply is ``delivery``.
        """
        with self._all_or_nothing():
            if delivery:
                self._deliver(delivery)
            if step.record:
                self._insert(
                    mails, [rows.mail_row(step.record)], "mail", f"{step.record.identity} is in the log already"
                )
            if step.after:
                self._stage_case(step.after)
            self._insert_replies(rows.notes(step), None)

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        self.session.begin()
        drawn, used, staged, looked = list(self._drawn), list(self._used), dict(self._staged), dict(self._looked)
        try:
            with self.session.savepoint():
                yield
        except BaseException as error:
            self._drawn, self._used, self._staged, self._looked = drawn, used, staged, looked
            if isinstance(error, DuplicateError) and error.what == "number":
                self._drawn = self._drawn[1:]  # somebody had it: never offer it again
            raise

    def _stage_case(self, after: Case) -> None:
        document = rows.encode_case(after)
        row = rows.case_row(after, document)
        self._remember(row["digest"], rows.decode_case(document))  # what could not be read back is refused now
        if after.id not in self._looked and (known := self.session.execute(BY_ID, {"ids": [after.id]}).one_or_none()):
            self._looked[after.id] = (known.revision, known.folder)
        revision, folder = self._looked.get(after.id, (0, rows.OPEN_FOLDER))
        row["revision"] = revision + 1
        old_keys: set[str] = set()
        if revision:
            changed = self.session.execute(_CHANGED_CASE, {**row, "this": after.id, "expected": revision})
            if changed.rowcount != 1:
                raise StaleError(f"case {after.id} was changed by another process")
            old_keys = set(self.session.execute(_KEYS, {"id": after.id}).scalars())
        else:
            try:
                self.session.execute(cases.insert(), row)
            except IntegrityError as error:
                raise StaleError(f"case {after.id} was opened by another process") from error
        self._looked[after.id] = (revision + 1, rows.OPEN_FOLDER)
        self._staged[after.id] = (document, self._staged.get(after.id, (b"", folder))[1])
        self._stage_keys(after, old_keys)
        if after.number:
            self._stage_number(after.number.text, after.id)
        self._stage_replies(after, new=not revision)

    def _stage_keys(self, after: Case, before: set[str]) -> None:
        wanted = rows.case_keys(after)
        gone = {key for key in before - wanted if not key.startswith("n:")}  # a replaced number still names its case
        if gone:
            self.session.execute(case_keys.delete().where(case_keys.c.case_id == after.id, case_keys.c.key.in_(gone)))
        if fresh := sorted(wanted - before):
            self.session.execute(case_keys.insert(), [{"case_id": after.id, "key": key} for key in fresh])

    def _stage_number(self, text: str, case_id: str) -> None:
        number = rows.name_key(text)
        owner = self.session.execute(_OWNER, {"number": number}).scalar()
        if owner is None:
            self._insert(
                numbers, [{"number": number, "case_id": case_id}], "number", f"{text} was given to another case"
            )
            sequence = self._drawn.pop(0) if self._drawn else self.session.draw()
            self._used.append(sequence)
            self.session.use(sequence)
        elif owner != case_id:
            raise DuplicateError("number", f"{text} is the number of case {owner}")

    def _stage_replies(self, after: Case, *, new: bool) -> None:
        found = [] if new else self.session.execute(DELIVERIES, {"ids": [after.id]})
        held = {row.message_id: row.state for row in found}
        for reply in after.replies:
            if reply.state in rows.FINAL and held.get(reply.message_id, reply.state) != reply.state:
                self.session.execute(_MARK, {**rows.delivery(reply), "this": reply.message_id})
        self._insert_replies([reply for reply in after.replies if reply.message_id not in held], after.id)

    def _insert_replies(self, new: Sequence[Reply], case_id: str | None) -> None:
        if found := [rows.reply_row(reply, case_id) for reply in new]:
            self._insert(replies, found, "reply", f"a reply of {case_id or 'a note'} has the Message-ID of another")
            self.session.execute(contents.insert(), list(map(rows.content_row, new)))

    def _insert(self, table: sa.Table, values: list[rows.Row], what: str, text: str) -> None:
        try:
            self.session.execute(table.insert(), values)
        except IntegrityError:  # its text may quote a Message-ID, and a token in it
            raise DuplicateError(what, text) from None

    def set_fact(self, name: str, value: str) -> None:
        """Remember a small fact with the next commit."""
        with self._all_or_nothing():
            self.session.execute(facts.delete().where(facts.c.name == name))
            self.session.execute(facts.insert(), {"name": name, "value": value})

    def commit(self) -> None:
        """Make everything staged durable, all or nothing. If it raises, nothing is staged any more."""
        try:
            self.session.commit()
        except UnavailableError:  # nobody knows whether the sequences were used
            self._used = []
            self.rollback()
            raise
        except BaseException:
            self.rollback()
            raise
        staged, self._staged, self._used = self._staged, {}, []
        self._looked.clear()
        if self.filing:
            for case_id, (document, before) in staged.items():
                self.filing.put(case_id, document, before)
            self.filing.write()
            if self.filing.full:
                with suppress(UnavailableError):  # the commit is durable; the next checkpoint says what is wrong
                    self.filing.tidy()

    def rollback(self) -> None:
        """Forget everything staged."""
        self.session.rollback()
        self._drawn, self._used = sorted((*self._used, *self._drawn)), []
        self._staged = {}
        self._looked.clear()

    def adopt(self, documents: Iterable[tuple[str, bytes]]) -> None:
        """Take documents, by case id, whose rows were inserted into the open transaction."""
        self._staged |= {case_id: (document, rows.OPEN_FOLDER) for case_id, document in documents}

    # ------------------------------------------------------------ processes and housekeeping

    def claim_mailbox(self, address: str) -> bool:
        """Say whether this process may read a mailbox; if so no other may until it is released or the connection is lost."""
        return self.session.claim_mailbox(address)

    def release_mailbox(self, address: str) -> None:
        """Let another process read a mailbox."""
        self.session.release_mailbox(address)

    def checkpoint(self, now: datetime | None = None) -> None:
        """Use a quiet moment: sync and archive case files; once a day forget bytes that were sent ``keep_sent_days`` ago.

        Nothing depends on it. It does nothing while a batch is staged.
        """
        if self.session.in_transaction or self.session.read_only:
            return
        self._looked.clear()  # files move
        if self.filing:
            self.filing.tidy()
        if now and self._pruned != now.date():
            old = rows.number(now - self._keep_sent)
            sent = (replies.c.unsent == 0, replies.c.created_at < old, sa.func.coalesce(replies.c.tried_at, 0) < old)
            self.session.execute(
                contents.delete().where(contents.c.message_id.in_(sa.select(replies.c.message_id).where(*sent)))
            )
            self._pruned = now.date()

    def close(self) -> None:
        """Forget what is staged, sync the files and let go of the state."""
        try:
            self.rollback()
            self.checkpoint()
        finally:
            self.session.close()
