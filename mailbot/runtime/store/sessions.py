"""One database connection and its transactions: what SQLite and PostgreSQL have in common."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from mailbot.runtime.store import schema
from mailbot.runtime.store.errors import StaleError, StateError

SEQUENCE = "last RMA sequence"
"""The name of the fact in which SQLite keeps it."""
_SEQUENCE = sa.select(schema.facts.c.value).where(schema.facts.c.name == SEQUENCE)
_SET_SEQUENCE = schema.facts.update().where(schema.facts.c.name == SEQUENCE)


class Session(ABC):
    """One connection outside of transactions, until ``begin``. What is written outside is durable with the next commit.

    Any method may raise ``UnavailableError`` or ``StateError``. After an error inside a transaction, only ``rollback`` works.
    """

    def __init__(self, place: str, *, read_only: bool) -> None:
        self.place, self.read_only = place, read_only
        self.worker = secrets.randbits(62)
        self._connection: sa.Connection | None = None
        self._open = self._broken = False
        self._drawn = 0

    @abstractmethod
    def _connect(self) -> sa.Connection:
        """Open the connection, and bring the schema to the newest version."""

    @abstractmethod
    def _error(self, error: DBAPIError) -> Exception:
        """Return what to raise for an error of the driver."""

    @property
    def connection(self) -> sa.Connection:
        """The connection, opened anew if it was lost."""
        if self._connection is None:
            with self._errors():
                self._connection = self._connect()
        return self._connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as error:
            self._broken = self._open
            raise self._error(error) from error.orig

    def execute(self, statement: sa.Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] = ()) -> Any:
        """Execute one statement and return its result."""
        if self._broken:
            raise StateError(f"{self.place}: a batch was interrupted and cannot be completed; what was staged is lost")
        with self._errors():
            return self.connection.execute(statement, values or None)

    def _do(self, sql: str) -> None:
        with self._errors():
            self.connection.exec_driver_sql(sql)

    def begin(self) -> None:
        """Open a transaction, unless one is open."""
        if self.read_only:
            raise StateError(f"{self.place} was opened to read only")
        if not self._open:
            self._begin()
            self._open = True

    def _begin(self) -> None:
        self._do("BEGIN")

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._open

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what happens within if it raises; the transaction stays open."""
        self._do("SAVEPOINT step")
        try:
            yield
        except BaseException:
            if not self._broken:
                self._do("ROLLBACK TO SAVEPOINT step")
                self._do("RELEASE SAVEPOINT step")
            raise
        self._do("RELEASE SAVEPOINT step")

    def commit(self) -> None:
        """Make the transaction durable, if one is open. If this raises, nothing is staged any more."""
        if not self._open:
            return
        if self._broken:
            self.rollback()
            raise StateError(f"{self.place}: a batch was interrupted; what was staged is lost")
        try:
            self._commit()
        except BaseException:
            self.rollback()
            raise
        self._open = self._broken = False

    def _commit(self) -> None:
        self._do("COMMIT")

    def rollback(self) -> None:
        """Forget the transaction, if one is open."""
        was_open, self._open, self._broken = self._open, False, False
        if was_open and self._connection is not None:
            with suppress(StateError, StaleError):
                self._do("ROLLBACK")

    def close(self) -> None:
        """Close the connection; locks are released."""
        self._open = False
        if self._connection is not None:
            engine = self._connection.engine
            with suppress(DBAPIError):
                self._connection.invalidate()
                self._connection.close()
            engine.dispose()
            self._connection = None

    # ------------------------------------------------------------ what the databases do differently

    def sequence(self) -> int:
        """Return the last sequence that was used or given to a process."""
        return int(self.execute(_SEQUENCE).scalar() or 0)

    def draw(self) -> int:
        """Return a sequence for an RMA number that no process was given before."""
        self._drawn = (self._drawn or self.sequence()) + 1
        return self._drawn

    def resume(self, sequence: int) -> None:
        """Continue after this sequence; part of the open transaction on SQLite only."""
        self.use(sequence)

    def problems(self) -> list[str]:
        """Return what the database finds wrong with itself."""
        found = self.execute(sa.text("PRAGMA integrity_check")).scalars().all()
        return [f"{self.place}: {text}; restore it from a backup" for text in found if text != "ok"]

    def use(self, sequence: int) -> None:
        """Note that a step used a sequence."""
        if not self.execute(_SET_SEQUENCE, {"value": str(sequence)}).rowcount:
            self.execute(schema.facts.insert(), {"name": SEQUENCE, "value": str(sequence)})

    def claim_mailbox(self, address: str) -> bool:  # noqa: ARG002 - one process has the whole state
        """Say whether this process may read a mailbox; if so it keeps the mailbox until ``release_mailbox``."""
        return True

    def release_mailbox(self, address: str) -> None:  # noqa: B027 - nothing to do where there is one process
        """Let another process read a mailbox."""

    def take_over(self, worker: int) -> bool:  # noqa: ARG002 - any other worker was a process that is gone
        """Say whether a worker is gone; if so its replies are this process's until ``leave``."""
        return True

    def leave(self, worker: int) -> None:  # noqa: B027 - as above
        """Let others look after a worker's replies."""
