"""The store: cases, replies, the mail log, due dates and settings of its own, on one connection.

A step is staged, then committed with others at once; look-ups see what is staged. Nothing may be sent and no email may leave
INBOX before the commit that holds it has returned (promises 1 and 8).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from mailbot.model import Case, MailRecord, Reply, Step
from mailbot.runtime.errors import DuplicateError, StaleError, StateError, UnavailableError
from mailbot.runtime.store import rows, schema
from mailbot.runtime.store.case_files import CaseFiles
from mailbot.runtime.store.database import Database
from mailbot.runtime.store.deliveries import MARK, REPLY, Deliveries

_AT_ONCE = 200  # cases in one statement
_TRIES = 5  # how often a case is read again whose file is being replaced

_COLUMNS = "cases.id, revision, digest, document, folder"
BY_ID = f"SELECT {_COLUMNS} FROM cases WHERE id IN :ids"
_BY_KEY = f"SELECT {_COLUMNS}, key FROM case_keys JOIN cases ON cases.id = case_id WHERE key IN :keys"
_IN_ORDER = "ORDER BY opened_at, cases.id"
_HOLDING = f"{_BY_KEY} AND mailbox = :mailbox AND over = :over {_IN_ORDER}"
_DELIVERIES = """
SELECT message_id, state, attempts, due_at, tried_at, unanswered, note FROM replies WHERE case_id IN :ids"""
_ANSWERS = "SELECT count(*) FROM replies WHERE recipient = :recipient AND direct = 1 AND created_at >= :since"
_SET_FACT = "INSERT INTO facts VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value"
_FORGET = """
DELETE FROM contents WHERE message_id IN (
    SELECT message_id FROM replies WHERE unsent = 0 AND created_at < :old AND coalesce(tried_at, 0) < :old)"""
_TAKEN = """
SELECT 'reply' FROM replies WHERE message_id IN :replies AND coalesce(case_id, '') <> :id
UNION ALL SELECT 'number' FROM numbers WHERE number = :number AND case_id <> :id"""
_STATES = "SELECT message_id, state FROM replies WHERE case_id = :id"
_ADD_CASE, _ADD_KEY, _ADD_NUMBER, _ADD_REPLY, _ADD_CONTENT = (table.insert for table in schema.COPIED[:5])
_ADD_MAIL = schema.MAIL_LOG.insert
_CHANGED = ", ".join(f"{name} = :{name}" for name in schema.CASES.columns if name != "id")
_CHANGE_CASE = f"UPDATE cases SET {_CHANGED} WHERE id = :id AND revision = :revision - 1"
# A number that was replaced still names its case.
_DROP_KEYS = "DELETE FROM case_keys WHERE case_id = :id AND key NOT LIKE 'n:%' AND NOT (key IN :keys)"


class Store(Deliveries):
    """One durable place for everything mailbot knows. ``open_store`` makes it.

    One thread at a time may use it; it may move between threads. All moments are aware datetimes in UTC. Every method may
    raise ``StateError``; then nothing of the call took effect. After an ``UnavailableError`` a later call may succeed.
    """

    def __init__(self, database: Database, files: CaseFiles | None = None, *, keep_sent_days: int = 30) -> None:
        self.database, self.files = database, files
        self._keep_sent = timedelta(days=keep_sent_days)
        self._revisions: dict[str, int] = {}  # of cases, as this batch first saw or last staged them
        self._drawn: list[int] = []  # sequences that this process has and did not use
        self._used: list[int] = []  # sequences that staged steps use
        self._last = 0  # the last sequence that was drawn
        self._documents: dict[str, tuple[bytes, str, str]] = {}  # staged, by case id: document, folder, folder before
        self._contents: list[rows.Row] = []  # staged bytes of replies, which are written at the commit
        self._pruned: date | None = None
        database.value("SELECT max(version) FROM schema_version")  # what is wrong with the connection is said now
        if files and not database.read_only:
            files.complete()

    def case(self, case_id: str) -> Case | None:
        """Return the case with this id, whatever its state."""
        return next(iter(self._load(BY_ID, {"ids": [case_id]})), None)

    def cases(self) -> Iterator[Case]:
        """Yield every case, also closed and archived ones, in the order in which they were opened."""
        ids = [row.id for row in self.database.run(f"SELECT id FROM cases {_IN_ORDER}")]
        for start in range(0, len(ids), _AT_ONCE):
            yield from self._load(f"{BY_ID} {_IN_ORDER}", {"ids": ids[start : start + _AT_ONCE]})

    def find(self, message_ids: Iterable[str], names: Iterable[str] = ()) -> tuple[Case, ...]:
        """Return the cases of a thread, each once, in the order of what was given: ids first, then names.

        Message-IDs (without angle brackets, nearest first) match a reply that we sent or an email in a case's history.
        Names are case ids and RMA numbers, in any capitals; a number that was replaced still names its case.
        """
        keys = [*(rows.key(each, "thread") for each in message_ids), *(rows.key(name, "name") for name in names)]
        return tuple(self._load(f"{_BY_KEY} {_IN_ORDER}", {"keys": keys}, keys)) if keys else ()

    def open_cases(self, mailbox: str, units: Iterable[str], *, over: int = 0) -> tuple[Case, ...]:
        """Return the cases of a mailbox that hold one of these units (folded serials) and are not over, oldest first."""
        keys = [rows.key(unit, "unit") for unit in units]
        return tuple(self._load(_HOLDING, {"keys": keys, "mailbox": mailbox, "over": over})) if keys else ()

    def past_cases(self, mailbox: str, units: Iterable[str]) -> tuple[Case, ...]:
        """Return the cases of a mailbox that hold one of these units (folded serials) and are over, oldest first."""
        return self.open_cases(mailbox, units, over=1)

    def recorded(self, identity: str) -> MailRecord | None:
        """Return the log's line for an email, which says in what folder it belongs; None if it has not taken effect."""
        query = "SELECT document FROM mail_log WHERE identity = :identity"
        document = self.database.value(query, {"identity": rows.key(identity)})
        return None if document is None else rows.decode_mail(document)

    def answers_since(self, address: str, at: datetime) -> int:
        """Return how many direct answers to an address (any capitals) were created at or after a moment."""
        values = {"recipient": rows.key(address.lower()), "since": rows.number(at)}
        return int(self.database.value(_ANSWERS, values))

    def next_sequence(self) -> int:
        """Return the sequence for the next RMA number, over all years and mailboxes; the first is 1.

        It is this process's until a staged case with a new number uses it. A gap is fine, a repeat never happens (ST-4).
        """
        if not self._drawn:
            self._last = int(self.database.value(self.database.sequence_sql, {"last": self._last}))
            self._drawn.append(self._last)
        return self._drawn[0]

    def get_fact(self, name: str) -> str | None:
        """Return a small fact that was set before, such as the first UID of a mailbox."""
        value: str | None = self.database.value("SELECT value FROM facts WHERE name = :name", {"name": name})
        return value

    def facts(self, prefix: str) -> tuple[str, ...]:
        """Return the values of the facts whose names begin with ``prefix``, in the order of their names."""
        query = "SELECT value FROM facts WHERE substr(name, 1, :length) = :prefix ORDER BY name"
        rows_found = self.database.run(query, {"length": len(prefix), "prefix": prefix}).fetchall()
        return tuple(row.value for row in rows_found)

    def _load(self, query: str, values: rows.Row, order: list[str] | None = None) -> list[Case]:
        """Return the cases that a query finds, each once, in the order of these keys, with the deliveries of their replies."""
        listed = self.database.run(query, values).fetchall()
        found = {row.id: row for row in (sorted(listed, key=lambda row: order.index(row.key)) if order else listed)}
        progress = {row.message_id: row for row in self.database.run(_DELIVERIES, {"ids": list(found)})} if found else {}
        for case_id, row in found.items():
            self._revisions.setdefault(case_id, row.revision)
        return [rows.with_deliveries(self.decode(row), progress) for row in found.values()]

    def decode(self, row: Any) -> Case:
        """Return the case of a row with ``_COLUMNS``, without the deliveries of its replies.

        Raises StateError: its document is damaged or missing.
        """
        for _ in range(_TRIES):
            document = row.document
            if document is None and self.files:
                document = self.files.read(row.folder, row.id)
            if document is not None and rows.digest(document) == row.digest:
                return rows.decode_case(document)
            row = self.database.run(BY_ID, {"ids": [row.id]}).fetchone()  # the daemon may have written it meanwhile
        where = self.files.path(row.folder, row.id) if self.files and row.document is None else self.database.place
        raise StateError(
            f"{where}: case {row.id} is damaged: it is missing or does not match its digest. Restore it from a backup; "
            "`mailbot state check` lists all that is damaged"
        )

    def stage(self, step: Step, delivery: Reply | None = None) -> None:
        """Add a step's case, replies and log line to the next commit.

        Delivery is the store's: a reply that it holds keeps its state unless the step's is final (sent, failed, held), so
        that a step from an older look at the case sends nothing twice. Replies that are in no case are kept as notes.
        The state of ``delivery``, the reply whose failed delivery led to the step, is staged with it (promise 3).

        Raises:
            StaleError: another process changed the case meanwhile, or staged the same reply or number. Roll back.
            DuplicateError, ValueError, KeyError: the step would take effect twice, a value could not be read back, no
                committed reply is ``delivery``. Nothing of the step is staged.
        """
        case, mail = step.after, rows.mail_row(step.record) if step.record else None
        document = rows.encode_case(case) if case else b""
        replies: dict[str, tuple[Reply, str | None]] = {reply.message_id: (reply, None) for reply in step.replies}
        replies |= {reply.message_id: (reply, case.id) for reply in case.replies} if case else {}
        run = self.database.run
        self.database.begin()
        self._refuse_taken(case, replies)
        stored = run("SELECT folder, revision FROM cases WHERE id = :id", {"id": case.id}).fetchone() if case else None
        known = {row.message_id: row.state for row in run(_STATES, {"id": case.id})} if case and stored else {}
        new = [rows.reply_row(*each) for message_id, each in replies.items() if message_id not in known]
        if delivery and not self.database.value(REPLY, {"message_id": delivery.message_id}):
            raise KeyError(delivery.message_id)
        if mail and not run(_ADD_MAIL, mail).rowcount:
            raise DuplicateError("mail", f"{mail['identity']} is in the log already")
        if delivery:
            run(MARK, rows.delivery_row(delivery))
        if case:
            self._stage_case(case, document, stored, known)
        if self.database.run_many(_ADD_REPLY, new) != len(new):
            raise StaleError("another process staged a reply with the same Message-ID")
        self._contents += new

    def _refuse_taken(self, case: Case | None, replies: Iterable[str]) -> None:
        """Refuse a step whose RMA number or Message-IDs belong to another case."""
        number = rows.key(case.number.text, "name") if case and case.number else ""
        taken = self.database.value(_TAKEN, {"id": case.id if case else "", "number": number, "replies": list(replies)})
        if taken == "number":
            self._drawn = self._drawn[1:]  # somebody had it: never offer it again
            raise DuplicateError("number", f"{number} is the number of another case")
        if taken:
            raise DuplicateError("reply", "a reply of the step has the Message-ID of another")

    def _stage_case(self, case: Case, document: bytes, stored: Any, known: dict[str, str]) -> None:
        """Write a case, its keys, its number and the deliveries that it ends. ``stored``, ``known``: what the store has of it."""
        run = self.database.run
        expected = self._revisions.get(case.id, stored.revision if stored else 0)
        row = rows.case_row(case, document, expected + 1)
        if run(_CHANGE_CASE if expected else _ADD_CASE, row).rowcount != 1:
            raise StaleError(f"case {case.id} was changed by another process")
        self._revisions[case.id] = expected + 1
        before = stored.folder if stored else "cases"
        self._documents[case.id] = (document, row["folder"], self._documents.get(case.id, (b"", "", before))[2])
        keys = rows.case_keys(case)
        if stored:
            run(_DROP_KEYS, {"id": case.id, "keys": list(keys)})
        self.database.run_many(_ADD_KEY, [{"case_id": case.id, "key": key} for key in keys])
        if case.number:
            self._stage_number(rows.key(case.number.text, "name"), case.id, may_be_there=stored is not None)
        for reply in case.replies:
            if reply.state in rows.FINAL and known.get(reply.message_id, reply.state) != reply.state:
                run(MARK, rows.delivery_row(reply))

    def _stage_number(self, number: str, case_id: str, *, may_be_there: bool) -> None:
        owner = "SELECT case_id FROM numbers WHERE number = :number"
        if may_be_there and self.database.value(owner, {"number": number}) == case_id:
            return
        values = {"number": number, "case_id": case_id, "sequence": self.next_sequence()}
        if not self.database.run(_ADD_NUMBER, values).rowcount:
            raise StaleError(f"{number} was given to another case by another process")
        self._used.append(self._drawn.pop(0))

    def set_fact(self, name: str, value: str) -> None:
        """Remember a small fact with the next commit."""
        self.database.begin()
        self.database.run(_SET_FACT, {"name": name, "value": value})

    def remove_fact(self, name: str) -> None:
        """Forget a small fact with the next commit."""
        self.database.begin()
        self.database.run("DELETE FROM facts WHERE name = :name", {"name": name})

    def commit(self) -> None:
        """Make everything staged durable, all or nothing. If it raises, nothing is staged any more.

        If PostgreSQL is lost during the commit, nobody knows whether it took effect: process the batch again. What took
        effect is found by its key (``recorded``, ``DuplicateError``).
        """
        try:
            self.database.run_many(_ADD_CONTENT, self._contents)
            self.database.commit()
        except BaseException as error:
            if isinstance(error, UnavailableError):
                self._used = []  # they may have been used
            self.rollback()
            raise
        documents, self._used = self._documents, []
        self.rollback()
        if self.files:
            self.files.write(documents)

    def rollback(self) -> None:
        """Forget everything staged."""
        self._drawn, self._used = sorted((*self._used, *self._drawn)), []
        self._documents, self._contents, self._revisions = {}, [], {}
        self.database.rollback()

    def claim_mailbox(self, address: str) -> bool:
        """Say whether this process may read a mailbox; if so no other may until it is released or the connection is lost."""
        return self.database.lock(_lock_number(address))

    def release_mailbox(self, address: str) -> None:
        """Let another process read a mailbox."""
        self.database.unlock(_lock_number(address))

    def checkpoint(self, now: datetime | None = None) -> None:
        """Use a quiet moment: sync case files; once a day forget bytes that were sent ``keep_sent_days`` ago.

        Nothing depends on it. It does nothing while a batch is staged.
        """
        if self.database.in_transaction or self.database.read_only:
            return
        if self.files:
            self.files.sync_files()
        if now and self._pruned != now.date():
            self.database.run(_FORGET, {"old": rows.number(now - self._keep_sent)})
            self._pruned = now.date()

    def close(self) -> None:
        """Forget what is staged, sync the files and let go of the state."""
        try:
            self.rollback()
            self.checkpoint()
        finally:
            self.database.close()


def _lock_number(address: str) -> int:
    return int(rows.digest(address.lower().encode())[:15], 16)
