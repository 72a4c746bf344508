"""SQLite: in memory, or one file in a state folder with one writer and many readers."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import namedtuple
from functools import cache
from pathlib import Path
from typing import Any

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
            if not self.read_only:
                connection.execute("BEGIN IMMEDIATE")
            self._migrate(connection.execute)
            if not self.read_only:
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
    if read_only:
        schema.outline(connection.execute)
    else:
        schema.create(connection.execute, "sqlite")
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
