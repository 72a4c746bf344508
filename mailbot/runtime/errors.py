"""The exceptions of the store."""

from __future__ import annotations


class StateError(Exception):
    """The state cannot be trusted, read or written. The text names the place and says how to fix it."""


class UnavailableError(StateError):
    """The state cannot be reached or written now: a full disk, a lost connection. A later call may succeed."""


class StaleError(Exception):
    """Another process changed a case after this process read it. Roll back, then process the batch again."""


class DuplicateError(Exception):
    """The step would take effect twice. Nothing of it was staged; the steps staged before it still are.

    ``what`` is "mail" if the message is in the log already, "reply" if the Message-ID of a reply is taken, "number" if the
    RMA number belongs to another case (ST-4). For a number, process the mail again: the next sequence is another one.
    """

    def __init__(self, what: str, text: str) -> None:
        super().__init__(text)
        self.what = what
