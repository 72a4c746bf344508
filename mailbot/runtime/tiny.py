"""The default store: a folder with one TinyDB file a case, a journal that makes commits durable, an index beside."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mailbot.runtime import dossiers, facets
from mailbot.runtime.dossiers import FACTS, Dossier, Sealed
from mailbot.runtime.index import name_key, thread_key, unit_key
from mailbot.runtime.shelf import Shelf
from mailbot.runtime.store_protocol import DuplicateError, StateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from mailbot.model import Case, DueDate, MailRecord, Reply, State, Step

_CASE_ID = re.compile(r"(?!facts$|note-)[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # it is a file's name


class TinyStore:
    """The store contract on a folder: what is staged, over a ``Shelf`` of what is committed.

    ``read_only`` takes no lock and writes nothing: it sees what was committed when it was opened, of single cases also
    newer copies. It works while another process writes.

    Args:
        path: The folder; it is made when there is none.
        read_only: See above.

    Raises:
        StateError: Another process has the folder, or it cannot be trusted, read or written.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self._path = Path(path)
        self._read_only = read_only
        self._shelf = Shelf(self._path, read_only=read_only)
        self._staged: dict[str, tuple[Dossier, Sealed]] = {}
        self._staged_records: dict[str, MailRecord] = {}
        self._staged_replies: set[str] = set()

    # ------------------------------------------------------------ look-ups

    def _dossier(self, dossier_id: str, *, remember: bool = True) -> Dossier | None:
        if staged := self._staged.get(dossier_id):
            return staged[0]
        return self._shelf.dossier(dossier_id, remember=remember)

    def _cases(self, ids: Iterable[str], *, remember: bool = True) -> Iterator[Case]:
        for case_id in ids:
            dossier = self._dossier(case_id, remember=remember)
            if dossier and dossier.case:
                yield dossier.case

    def case(self, case_id: str) -> Case | None:
        """See ``Store.case``."""
        return next(self._cases([case_id]), None)

    def cases(self) -> Iterator[Case]:
        """See ``Store.cases``."""
        with self._shelf.trusted() as index:
            ids = index.cases()
        return self._cases(ids, remember=False)

    def find(self, message_ids: Iterable[str], names: Iterable[str] = ()) -> tuple[Case, ...]:
        """See ``Store.find``."""
        with self._shelf.trusted() as index:
            keys = (*map(thread_key, message_ids), *map(name_key, names))
            ids = dict.fromkeys(case_id for key in keys for case_id in index.holders(key))
        return tuple(self._cases(ids))

    def open_cases(self, mailbox: str, keys: Iterable[str]) -> tuple[Case, ...]:
        """See ``Store.open_cases``."""
        with self._shelf.trusted() as index:
            ids = index.unit_holders(mailbox, map(unit_key, keys), over=False)
        return tuple(self._cases(ids))

    def past_cases(self, mailbox: str, keys: Iterable[str]) -> tuple[Case, ...]:
        """See ``Store.past_cases``."""
        with self._shelf.trusted() as index:
            ids = index.unit_holders(mailbox, map(unit_key, keys), over=True)
        return tuple(self._cases(ids, remember=False))

    def seen(self, identity: str) -> bool:
        """See ``Store.seen``."""
        return self.recorded(identity) is not None

    def recorded(self, identity: str) -> MailRecord | None:
        """See ``Store.recorded``."""
        return self._staged_records.get(identity) or self._shelf.recorded(identity)

    def answers_since(self, address: str, at: datetime) -> int:
        """See ``Store.answers_since``."""
        with self._shelf.trusted() as index:
            return index.answers_since(address.lower(), at)

    def next_sequence(self) -> int:
        """See ``Store.next_sequence``."""
        return self._facts().sequence + 1

    def states(self) -> Mapping[State, int]:
        """See ``Store.states``."""
        with self._shelf.trusted() as index:
            return index.states()

    def ledger(self) -> Iterator[MailRecord]:
        """See ``Store.ledger``."""
        yield from self._shelf.records()
        yield from self._staged_records.values()

    def get_fact(self, name: str) -> str | None:
        """See ``Store.get_fact``."""
        return self._facts().facts.get(name)

    def _facts(self) -> Dossier:
        return self._dossier(FACTS) or Dossier(FACTS, 0)

    # ------------------------------------------------------------ writing

    def stage(self, step: Step) -> None:
        """See ``Store.stage``."""
        self._begin()
        if step.record and self.recorded(step.record.identity):
            raise DuplicateError(f"{step.record.identity} is on record already")
        changes = [*self._case_changes(step.after)] if step.after else []
        if notes := facets.caseless(step):
            changes.append(Dossier(facets.note_id(notes), 1, notes=notes))
        self._put(changes)
        if step.record:
            self._staged_records[step.record.identity] = step.record

    def _case_changes(self, after: Case) -> Iterator[Dossier]:
        if not _CASE_ID.fullmatch(after.id):
            raise ValueError(f"{after.id!r} cannot be a case's id: letters, digits, dots, hyphens and _, at most 100")
        before = self._dossier(after.id) or Dossier(after.id, 0)
        numbers = before.numbers
        if after.number and after.number.text not in numbers:
            with self._shelf.trusted() as index:
                if others := [holder for holder in index.holders(name_key(after.number.text)) if holder != after.id]:
                    raise DuplicateError(f"{after.number.text} is the number of case {others[0]}")
            numbers = (*numbers, after.number.text)
            facts = self._facts()
            yield msgspec.structs.replace(facts, revision=facts.revision + 1, sequence=facts.sequence + 1)
        case = facets.keep_deliveries(after, before.replies)
        yield Dossier(after.id, before.revision + 1, case=case, numbers=numbers)

    def set_fact(self, name: str, value: str) -> None:
        """See ``Store.set_fact``."""
        facts = self._facts()
        if facts.facts.get(name) != value:
            self._begin()
            changed = {**facts.facts, name: value}
            self._put([msgspec.structs.replace(facts, revision=facts.revision + 1, facts=changed)])

    def _begin(self) -> None:
        if self._read_only:
            raise StateError(f"{self._path} was opened to read only")
        self._shelf.begin()

    def _put(self, changes: Iterable[Dossier]) -> None:
        """Stages dossiers, all or none."""
        staged = {dossier.id: (dossier, dossiers.seal(dossier)) for dossier in changes}
        for _, body in staged.values():
            dossiers.unseal(body)  # what could not be read again is refused now, not at the next start
        with self._shelf.trusted() as index, index.whole():
            for dossier, _ in staged.values():
                known = {reply.message_id for reply in self._committed_replies(dossier.id)}
                self._staged_replies |= {reply.message_id for reply in dossier.replies} - known
                index.put(dossier)
        self._staged |= staged

    def _committed_replies(self, dossier_id: str) -> tuple[Reply, ...]:
        committed = self._shelf.dossier(dossier_id)
        return committed.replies if committed else ()

    def commit(self) -> None:
        """See ``Store.commit``."""
        staged, records = self._staged, self._staged_records
        self._clear()
        if staged or records:
            self._shelf.commit(staged, records)
        else:
            self._shelf.rollback()

    def rollback(self) -> None:
        """See ``Store.rollback``."""
        self._clear()
        self._shelf.rollback()

    def _clear(self) -> None:
        self._staged, self._staged_records, self._staged_replies = {}, {}, set()

    # ------------------------------------------------------------ due dates and the outbox

    def due(self, now: datetime) -> tuple[DueDate, ...]:
        """See ``Store.due``."""
        with self._shelf.trusted() as index:
            return index.due(now)

    def next_due(self) -> datetime | None:
        """See ``Store.next_due``."""
        with self._shelf.trusted() as index:
            return index.next_due()

    def unsent(self, now: datetime) -> Iterator[Reply]:
        """See ``Store.unsent``."""
        with self._shelf.trusted() as index:
            waiting = index.unsent(now)
        for message_id, dossier_id in waiting:
            if message_id in self._staged_replies:
                continue
            for reply in self._committed_replies(dossier_id):
                if reply.message_id == message_id and facets.may_go(reply, now):  # it may have been marked since
                    yield reply

    def mark(self, reply: Reply) -> None:
        """See ``Store.mark``."""
        if self._read_only:
            raise StateError(f"{self._path} was opened to read only")
        mark = self._shelf.mark(reply)
        if staged := self._staged.get(mark.id):
            dossier = msgspec.structs.replace(staged[0], revision=mark.revision - 1)
            dossier = dossiers.marked(dossier, mark)
            self._put([msgspec.structs.replace(dossier, revision=mark.revision + 1)])

    def pending(self) -> int:
        """See ``Store.pending``."""
        with self._shelf.trusted() as index:
            return index.pending() - len(self._staged_replies)

    # ------------------------------------------------------------ housekeeping

    def checkpoint(self) -> None:
        """See ``Store.checkpoint``."""
        self._shelf.checkpoint()

    def close(self) -> None:
        """See ``Store.close``."""
        self._clear()
        self._shelf.close()
