"""PostgreSQL: several processes, each of which may lose its connection at any time."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.errors import DeadlockDetected, SerializationFailure
from psycopg.rows import namedtuple_row
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from mailbot.runtime.store import schema
from mailbot.runtime.store.database import Database
from mailbot.runtime.store.errors import StaleError, StateError, UnavailableError

_SCHEMA_LOCK = 0x6D61696C626F74


class Postgresql(Database):
    """A connection to PostgreSQL. Locks belong to the connection: losing it loses them and what is not committed."""

    dialect = PGDialect_psycopg()
    driver_error = psycopg.Error
    in_list = r"= ANY(:\1)"
    begin_sql = "BEGIN; SET LOCAL synchronous_commit TO DEFAULT"

    def __init__(self, url: str, password: str | None, *, read_only: bool = False) -> None:
        super().__init__(sa.make_url(url).render_as_string(hide_password=True), read_only=read_only)
        self._url, self._password = url, password
        self._mailboxes: set[str] = set()

    def connect(self) -> psycopg.Connection[Any]:
        """Return a new connection; create or migrate the tables if needed."""
        options = "-c default_transaction_read_only=on" if self.read_only else ""
        how: dict[str, Any] = {"password": self._password} if self._password else {}
        connection = psycopg.connect(
            self._url, autocommit=True, row_factory=namedtuple_row, connect_timeout=10, options=options, **how
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: psycopg.Connection[Any]) -> None:
        run: Any = connection.execute
        if not self.read_only:
            run(f"BEGIN; SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})")
            if not run("SELECT to_regclass('schema_version')").fetchone()[0]:
                schema.create(run, self.dialect)
        found = self.check_version(run("SELECT max(version) FROM schema_version").fetchone()[0])
        if not self.read_only:
            schema.migrate(run, found)
            run("COMMIT")
            run("SET synchronous_commit TO off")  # what is written outside of transactions does not wait
            self.worker = secrets.randbits(62)
            self.workers.add(self.worker)
            run(f"SELECT pg_advisory_lock({self.worker})")

    def error(self, error: psycopg.Error) -> Exception:
        """Return what to raise for an error of psycopg; forget a lost connection."""
        text = f"{self.place}: {error.diag.message_primary or str(error).strip()}"
        if self._connection is not None and self._connection.closed:
            self._connection = None
            self._mailboxes.clear()
        if isinstance(error, DeadlockDetected | SerializationFailure):
            return StaleError(text)
        if isinstance(error, psycopg.OperationalError):
            return UnavailableError(f"{text}; what was not committed was not changed")
        return StateError(f"{text}. Run `mailbot state check`, or restore a backup")

    def draw(self) -> int:
        """Return the next value of the sequence."""
        return int(self.value("SELECT nextval('rma_sequence')"))

    def continue_sequence(self) -> None:
        """Continue after the highest sequence in ``numbers``."""
        self.run("SELECT setval('rma_sequence', max(sequence)) FROM numbers HAVING max(sequence) > 0")

    def claim_mailbox(self, address: str) -> bool:
        """Say whether this process may read a mailbox: one process at a time has its advisory lock."""
        if address not in self._mailboxes and self.lock_worker(_lock_key(address)):
            self._mailboxes.add(address)
        return address in self._mailboxes

    def release_mailbox(self, address: str) -> None:
        """Let another process read a mailbox."""
        if address in self._mailboxes:
            self._mailboxes.discard(address)
            self.unlock_worker(_lock_key(address))

    def lock_worker(self, worker: int) -> bool:
        """Say whether nobody else holds the advisory lock of a worker."""
        return bool(self.value("SELECT pg_try_advisory_lock(:number)", {"number": worker}))

    def unlock_worker(self, worker: int) -> None:
        """Let go of the advisory lock of a worker."""
        self.run("SELECT pg_advisory_unlock(:number)", {"number": worker})


def _lock_key(address: str) -> int:
    return int.from_bytes(hashlib.blake2b(address.lower().encode(), digest_size=7).digest(), "big")
