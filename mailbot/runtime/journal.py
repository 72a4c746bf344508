"""The journal: what was committed since the last checkpoint, one line an entry, durable with one flush a batch."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from mailbot.model import MailRecord, Value
from mailbot.runtime import files
from mailbot.runtime.dossiers import Mark
from mailbot.runtime.store_protocol import StateError

if TYPE_CHECKING:
    from pathlib import Path


class Entry(Value, frozen=True):
    """One commit (sealed dossiers and records of the ledger), or one mark."""

    dossiers: tuple[dict[str, Any], ...] = ()
    records: tuple[MailRecord, ...] = ()
    mark: Mark | None = None


def read(path: Path) -> tuple[list[Entry], int]:
    """The entries of a journal and where the last one ends, in bytes; none where there is no file.

    A commit counts once its line is on the disk. The last lines may be torn (a power cut): they never counted and are
    left out. But a broken line with a commit behind it was whole once.

    Raises:
        StateError: The journal is damaged before its tail.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return [], 0
    entries: list[Entry] = []
    end = 0
    for at, line in enumerate(lines):
        entry = _decode(line)
        if entry is None:
            if _torn(lines[at:]):
                break
            raise StateError(
                f"{path} is damaged in line {at + 1}. Restore the whole state folder from a backup; without this file "
                "mailbot would forget commits that it has acted on"
            )
        entries.append(entry)
        end += len(line) + 1
    return entries, end


def _torn(rest: list[bytes]) -> bool:
    """Whether these last lines never were durable: no commit follows, and the break is one that a power cut leaves."""
    if any((entry := _decode(line)) and entry.mark is None for line in rest[1:]):
        return False
    # Lines end with a line feed: the last piece is empty unless it was cut. Blocks that never reached the disk are NUL.
    return rest[-1] != b"" or len(rest) == 1 or any(b"\0" in line for line in rest)


def _encode(entry: Entry) -> bytes:
    text = msgspec.json.encode(entry)
    return b"%s %s\n" % (_digest(text), text)


def _decode(line: bytes) -> Entry | None:
    digest, _, text = line.partition(b" ")
    try:
        return msgspec.json.decode(text, type=Entry) if text and digest == _digest(text) else None
    except msgspec.MsgspecError:
        return None


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=8).hexdigest().encode()


class Journal:
    """The journal of the one process that writes; nothing can be appended before ``open``. ``size`` is in bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1
        self.size = 0

    def open(self, end: int) -> None:
        """Goes on behind what has been read, which ends at ``end``.

        Raises:
            OSError: The disk would not have it.
        """
        self.close()
        self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.ftruncate(self._handle, end)
        files.sync(self._path.parent)  # its name; the first durable entry brings the file itself
        self.size = end

    def append(self, entry: Entry, *, durable: bool) -> None:
        """Adds an entry; with ``durable`` it, and all before it, are on the disk when this returns.

        Raises:
            OSError: The disk would not take it. It is taken back, as far as the disk lets.
        """
        line = _encode(entry)
        try:
            files.write_all(self._handle, line)
            if durable:
                os.fdatasync(self._handle)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._handle, self.size)
            raise
        self.size += len(line)

    def restart(self) -> None:
        """Begins anew. Whoever is reading the old file reads it to its end.

        Raises:
            OSError: The old journal may still be in force: read it before anything is appended.
        """
        files.replace(self._path, b"", durable=False)
        self.open(0)

    def close(self) -> None:
        """Lets go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
