"""SQLite: in memory, or one file in a state folder with one writer and many readers."""

from __future__ import annotations

import functools
import json
import sqlite3
from collections import namedtuple
from pathlib import Path
from typing import Any

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from mailbot.runtime.errors import StateError, UnavailableError
from mailbot.runtime.files import sync
from mailbot.runtime.state_folder import DATABASE, lock_folder
from mailbot.runtime.store import schema
from mailbot.runtime.store.database import Database

_PASSING = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
})  # fmt: skip
_LOG_PAGES = 8192  # of 4 KB: length of the write-ahead log at which it is worked into the database, with two flushes

sqlite3.register_adapter(list, json.dumps)  # for ``IN``


class Sqlite(Database):
    """A database in memory, or in a folder that one process writes and others read."""

    dialect, driver_error = SQLiteDialect_pysqlite(paramstyle="named"), sqlite3.Error
    sequence_sql = "SELECT max(coalesce(max(sequence), 0), :last) + 1 FROM numbers"
    _in_list, _begin_sql = r"IN (SELECT value FROM json_each(:\1))", "BEGIN IMMEDIATE"

    def __init__(self, folder: Path | None, *, read_only: bool = False) -> None:
        super().__init__(str(folder / DATABASE) if folder else "memory", read_only=read_only)
        self._file = folder / DATABASE if folder else None
        self._lock = None if read_only or folder is None else lock_folder(folder)

    def _connect(self) -> sqlite3.Connection:
        if self._file is None:
            return _empty()
        if not self.read_only and not self._file.exists():
            _create(self._file)  # open_store has seen that there is no state yet
        connection = _open(f"{self._file.absolute().as_uri()}?mode=rw")
        try:
            found = self._check_version(connection.execute("SELECT max(version) FROM schema_version").fetchone()[0])
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

    def _translate(self, sql: str) -> str:
        return super()._translate(sql.replace(" FOR UPDATE SKIP LOCKED", ""))  # one process writes

    def _error(self, error: sqlite3.Error) -> Exception:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING:
            return UnavailableError(f"{self.place}: {error}; nothing was changed")
        return StateError(f"{self.place} is damaged or not a database of mailbot ({error}). Restore the state folder from a backup")

    def begin(self) -> None:
        """Open a transaction, unless one is open; its commit will wait for the disk."""
        if not self.in_transaction and not self.read_only:
            self.run("PRAGMA synchronous = FULL")
        super().begin()

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
    fresh.write_bytes(_empty().serialize())
    connection = _open(fresh.absolute().as_uri())
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    fresh.chmod(0o600)
    sync(fresh)
    fresh.replace(file)
    sync(file.parent)
