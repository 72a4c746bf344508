"""What every store promises: one durable place for cases, replies, the ledger of mails and the clock's due dates.

A step is staged, then committed with others at once; look-ups see what is staged. Nothing may be sent and no mail may
leave INBOX before the commit that holds it has returned (promises 1 and 8 of the design). A store is used by one thread
at a time; it may move between threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from mailbot.model import Case, DueDate, MailRecord, Reply, State, Step


class StateError(Exception):
    """The state cannot be trusted, reached or written; the text names the place and says how to mend it."""


class DuplicateError(Exception):
    """The step would take effect twice: its message is on record already, or its RMA number is another case's (ST-4).

    Nothing of the step was staged; what was staged before it still is.
    """


class Store(Protocol):
    """Cases, replies, the ledger and small facts. All moments are aware datetimes.

    Every method may raise ``StateError``; then nothing of the call is visible. Where a store can recover from what went
    wrong (a full disk that was cleared), it does so by itself in a later call.
    """

    # ------------------------------------------------------------ look-ups

    def case(self, case_id: str) -> Case | None:
        """The case with this id, whatever its state."""

    def cases(self) -> Iterator[Case]:
        """Every case, also closed and archived ones, in the order in which they were opened."""

    def find(self, message_ids: Iterable[str], names: Iterable[str] = ()) -> tuple[Case, ...]:
        """The cases of a thread, each once, in the order of what was given: ids first, then names.

        Args:
            message_ids: Message-IDs without angle brackets, nearest first; they match a reply of ours or a mail that is
                in a case's history.
            names: Case ids and RMA numbers, in any capitals; a number that was replaced still names its case.
        """

    def open_cases(self, mailbox: str, keys: Iterable[str]) -> tuple[Case, ...]:
        """The cases of a mailbox that hold one of these units (folded serials) and are not over, oldest first."""

    def past_cases(self, mailbox: str, keys: Iterable[str]) -> tuple[Case, ...]:
        """The cases of a mailbox that hold one of these units (folded serials) and are over, oldest first."""

    def seen(self, identity: str) -> bool:
        """Whether a mail of this identity has taken effect (promise 2)."""

    def recorded(self, identity: str) -> MailRecord | None:
        """The ledger's line for a mail, which says in what folder it belongs; None where it has not taken effect."""

    def answers_since(self, address: str, at: datetime) -> int:
        """How many direct answers to this address (any capitals) have been created at or after a moment."""

    def next_sequence(self) -> int:
        """The next unused sequence of RMA numbers, over all years and mailboxes; the first is 1.

        Staging a case with a new number uses it up. A gap is fine, a repeat never happens (ST-4).
        """

    def states(self) -> Mapping[State, int]:
        """How many cases are in each state; states without a case are left out."""

    def ledger(self) -> Iterator[MailRecord]:
        """Every mail that arrived, in the order in which they were recorded, month by month."""

    def get_fact(self, name: str) -> str | None:
        """A small fact set before (the first UID of a mailbox, say)."""

    # ------------------------------------------------------------ writing

    def stage(self, step: Step) -> None:
        """Puts a step's case, replies and record in line for the next commit.

        Delivery is the store's: a reply that it holds already keeps its state unless the step's is final (sent, failed,
        held), so that a step taken from an older look at the case sends nothing twice. Replies that are in no case are
        kept as notes.

        Raises:
            Conflict: The step would take effect twice.
        """

    def set_fact(self, name: str, value: str) -> None:
        """Remembers a small fact with the next commit."""

    def commit(self) -> None:
        """Makes everything staged durable, all or nothing. If it raises, nothing is staged any more."""

    def rollback(self) -> None:
        """Forgets everything staged."""

    # ------------------------------------------------------------ due dates and the outbox

    def due(self, now: datetime) -> tuple[DueDate, ...]:
        """One arrival for each case that has a deadline at or before ``now``; the earliest first."""

    def next_due(self) -> datetime | None:
        """The earliest deadline of all cases."""

    def unsent(self, now: datetime) -> Iterator[Reply]:
        """The committed replies that may go out now, in the order of their creation.

        Those are queued ones, deferred and ambiguous ones whose ``due_at`` has come, and those left ``sending`` by a
        process that died: they go out again at once, byte for byte the same (promise 3). Replies may be marked while
        this runs.
        """

    def mark(self, reply: Reply) -> None:
        """Takes over the state, attempts, due date and note of a committed reply; its mail never changes.

        Survives the death of the process at once, a power cut from the next commit or checkpoint on. It is no part of
        what is staged: a rollback leaves it alone.

        Raises:
            KeyError: No committed reply has this Message-ID.
        """

    def pending(self) -> int:
        """How many replies are neither sent nor given up (queued, sending, deferred, ambiguous)."""

    # ------------------------------------------------------------ housekeeping

    def checkpoint(self) -> None:
        """Uses a quiet moment to put the state in order. Nothing depends on it; call it when there is nothing to do."""

    def close(self) -> None:
        """Forgets what is staged, puts the state in order and lets go of it."""
