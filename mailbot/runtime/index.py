"""The index beside the dossiers: what is where, in one SQLite file that may be deleted at any time.

It is derived: each row of ``dossiers`` and ``ledgers`` names the file it comes from with its size and change time, so
that what was restored, edited or lost behind its back is noticed. Times are microseconds since 1970 UTC.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from mailbot.case.lifecycle import CLOSED_STATES
from mailbot.model import DueDate, State
from mailbot.runtime import facets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from mailbot.model import Reply
    from mailbot.runtime.dossiers import Dossier

_VERSION = 1
_SCHEMA = """
CREATE TABLE dossiers (
    id TEXT PRIMARY KEY, path TEXT UNIQUE, size INTEGER, changed INTEGER, filed INTEGER NOT NULL DEFAULT 0,
    mailbox TEXT, state TEXT, opened INTEGER, due INTEGER);
CREATE INDEX dossiers_due ON dossiers (due) WHERE due IS NOT NULL;
CREATE TABLE keys (id TEXT, key TEXT, PRIMARY KEY (id, key)) WITHOUT ROWID;
CREATE INDEX keys_key ON keys (key);
CREATE TABLE replies (
    seq INTEGER PRIMARY KEY, message_id TEXT UNIQUE, id TEXT, recipient TEXT, created INTEGER, direct INTEGER,
    waits INTEGER, due INTEGER);
CREATE INDEX replies_id ON replies (id);
CREATE INDEX replies_waits ON replies (created) WHERE waits;
CREATE INDEX replies_recipient ON replies (recipient, created) WHERE direct;
CREATE TABLE ledgers (path TEXT PRIMARY KEY, size INTEGER, changed INTEGER);
CREATE TABLE seen (identity TEXT PRIMARY KEY, path TEXT, at INTEGER) WITHOUT ROWID;
CREATE INDEX seen_path ON seen (path);
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Place(NamedTuple):
    """A file below the state folder, with its size in bytes and its change time in nanoseconds."""

    path: str
    size: int
    changed: int


