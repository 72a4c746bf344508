"""How the index is made to agree with the files: what differs in size or change time is read and verified."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mailbot.runtime import dossiers, folder, ledger
from mailbot.runtime.store_protocol import StateError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from mailbot.runtime.index import Index, Place


def survey(root: Path, index: Index, *, in_journal: Collection[str], torn: bool, read_only: bool) -> None:
    """Brings the index up to what lies in the folder.

    Args:
        root: The state folder.
        index: The index, as it was left.
        in_journal: The ids of dossiers that the journal holds: their files may be unfinished (a power cut).
        torn: A ledger's last line may be cut off, and is cut off wholly.
        read_only: Nothing in the folder is changed, and files may be moved meanwhile.

    Raises:
        StateError: A file is damaged.
    """
    known, found = index.places(), folder.scan(root)
    for path in (None, *(known.keys() - found.keys())):
        index.forget(path)
    for path, place in found.items():
        if known.get(path) == place:
            continue
        index.forget(path)
        if path.startswith("ledger/"):
            _ledger(root, index, place, torn=torn, read_only=read_only)
        elif (stale := _dossier(root, index, place, in_journal)) and not read_only:
            (root / stale).unlink(missing_ok=True)


def _dossier(root: Path, index: Index, place: Place, in_journal: Collection[str]) -> str | None:
    """Takes over a dossier; gives the file that is to go: an unfinished one, or the older of two copies.

    A power cut leaves the former, and the journal has it whole; a kill the latter, in the folder it was moved from.
    """
    path = root / place.path
    try:
        dossier = dossiers.read(path)
    except FileNotFoundError:
        return None
    except StateError:
        if path.stem in in_journal:
            return place.path
        raise
    other = index.path(dossier.id)
    if other and dossier.revision <= index.filed(dossier.id):
        return place.path
    index.put(dossier)
    index.place(dossier, place)
    return other


def _ledger(root: Path, index: Index, place: Place, *, torn: bool, read_only: bool) -> None:
    path = root / place.path
    lines = list(ledger.read(path, torn=torn or read_only))
    end = lines[-1][2] if lines else 0
    if end < place.size and not read_only:
        os.truncate(path, end)
        place = folder.place(place.path, path.stat())
    index.record(place, ((record.identity, at) for record, at, _ in lines))
