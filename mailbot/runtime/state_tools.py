"""What `mailbot state` does: verify a store, copy it, write its cases as files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tinydb import TinyDB

from mailbot.runtime.store import rows, version_1
from mailbot.runtime.store.errors import StateError
from mailbot.runtime.store.schema import COPIED, case_keys, cases, contents, numbers, replies
from mailbot.runtime.store.sessions import SEQUENCE
from mailbot.runtime.store.store import Store

_AT_ONCE = 200
_SECOND_LOOK = 0.5  # seconds; a running daemon may be in the middle of a change


def check(store: Store) -> list[str]:
    """Return what is wrong with a state, and how to fix it; nothing if all is well. Works while the daemon runs."""
    found = list(_look(store))
    if found:
        time.sleep(_SECOND_LOOK)
        again = set(_look(store))
        found = [each for each in found if each in again]
    return found


def _look(store: Store) -> Iterator[str]:
    yield from store.session.problems()
    known: dict[str, str] = {}
    for row in store.session.execute(sa.select(cases)).all():
        known[row.id] = row.folder
        yield from _look_at_case(store, row)
    for table in (numbers, case_keys, replies):
        lost = sa.select(table.c.case_id).where(
            table.c.case_id.is_not(None), table.c.case_id.not_in(sa.select(cases.c.id))
        )
        for case_id in store.session.execute(lost.distinct()).scalars():
            yield f"{table.name}: case {case_id} does not exist; restore the state from a backup"
    sent = sa.select(replies.c.message_id, replies.c.sha256, contents.c.content)
    for row in store.session.execute(sent.join(contents, contents.c.message_id == replies.c.message_id)):
        if rows.digest(row.content) != row.sha256:
            yield f"reply {row.message_id}: its bytes do not match their digest; restore the state from a backup"
    if store.filing:
        for folder, case_id in store.filing.files.found():
            if case_id not in known:
                yield f"{store.filing.files.path(folder, case_id)} belongs to no case; move it away"


def _look_at_case(store: Store, row: Any) -> Iterator[str]:
    try:
        case = store.decode(row)
        if store.filing and row.document is None:
            path = store.filing.files.path(row.folder, row.id)
            with TinyDB(path, access_mode="r") as file:
                file.all()
    except (StateError, ValueError) as error:
        yield str(error)
        return
    expected = rows.case_row(case, b"")
    differing = [
        name for name in ("mailbox", "state", "over", "opened_at", "due_at") if expected[name] != getattr(row, name)
    ]
    keys = set(store.session.execute(sa.select(case_keys.c.key).where(case_keys.c.case_id == row.id)).scalars())
    wanted = rows.case_keys(case)
    if wanted - keys or any(not key.startswith("n:") for key in keys - wanted):
        differing.append("keys")
    if differing:
        yield f"case {row.id}: {', '.join(differing)} in the database differ from its document; restore the state from a backup"


def export(store: Store, folder: Path) -> int:
    """Write every case as a TinyDB file; return how many.

    Raises:
        StateError: the folder has files in it, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise StateError(f"{folder} is not empty; name a new folder")
        count = 0
        for case in store.cases():
            (folder / f"{case.id}.json").write_bytes(rows.encode_case(case))
            count += 1
    except OSError as error:
        raise StateError(f"{error.filename or folder}: {error.strerror}; name another folder") from error
    return count


def copy(source: Store | Path, target: Store) -> int:
    """Copy a whole state; return how many cases it has.

    Args:
        source: a store, or a folder with a state of version 1.
        target: an empty store.

    Raises:
        StateError: the target is not empty, or the source is damaged; nothing was copied.
    """
    for table in COPIED:
        if target.session.execute(sa.select(sa.func.count()).select_from(table)).scalar():
            raise StateError(f"{target.session.place} is not empty; copy into a new state")
    found, sequence = version_1.contents(source) if isinstance(source, Path) else _contents(source)
    target.session.begin()
    try:
        for table in COPIED:
            for start in range(0, len(found[table.name]), _AT_ONCE):
                some = found[table.name][start : start + _AT_ONCE]
                target.session.execute(table.insert(), some)
        target.session.resume(sequence)
        target.adopt((row["id"], row["document"]) for row in found["cases"])
        target.commit()
    finally:
        target.rollback()
    target.checkpoint()
    return len(found["cases"])


def _contents(store: Store) -> tuple[dict[str, list[rows.Row]], int]:
    found: dict[str, list[rows.Row]] = {}
    for table in COPIED:
        order = [table.c[name] for name in ("seq",) if name in table.c]
        found[table.name] = [dict(row._mapping) for row in store.session.execute(sa.select(table).order_by(*order))]  # noqa: SLF001 - SQLAlchemy's public name for it
        for row in found[table.name]:
            row.pop("seq", None)
    for row in found["cases"]:
        case = store.case(row["id"])
        assert case is not None  # noqa: S101 - its row was just read
        row.update(rows.case_row(case, rows.encode_case(case)))
    for row in found["replies"]:
        row["worker"] = 0 if row["state"] == "sending" else None
    found["facts"] = [row for row in found["facts"] if row["name"] != SEQUENCE]
    return found, store.session.sequence()