def _number(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _moment(number: int) -> datetime:
    return _EPOCH + timedelta(microseconds=number)


def thread_key(message_id: str) -> str:
    """The key of a Message-ID."""
    return f"m:{message_id}"


def name_key(name: str) -> str:
    """The key of a case id or an RMA number."""
    return f"n:{facets.name_key(name)}"


def unit_key(folded: str) -> str:
    """The key of a folded serial."""
    return f"s:{folded}"


def _keys(dossier: Dossier) -> set[str]:
    if dossier.case is None:
        return set()
    names = (dossier.id, *dossier.numbers)
    return {
        *map(name_key, names),
        *map(thread_key, facets.message_ids(dossier.case)),
        *map(unit_key, facets.serials(dossier.case)),
    }


class Index:
    """The index in a file, or in memory for ``None``. Any method may raise ``sqlite3.Error``: delete it, then."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        if self._path is None:
            return _prepared(":memory:")
        try:
            return _prepared(self._path)
        except sqlite3.DatabaseError:  # damaged, or of another version: it is derived
            self.delete()
            return _prepared(self._path)

    def delete(self) -> None:
        """Removes the file, so that the next one begins empty."""
        if self._path:
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def close(self) -> None:
        """Lets go of the file."""
        self._db.close()

    # ------------------------------------------------------------ transactions

    def begin(self) -> None:
        """Opens a batch, unless one is open."""
        if not self._db.in_transaction:
            self._db.execute("BEGIN")

    def commit(self) -> None:
        """Keeps the batch; not yet on the disk, which the journal makes good."""
        if self._db.in_transaction:
            self._db.execute("COMMIT")

    def rollback(self) -> None:
        """Forgets the batch."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    @contextmanager
    def whole(self) -> Iterator[None]:
        """What happens within happens wholly or not at all, in the open batch or in one of its own."""
        self._db.execute("SAVEPOINT whole")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK TO whole")
            raise
        finally:
            self._db.execute("RELEASE whole")

    def flush(self) -> None:
        """Puts everything kept on the disk."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    # ------------------------------------------------------------ writing

    def put(self, dossier: Dossier) -> None:
        """Takes over a dossier; where its file is stays as it was."""
        case = dossier.case
        due = facets.due_at(case) if case else None
        row = (
            dossier.id,
            case and case.mailbox,
            case and case.state,
            _number(case.opened_at) if case else None,
            _number(due) if due else None,
        )
        self._db.execute(
            "INSERT INTO dossiers (id, mailbox, state, opened, due) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " mailbox = excluded.mailbox, state = excluded.state, opened = excluded.opened, due = excluded.due",
            row,
        )
        before = {key for (key,) in self._db.execute("SELECT key FROM keys WHERE id = ?", (dossier.id,))}
        after = _keys(dossier)
        self._db.executemany("INSERT INTO keys VALUES (?, ?)", ((dossier.id, key) for key in after - before))
        self._db.executemany("DELETE FROM keys WHERE id = ? AND key = ?", ((dossier.id, key) for key in before - after))
        for reply in dossier.replies:
            self.put_reply(dossier.id, reply)

    def put_reply(self, dossier_id: str, reply: Reply) -> None:
        """Takes over a reply. Its place in the order of creation stays."""
        # "sending" has no due date: whoever died over it, it goes out again at once
        due = _number(reply.due_at) if reply.due_at and reply.state != "sending" else None
        self._db.execute(
            "INSERT INTO replies (message_id, id, recipient, created, direct, waits, due) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (message_id) DO UPDATE SET waits = excluded.waits, due = excluded.due",
            (
                reply.message_id,
                dossier_id,
                reply.to.lower(),
                _number(reply.at),
                reply.direct,
                reply.state not in facets.FINAL,
                due,
            ),
        )

    def place(self, dossier: Dossier, place: Place) -> None:
        """Notes where a dossier lies in this revision."""
        row = (*place, dossier.revision, dossier.id)
        self._db.execute("UPDATE dossiers SET path = ?, size = ?, changed = ?, filed = ? WHERE id = ?", row)

    def forget(self, path: str | None) -> None:
        """Forgets what came from a file; with None, the dossiers that never came to lie in one."""
        for (dossier_id,) in self._db.execute("SELECT id FROM dossiers WHERE path IS ?", (path,)).fetchall():
            for table in ("dossiers", "keys", "replies"):
                self._db.execute(f"DELETE FROM {table} WHERE id = ?", (dossier_id,))  # noqa: S608 - three names of ours
        self._db.execute("DELETE FROM seen WHERE path = ?", (path,))
        self._db.execute("DELETE FROM ledgers WHERE path = ?", (path,))

    def record(self, place: Place, identities: Iterable[tuple[str, int]]) -> None:
        """Notes the mails of a ledger file, each with the offset of its line."""
        self._db.execute("INSERT OR REPLACE INTO ledgers VALUES (?, ?, ?)", place)
        self._db.executemany(
            "INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", ((identity, place.path, at) for identity, at in identities)
        )

    # ------------------------------------------------------------ asking

    def places(self) -> dict[str, Place]:
        """Every file it was made from, by path."""
        rows = self._db.execute(
            "SELECT path, size, changed FROM dossiers WHERE path IS NOT NULL UNION ALL SELECT * FROM ledgers"
        )
        return {row[0]: Place(*row) for row in rows}

    def path(self, dossier_id: str) -> str | None:
        """Where a dossier lies."""
        path: str | None = self._one("SELECT path FROM dossiers WHERE id = ?", dossier_id)
        return path

    def filed(self, dossier_id: str) -> int:
        """The revision of a dossier that lies in its file; 0 where there is none."""
        return int(self._one("SELECT filed FROM dossiers WHERE id = ?", dossier_id) or 0)

    def holders(self, key: str) -> list[str]:
        """The ids of the cases with this key, oldest first."""
        return self._ids("SELECT id FROM keys JOIN dossiers USING (id) WHERE key = ? ORDER BY opened, id", key)

    def unit_holders(self, mailbox: str, keys: Iterable[str], *, over: bool) -> list[str]:
        """The ids of a mailbox's cases that hold one of these keys and are over, or are not, oldest first."""
        found: set[tuple[int, str]] = set()
        for key in keys:
            rows = self._db.execute(
                "SELECT opened, id, state FROM keys JOIN dossiers USING (id) WHERE key = ? AND mailbox = ?",
                (key, mailbox),
            )
            found.update((opened, case_id) for opened, case_id, state in rows if (state in CLOSED_STATES) == over)
        return [case_id for _, case_id in sorted(found)]

    def cases(self) -> list[str]:
        """The ids of all cases, oldest first."""
        return self._ids("SELECT id FROM dossiers WHERE state IS NOT NULL ORDER BY opened, id")

    def states(self) -> dict[State, int]:
        """How many cases are in each state."""
        return dict(self._db.execute("SELECT state, count(*) FROM dossiers WHERE state IS NOT NULL GROUP BY state"))

    def answers_since(self, recipient: str, at: datetime) -> int:
        """How many direct answers went to an address (lower case) since a moment."""
        return int(
            self._one(
                "SELECT count(*) FROM replies WHERE direct AND recipient = ? AND created >= ?", recipient, _number(at)
            )
            or 0
        )

    def due(self, now: datetime) -> tuple[DueDate, ...]:
        """The cases with a deadline that has come, earliest first."""
        rows = self._db.execute("SELECT id, due FROM dossiers WHERE due <= ? ORDER BY due, id", (_number(now),))
        return tuple(DueDate(case_id, _moment(due)) for case_id, due in rows)

    def next_due(self) -> datetime | None:
        """The earliest deadline."""
        number = self._one("SELECT min(due) FROM dossiers WHERE due IS NOT NULL")
        return None if number is None else _moment(int(number))

    def unsent(self, now: datetime) -> list[tuple[str, str]]:
        """Message-ID and dossier of the replies that may go out, in the order of their creation."""
        return self._db.execute(
            "SELECT message_id, id FROM replies WHERE waits AND (due IS NULL OR due <= ?) ORDER BY created, seq",
            (_number(now),),
        ).fetchall()

    def pending(self) -> int:
        """How many replies wait."""
        return int(self._one("SELECT count(*) FROM replies WHERE waits") or 0)

    def home(self, message_id: str) -> str | None:
        """The dossier of a reply."""
        home: str | None = self._one("SELECT id FROM replies WHERE message_id = ?", message_id)
        return home

    def seen(self, identity: str) -> tuple[str, int] | None:
        """The ledger file and offset of a mail's record."""
        with closing(self._db.execute("SELECT path, at FROM seen WHERE identity = ?", (identity,))) as rows:
            row: tuple[str, int] | None = rows.fetchone()
        return row

    def _one(self, query: str, *values: object) -> Any:
        with closing(self._db.execute(query, values)) as rows:
            row = rows.fetchone()
        return row[0] if row else None

    def _ids(self, query: str, *values: object) -> list[str]:
        return [row[0] for row in self._db.execute(query, values)]


def _prepared(path: Path | str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        # One process holds the state's lock, so the index needs none; a write-ahead log survives a kill whole and is on
        # the disk at a checkpoint, before the journal is emptied.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL").fetchall()
        db.execute("PRAGMA synchronous = NORMAL")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise sqlite3.DatabaseError(f"index version {version}")  # noqa: TRY301 - closed below, as after any other
        if version == 0:
            db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
    except BaseException:
        db.close()
        raise
    return db
