"""What is committed: dossiers and ledger in the state folder, kept true by the journal, found by the index."""

from __future__ import annotations

import os
import sqlite3
from collections import OrderedDict, defaultdict
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from mailbot.runtime import dossiers, files, folder, journal, ledger
from mailbot.runtime.dossiers import Dossier, Mark, Sealed, marked
from mailbot.runtime.index import Index
from mailbot.runtime.store_protocol import StateError
from mailbot.runtime.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mailbot.model import MailRecord, Reply

JOURNAL_LIMIT = 8 << 20
"""Bytes in the journal from which a commit or a mark is followed by a checkpoint."""

_CACHED = 128
_AT_ONCE = 64
_MARKS_LIMIT = 512


class Shelf:
    """The committed half of the store on a folder.

    A commit is one entry in the journal, flushed; only then are the files replaced, without waiting. Whatever happens
    after the flush (a kill, a full disk) is mended from the journal: at the next start or, in a process that lives on,
    by the next call, for which ``_doubt`` says why.
    """

    def __init__(self, root: Path, *, read_only: bool) -> None:
        self._root = root
        self._read_only = read_only
        self._lock = -1
        self._journal = journal.Journal(root / "journal")
        self._index: Index | None = None
        self._index_spoilt = False
        self._doubt = "it has not been read"
        self._in_batch = False
        self._closed = False
        self._forget()
        try:
            with self._disk():
                if not read_only:
                    self._lock = folder.lock(root)
                if folder.is_new(root) and not read_only:
                    folder.lay_out(root)
                self._recover()
        except BaseException:
            self._let_go()
            raise

    def _forget(self) -> None:
        self._cache: OrderedDict[str, Dossier] = OrderedDict()
        self._ahead: dict[str, Dossier] = {}  # committed, with their marks, not yet in their files
        self._ahead_records: dict[str, MailRecord] = {}  # committed, not yet in the ledger
        self._marks: defaultdict[str, list[Mark]] = defaultdict(list)  # in the journal, not yet in the files
        self._batch_marks: dict[str, None] = {}  # dossiers that were marked while a batch was open
        self._unsynced: set[str] = set()  # files that only the journal makes durable

    # ------------------------------------------------------------ trust

    @contextmanager
    def trusted(self) -> Iterator[Index]:
        """The index, once what went wrong before has been mended. Errors of disk and index become ``StateError``."""
        if self._doubt:
            if self._closed:
                raise StateError(f"{self._root} has been closed")
            if self._in_batch:
                raise StateError(f"{self._root}: {self._doubt}; what was staged is lost")
            with self._disk():
                self._recover()
        assert self._index  # noqa: S101 - _recover leaves one, or raises
        with self._disk():
            yield self._index

    @contextmanager
    def _changing(self) -> Iterator[Index]:
        """As ``trusted``; an interruption leaves a doubt, so that the journal is read before it is written again."""
        with self.trusted() as index:
            try:
                yield index
            except BaseException:
                self._doubt = self._doubt or "a change was interrupted"
                raise

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            with files.disk_errors(self._root):
                yield
        except sqlite3.Error as error:
            self._doubt, self._index_spoilt = f"index.db: {error}", True
            raise StateError(f"{self._root / 'index.db'}: {error}; nothing was changed") from error
        except StateError as error:
            if isinstance(error.__cause__, OSError):
                self._doubt = str(error)
            raise

    # ------------------------------------------------------------ batches

    def begin(self) -> None:
        """Opens a batch: what the index is told from now on is provisional."""
        with self.trusted() as index:
            self._in_batch = True
            index.begin()

    def commit(self, batch: Mapping[str, tuple[Dossier, Sealed]], records: Mapping[str, MailRecord]) -> None:
        """Makes a batch durable and closes it.

        Raises:
            StateError: It is not durable; the batch is closed all the same, and nothing of it remains.
        """
        durable = False
        try:
            with self._changing():
                sealed = {dossier_id: body for dossier_id, (_, body) in batch.items()}
                self._journal.append(journal.Entry(tuple(sealed.values()), tuple(records.values())), durable=True)
                durable = True
                for dossier, _ in batch.values():
                    self._ahead[dossier.id] = dossier
                    self._remember(dossier)
                self._ahead_records.update(records)
                self._settle(sealed)
                self._in_batch = False
                self._batch_marks.clear()
        except BaseException as error:
            self.rollback()
            # Once the journal has it the commit is a fact: what the disk says after that is mended by the next call.
            if not durable or not isinstance(error, StateError):
                raise
        else:
            self._checkpoint_when_long()

    def rollback(self) -> None:
        """Closes the batch; the index is as it was, but for marks."""
        self._in_batch = False
        if self._doubt or self._index is None:
            return
        with suppress(StateError), self._changing() as index:
            index.rollback()
            for dossier_id in self._batch_marks:
                if dossier := self.dossier(dossier_id):
                    with index.whole():
                        index.put(dossier)
            self._batch_marks.clear()

    def mark(self, reply: Reply) -> Mark:
        """Takes over how far a delivery has come.

        Raises:
            KeyError: No committed reply has this Message-ID.
        """
        with self.trusted() as index:
            home = index.home(reply.message_id)
            dossier = self.dossier(home) if home else None
        if dossier is None or all(held.message_id != reply.message_id for held in dossier.replies):
            raise KeyError(reply.message_id)
        mark = Mark(dossier.id, dossier.revision + 1, msgspec.structs.replace(reply, raw=""))
        with self._changing() as index:
            self._journal.append(journal.Entry(mark=mark), durable=False)
            self._take(mark, dossier, index)
            if self._in_batch:
                self._batch_marks[mark.id] = None
        self._checkpoint_when_long()
        return mark

    def _take(self, mark: Mark, dossier: Dossier, index: Index) -> None:
        now = marked(dossier, mark)
        self._remember(now)
        if mark.id in self._ahead:
            self._ahead[mark.id] = now
        else:
            self._marks[mark.id].append(mark)
        index.put_reply(mark.id, mark.reply)

    # ------------------------------------------------------------ dossiers and records

    def dossier(self, dossier_id: str, *, remember: bool = True) -> Dossier | None:
        """The dossier as it is committed, with its marks."""
        if dossier := self._cache.get(dossier_id):
            self._cache.move_to_end(dossier_id)
            return dossier
        dossier = self._ahead.get(dossier_id) or self._read(dossier_id)
        if dossier is None:
            return None
        for mark in self._marks.get(dossier_id, ()):
            dossier = marked(dossier, mark)
        if remember:
            self._remember(dossier)
        return dossier

    def _remember(self, dossier: Dossier) -> None:
        self._cache[dossier.id] = dossier
        self._cache.move_to_end(dossier.id)
        if len(self._cache) > _CACHED:
            self._cache.popitem(last=False)

    def _read(self, dossier_id: str) -> Dossier | None:
        with self.trusted() as index:
            path = index.path(dossier_id)
            if path is None:
                return None
            with suppress(FileNotFoundError):
                return dossiers.read(self._root / path)
            for candidate in folder.candidates(self._root, dossier_id):  # a reader's: it has been moved since
                with suppress(FileNotFoundError):
                    return dossiers.read(candidate)
            raise StateError(f"{self._root / path} is gone; restore it from a backup")

    def recorded(self, identity: str) -> MailRecord | None:
        """The committed record of a mail."""
        if record := self._ahead_records.get(identity):
            return record
        with self.trusted() as index:
            seen = index.seen(identity)
            if seen is None:
                return None
            record = ledger.read_one(self._root / seen[0], seen[1])
            if record is None:
                raise StateError(f"{self._root / seen[0]} is damaged; restore this file from a backup")
            return record

    def records(self) -> Iterator[MailRecord]:
        """Every committed record, month by month."""
        with self.trusted():
            for path in sorted((self._root / "ledger").glob("*.jsonl")):
                for record, _, _ in ledger.read(path, torn=True):
                    if record.identity not in self._ahead_records:
                        yield record
            yield from self._ahead_records.values()

    # ------------------------------------------------------------ into the files

    def _settle(self, sealed: Mapping[str, Sealed]) -> None:
        """Puts what is ahead of its files in its place, and closes the index's batch. The journal holds it durably."""
        with self.trusted() as index:
            index.begin()
            for dossier in self._ahead.values():
                before, path = index.path(dossier.id), self._root / dossier.path
                path.parent.mkdir(mode=0o700, exist_ok=True)
                dossiers.write(path, sealed.get(dossier.id) or dossiers.seal(dossier))
                index.place(dossier, folder.place(dossier.path, path.stat()))
                if before and before != dossier.path:
                    (self._root / before).unlink(missing_ok=True)
                self._unsynced.add(dossier.path)
                self._marks.pop(dossier.id, None)
            months = defaultdict(list)
            for record in self._ahead_records.values():
                months[ledger.month(record)].append(record)
            for month, records in months.items():
                path = self._root / month
                added = ledger.append(path, records)
                index.record(folder.place(month, path.stat()), ((record.identity, at) for record, at in added))
                self._unsynced.add(month)
            index.commit()
            self._ahead.clear()
            self._ahead_records.clear()

    def checkpoint(self) -> None:
        """Puts everything into the files, waits for the disk and empties the journal; nothing while a batch is open."""
        with self._changing() as index:
            if self._read_only or self._in_batch or not self._journal.size:
                return
            self._settle({})
            while some := list(
                islice(self._marks, _AT_ONCE)
            ):  # a file is only replaced by what the journal holds whole
                found = [self.dossier(dossier_id, remember=False) for dossier_id in some]
                self._ahead = {dossier.id: dossier for dossier in found if dossier}
                sealed = {dossier.id: dossiers.seal(dossier) for dossier in self._ahead.values()}
                self._journal.append(journal.Entry(tuple(sealed.values())), durable=True)
                self._settle(sealed)
                for dossier_id in some:
                    self._marks.pop(dossier_id, None)
            for path in self._unsynced:
                with suppress(FileNotFoundError):  # it has moved since
                    files.sync(self._root / path)
            folder.sync(self._root)
            index.flush()
            self._journal.restart()
            self._unsynced.clear()

    def _checkpoint_when_long(self) -> None:
        if self._journal.size > JOURNAL_LIMIT or len(self._marks) > _MARKS_LIMIT:
            with suppress(StateError):  # it left a doubt, and the next call says so
                self.checkpoint()

    # ------------------------------------------------------------ recovery

    def _recover(self) -> None:
        """Makes index, files and journal agree again, from what is on the disk."""
        self._doubt = self._doubt or "it is being read"
        self._forget()
        self._journal.close()
        if self._index:
            self._index.close()
            if self._index_spoilt:
                self._index.delete()
        entries, end = journal.read(self._root / "journal")
        index = self._index = Index(None if self._read_only else self._root / "index.db")
        index.begin()
        in_journal = {body["id"] for entry in entries for body in entry.dossiers}
        survey(self._root, index, in_journal=in_journal, torn=bool(entries), read_only=self._read_only)
        self._doubt, self._index_spoilt = "", False
        with self._changing():
            self._merge(index, entries)
            index.commit()
            if not index.states() and any(record.case_id for record in self.records()):
                raise StateError(f"{self._root} names cases in its ledger but holds none; restore it from a backup")
        if not self._read_only:
            self._journal.open(end)
            self.checkpoint()

    def _merge(self, index: Index, entries: list[journal.Entry]) -> None:
        """Takes over from the journal what is not in the files yet."""
        for entry in entries:
            for body in entry.dossiers:
                dossier = dossiers.unseal(body)
                if dossier.revision > index.filed(dossier.id):
                    self._ahead[dossier.id] = dossier
                    self._remember(dossier)
                    index.put(dossier)
                elif path := index.path(dossier.id):
                    self._unsynced.add(path)
            for record in entry.records:
                if index.seen(record.identity):
                    self._unsynced.add(ledger.month(record))
                else:
                    self._ahead_records[record.identity] = record
            held = self.dossier(entry.mark.id) if entry.mark else None
            if entry.mark and held and entry.mark.revision > held.revision:
                self._take(entry.mark, held, index)

    # ------------------------------------------------------------ the end

    def close(self) -> None:
        """Puts everything into the files, unless there is a doubt, and lets go of the folder."""
        try:
            if not self._doubt:
                self.rollback()
                self.checkpoint()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        self._doubt, self._closed = "it has been closed", True
        self._journal.close()
        if self._index:
            self._index.close()
            self._index = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
