"""The state folder: who may write it, whether it can be trusted, what lies in it.

cases/ID.json · notes/ID.json · archive/YEAR/ID.json · ledger/YYYY-MM.jsonl · facts.json · journal · index.db ·
meta.json · lock
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from mailbot.runtime import dossiers, files
from mailbot.runtime.index import Place
from mailbot.runtime.store_protocol import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = 1
"""The version of everything below the folder."""

_FOLDERS = ("cases", "notes", "archive", "ledger")
_FACTS = f"{dossiers.FACTS}.json"


class _Meta(msgspec.Struct, frozen=True):
    format: int


def lock(root: Path) -> int:
    """Takes the folder for this process; makes it when there is none. Gives a handle: closing it lets go.

    Raises:
        StateError: Another process has it.
        OSError: The folder cannot be made or written.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(handle, 32).decode("ascii", "replace").strip() or "?"
        os.close(handle)
        if not isinstance(error, BlockingIOError):
            raise
        raise StateError(f"{root} is in use by process {holder}; stop it or use another state folder") from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    return handle


def is_new(root: Path) -> bool:
    """Whether there is no state yet.

    Raises:
        StateError: There is something that cannot be trusted: mailbot never starts empty in its place.
    """
    try:
        content = (root / "meta.json").read_bytes()
    except FileNotFoundError:
        if left := next(_traces(root), None):
            raise StateError(
                f"{root} holds {left} but no meta.json, so it is not whole. Restore it from a backup, or empty it if "
                "mailbot is to begin anew"
            ) from None
        return True
    try:
        written = msgspec.json.decode(content, type=_Meta).format
    except msgspec.MsgspecError:
        raise StateError(f"{root / 'meta.json'} is damaged; restore it from a backup") from None
    if written > FORMAT:
        raise StateError(
            f"{root}: state was written by a newer mailbot (format {written}); install that version or restore a backup"
        )
    for name in (*_FOLDERS, _FACTS):
        if not (root / name).exists():
            raise StateError(f"{root / name} is missing; restore the folder from a backup")
    return False


def lay_out(root: Path) -> None:
    """Makes a new state. What says that there is one (meta.json) comes last.

    Raises:
        OSError: The disk would not take it.
    """
    with suppress(PermissionError):  # somebody else's folder that we may write: its rights are theirs to set
        root.chmod(0o700)
    for name in _FOLDERS:
        (root / name).mkdir(mode=0o700, exist_ok=True)
    dossiers.write(root / _FACTS, dossiers.seal(dossiers.Dossier(dossiers.FACTS, 1)))
    files.sync(root / _FACTS)
    files.replace(root / "meta.json", msgspec.json.encode(_Meta(FORMAT)) + b"\n", durable=True)
    sync(root)


def sync(root: Path) -> None:
    """Waits until every name below the folder is on the disk."""
    for folder in (root, *(root / name for name in _FOLDERS), *(root / "archive").iterdir()):
        if folder.is_dir():
            files.sync(folder)


def scan(root: Path) -> dict[str, Place]:
    """Every dossier and ledger file, by its path below the folder."""
    years = [f"archive/{entry.name}" for entry in _entries(root / "archive") if entry.is_dir()]
    found: dict[str, Place] = {}
    # cases/ again at the end: while mailbot runs, a file may go from one folder to another behind the reader's back
    for folder in ("cases", "notes", *years, "cases", "ledger"):
        suffix = ".jsonl" if folder == "ledger" else ".json"
        for entry in _entries(root / folder):
            if entry.name.endswith(suffix):
                with suppress(FileNotFoundError):
                    found[f"{folder}/{entry.name}"] = place(f"{folder}/{entry.name}", entry.stat())
    with suppress(FileNotFoundError):
        found[_FACTS] = place(_FACTS, (root / _FACTS).stat())
    return found


def place(path: str, stat: os.stat_result) -> Place:
    """What the index notes of a file."""
    return Place(path, stat.st_size, stat.st_mtime_ns)


def candidates(root: Path, dossier_id: str) -> Iterator[Path]:
    """Where a dossier may lie."""
    name = f"{dossier_id}.json"
    yield from (root / name, root / "cases" / name, root / "notes" / name)
    yield from sorted((root / "archive").glob(f"*/{name}"))


def _traces(root: Path) -> Iterator[str]:
    """Signs that there has been a state."""
    yield from (path for path in scan(root) if path != _FACTS)  # its first version is written before meta.json
    for name in ("journal", "index.db"):
        if (root / name).exists():
            yield name


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []
