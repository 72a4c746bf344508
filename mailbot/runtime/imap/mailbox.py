"""The mailbox: mail arrives here (IMAP4rev1, RFC 3501), and leaves for Done, Ignored or Attention once it is settled.

Synchronous: the daemon calls it in a thread, one call at a time (a second one waits). One connection, one selected
folder. UIDs are good for the connection that named them and no longer: after ``connect`` ask ``waiting`` again.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Literal, get_args

from imapclient import IMAPClient

from mailbot.model import Value
from mailbot.runtime.imap.connection import Connection, Denied, Disconnected, MailboxError
from mailbot.runtime.servers import Imap

__all__ = ["FOLDERS", "Disconnected", "Fetched", "Folder", "Mailbox", "MailboxError"]

Folder = Literal["Done", "Ignored", "Attention"]
FOLDERS: tuple[Folder, ...] = get_args(Folder)

MAX_SIZE = 40_000_000  # bytes; a larger mail is never fetched
BUDGET = 64_000_000  # bytes fetched at once, so that memory stays flat whatever waits
SET = 500  # UIDs in one command: a line of 8,000 octets is what every server takes (RFC 2683 §3.2.1.5)
WINDOW = 10_000  # UIDs in one answer to SEARCH, which is a single line …
WIDEST = 80_000  # … and where few are found, at most: Python's imaplib takes lines of a million bytes
GLANCE = 1.0  # seconds after which a wait looks whether somebody wants it to end


class Fetched(Value, frozen=True):
    """A mail as the server hands it over: ``size`` in bytes; ``raw`` is None where it is over the limit."""

    uid: int
    size: int
    raw: bytes | None


class Mailbox:
    """An IMAP mailbox: what waits in it, its content, and where it goes."""

    def __init__(self, server: Imap, *, max_size: int = MAX_SIZE, budget: int = BUDGET) -> None:
        self.server = server
        self.max_size = max_size
        self.budget = budget
        self._connection = Connection(server)
        self._woken = threading.Event()
        self._prefix = ""
        self._delimiter = "/"
        self._selected: dict[bytes, Any] = {}

    def connect(self) -> None:
        """Connect, log in, make our folders where they are missing, select the folder where mail arrives.

        Raises:
            MailboxError: with the host, the port and how to mend it; ``Disconnected`` where another try may help.
        """
        self._connection.open()
        try:
            self._learn_names()
            self._make_folders()
            self._select()
        except MailboxError:
            self.close()
            raise

    def close(self) -> None:
        """Log out if the server still listens; never raises. Who waits in ``idle`` has to be woken first."""
        self._connection.close()

    # ------------------------------------------------------------ folders

    def _learn_names(self) -> None:
        """Learn the personal namespace's prefix and delimiter (RFC 2342)."""
        self._prefix, self._delimiter = "", "/"
        with self._connection.talk() as client:
            personal = client.namespace().personal if client.has_capability("NAMESPACE") else None
            if personal:
                self._prefix, self._delimiter = personal[0][0], personal[0][1] or "/"
            elif listed := client.list_folders("", ""):
                self._delimiter = (listed[0][1] or b"/").decode("ascii", "replace")

    def path(self, folder: Folder) -> str:
        """The full name of one of our folders on this server."""
        parts = [part for part in self.server.root.split("/") if part]
        name = self._delimiter.join([*parts, folder])
        return name if name.startswith(self._prefix) else self._prefix + name

    def _make_folders(self) -> None:
        for name in map(self.path, FOLDERS):
            with self._connection.talk() as client:
                if client.folder_exists(name):
                    continue
            try:
                with self._connection.talk() as client:
                    client.create_folder(name)
            except Denied as error:
                with self._connection.talk() as client:
                    if client.folder_exists(name):  # another process has just made it
                        continue
                mend = "make it by hand, or set folders.root"
                raise MailboxError(self.server, f"no folder {name!r}: {error.reason}", mend) from error
            with contextlib.suppress(Denied), self._connection.talk() as client:
                client.subscribe_folder(name)  # so that staff see it in their mail clients

    def _select(self) -> None:
        """Select the folder anew: its UIDVALIDITY, UIDNEXT and size are those of this moment."""
        name = self.server.folder
        try:
            with self._connection.talk() as client:
                self._selected = client.select_folder(name)
        except Denied as error:
            raise MailboxError(self.server, f"no folder {name!r}: {error.reason}", "check folder") from error

    # ------------------------------------------------------------ what waits

    @property
    def uid_validity(self) -> int:
        """The UIDVALIDITY of the folder as last selected; where it changes, all UIDs known before mean nothing."""
        return int(self._selected.get(b"UIDVALIDITY", 0))

    def uid_next(self) -> int:
        """The UID that the next mail will have at least."""
        self._select()
        return self._uid_next

    @property
    def _uid_next(self) -> int:
        return int(self._selected.get(b"UIDNEXT", 2**32))

    def first_since(self, day: date) -> int:
        """The lowest UID of the mails that the server received on that day or later; UIDNEXT if there is none.

        Raises:
            Disconnected: the connection is gone.
        """
        self._select()
        with self._connection.talk() as client:
            return min(client.search(["SINCE", day]), default=self._uid_next)

    def waiting(self, limit: int, above: int = 0) -> list[int]:
        r"""The lowest UIDs in the folder, at most ``limit``; read mail counts, what is flagged \Deleted does not.

        Args:
            limit: how many.
            above: only UIDs above this one.

        Raises:
            Disconnected: the connection is gone.
        """
        self._select()
        found: list[int] = []
        for window in self._windows(above):
            with self._connection.talk() as client:
                # "n:*" names the last message too where n is above it (RFC 3501 §6.4.8): hence the second look.
                found += sorted(uid for uid in client.search(f"{window} NOT DELETED") if uid > above)
            if len(found) >= limit:
                break
        return found[:limit]

    def _windows(self, above: int) -> Iterator[str]:
        """Search keys that name the folder's messages piece by piece, so that no answer is too long a line."""
        exists = int(self._selected.get(b"EXISTS", 0))
        if not exists or above + 1 >= self._uid_next:
            return
        if exists <= WINDOW:
            yield f"UID {above + 1}:*"
            return
        first, width = above + 1, WINDOW
        while first < self._uid_next:
            yield f"UID {first}:{min(first + width, self._uid_next) - 1}"
            first, width = first + width, min(2 * width, WIDEST)

    def fetch(self, uids: Sequence[int]) -> list[Fetched]:
        r"""The mails, in the order asked for, without setting \Seen.

        Left out are UIDs that have vanished, and those that would go beyond ``budget`` bytes: they still wait and come
        with the next batch. A mail over ``max_size``, or one the server cannot hand out, has no ``raw``.

        Raises:
            Disconnected: the connection is gone.
        """
        sizes = {uid: int(answer[b"RFC822.SIZE"]) for uid, answer in self._ask(uids, "RFC822.SIZE").items()}
        chosen = list(self._within_budget([uid for uid in uids if uid in sizes], sizes))
        fitting = [uid for uid in chosen if sizes[uid] <= self.max_size]
        answers = self._ask(fitting, "BODY.PEEK[]")
        there = answers.keys() | self._unreadable(fitting, answers)
        return [
            Fetched(uid, sizes[uid], answers.get(uid, {}).get(b"BODY[]"))
            for uid in chosen
            if uid in there or sizes[uid] > self.max_size
        ]

    def _within_budget(self, uids: Sequence[int], sizes: dict[int, int]) -> Iterator[int]:
        spent = 0
        for uid in uids:
            spent += sizes[uid] if sizes[uid] <= self.max_size else 0
            if spent > self.budget and spent > sizes[uid]:
                return
            yield uid

    def _unreadable(self, uids: Sequence[int], answers: dict[int, Any]) -> set[int]:
        """Of the mails that did not come, those that are still there: the server cannot read them."""
        missing = [uid for uid in uids if uid not in answers]
        return set(self._ask(missing, "RFC822.SIZE")) if missing else set()

    def _ask(self, uids: Sequence[int], unit: str) -> dict[int, Any]:
        """UID FETCH one item; where the server cannot give it for all, for each mail by itself."""
        key = unit.replace(".PEEK", "").encode()
        found: dict[int, Any] = {}
        for part in sets(uids):
            try:
                with self._connection.talk() as client:
                    found |= client.fetch(part, [unit])
            except Denied:
                for uid in part if len(part) > 1 else []:
                    found |= self._ask([uid], unit)
        return {uid: answer for uid, answer in found.items() if key in answer}

    # ------------------------------------------------------------ where it goes

    def move(self, uids: Sequence[int], folder: Folder) -> None:
        r"""Move mails out of the inbox; UIDs that have vanished are passed over.

        UID MOVE (RFC 6851); else COPY, \Deleted and UID EXPUNGE (RFC 4315); where that is missing too they stay flagged
        \Deleted, for a plain EXPUNGE would take others' mails along.

        Raises:
            Disconnected: the connection is gone; moving again is harmless.
        """
        for part in sets(uids):
            try:
                self._move(part, folder)
            except Denied as error:
                if "[TRYCREATE]" not in error.reason.upper():
                    raise
                self._make_folders()  # somebody has deleted it meanwhile
                self._move(part, folder)

    def _move(self, uids: list[int], folder: Folder) -> None:
        with self._connection.talk() as client:
            if client.has_capability("MOVE"):
                client.move(uids, self.path(folder))
                return
            client.copy(uids, self.path(folder))
            client.add_flags(uids, [rb"\Deleted"], silent=True)
            if client.has_capability("UIDPLUS"):
                client.uid_expunge(uids)

    def append(self, folder: Folder, raw: bytes) -> None:
        """Put a mail into one of our folders.

        Raises:
            Disconnected: the connection is gone; the mail may be there or not.
        """
        with self._connection.talk() as client:
            client.append(self.path(folder), raw)

    # ------------------------------------------------------------ waiting for more

    def idle(self, timeout: float) -> bool:
        """Wait until something happens in the folder, ``timeout`` seconds have passed or ``wake`` is called.

        Only a hint (RFC 2177): IDLE can hang silently, so the truth is what ``waiting`` says afterwards.

        Returns:
            Whether something seems to have happened.

        Raises:
            Disconnected: the connection is gone.
        """
        ends = time.monotonic() + timeout
        before = self._uid_next
        self._select()  # what came since the last look would otherwise not be announced again
        if self._uid_next != before:
            return True
        with self._connection.talk() as client:
            if client.has_capability("IDLE"):
                return self._listen(client, ends)
        self._woken.wait(max(0.0, ends - time.monotonic()))
        self._woken.clear()
        return False

    def _listen(self, client: IMAPClient, ends: float) -> bool:
        news = False
        client.idle()
        while not news and not self._rest(ends):
            began = time.monotonic()
            patience = min(GLANCE, max(0.0, ends - began))
            answers = client.idle_check(timeout=patience)
            news = any(b"EXISTS" in answer for answer in answers)
            if not answers and time.monotonic() - began < patience / 2:
                break  # silence ahead of time: the server has hung up, as DONE will show
        client.idle_done()
        if news:
            self._select()  # what has been announced now shall not be news again
        return news

    def _rest(self, ends: float) -> bool:
        """Whether the wait is over: its time is up, or somebody wants it to end."""
        if self._woken.is_set():
            self._woken.clear()
            return True
        return time.monotonic() >= ends

    def wake(self) -> None:
        """End a wait in ``idle`` soon (from any thread)."""
        self._woken.set()


def sets(uids: Sequence[int]) -> Iterator[list[int]]:
    """The UIDs in portions of which each fits one command."""
    for start in range(0, len(uids), SET):
        yield list(uids[start : start + SET])
