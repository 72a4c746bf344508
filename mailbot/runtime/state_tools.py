"""What `mailbot state` does: verify a store, copy it, write its cases as files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinydb import TinyDB

from mailbot.runtime import version_1
from mailbot.runtime.store import StateError, Store, rows
from mailbot.runtime.store.schema import COPIED

_SECOND_CHECK = 0.5  # seconds; a running daemon may be in the middle of a change
_ORPHANS = "SELECT DISTINCT case_id FROM {} WHERE case_id IS NOT NULL AND case_id NOT IN (SELECT id FROM cases)"
_CONTENTS = "SELECT message_id, digest, content FROM replies JOIN contents USING (message_id)"
_INDEXED = ("mailbox", "state", "over", "opened_at", "due_at", "folder")


def check(store: Store) -> list[str]:
    """Return what is wrong with a state, and how to fix it; nothing if all is well. Works while the daemon runs."""
    found = list(_problems(store))
    if found:
        time.sleep(_SECOND_CHECK)
        again = set(_problems(store))
        found = [each for each in found if each in again]
    return found


def _problems(store: Store) -> Iterator[str]:
    if store.files and (text := store.database.value("PRAGMA integrity_check(1)")) != "ok":
        yield f"{store.database.place}: {text}; restore it from a backup"
    known = {row.id: row for row in store.database.run("SELECT * FROM cases").fetchall()}
    for row in known.values():
        yield from _case_problems(store, row)
    yield from _reply_problems(store)
    if store.files:
        for folder, case_id in store.files.found():
            if case_id not in known:
                yield f"{store.files.path(folder, case_id)} belongs to no case; move it away"


def _reply_problems(store: Store) -> Iterator[str]:
    for table in ("numbers", "case_keys", "replies"):
        for row in store.database.run(_ORPHANS.format(table)):
            yield f"{table}: case {row.case_id} does not exist; restore the state from a backup"
    for row in store.database.run(_CONTENTS):
        if rows.digest(row.content) != row.digest:
            yield f"reply {row.message_id}: its bytes do not match their digest; restore the state from a backup"


def _case_problems(store: Store, row: Any) -> Iterator[str]:
    try:
        case = store.decode(row)
        if store.files and row.document is None:
            with TinyDB(store.files.path(row.folder, row.id), access_mode="r") as file:
                file.all()
    except (StateError, ValueError) as error:
        yield str(error)
        return
    expected, wanted = rows.case_row(case, b""), rows.case_keys(case)
    differing = [name for name in _INDEXED if expected[name] != getattr(row, name)]
    found = store.database.run("SELECT key FROM case_keys WHERE case_id = :id", {"id": row.id})
    keys = {each.key for each in found}
    if wanted - keys or any(not key.startswith("n:") for key in keys - wanted):
        differing.append("keys")
    if differing:
        names = ", ".join(differing)
        yield f"case {row.id}: {names} in the database differ from its document; restore the state from a backup"


def export(store: Store, folder: Path) -> int:
    """Write every case as a TinyDB file; return how many. Raises StateError: the folder has files in it, or cannot be written."""
    count = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise StateError(f"{folder} is not empty; name a new folder")
        for count, case in enumerate(store.cases(), start=1):  # noqa: B007 - it is returned
            (folder / f"{case.id}.json").write_bytes(rows.to_file(rows.encode_case(case)))
    except OSError as error:
        raise StateError(f"{error.filename or folder}: {error.strerror}; name another folder") from error
    return count


def copy(source: Store | Path, target: Store) -> int:
    """Copy a whole state, or a folder with a state of version 1, into an empty store; return how many cases it has.

    Raises StateError: the target is not empty, or the source is damaged; nothing was copied.
    """
    database = target.database
    if any(database.value(f"SELECT count(*) FROM {table.name}") for table in COPIED):
        raise StateError(f"{database.place} is not empty; copy into a new state")
    found = version_1.contents(source) if isinstance(source, Path) else _contents(source)
    database.begin()
    try:
        for table in COPIED:
            if database.run_many(table.insert, found[table.name]) != len(found[table.name]):
                raise StateError(f"two rows of {table.name} have the same key; run `mailbot state check` on the source")
        if "nextval" in database.sequence_sql:
            database.run("SELECT setval('rma_sequence', max(sequence)) FROM numbers HAVING max(sequence) > 0")
        target.commit()
    finally:
        target.rollback()
    if target.files:
        target.files.complete()
    target.checkpoint()
    return len(found["cases"])


def _contents(store: Store) -> dict[str, list[rows.Row]]:
    found: dict[str, list[rows.Row]] = {}
    for table in COPIED:
        order = "" if table.key else " ORDER BY seq"
        found[table.name] = [row._asdict() for row in store.database.run(f"SELECT * FROM {table.name}{order}")]
    for row in found["cases"]:
        case = store.case(row["id"])
        assert case is not None  # noqa: S101 - its row was just read
        row["document"] = rows.encode_case(case)
        row["digest"] = rows.digest(row["document"])
    for row in found["replies"]:
        row["worker"] = 0 if row["state"] == "sending" else None
    return found
