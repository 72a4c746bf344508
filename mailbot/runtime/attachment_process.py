"""The opener: attachments that may break a parser are read in a process of their own, with limits on memory and time.

A hostile PDF, workbook or archive takes nobody along: its process dies, its Document is empty and says so, and the next
attachment gets a new process. That process starts when it is first needed (never by a fork of this one, which has threads),
knows no secrets, can write no file, and ends when its standard input does, so also when this process is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import IO, Self, TypeVar

import msgspec
import structlog

from mailbot.intake.attachments.extraction import AttachmentContents, OpenedAttachment, contents, look, risky
from mailbot.model import Attachment, Document, Value

log = structlog.get_logger("mailbot")

Read = TypeVar("Read")

START = 60.0
"""Seconds that the process may take until it is ready."""

ANSWER = 200_000_000
"""Bytes of the longest answer; the process may have been taken over by what it read."""

TOO_MUCH = "took too much time or memory to read"


class Limits(Value, frozen=True):
    """Bounds: bytes of address space, seconds of processor and of waiting for one attachment, seconds for one mail's."""

    memory: int = 1_000_000_000
    cpu: int = 4
    wait: float = 5.0
    mail: float = 8.0


class AttachmentProcess:
    """Opens attachments, those of one mail at a time; may be called from several threads. Close it when done."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, attachments: Sequence[Attachment]) -> AttachmentContents:
        """Open the attachments of a mail (see ``intake.documents.contents``).

        Raises:
            OSError: no process can be started.
        """
        with self._turn:
            return contents(attachments, partial(self._look, until=time.monotonic() + self.limits.mail))

    def close(self) -> None:
        """End the process."""
        with self._turn:
            self._end()

    def _look(self, attachment: Attachment, until: float) -> OpenedAttachment:
        if not risky(attachment):
            return look(attachment)
        seconds = min(self.limits.wait, until - time.monotonic())
        found = self._ask(attachment, seconds) if seconds > 0 else None
        if found is None:
            log.warning("attachment not read", name=attachment.name, size=len(attachment.content))
        return found or OpenedAttachment(Document(attachment.name, note=TOO_MUCH))

    def _ask(self, attachment: Attachment, seconds: float) -> OpenedAttachment | None:
        """Have one attachment read; None where that took the process too far, which is then gone."""
        process = self._running()
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        assert process.stdout is not None  # noqa: S101
        found = None
        try:
            with suppress(OSError, ValueError, EOFError), _Watch(process, seconds):
                _send(process.stdin, attachment)
                found = _receive(process.stdout, OpenedAttachment, ANSWER)
        finally:
            if found is None:
                self._end()  # gone, or out of step with us
        return found

    def _running(self) -> subprocess.Popen[bytes]:
        """Return the process, ready to read.

        Raises:
            OSError: it does not start.
        """
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            self._process = process = _start(self.limits)
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            try:
                with _Watch(process, START):
                    _receive(process.stdout, bool, 1)
            except (EOFError, ValueError):
                self._end()
                raise OSError("the process that reads attachments does not start") from None
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()  # it holds nothing that would have to be saved
            with suppress(OSError):
                self._process.communicate()
            self._process = None


class _Watch(threading.Timer):
    """Kills a process that takes longer than this block may."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        super().__init__(seconds, process.kill)
        self.daemon = True

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self.cancel()


def _start(limits: Limits) -> subprocess.Popen[bytes]:
    """Start the process with nothing but what it needs: where its modules lie, and its limits."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-P", "-m", "mailbot.runtime.attachment_process", str(limits.memory), str(limits.cpu)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # Ctrl-C in the terminal is for the one who finishes the mail in hand
    )


def _send(pipe: IO[bytes], value: object) -> None:
    data = msgspec.msgpack.encode(value)
    pipe.write(len(data).to_bytes(8, "big") + data)
    pipe.flush()


def _receive(pipe: IO[bytes], kind: type[Read], most: int) -> Read:
    """Read one value.

    Raises:
        EOFError: the other side has gone.
        ValueError: what comes is no such value, or too long.
    """
    size = int.from_bytes(_exactly(pipe, 8), "big")
    if size > most:
        raise ValueError(f"{size} bytes are too many")
    return msgspec.msgpack.decode(_exactly(pipe, size), type=kind)


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data


# ---------------------------------------------------------------- in the process


def serve(memory: int, cpu: int) -> None:
    """Read attachments from standard input, one after another, until there are no more."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)  # it ends with its standard input, not amid an attachment
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    _confine(memory)
    _send(answers, True)  # noqa: FBT003 - "ready"
    with suppress(EOFError):
        while True:
            attachment = _receive(requests, Attachment, sys.maxsize)
            _allow(cpu)
            _send(answers, look(attachment))


def _confine(memory: int) -> None:
    """Load the libraries, then limit what they may do from here on."""
    import resource

    import pypdf  # noqa: F401 - loading is not to count as reading
    import python_calamine  # noqa: F401
    import tnefparse  # noqa: F401

    for limit, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (value, value))


def _allow(seconds: int) -> None:
    """Allow so many seconds of processor from now on."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, hard))


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
