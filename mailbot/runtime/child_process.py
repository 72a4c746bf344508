"""Processes of our own that do risky or heavy work: how they are started, asked, and stopped.

A child gets a minimal environment: the module path, and what it is given. It exits when its standard input is closed, also
if this process is killed. It is not forked, because this process has threads.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import IO, TypeVar

import msgspec

Read = TypeVar("Read")


_NOTHING: Mapping[str, str] = MappingProxyType({})


def start(module: str, *arguments: str, environment: Mapping[str, str] = _NOTHING) -> subprocess.Popen[bytes]:
    """Start a module as a process, with these environment variables. Raises OSError: it cannot be started."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-P", "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
        start_new_session=True,  # Ctrl-C must stop the main process only, which finishes the current email
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Kill a process: it has nothing to save."""
    process.kill()
    with suppress(OSError):
        process.communicate()


class Watch(threading.Timer):
    """Kills a process when the block takes too long."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        super().__init__(seconds, process.kill)
        self.daemon = True

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self.cancel()


def send(pipe: IO[bytes], value: object) -> None:
    """Write one value to a pipe. Raises OSError: the other side has closed it."""
    data = msgspec.msgpack.encode(value)
    pipe.write(len(data).to_bytes(8, "big") + data)
    pipe.flush()


def receive(pipe: IO[bytes], kind: type[Read], max_size: int) -> Read:
    """Read one value. Raises EOFError if the other side has closed the pipe, ValueError if the value is invalid or too long."""
    size = int.from_bytes(_read_exactly(pipe, 8), "big")
    if size > max_size:
        raise ValueError(f"an answer of {size} bytes is too long")
    return msgspec.msgpack.decode(_read_exactly(pipe, size), type=kind)


def _read_exactly(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data


def pipes_of_child() -> tuple[IO[bytes], IO[bytes]]:
    """Return the pipes for requests and answers, in the child; the output of libraries does not get into the answers."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return requests, answers
