"""PostgreSQL: several processes, each of which may lose its connection at any time."""

from __future__ import annotations

import re
import secrets
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.errors import DeadlockDetected, SerializationFailure
from psycopg.rows import namedtuple_row
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from mailbot.runtime.errors import StaleError, StateError, UnavailableError
from mailbot.runtime.store import schema
from mailbot.runtime.store.database import Database

_SCHEMA_LOCK = 0x6D61696C626F74
_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]


class Postgresql(Database):
    """A connection to PostgreSQL. Locks belong to the connection: losing it loses them and what is not committed."""

    driver_error = psycopg.Error
    sequence_sql = "SELECT nextval('rma_sequence')"
    _begin = ("BEGIN; SET LOCAL synchronous_commit TO DEFAULT",)

    def __init__(self, url: str, password: str | None, *, read_only: bool = False) -> None:
        super().__init__(sa.make_url(url).render_as_string(hide_password=True), read_only=read_only)
        self._url = url
        self._how: dict[str, Any] = {"password": password} if password else {}
        if read_only:
            self._how["options"] = "-c default_transaction_read_only=on"
        self._locks: set[int] = set()

    def _connect(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(self._url, autocommit=True, row_factory=namedtuple_row, connect_timeout=10, **self._how)
        try:
            self._prepare(connection.execute)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, run: Any) -> None:
        """Create or migrate the tables if needed; take the lock of this worker."""
        if self.read_only:
            self._migrate(run)
            return
        run(f"BEGIN; SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})")
        if not run("SELECT to_regclass('schema_version')").fetchone()[0]:
            schema.create(run, "postgresql+psycopg")
        self._migrate(run)
        run("COMMIT")
        run("SET synchronous_commit TO off")  # what is written outside of transactions does not wait
        self.worker = secrets.randbits(62)
        self.workers.add(self.worker)
        run(f"SELECT pg_advisory_lock({self.worker})")
        self._locks = {self.worker}

    def _translate(self, sql: str) -> str:
        return str(sa.text(re.sub(r"\bIN :(\w+)", r"= ANY(:\1)", sql)).compile(dialect=_DIALECT))

    def _error(self, error: psycopg.Error) -> Exception:
        text = f"{self.place}: {error.diag.message_primary or str(error).strip()}"
        if self._connection is not None and self._connection.closed:
            self._connection = None
            self._locks.clear()
        if isinstance(error, DeadlockDetected | SerializationFailure):
            return StaleError(text)
        if isinstance(error, psycopg.OperationalError):
            return UnavailableError(f"{text}; what was not committed was not changed")
        return StateError(f"{text}. Run `mailbot state check`, or restore a backup")

    def lock(self, number: int) -> bool:
        """Say whether this process has the advisory lock with a number, now or from before."""
        if number not in self._locks and self.value("SELECT pg_try_advisory_lock(:number)", {"number": number}):
            self._locks.add(number)
        return number in self._locks

    def unlock(self, number: int) -> None:
        """Let another process have a lock."""
        if number in self._locks:
            self._locks.discard(number)
            self.run("SELECT pg_advisory_unlock(:number)", {"number": number})
