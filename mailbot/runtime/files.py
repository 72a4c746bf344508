"""Files that are either whole or not there, and errors of the disk in words."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from mailbot.runtime.store_protocol import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def replace(path: Path, content: bytes, *, durable: bool) -> None:
    """Puts a whole file in the place of another: a reader, and a process that is killed, leave one or the other.

    With ``durable`` the content is on the disk before it takes the name; without, somebody else must hold a durable
    copy until ``sync`` was called (in a power cut a file system may keep the new name and lose the content).
    """
    fresh = path.with_name(f"{path.name}.new")  # one process writes the state, so one name is enough
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            write_all(handle, content)
            if durable:
                os.fsync(handle)
        finally:
            os.close(handle)
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise


def write_all(handle: int, content: bytes) -> None:
    """Writes everything; the system may take less at a time."""
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]


def sync(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turns what the system says of the disk into a ``StateError`` that names the place."""
    try:
        yield
    except OSError as error:
        raise StateError(f"{error.filename or place}: {error.strerror or error}; nothing was changed") from error
