"""One database connection: statements, transactions, errors. ``sqlite`` and ``postgresql`` say what differs."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from mailbot.runtime.errors import StaleError, StateError
from mailbot.runtime.store import schema

Values = Mapping[str, Any]


class Database:
    """One connection outside of transactions, until ``begin``. What is written outside is durable with the next commit.

    Statements are SQL with ``:name`` for values; ``IN :name`` takes a list. Any method may raise ``UnavailableError`` or
    ``StateError``. After an error inside a transaction only ``rollback`` works.
    """

    driver_error: type[Exception]
    sequence_sql: ClassVar[str]
    """Returns a sequence for an RMA number that no process was given before; ``:last`` is the last that this one got."""
    _begin: ClassVar[tuple[str, ...]]

    def __init__(self, place: str, *, read_only: bool) -> None:
        self.place, self.read_only = place, read_only
        self.in_transaction = self._broken = False
        self.worker = secrets.randbits(62)
        self.workers = {self.worker}
        """The ids under which this process has claimed replies: ``worker``, and those of connections that were lost."""
        self._connection: Any = None
        self._translations: dict[str, str] = {}

    def _connect(self) -> Any:
        """Return a new connection of the driver to a database of the newest version."""
        raise NotImplementedError

    def _error(self, error: Any) -> Exception:
        """Return what to raise for an error of the driver. It contains no values."""
        raise NotImplementedError

    def _translate(self, sql: str) -> str:
        """Return a statement as the driver wants it."""
        raise NotImplementedError

    def run(self, sql: str, values: Values | None = None) -> Any:
        """Run a statement and return its cursor; rows have the columns as attributes."""
        return self._execute("execute", sql, values)

    def run_many(self, sql: str, values: Sequence[Values]) -> int:
        """Run a statement for each of many values; return how many rows were written."""
        return int(self._execute("executemany", sql, values).rowcount) if values else 0

    def value(self, sql: str, values: Values | None = None) -> Any:
        """Return the one value that a statement finds, or None."""
        row = self.run(sql, values).fetchone()
        return row[0] if row else None

    def _execute(self, method: str, sql: str, values: Any) -> Any:
        if self._broken:
            raise StateError(f"{self.place}: a batch was interrupted and cannot be completed; what was staged is lost")
        try:
            if self._connection is None:
                self._connection = self._connect()
            cursor = self._connection.cursor()
            text = self._translations.get(sql) or self._translations.setdefault(sql, self._translate(sql))
            getattr(cursor, method)(text, *([values] if values else []))
        except self.driver_error as error:
            self._broken = self.in_transaction
            raise self._error(error) from None
        return cursor

    def _migrate(self, run: schema.Run) -> None:
        found = run("SELECT max(version) FROM schema_version").fetchone()[0]
        if found is None:
            raise StateError(f"{self.place} has no schema version; restore it from a backup")
        if found > schema.VERSION:
            raise StateError(
                f"{self.place} was written by a newer mailbot (schema version {found}, this one knows {schema.VERSION}). "
                "Install the newer version, or restore a backup from before the upgrade"
            )
        if found < schema.VERSION and self.read_only:
            raise StateError(f"{self.place} has schema version {found}; start `mailbot run` once, which migrates it")
        schema.migrate(run, found)

    def begin(self) -> None:
        """Open a transaction, unless one is open."""
        if self.read_only:
            raise StateError(f"{self.place} was opened to read only")
        if not self.in_transaction:
            for sql in self._begin:
                self.run(sql)
            self.in_transaction = True

    def commit(self) -> None:
        """Make the transaction durable, if one is open. If this raises, nothing is staged any more."""
        if self.in_transaction:
            try:
                self.run("COMMIT")
                self.in_transaction = False
            finally:
                self.rollback()

    def rollback(self) -> None:
        """Forget the transaction, if one is open."""
        was_open, self.in_transaction, self._broken = self.in_transaction, False, False
        if was_open and self._connection is not None:
            with suppress(StateError, StaleError):
                self.run("ROLLBACK")

    def close(self) -> None:
        """Close the connection; locks are released."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def lock(self, number: int) -> bool:  # noqa: ARG002 - one process has the whole state
        """Say whether this process has the lock with a number, now or from before; it keeps it until ``unlock``."""
        return True

    def unlock(self, number: int) -> None:
        """Let another process have a lock."""
