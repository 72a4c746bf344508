"""The IMAP mailbox (IMAP4rev1, RFC 3501): fetch emails, and move processed ones to Done, Ignored or Attention.

Synchronous: the daemon calls it in a thread. Calls run one at a time. There is one connection with one selected folder. UIDs
are valid for one connection only: after ``connect``, call ``waiting`` again.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, get_args

from imapclient import IMAPClient

from mailbot.model import FolderName, Value
from mailbot.runtime.imap.connection import Connection, Denied, Disconnected, MailboxError
from mailbot.runtime.servers import Imap

__all__ = ["FOLDERS", "Disconnected", "Fetched", "Mailbox", "MailboxError"]

FOLDERS: tuple[FolderName, ...] = get_args(FolderName)

MAX_SIZE = 40_000_000  # bytes; a larger email is never fetched
BUDGET = 64_000_000  # bytes fetched at once, to limit memory use
SET = 500  # UIDs in one command: every server accepts a line of 8,000 octets (RFC 2683 §3.2.1.5)
WINDOW = 10_000  # UIDs searched at once at first: the answer to SEARCH is a single line
MAX_WINDOW = 80_000  # UIDs searched at once at most: Python's imaplib accepts lines of a million bytes
WAKE_SECONDS = 1.0  # how often IDLE checks whether ``wake`` was called


class Fetched(Value, frozen=True):
    """A fetched email. ``size`` is in bytes. ``raw`` is None if the email is too large or cannot be read."""

    uid: int
    size: int
    raw: bytes | None


class Mailbox:
    """An IMAP mailbox: list waiting emails, fetch them, and move them."""

    def __init__(self, server: Imap, *, max_size: int = MAX_SIZE, budget: int = BUDGET) -> None:
        self.server, self.max_size, self.budget = server, max_size, budget
        self._connection = Connection(server)
        self._woken = threading.Event()
        self._prefix = ""
        self._delimiter = "/"
        self._selected: dict[bytes, Any] = {}

    def connect(self) -> None:
        """Connect, log in, create missing folders, and select the folder in which mail arrives.

        Raises MailboxError: the text names host, port and the fix; ``Disconnected`` if another try may help.
        """
        self._connection.open()
        try:
            self._read_namespace()
            self._create_folders()
            self._select()
        except MailboxError:
            self.close()
            raise

    def close(self) -> None:
        """Log out if the server still answers. Never raises. Call ``wake`` first if a thread waits in ``idle``."""
        self._connection.close()

    # ------------------------------------------------------------ folders

    def _read_namespace(self) -> None:
        """Read the prefix and delimiter of the personal namespace (RFC 2342)."""
        self._prefix, self._delimiter = "", "/"
        with self._connection.client() as client:
            personal = client.namespace().personal if client.has_capability("NAMESPACE") else None
            if personal:
                self._prefix, self._delimiter = personal[0][0], personal[0][1] or "/"
            elif listed := client.list_folders("", ""):
                self._delimiter = (listed[0][1] or b"/").decode("ascii", "replace")

    def path(self, folder: FolderName) -> str:
        """Return the full name of one of mailbot's folders on this server."""
        name = self._delimiter.join([*filter(None, self.server.root.split("/")), folder])
        return name if name.startswith(self._prefix) else self._prefix + name

    def _create_folders(self) -> None:
        for name in map(self.path, FOLDERS):
            with self._connection.client() as client:
                if client.folder_exists(name):
                    continue
            try:
                with self._connection.client() as client:
                    client.create_folder(name)
            except Denied as error:
                with self._connection.client() as client:
                    if client.folder_exists(name):  # another process has just created it
                        continue
                fix = "create it by hand, or set folders.root"
                raise MailboxError(self.server, f"cannot create folder {name!r}: {error.reason}", fix) from error
            with contextlib.suppress(Denied), self._connection.client() as client:
                client.subscribe_folder(name)  # so that staff see it in their mail clients

    def _select(self) -> None:
        """Select the folder again, to get its current UIDVALIDITY, UIDNEXT and size."""
        name = self.server.folder
        try:
            with self._connection.client() as client:
                self._selected = client.select_folder(name)
        except Denied as error:
            raise MailboxError(self.server, f"no folder {name!r}: {error.reason}", "check imap.folder") from error

    # ------------------------------------------------------------ list and fetch

    @property
    def uid_validity(self) -> int:
        """The UIDVALIDITY of the folder when it was last selected. When it changes, all earlier UIDs are invalid."""
        return int(self._selected.get(b"UIDVALIDITY", 0))

    def uid_next(self) -> int:
        """Return the lowest UID that the next email can have."""
        self._select()
        return self._uid_next

    @property
    def _uid_next(self) -> int:
        return int(self._selected.get(b"UIDNEXT", 2**32))

    def first_since(self, day: date) -> int:
        """Return the lowest UID of the emails received on that day or later; UIDNEXT if present is none.

        Raises Disconnected: the connection is lost.
        """
        self._select()
        with self._connection.client() as client:
            return min(client.search(["SINCE", day]), default=self._uid_next)

    def waiting(self, limit: int, above: int = 0) -> list[int]:
        r"""Return at most ``limit`` UIDs, the lowest ``above`` one. Emails that were read are included, \Deleted ones are not.

        Raises Disconnected: the connection is lost.
        """
        self._select()
        found: list[int] = []
        for window in self._windows(above):
            with self._connection.client() as client:
                # "n:*" includes the last message even if its UID is below n (RFC 3501 §6.4.8): filter again.
                found += sorted(uid for uid in client.search(f"{window} NOT DELETED") if uid > above)
            if len(found) >= limit:
                break
        return found[:limit]

    def _windows(self, above: int) -> Iterator[str]:
        """Yield search keys for ranges of UIDs, so that the line of each answer stays short enough."""
        exists = int(self._selected.get(b"EXISTS", 0))
        if not exists or above + 1 >= self._uid_next:
            return
        if exists <= WINDOW:
            yield f"UID {above + 1}:*"
            return
        first, width = above + 1, WINDOW
        while first < self._uid_next:
            yield f"UID {first}:{min(first + width, self._uid_next) - 1}"
            first, width = first + width, min(2 * width, MAX_WINDOW)

    def fetch(self, uids: Sequence[int]) -> list[Fetched]:
        r"""Return the emails, in the order of ``uids``, without setting \Seen.

        Emails that no longer exist are left out, and so are those beyond ``budget`` bytes: they stay in the folder for the
        next batch. An email over ``max_size``, or one that the server cannot read, has no ``raw``.

        Raises Disconnected: the connection is lost.
        """
        sizes = {uid: int(answer[b"RFC822.SIZE"]) for uid, answer in self._fetch_item(uids, "RFC822.SIZE").items()}
        chosen = list(self._within_budget([uid for uid in uids if uid in sizes], sizes))
        fitting = [uid for uid in chosen if sizes[uid] <= self.max_size]
        answers = self._fetch_item(fitting, "BODY.PEEK[]")
        present = answers.keys() | self._unreadable(fitting, answers)
        return [
            Fetched(uid, sizes[uid], answers.get(uid, {}).get(b"BODY[]"))
            for uid in chosen
            if uid in present or sizes[uid] > self.max_size
        ]

    def _within_budget(self, uids: Sequence[int], sizes: dict[int, int]) -> Iterator[int]:
        spent = 0
        for uid in uids:
            spent += sizes[uid] if sizes[uid] <= self.max_size else 0
            if spent > self.budget and spent > sizes[uid]:
                return
            yield uid

    def _unreadable(self, uids: Sequence[int], answers: dict[int, Any]) -> set[int]:
        """Return the UIDs of missing emails that still exist: the server cannot read them."""
        missing = [uid for uid in uids if uid not in answers]
        return set(self._fetch_item(missing, "RFC822.SIZE")) if missing else set()

    def _fetch_item(self, uids: Sequence[int], item: str) -> dict[int, Any]:
        """UID FETCH one item. If that fails for a set of emails, fetch it for each email separately."""
        key = item.replace(".PEEK", "").encode()
        found: dict[int, Any] = {}
        for part in sets(uids):
            try:
                with self._connection.client() as client:
                    found |= client.fetch(part, [item])
            except Denied:
                for uid in part if len(part) > 1 else []:
                    found |= self._fetch_item([uid], item)
        return {uid: answer for uid, answer in found.items() if key in answer}

    # ------------------------------------------------------------ move

    def move(self, uids: Sequence[int], folder: FolderName) -> None:
        r"""Move emails to a folder. UIDs that no longer exist are ignored.

        Uses UID MOVE (RFC 6851), or else COPY, \Deleted and UID EXPUNGE (RFC 4315). Without UID EXPUNGE the emails stay
        flagged \Deleted, because a plain EXPUNGE would also remove emails that others flagged.

        Raises Disconnected: the connection is lost. Moving again is harmless.
        """
        for part in sets(uids):
            try:
                self._move(part, folder)
            except Denied as error:
                if "[TRYCREATE]" not in error.reason.upper():
                    raise
                self._create_folders()  # somebody has deleted the folder
                self._move(part, folder)

    def _move(self, uids: list[int], folder: FolderName) -> None:
        with self._connection.client() as client:
            if client.has_capability("MOVE"):
                client.move(uids, self.path(folder))
                return
            client.copy(uids, self.path(folder))
            client.add_flags(uids, [rb"\Deleted"], silent=True)
            if client.has_capability("UIDPLUS"):
                client.uid_expunge(uids)

    # ------------------------------------------------------------ wait for new mail

    def idle(self, timeout: float) -> bool:
        """Wait until the folder changes, ``timeout`` seconds have passed or ``wake`` is called; say whether it has changed.

        IDLE (RFC 2177) can hang silently, so the result is only a hint; ``waiting`` has the answer.

        Raises Disconnected: the connection is lost.
        """
        deadline = time.monotonic() + timeout
        before = self._uid_next
        self._select()  # emails that arrived since the last SELECT are not announced again
        if self._uid_next != before:
            return True
        with self._connection.client() as client:
            if client.has_capability("IDLE"):
                return self._listen(client, deadline)
        self._woken.wait(max(0.0, deadline - time.monotonic()))
        self._woken.clear()
        return False

    def _listen(self, client: IMAPClient, deadline: float) -> bool:
        changed = False
        client.idle()
        while not changed and not self._is_over(deadline):
            started = time.monotonic()
            seconds = min(WAKE_SECONDS, max(0.0, deadline - started))
            answers = client.idle_check(timeout=seconds)
            changed = any(b"EXISTS" in answer for answer in answers)
            if not answers and time.monotonic() - started < seconds / 2:
                break  # no answer before the timeout: the server has hung up, and DONE will fail
        client.idle_done()
        if changed:
            self._select()  # otherwise the next call would see the same change again
        return changed

    def _is_over(self, deadline: float) -> bool:
        """Whether the wait is over: the time is up, or ``wake`` was called."""
        if self._woken.is_set():
            self._woken.clear()
            return True
        return time.monotonic() >= deadline

    def wake(self) -> None:
        """End a wait in ``idle`` soon. Can be called from any thread."""
        self._woken.set()


def sets(uids: Sequence[int]) -> Iterator[list[int]]:
    """Yield the UIDs in chunks that fit into one command."""
    for start in range(0, len(uids), SET):
        yield list(uids[start : start + SET])
