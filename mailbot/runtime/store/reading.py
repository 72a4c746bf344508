"""Look-ups: what the store can be asked. They see what is staged."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa

from mailbot.model import Case, MailRecord, State
from mailbot.runtime.store import rows
from mailbot.runtime.store.errors import StateError
from mailbot.runtime.store.filing import Filing
from mailbot.runtime.store.schema import case_keys, cases, facts, mails, replies
from mailbot.runtime.store.sessions import Session

AT_ONCE = 200
"""Cases, keys or due dates in one statement."""

_CACHED = 256  # decoded cases
_TRIES = 20  # how often a reader looks again at a case that is being written

_CASE = sa.select(cases.c.id, cases.c.revision, cases.c.digest, cases.c.document, cases.c.folder)
BY_ID = _CASE.where(cases.c.id.in_(sa.bindparam("ids", expanding=True)))
_BY_KEY = _CASE.add_columns(case_keys.c.key).join_from(cases, case_keys, case_keys.c.case_id == cases.c.id)
_FOUND = _BY_KEY.where(case_keys.c.key.in_(sa.bindparam("keys", expanding=True))).order_by(
    cases.c.opened_at, cases.c.id
)
_HOLDING = _FOUND.where(cases.c.mailbox == sa.bindparam("box"), cases.c.over == sa.bindparam("over"))
_PROGRESS = [replies.c[name] for name in ("state", "attempts", "due_at", "tried_at", "unanswered", "note")]
DELIVERIES = sa.select(replies.c.case_id, replies.c.message_id, *_PROGRESS).where(
    replies.c.case_id.in_(sa.bindparam("ids", expanding=True))
)
_ANSWERS = sa.select(sa.func.count()).where(
    replies.c.recipient == sa.bindparam("to"), replies.c.direct == 1, replies.c.created_at >= sa.bindparam("since")
)
_RECORDED = sa.select(mails.c.document).where(mails.c.identity == sa.bindparam("id"))
_STATES = sa.select(cases.c.state, sa.func.count()).group_by(cases.c.state)


class Reader:
    """The store's look-ups."""

    def __init__(self, session: Session, filing: Filing | None) -> None:
        self.session, self.filing = session, filing
        self._looked: dict[str, tuple[int, str]] = {}  # case id: revision, folder, as this batch first saw them
        self._drawn: list[int] = []  # sequences that this process has and did not use
        self._decoded: OrderedDict[str, Case] = OrderedDict()

    # ------------------------------------------------------------ look-ups

    def case(self, case_id: str) -> Case | None:
        """Return the case with this id, whatever its state."""
        return next(iter(self._load(self.session.execute(BY_ID, {"ids": [case_id]}))), None)

    def cases(self) -> Iterator[Case]:
        """Yield every case, also closed and archived ones, in the order in which they were opened."""
        ids = iter(
            [row.id for row in self.session.execute(sa.select(cases.c.id).order_by(cases.c.opened_at, cases.c.id))]
        )
        while some := list(islice(ids, AT_ONCE)):
            found = {case.id: case for case in self._load(self.session.execute(BY_ID, {"ids": some}), remember=False)}
            yield from (found[case_id] for case_id in some)

    def find(self, message_ids: Iterable[str], names: Iterable[str] = ()) -> tuple[Case, ...]:
        """Return the cases of a thread, each once, in the order of what was given: ids first, then names.

        Args:
            message_ids: Message-IDs without angle brackets, nearest first; they match a reply of ours or a mail that is in a
                case's history.
            names: case ids and RMA numbers, in any capitals; a number that was replaced still names its case.
        """
        keys = list(dict.fromkeys((*map(rows.thread_key, message_ids), *map(rows.name_key, names))))
        found = self._by_key(_FOUND, keys, {})
        order = {key: place for place, key in enumerate(keys)}
        found.sort(key=lambda row: order[row.key])
        return tuple(self._load({row.id: row for row in found}.values()))

    def open_cases(self, mailbox: str, keys: Iterable[str]) -> tuple[Case, ...]:
        """Return the cases of a mailbox that hold one of these units (folded serials) and are not over, oldest first."""
        return self._holding(mailbox, keys, over=0)

    def past_cases(self, mailbox: str, keys: Iterable[str]) -> tuple[Case, ...]:
        """Return the cases of a mailbox that hold one of these units (folded serials) and are over, oldest first."""
        return self._holding(mailbox, keys, over=1)

    def _holding(self, mailbox: str, keys: Iterable[str], *, over: int) -> tuple[Case, ...]:
        found = self._by_key(_HOLDING, list(map(rows.unit_key, keys)), {"box": mailbox, "over": over})
        by_id = {row.id: row for row in found}
        return tuple(sorted(self._load(by_id.values()), key=lambda case: (case.opened_at, case.id)))

    def _by_key(self, query: sa.Select[Any], keys: list[str], values: rows.Row) -> list[Any]:
        chunks = (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))
        return [row for chunk in chunks for row in self.session.execute(query, {**values, "keys": chunk})]

    def seen(self, identity: str) -> bool:
        """Say whether a mail of this identity has taken effect (promise 2)."""
        return self.recorded(identity) is not None

    def recorded(self, identity: str) -> MailRecord | None:
        """Return the log's line for a mail, which says in what folder it belongs; None if it has not taken effect."""
        document = self.session.execute(_RECORDED, {"id": rows.key(identity)}).scalar()
        return None if document is None else rows.decode_mail(document)

    def answers_since(self, address: str, at: datetime) -> int:
        """Return how many direct answers to an address (any capitals) were created at or after a moment."""
        values = {"to": rows.key(address.lower()), "since": rows.number(at)}
        return int(self.session.execute(_ANSWERS, values).scalar())

    def next_sequence(self) -> int:
        """Return the sequence for the next RMA number, over all years and mailboxes; the first is 1.

        It is this process's until a staged case with a new number uses it. A gap is fine, a repeat never happens (ST-4).
        """
        if not self._drawn:
            self._drawn.append(self.session.draw())
        return self._drawn[0]

    def states(self) -> Mapping[State, int]:
        """Return how many cases are in each state; states without a case are left out."""
        return {row[0]: row[1] for row in self.session.execute(_STATES)}

    def ledger(self) -> Iterator[MailRecord]:
        """Yield every mail that arrived, in the order of arrival."""
        query = sa.select(mails.c.seq, mails.c.at, mails.c.document).order_by(mails.c.at, mails.c.seq)
        yield from (rows.decode_mail(row.document) for row in self.session.execute(query).all())

    def get_fact(self, name: str) -> str | None:
        """Return a small fact that was set before, such as the first UID of a mailbox."""
        value: str | None = self.session.execute(sa.select(facts.c.value).where(facts.c.name == name)).scalar()
        return value

    def _load(self, found: Iterable[Any], *, remember: bool = True) -> list[Case]:
        """Return the cases of rows, with the deliveries of their replies."""
        found = list(found)
        if not found:
            return []
        progress: dict[str, dict[str, Any]] = {row.id: {} for row in found}
        for row in self.session.execute(DELIVERIES, {"ids": list(progress)}):
            progress[row.case_id][row.message_id] = row
        loaded = []
        for row in found:
            if remember:
                self._looked.setdefault(row.id, (row.revision, row.folder))
            case, held = self.decode(row), progress[row.id]
            known = (rows.with_delivery(r, held[r.message_id]) if r.message_id in held else r for r in case.replies)
            loaded.append(msgspec.structs.replace(case, replies=tuple(known)))
        return loaded

    def decode(self, row: Any) -> Case:
        """Return the case of a row, without the deliveries of its replies.

        Raises:
            StateError: its document is damaged or missing.
        """
        if row.digest not in self._decoded:
            self._remember(row.digest, self._document(row))
        self._decoded.move_to_end(row.digest)
        return self._decoded[row.digest]

    def _document(self, row: Any) -> Case:
        for _ in range(_TRIES):
            content = row.document
            if content is None and self.filing:
                content = self.filing.files.read(row.folder, row.id, row.digest)
            if content is not None:
                if rows.digest(content) == row.digest:
                    return rows.decode_case(content)
                break
            if not self.session.read_only:
                break
            row = self.session.execute(BY_ID, {"ids": [row.id]}).one()  # the daemon has written it meanwhile
        where = (
            self.filing.files.path(row.folder, row.id) if self.filing and row.document is None else self.session.place
        )
        raise StateError(
            f"{where}: case {row.id} is damaged: its content does not match its digest. Restore it from a backup; "
            "`mailbot state check` lists all that is damaged"
        )

    def _remember(self, digest: str, case: Case) -> None:
        self._decoded[digest] = case
        if len(self._decoded) > _CACHED:
            self._decoded.popitem(last=False)
