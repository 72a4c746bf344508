"""One database connection: statements, transactions, errors; and SQLite. ``postgresql`` says what differs there."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from abc import ABC, abstractmethod
from collections import namedtuple
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from mailbot.runtime.errors import StaleError, StateError, UnavailableError
from mailbot.runtime.files import sync
from mailbot.runtime.state_folder import DATABASE, lock_folder
from mailbot.runtime.store import schema

Values = Mapping[str, Any]
_PASSING = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
})  # fmt: skip
_LOG_PAGES = 8192  # of 4 KB: length of the write-ahead log at which it is worked into the database, with two flushes

sqlite3.register_adapter(list, json.dumps)  # for ``IN``


class Database(ABC):
    """One connection outside of transactions, until ``begin``. What is written outside is durable with the next commit.

    Statements are SQL with ``:name`` for values; ``IN :name`` takes a list. Any method may raise ``UnavailableError`` or
    ``StateError``. After an error inside a transaction only ``rollback`` works.
    """

    driver_error: type[Exception]
    sequence_sql: ClassVar[str]
    """Returns a sequence for an RMA number that no process was given before; ``:last`` is the last that this one got."""
    _begin: ClassVar[tuple[str, ...]]

    def __init__(self, place: str, *, read_only: bool) -> None:
        self.place, self.read_only = place, read_only
        self.in_transaction = self._broken = False
        self.worker = secrets.randbits(62)
        self.workers = {self.worker}
        """The ids under which this process has claimed replies: ``worker``, and those of connections that were lost."""
        self._connection: Any = None
        self._translations: dict[str, str] = {}

    @abstractmethod
    def _connect(self) -> Any:
        """Return a new connection of the driver to a database of the newest version."""

    @abstractmethod
    def _error(self, error: Any) -> Exception:
        """Return what to raise for an error of the driver. It contains no values."""

    @abstractmethod
    def _translate(self, sql: str) -> str:
        """Return a statement as the driver wants it."""

    def run(self, sql: str, values: Values | None = None) -> Any:
        """Run a statement and return its cursor; rows have the columns as attributes."""
        return self._execute("execute", sql, values)

    def run_many(self, sql: str, values: Sequence[Values]) -> int:
        """Run a statement for each of many values; return how many rows were written."""
        return int(self._execute("executemany", sql, values).rowcount) if values else 0

    def value(self, sql: str, values: Values | None = None) -> Any:
        """Return the one value that a statement finds, or None."""
        row = self.run(sql, values).fetchone()
        return row[0] if row else None

    def _execute(self, method: str, sql: str, values: Any) -> Any:
        if self._broken:
            raise StateError(f"{self.place}: a batch was interrupted and cannot be completed; what was staged is lost")
        try:
            if self._connection is None:
                self._connection = self._connect()
            cursor = self._connection.cursor()
            text = self._translations.get(sql) or self._translations.setdefault(sql, self._translate(sql))
            getattr(cursor, method)(text, *([values] if values else []))
        except self.driver_error as error:
            self._broken = self.in_transaction
            raise self._error(error) from None
        return cursor

    def _migrate(self, run: schema.Run) -> None:
        found = run("SELECT max(version) FROM schema_version").fetchone()[0]
        if found is None:
            raise StateError(f"{self.place} has no schema version; restore it from a backup")
        if found > schema.VERSION:
            raise StateError(
                f"{self.place} was written by a newer mailbot (schema version {found}, this one knows {schema.VERSION}). "
                "Install the newer version, or restore a backup from before the upgrade"
            )
        if found < schema.VERSION and self.read_only:
            raise StateError(f"{self.place} has schema version {found}; start `mailbot run` once, which migrates it")
        schema.migrate(run, found)

    def begin(self) -> None:
        """Open a transaction, unless one is open."""
        if self.read_only:
            raise StateError(f"{self.place} was opened to read only")
        if not self.in_transaction:
            for sql in self._begin:
                self.run(sql)
            self.in_transaction = True

    def commit(self) -> None:
        """Make the transaction durable, if one is open. If this raises, nothing is staged any more."""
        if self.in_transaction:
            try:
                self.run("COMMIT")
                self.in_transaction = False
            finally:
                self.rollback()

    def rollback(self) -> None:
        """Forget the transaction, if one is open."""
        was_open, self.in_transaction, self._broken = self.in_transaction, False, False
        if was_open and self._connection is not None:
            with suppress(StateError, StaleError):
                self.run("ROLLBACK")

    def close(self) -> None:
        """Close the connection; locks are released."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def lock(self, number: int) -> bool:  # noqa: ARG002 - one process has the whole state
        """Say whether this process has the lock with a number, now or from before; it keeps it until ``unlock``."""
        return True

    def unlock(self, number: int) -> None:  # noqa: B027
        """Let another process have a lock."""


class Sqlite(Database):
    """A database in memory, or in a folder that one process writes and others read."""

    driver_error = sqlite3.Error
    sequence_sql = "SELECT max(coalesce(max(sequence), 0), :last) + 1 FROM numbers"
    _begin = ("PRAGMA synchronous = FULL", "BEGIN IMMEDIATE")  # a commit waits for the disk

    def __init__(self, folder: Path | None, *, read_only: bool = False) -> None:
        super().__init__(str(folder / DATABASE) if folder else "memory", read_only=read_only)
        self._file = folder / DATABASE if folder else None
        self._lock = None if read_only or folder is None else lock_folder(folder)

    def _connect(self) -> sqlite3.Connection:
        if self._file is None:
            return _empty(read_only=self.read_only)
        if not self.read_only and not self._file.exists():
            _create(self._file)  # open_store has seen that there is no state yet
        connection = _open(f"{self._file.absolute().as_uri()}?mode=rw")
        try:
            connection.execute("BEGIN" if self.read_only else "BEGIN IMMEDIATE")
            self._migrate(connection.execute)
            connection.execute("COMMIT")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
            connection.execute("PRAGMA query_only = ON" if self.read_only else "PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _translate(self, sql: str) -> str:
        # one process writes, so nothing is locked
        return re.sub(r"\bIN :(\w+)", r"IN (SELECT value FROM json_each(:\1))", sql.replace(" FOR UPDATE SKIP LOCKED", ""))

    def _error(self, error: sqlite3.Error) -> Exception:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING:
            return UnavailableError(f"{self.place}: {error}; nothing was changed")
        return StateError(f"{self.place} is damaged or not a database of mailbot ({error}). Restore the state folder from a backup")

    def rollback(self) -> None:
        """Forget the transaction; what is written outside of one does not wait for the disk."""
        super().rollback()
        if not self.read_only:
            self.run("PRAGMA synchronous = NORMAL")

    def close(self) -> None:
        """Close the connection and let go of the folder."""
        super().close()
        if self._lock:
            self._lock.close()


@cache
def _row_type(*columns: str) -> Any:
    return namedtuple("Row", columns, rename=True)  # noqa: PYI024 - the columns are a statement's


def _row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Any:
    return _row_type(*[column[0] for column in cursor.description])._make(values)


def _open(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
    connection.row_factory = _row
    return connection


def _empty(*, read_only: bool = False) -> sqlite3.Connection:
    connection = _open("file::memory:")
    schema.outline(connection.execute) if read_only else schema.create(connection.execute, "sqlite")
    return connection


def _create(file: Path) -> None:
    """Make an empty database. It gets its name only when it is whole."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_bytes(_empty().serialize())
    connection = _open(fresh.absolute().as_uri())
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    fresh.chmod(0o600)
    sync(fresh)
    fresh.replace(file)
    sync(file.parent)
