"""Read risky attachments in a separate process, with limits on memory and time.

A hostile PDF, workbook or archive can only kill that process: its Document is then empty and says so, and the next attachment
gets a new process. The process starts when it is first needed. It has no secrets and cannot write files (see ``child_process``).
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Self

import structlog

from mailbot.intake.attachments.extraction import AttachmentContents, OpenedAttachment, contents, look, risky
from mailbot.model import Attachment, Document, Value
from mailbot.runtime.child_process import Watch, pipes_of_child, receive, send, start, stop

log = structlog.get_logger("mailbot")

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
            with suppress(OSError, ValueError, EOFError), Watch(process, seconds):
                send(process.stdin, attachment)
                found = receive(process.stdout, OpenedAttachment, MAX_ANSWER)
        finally:
            if found is None:
                self._stop()  # it has exited, or the next answer would belong to this request
        return found

    def _running(self) -> subprocess.Popen[bytes]:
        """Return the running process; start it if necessary. Raises OSError: it cannot be started."""
        if self._process is not None and self._process.poll() is not None:
            self._stop()
        if self._process is None:
            self._process = process = start("mailbot.runtime.attachment_process", str(self.limits.memory), str(self.limits.cpu))
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            try:
                with Watch(process, START_SECONDS):
                    receive(process.stdout, bool, 1)
            except (EOFError, ValueError):
                self._stop()
                raise OSError("the process that reads attachments does not start") from None
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            stop(self._process)
            self._process = None


# ---------------------------------------------------------------- in the process


def serve(memory: int, cpu: int) -> None:
    """Read attachments from standard input, one after another, until it is closed."""
    for name in (signal.SIGINT, signal.SIGTERM):
        # it exits when its standard input is closed, not in the middle of an attachment
        signal.signal(name, signal.SIG_IGN)
    requests, answers = pipes_of_child()
    _limit_process(memory)
    send(answers, True)  # noqa: FBT003 - "ready"
    with suppress(EOFError):
        while True:
            attachment = receive(requests, Attachment, sys.maxsize)
            _limit_cpu(cpu)
            send(answers, look(attachment))


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
