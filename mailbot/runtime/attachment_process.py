"""Read risky attachments in a separate process, with limits on memory and time.

A hostile PDF, workbook or archive can only kill that process: its Document is then empty and says so, and the next attachment
gets a new process. The process starts when it is first needed (not by a fork, because this process has threads). It has no
secrets, cannot write files, and exits when its standard input is closed, also if this process is killed.
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

START_SECONDS = 60.0
"""Timeout for the start of the process, in seconds."""

MAX_ANSWER = 200_000_000
"""Maximum size of an answer, in bytes. It is not trusted: an attachment may have taken control of the process."""

TOO_MUCH = "took too much time or memory to read"


class Limits(Value, frozen=True):
    """Address space in bytes, processor time and waiting time in seconds per attachment, and seconds for a whole email."""

    memory: int = 1_000_000_000
    cpu: int = 4
    wait: float = 5.0
    mail: float = 8.0


class AttachmentProcess:
    """Reads the attachments of one email at a time. Thread-safe. Close it when done."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, attachments: Sequence[Attachment]) -> AttachmentContents:
        """Read the attachments of an email (see ``intake.attachments.extraction.contents``).

        Raises OSError: the process cannot be started.
        """
        with self._lock:
            return contents(attachments, partial(self._look, until=time.monotonic() + self.limits.mail))

    def close(self) -> None:
        """Stop the process."""
        with self._lock:
            self._stop()

    def _look(self, attachment: Attachment, until: float) -> OpenedAttachment:
        if not risky(attachment):
            return look(attachment)
        seconds = min(self.limits.wait, until - time.monotonic())
        found = self._ask(attachment, seconds) if seconds > 0 else None
        if found is None:
            log.warning("attachment not read", name=attachment.name, size=len(attachment.content))
        return found or OpenedAttachment(Document(attachment.name, note=TOO_MUCH))

    def _ask(self, attachment: Attachment, seconds: float) -> OpenedAttachment | None:
        """Have the process read one attachment. Return None if it failed or took too long; the process is then stopped."""
        process = self._running()
        assert process.stdin and process.stdout  # noqa: S101, PT018 - they are pipes
        found = None
        try:
            with suppress(OSError, ValueError, EOFError), _Watch(process, seconds):
                _send(process.stdin, attachment)
                found = _receive(process.stdout, OpenedAttachment, MAX_ANSWER)
        finally:
            if found is None:
                self._stop()  # it has exited, or the next answer would belong to this request
        return found

    def _running(self) -> subprocess.Popen[bytes]:
        """Return the running process; start it if necessary. Raises OSError: it cannot be started."""
        if self._process is not None and self._process.poll() is not None:
            self._stop()
        if self._process is None:
            self._process = process = _start(self.limits)
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            try:
                with _Watch(process, START_SECONDS):
                    _receive(process.stdout, bool, 1)
            except (EOFError, ValueError):
                self._stop()
                raise OSError("the process that reads attachments does not start") from None
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()  # it has nothing to save
            with suppress(OSError):
                self._process.communicate()
            self._process = None


class _Watch(threading.Timer):
    """Kills a process when the block takes too long."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        super().__init__(seconds, process.kill)
        self.daemon = True

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self.cancel()


def _start(limits: Limits) -> subprocess.Popen[bytes]:
    """Start the process with a minimal environment: only the module path, and its limits as arguments."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-P", "-m", "mailbot.runtime.attachment_process", str(limits.memory), str(limits.cpu)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # Ctrl-C must stop the main process only, which finishes the current email
    )


def _send(pipe: IO[bytes], value: object) -> None:
    data = msgspec.msgpack.encode(value)
    pipe.write(len(data).to_bytes(8, "big") + data)
    pipe.flush()


def _receive(pipe: IO[bytes], kind: type[Read], max_size: int) -> Read:
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


# ---------------------------------------------------------------- in the process


def serve(memory: int, cpu: int) -> None:
    """Read attachments from standard input, one after another, until it is closed."""
    for name in (signal.SIGINT, signal.SIGTERM):
        # it exits when its standard input is closed, not in the middle of an attachment
        signal.signal(name, signal.SIG_IGN)
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # keep the output of libraries out of the answers
    _limit_process(memory)
    _send(answers, True)  # noqa: FBT003 - "ready"
    with suppress(EOFError):
        while True:
            attachment = _receive(requests, Attachment, sys.maxsize)
            _limit_cpu(cpu)
            _send(answers, look(attachment))


def _limit_process(memory: int) -> None:
    """Load the libraries, then limit memory and forbid writing files."""
    import resource

    import pypdf  # noqa: F401 - loading must not count against the limits
    import python_calamine  # noqa: F401
    import tnefparse  # noqa: F401

    for limit, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (value, value))


def _limit_cpu(seconds: int) -> None:
    """Limit the processor time from now on, in seconds."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, hard))


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
