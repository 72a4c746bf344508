"""Everything mailbot knows, in one store with three uses: in memory, a folder (SQLite and TinyDB files), PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from mailbot.runtime.errors import DuplicateError, StaleError, StateError, UnavailableError
from mailbot.runtime.state_folder import holds_state, lock_folder
from mailbot.runtime.store.case_files import CaseFiles
from mailbot.runtime.store.database import Sqlite
from mailbot.runtime.store.store import Store

__all__ = ["DuplicateError", "StaleError", "StateError", "Store", "UnavailableError", "lock_folder", "open_store"]


def open_store(url: str = "memory:", *, read_only: bool = False, password: str | None = None, keep_sent_days: int = 30) -> Store:
    """Open a store; make it if there is none.

    Args:
        url: ``memory:``, ``tinydb:FOLDER`` or ``postgresql://user@host/database``.
        read_only: take no lock and write nothing; works while another process writes. If there is no state, it is empty.
        password: for PostgreSQL, if it asks for one.
        keep_sent_days: how many days the bytes of a sent reply are kept. Its SHA-256 stays.

    Raises StateError: another process has the state, or it cannot be trusted, read or written.
    """
    if url.startswith("postgresql://"):
        from mailbot.runtime.store.postgresql import Postgresql

        return Store(Postgresql(url, password, read_only=read_only), keep_sent_days=keep_sent_days)
    folder = Path(url.removeprefix("tinydb:"))
    if url == "memory:" or (not holds_state(folder) and read_only):
        return Store(Sqlite(None, read_only=read_only), keep_sent_days=keep_sent_days)
    database = Sqlite(folder, read_only=read_only)
    try:
        return Store(database, CaseFiles(database, folder), keep_sent_days=keep_sent_days)
    except BaseException:
        database.close()
        raise
