"""Case files: one TinyDB document each. How they get from the database to their places, also after a kill.

A commit puts documents into the database. Their files are written after it; once these are on the disk, the documents leave
the database. A case that is over has its file in ``archive/YEAR``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from mailbot.runtime import files
from mailbot.runtime.errors import StateError, UnavailableError
from mailbot.runtime.state_folder import DATABASE
from mailbot.runtime.store import rows
from mailbot.runtime.store.database import Database

SYNC_AFTER = 500
"""Case documents that are kept in the database until their files are synced together."""
_FEW = 16  # files that are synced one by one; more are synced with the whole file system at once


class CaseFiles:
    """The case files below one state folder. A place is a folder, ``cases`` or ``archive/YEAR``, and a case id."""

    def __init__(self, database: Database, root: Path) -> None:
        self._database, self.root = database, root
        self._waiting: dict[str, tuple[bytes, str, str]] = {}  # case id: document, its folder, the folder before
        self.unsynced = 0
        """How many files were written since the last ``sync_files``."""

    def path(self, folder: str, case_id: str) -> Path:
        """Return where a case's file is."""
        return self.root / folder / f"{case_id}.json"

    def found(self) -> Iterator[tuple[str, str]]:
        """Yield the place of every file."""
        for file in sorted((*self.root.glob("cases/*.json"), *self.root.glob("archive/*/*.json"))):
            yield str(file.parent.relative_to(self.root)), file.stem

    def read(self, folder: str, case_id: str) -> bytes | None:
        """Return the document of a file, or whatever is there; None if nothing is. Raises UnavailableError: it cannot be read."""
        try:
            return rows.from_file(self.path(folder, case_id).read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnavailableError(f"{error.filename}: {error.strerror}") from error

    def complete(self) -> None:
        """Write the documents that the database still has; remove or move what a killed process left in another place.

        Raises StateError: a file is missing, or belongs to no case of the database.
        """
        known = {row.id: row for row in self._database.run("SELECT id, folder, document FROM cases")}
        found = set(self.found())
        for folder, case_id in sorted(found):
            path, row = self.path(folder, case_id), known.get(case_id)
            if row is None:
                raise StateError(
                    f"{path} is a case that {DATABASE} does not know: one of them is older. "
                    "Restore the whole folder from one backup, or move the file away to give up this case"
                )
            if row.folder != folder and (row.document or (row.folder, case_id) in found):
                path.unlink()
            elif row.folder != folder:
                self.path(row.folder, case_id).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.replace(self.path(row.folder, case_id))
                found.add((row.folder, case_id))
        for row in known.values():
            if row.document:
                self._waiting[row.id] = (row.document, row.folder, row.folder)
            elif (row.folder, row.id) not in found:
                raise StateError(f"{self.path(row.folder, row.id)} is missing; restore it from a backup")
        self.write({})

    def write(self, documents: Mapping[str, tuple[bytes, str, str]]) -> None:
        """Write documents that were just committed, as in ``_waiting``. What the disk refuses waits, safe in the database."""
        self._waiting |= documents
        with suppress(OSError):
            self._write()
        if self.unsynced >= SYNC_AFTER:
            with suppress(UnavailableError):  # the commit is durable; the next checkpoint says what is wrong
                self.sync_files()

    def _write(self) -> None:
        for folder in {folder for _, folder, _ in self._waiting.values()}:
            (self.root / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        for case_id, (document, folder, before) in list(self._waiting.items()):
            files.replace(f"{self.root}/{folder}/{case_id}.json", rows.to_file(document))
            if before != folder:
                self.path(before, case_id).unlink(missing_ok=True)
            del self._waiting[case_id]
            self.unsynced += 1

    def sync_files(self) -> None:
        """Write what waits, wait until all files are on the disk, then drop their documents from the database.

        Raises UnavailableError: the disk refused it; nothing is lost.
        """
        try:
            self._write()
            query = "SELECT folder, id FROM cases WHERE document IS NOT NULL"
            if paths := {self.path(row.folder, row.id) for row in self._database.run(query)}:
                self._sync(paths)
                self._database.run("UPDATE cases SET document = NULL WHERE document IS NOT NULL")
        except OSError as error:
            raise UnavailableError(f"{error.filename or self.root}: {error.strerror}; nothing is lost") from error
        self.unsynced = 0

    def _sync(self, paths: set[Path]) -> None:
        if len(paths) > _FEW:
            files.sync_file_system(self.root)
            return
        folders = {self.root / folder for path in paths for folder in path.relative_to(self.root).parents}
        for path in (*paths, *folders):
            files.sync(path)
