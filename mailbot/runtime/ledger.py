"""The ledger: every mail that arrived, one sealed line each, a file a month; only ever added to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from mailbot.model import MailRecord
from mailbot.runtime import files
from mailbot.runtime.dossiers import seal, unbroken
from mailbot.runtime.store_protocol import StateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def month(record: MailRecord) -> str:
    """The file that a record belongs to, below the state folder."""
    return f"ledger/{record.at:%Y-%m}.jsonl"


def append(path: Path, records: Iterable[MailRecord]) -> list[tuple[MailRecord, int]]:
    """Adds records to a file; gives each with the offset of its line.

    Raises:
        OSError: The disk would not take them; some, and a part of one, may stand in the file.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        end = os.fstat(handle).st_size
        lines, added = [], []
        for record in records:
            lines.append(msgspec.json.encode(seal(record)) + b"\n")
            added.append((record, end))
            end += len(lines[-1])
        files.write_all(handle, b"".join(lines))
    finally:
        os.close(handle)
    return added


def read(path: Path, *, torn: bool) -> Iterator[tuple[MailRecord, int, int]]:
    """The records of a file, each with the offsets of its line and of the next.

    Args:
        path: The file.
        torn: Its last line may be cut off (a power cut, before a checkpoint); it is left out then.

    Raises:
        StateError: A line is damaged.
    """
    with path.open("rb") as lines:
        offset = 0
        for number, line in enumerate(lines, 1):
            record = _decode(line)
            if record is None:
                if torn and not any(_decode(later) for later in lines):
                    return
                raise StateError(
                    f"{path} is damaged in line {number}. Restore this file from a backup; without it mailbot could "
                    "answer a mail twice"
                )
            yield record, offset, offset + len(line)
            offset += len(line)


def read_one(path: Path, offset: int) -> MailRecord | None:
    """The record whose line begins at an offset, if it is whole."""
    with path.open("rb") as lines:
        lines.seek(offset)
        return _decode(lines.readline())


def _decode(line: bytes) -> MailRecord | None:
    try:
        body = msgspec.json.decode(line)
        return msgspec.convert(body, MailRecord) if line.endswith(b"\n") and unbroken(body) else None
    except msgspec.MsgspecError:
        return None
