"""Flush files to disk."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path


def sync(path: Path) -> None:
    """Flush a file, or the directory entries of a folder, to disk (fsync). Raises OSError: the file cannot be flushed."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file_system(folder: Path) -> None:
    """Wait until the whole file system of a folder is on the disk: one flush for many files (syncfs(2)).

    Raises OSError: the disk refused it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syncfs"):
        os.sync()
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        if libc.syncfs(handle):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
    finally:
        os.close(handle)


def replace(path: str, content: bytes) -> None:
    """Replace the content of a file. A process that is killed leaves the old or the new content.

    Raises OSError: the disk refused it; the file is as it was.
    """
    fresh = f"{path}.new"  # only one process may write a file
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "wb", buffering=0) as file:  # noqa: PTH123 - a descriptor
            while content:
                content = content[file.write(content) :]
        os.replace(fresh, path)  # noqa: PTH105 - a Path takes longer
    except OSError:
        Path(fresh).unlink(missing_ok=True)
        raise
