"""The store's connection to SQLite: in memory, or one file in a state folder with one writer and many readers."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from mailbot.runtime.files import sync
from mailbot.runtime.store import schema
from mailbot.runtime.store.errors import StateError, UnavailableError
from mailbot.runtime.store.sessions import Session

DATABASE = "mailbot.db"
_LOCK = "lock.db"
_PASSING = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
})  # fmt: skip
_LOG_PAGES = 8192  # of 4 KB: length of the write-ahead log at which it is worked into the database, with two flushes


class SqliteSession(Session):
    """A database in memory, or in a folder that one process writes and others read."""

    def __init__(self, folder: Path | None, *, read_only: bool = False) -> None:
        super().__init__(str(folder / DATABASE) if folder else "memory", read_only=read_only)
        self._folder = folder
        self._lock = None if read_only or folder is None else lock_folder(folder)

    def _connect(self) -> sa.Connection:
        if self._folder is None:
            connection = _sqlite("file::memory:")
            schema.create(connection)
            return connection
        if not self.read_only and not (self._folder / DATABASE).exists():
            _create(self._folder)  # open_store has seen that there is no state yet
        connection = _sqlite(f"{(self._folder / DATABASE).absolute().as_uri()}?mode=rw")
        try:
            found = schema.version_of(connection, self.place)
            if found < schema.VERSION:
                self._migrate(connection, found)
            connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}").all()
            connection.exec_driver_sql("PRAGMA query_only = ON" if self.read_only else "PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sa.Connection, found: int) -> None:
        if self.read_only:
            raise StateError(f"{self.place} has schema version {found}; start `mailbot run` once, which migrates it")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        schema.migrate(connection, found)
        connection.exec_driver_sql("COMMIT")

    def _error(self, error: DBAPIError) -> Exception:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code in _PASSING:
            return UnavailableError(f"{self.place}: {error.orig}; nothing was changed")
        return StateError(
            f"{self.place} is damaged or not a database of mailbot ({error.orig}). Restore the state folder from a backup"
        )

    def _begin(self) -> None:
        if self._folder:
            self._do("PRAGMA synchronous = FULL")
        self._do("BEGIN IMMEDIATE")

    def _commit(self) -> None:
        self._do("COMMIT")
        if self._folder:
            self._do("PRAGMA synchronous = NORMAL")

    def rollback(self) -> None:
        """See ``Session.rollback``."""
        super().rollback()
        if self._folder and self._connection is not None and not self.read_only:
            self._do("PRAGMA synchronous = NORMAL")

    def close(self) -> None:
        """See ``Session.close``."""
        super().close()
        if self._lock:
            self._lock.close()


def _sqlite(uri: str) -> sa.Connection:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)

    return sa.create_engine(
        "sqlite://", creator=connect, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True
    ).connect()


def _create(folder: Path) -> None:
    """Make an empty database. It gets its name only when it is whole."""
    fresh = folder / f"{DATABASE}.new"
    for suffix in ("", "-journal", "-wal", "-shm"):
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    connection = _sqlite(f"{fresh.absolute().as_uri()}?mode=rwc")
    try:
        connection.exec_driver_sql("BEGIN")
        schema.create(connection)
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA journal_mode = WAL").all()
    finally:
        connection.close()
    fresh.chmod(0o600)
    sync(fresh)
    fresh.replace(folder / DATABASE)
    sync(folder)


def lock_folder(folder: Path) -> sqlite3.Connection:
    """Take a state folder for this process until the result is closed or the process ends. Make the folder if needed.

    The lock is SQLite's own, on a database beside the state's, so that readers are never locked out.

    Raises:
        StateError: another process has it, or it cannot be made or written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = sqlite3.connect(folder / _LOCK, timeout=0, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise UnavailableError(f"{folder}: {error}; nothing was changed") from error
    pid = folder / "lock.pid"
    try:
        lock.execute("BEGIN IMMEDIATE")  # held until the end; nothing is ever written, so nothing can be damaged
    except sqlite3.Error as error:
        lock.close()
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise UnavailableError(f"{folder / _LOCK}: {error}; nothing was changed") from error
        holder = pid.read_text().strip() if pid.exists() else "?"
        raise StateError(f"{folder} is in use by process {holder}; stop it or use another state folder") from None
    with suppress(OSError):  # it only helps the reader of the message above
        pid.write_text(f"{os.getpid()}\n")
    return lock
