"""SQLite: in memory, or one file in a state folder with one writer and many readers."""

from __future__ import annotations

import functools
import json
import os
import sqlite3
from collections import namedtuple
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from mailbot.runtime.files import sync
from mailbot.runtime.store import schema
from mailbot.runtime.store.database import Database
from mailbot.runtime.store.errors import StateError, UnavailableError

DATABASE = "mailbot.db"
_PASSING = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
})  # fmt: skip
_LOG_PAGES = 8192  # of 4 KB: length of the write-ahead log at which it is worked into the database, with two flushes

sqlite3.register_adapter(list, json.dumps)  # for ``IN``


class Sqlite(Database):
    """A database in memory, or in a folder that one process writes and others read."""

    dialect = SQLiteDialect_pysqlite(paramstyle="named")
    driver_error = sqlite3.Error
    in_list = r"IN (SELECT value FROM json_each(:\1))"
    begin_sql = "BEGIN IMMEDIATE"

    def __init__(self, folder: Path | None, *, read_only: bool = False) -> None:
        super().__init__(str(folder / DATABASE) if folder else "memory", read_only=read_only)
        self._folder, self._last = folder, 0
        self._lock = None if read_only or folder is None else lock_folder(folder)

    def connect(self) -> sqlite3.Connection:
        """Return a new connection; make the database if there is none: ``open_store`` has seen that there is no state yet."""
        if self._folder is None:
            return _empty()
        file = self._folder / DATABASE
        if not self.read_only and not file.exists():
            _create(file)
        connection = _open(f"{file.absolute().as_uri()}?mode=rw")
        try:
            found = self.check_version(connection.execute("SELECT max(version) FROM schema_version").fetchone()[0])
            if found < schema.VERSION:
                connection.execute("BEGIN IMMEDIATE")
                schema.migrate(connection.execute, found)
                connection.execute("COMMIT")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
            connection.execute("PRAGMA query_only = ON" if self.read_only else "PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def translated(self, sql: str) -> str:
        """Return a statement without row locks: one process writes."""
        return sql.removesuffix("FOR UPDATE SKIP LOCKED").replace("FOR UPDATE SKIP LOCKED)", ")")

    def error(self, error: sqlite3.Error) -> Exception:
        """Return what to raise for an error of SQLite."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING:
            return UnavailableError(f"{self.place}: {error}; nothing was changed")
        return StateError(
            f"{self.place} is damaged or not a database of mailbot ({error}). Restore the state folder from a backup"
        )

    def begin(self) -> None:
        """Open a transaction, unless one is open; its commit will wait for the disk."""
        if not self.in_transaction and not self.read_only:
            self.run("PRAGMA synchronous = FULL")
        super().begin()

    def rollback(self) -> None:
        """End the transaction; what is written outside of one does not wait for the disk."""
        super().rollback()
        if not self.read_only:
            self.run("PRAGMA synchronous = NORMAL")

    def close(self) -> None:
        """Close the connection and let go of the folder."""
        super().close()
        if self._lock:
            self._lock.close()

    def draw(self) -> int:
        """Return the next sequence after those that were used or drawn."""
        self._last = (self._last or self.value("SELECT coalesce(max(sequence), 0) FROM numbers")) + 1
        return self._last

    def continue_sequence(self) -> None:
        """Continue after the highest sequence in ``numbers``."""
        self._last = 0

    def problems(self) -> list[str]:
        """Return what SQLite finds wrong with its file."""
        found = [row[0] for row in self.run("PRAGMA integrity_check")]
        return [f"{self.place}: {text}; restore it from a backup" for text in found if text != "ok"]


@functools.cache
def _row_type(*columns: str) -> Any:
    return namedtuple("Row", columns, rename=True)  # noqa: PYI024 - the columns are a statement's


def _row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Any:
    return _row_type(*[column[0] for column in cursor.description])._make(values)


def _open(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
    connection.row_factory = _row
    return connection


def _empty() -> sqlite3.Connection:
    connection = _open("file::memory:")
    schema.create(connection.execute, Sqlite.dialect)
    return connection


def _create(file: Path) -> None:
    """Make an empty database. It gets its name only when it is whole."""
    fresh = file.with_name(f"{file.name}.new")
    empty = _empty()
    fresh.write_bytes(empty.serialize())
    empty.close()
    connection = _open(fresh.absolute().as_uri())
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    fresh.chmod(0o600)
    sync(fresh)
    fresh.replace(file)
    sync(file.parent)


def lock_folder(folder: Path) -> sqlite3.Connection:
    """Take a state folder for this process until the result is closed or the process ends. Make the folder if needed.

    The lock is SQLite's own, on a database beside the state's, so that readers are never locked out.

    Raises:
        StateError: another process has it, or it cannot be made or written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = sqlite3.connect(folder / "lock.db", timeout=0, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise UnavailableError(f"{folder}: {error}; nothing was changed") from error
    pid = folder / "lock.pid"
    try:
        lock.execute("BEGIN IMMEDIATE")  # held until the end; nothing is ever written, so nothing can be damaged
    except sqlite3.Error as error:
        lock.close()
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise UnavailableError(f"{folder / 'lock.db'}: {error}; nothing was changed") from error
        holder = pid.read_text().strip() if pid.exists() else "?"
        raise StateError(f"{folder} is in use by process {holder}; stop it or use another state folder") from None
    with suppress(OSError):  # it only helps the reader of the message above
        pid.write_text(f"{os.getpid()}\n")
    return lock
