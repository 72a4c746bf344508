"""How case documents get from the database into their files, and how a start completes what a kill left behind."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from mailbot.runtime.store import rows
from mailbot.runtime.store.documents import CaseFiles
from mailbot.runtime.store.errors import StateError, UnavailableError
from mailbot.runtime.store.schema import cases, replies
from mailbot.runtime.store.sessions import Session
from mailbot.runtime.store.sqlite import DATABASE

SYNC_AFTER = 500
"""Case documents that are kept in the database until their files are synced together."""


def exists(folder: Path) -> bool:
    """Say whether a folder holds a state that this version can open.

    Raises:
        StateError: there are remains of a state, or a state of version 1.
    """
    if (folder / DATABASE).exists():
        return True
    if (folder / "meta.json").exists():
        raise StateError(
            f"{folder} is a state of version 1. Copy it into a new one: `mailbot state copy tinydb:{folder} tinydb:NEW`, "
            "then write the new folder into mailbot.toml"
        )
    if left := next(CaseFiles(folder).found(), None) or (folder / f"{DATABASE}-wal").exists():
        what = "/".join(left) + ".json" if isinstance(left, tuple) else f"{DATABASE}-wal"
        raise StateError(
            f"{folder} holds {what} but no {DATABASE}. Restore the folder from a backup, or empty it to begin anew"
        )
    return False


class Filing:
    """The documents of one store with a folder: written after a commit, dropped from the database once synced."""

    def __init__(self, session: Session, files: CaseFiles) -> None:
        self._session, self.files = session, files
        self._waiting: dict[str, tuple[bytes, str]] = {}  # case id: document, folder of its old file
        self._kept = 0

    def complete(self) -> None:
        """Write the documents that a killed process left in the database; follow files that it moved.

        Raises:
            StateError: a file is missing, or belongs to no case of the database.
        """
        query = sa.select(cases.c.id, cases.c.folder, cases.c.document.is_not(None).label("kept"))
        known = {row.id: row for row in self._session.execute(query)}
        found = set(self.files.found())
        for folder, case_id in sorted(found):
            row = known.get(case_id)
            if row is None:
                raise StateError(
                    f"{self.files.path(folder, case_id)} is a case that {DATABASE} does not know: one of them is older. "
                    "Restore the whole folder from one backup, or move the file away to give up this case"
                )
            if row.folder != folder and (row.kept or (row.folder, case_id) in found):
                self.files.path(folder, case_id).unlink(missing_ok=True)
            elif row.folder != folder:
                self._session.execute(cases.update().where(cases.c.id == case_id).values(folder=folder))
                found.add((row.folder, case_id))
        for row in known.values():
            if not row.kept and (row.folder, row.id) not in found:
                raise StateError(f"{self.files.path(row.folder, row.id)} is missing; restore it from a backup")
        kept = sa.select(cases.c.id, cases.c.document).where(cases.c.document.is_not(None))
        self._waiting = {row.id: (row.document, rows.OPEN_FOLDER) for row in self._session.execute(kept)}
        self.write()

    def put(self, case_id: str, document: bytes, before: str) -> None:
        """Take a document that was just committed; ``before`` is the folder of its old file."""
        self._waiting[case_id] = (document, before)

    def write(self) -> None:
        """Write what waits; what the disk refuses waits on, safe in the database."""
        with suppress(OSError):
            self._write()

    def _write(self) -> None:
        if self._waiting:
            (self.files.root / rows.OPEN_FOLDER).mkdir(mode=0o700, exist_ok=True)
        for case_id, (document, before) in list(self._waiting.items()):
            self.files.write(case_id, document, before)
            del self._waiting[case_id]
            self._kept += 1

    @property
    def full(self) -> bool:
        """Whether so many documents are kept twice that ``tidy`` should be called."""
        return self._kept >= SYNC_AFTER

    def tidy(self) -> None:
        """Sync the files, drop their documents from the database, move closed cases to the archive.

        Raises:
            UnavailableError: the disk refused it; nothing is lost.
        """
        try:
            self._write()
            self._archive()
            query = sa.select(cases.c.folder, cases.c.id).where(cases.c.document.is_not(None))
            if kept := [(row.folder, row.id) for row in self._session.execute(query)]:
                self.files.sync(kept)
                self._session.execute(cases.update().where(cases.c.document.is_not(None)).values(document=None))
        except OSError as error:
            raise UnavailableError(f"{error.filename or self.files.root}: {error.strerror}; nothing is lost") from error
        self._kept = 0

    def _archive(self) -> None:
        unsent = sa.exists().where(replies.c.case_id == cases.c.id, replies.c.unsent == 1)
        query = sa.select(cases.c.id, cases.c.updated_at).where(
            cases.c.folder == rows.OPEN_FOLDER, cases.c.over == 1, ~unsent
        )
        for row in self._session.execute(query).all():
            folder = f"archive/{rows.moment(row.updated_at).year}"
            self.files.archive(row.id, folder)
            self._session.execute(cases.update().where(cases.c.id == row.id).values(folder=folder))
