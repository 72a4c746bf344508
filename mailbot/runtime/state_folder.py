"""A state folder: what is in it, and which process has it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from mailbot.runtime.errors import StateError, UnavailableError

DATABASE = "mailbot.db"
"""The name of the database in a state folder."""


def holds_state(folder: Path) -> bool:
    """Say whether a folder holds a state that this version can open.

    Raises StateError: there are remains of a state, or a state of version 1.
    """
    if (folder / DATABASE).exists():
        return True
    if (folder / "meta.json").exists():
        raise StateError(
            f"{folder} is a state of version 1. Copy it into a new one: `mailbot state copy tinydb:{folder} tinydb:NEW`, "
            "then write the new folder into mailbot.toml"
        )
    for pattern in ("cases/*.json", "archive/*/*.json", f"{DATABASE}-wal"):
        for left in folder.glob(pattern):
            raise StateError(
                f"{folder} holds {left.relative_to(folder)} but no {DATABASE}. "
                "Restore the folder from a backup, or empty it to begin again"
            )
    return False


def lock_folder(folder: Path) -> sqlite3.Connection:
    """Take a state folder for this process until the result is closed or the process ends. Make the folder if needed.

    The lock is SQLite's own, on a database beside the state's, so that readers are never locked out.

    Raises StateError: another process has it, or it cannot be made or written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = sqlite3.connect(folder / "lock.db", timeout=0, isolation_level=None, check_same_thread=False)
        lock.execute("BEGIN IMMEDIATE")  # held until the end; nothing is ever written, so nothing can be damaged
    except (OSError, sqlite3.Error) as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
            raise UnavailableError(f"{folder}: {error}; nothing was changed") from error
        pid = folder / "lock.pid"
        holder = pid.read_text().strip() if pid.exists() else "?"
        raise StateError(f"{folder} is in use by process {holder}; stop it or use another state folder") from None
    with suppress(OSError):  # it only helps the reader of the message above
        (folder / "lock.pid").write_text(f"{os.getpid()}\n")
    return lock
