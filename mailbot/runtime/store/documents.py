"""Case files: one TinyDB document each, replaced whole, moved to the archive when the case is over."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mailbot.runtime.files import sync
from mailbot.runtime.store import rows
from mailbot.runtime.store.errors import StateError, UnavailableError

_FEW = 16  # files that are synced one by one; more are synced with the whole file system at once


class CaseFiles:
    """The case files below one state folder. ``folder`` is always ``cases`` or ``archive/YEAR``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, folder: str, case_id: str) -> Path:
        """Return where a case's file is."""
        return self.root / folder / f"{case_id}.json"

    def found(self) -> Iterator[tuple[str, str]]:
        """Yield folder and case id of every file."""
        years = [f"archive/{entry.name}" for entry in _entries(self.root / "archive") if entry.is_dir()]
        for folder in (rows.OPEN_FOLDER, *years):
            for entry in _entries(self.root / folder):
                if entry.name.endswith(".json"):
                    yield folder, entry.name.removesuffix(".json")

    def read(self, folder: str, case_id: str, digest: str) -> bytes | None:
        """Return a document if it has this digest, wherever it was moved; None if another version is there.

        Raises:
            StateError: there is no such file.
            UnavailableError: it cannot be read.
        """
        there = False
        try:
            for path in (self.path(folder, case_id), self.path(rows.OPEN_FOLDER, case_id), *self._archived(case_id)):
                with suppress(FileNotFoundError):
                    content = path.read_bytes()
                    there = True
                    if rows.digest(content) == digest:
                        return content
        except OSError as error:
            raise UnavailableError(f"{error.filename}: {error.strerror}") from error
        if not there:
            raise StateError(f"{self.path(folder, case_id)} is missing; restore it from a backup")
        return None

    def write(self, case_id: str, content: bytes, before: str) -> None:
        """Put a document in its file below ``cases``. A process that is killed leaves the old or the new content.

        Args:
            case_id: the case.
            content: its document.
            before: the folder in which the case was until now; a file in the archive is removed.

        Raises:
            OSError: the disk refused it; the file is as it was.
        """
        path = self.path(rows.OPEN_FOLDER, case_id)
        fresh = path.with_name(f"{path.name}.new")  # one process writes the state, so one name is enough
        try:
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                view = memoryview(content)
                while view:
                    view = view[os.write(handle, view) :]
            finally:
                os.close(handle)
            fresh.replace(path)
        except OSError:
            with suppress(OSError):
                fresh.unlink()
            raise
        if before != rows.OPEN_FOLDER:
            self.path(before, case_id).unlink(missing_ok=True)

    def archive(self, case_id: str, folder: str) -> None:
        """Move a file from ``cases`` to a folder of the archive.

        Raises:
            OSError: the disk refused it.
        """
        target = self.path(folder, case_id)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # a killed process moved it before
            self.path(rows.OPEN_FOLDER, case_id).replace(target)

    def sync(self, places: list[tuple[str, str]]) -> None:
        """Wait until these files, as (folder, case id), and their names are on the disk.

        Raises:
            OSError: the disk refused it.
        """
        if len(places) > _FEW:
            sync_file_system(self.root)
            return
        paths = {self.path(*place) for place in places}
        for path in sorted(paths | {path.parent for path in paths} | {self.root, self.root / "archive"}):
            with suppress(FileNotFoundError):
                sync(path)

    def _archived(self, case_id: str) -> list[Path]:
        return sorted((self.root / "archive").glob(f"*/{case_id}.json"))


def sync_file_system(folder: Path) -> None:
    """Wait until the whole file system of a folder is on the disk: one flush for many files (syncfs(2)).

    Raises:
        OSError: the disk refused it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syncfs"):
        os.sync()
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        if libc.syncfs(handle):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(handle)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []
