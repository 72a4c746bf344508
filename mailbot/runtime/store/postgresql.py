"""The store's connection to PostgreSQL: several processes, each of which may lose it at any time."""

from __future__ import annotations

import hashlib
import secrets
import time

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from mailbot.runtime.store import schema
from mailbot.runtime.store.errors import StaleError, StateError, UnavailableError
from mailbot.runtime.store.sessions import Session

_SCHEMA_LOCK = 0x6D61696C626F74
_ANSWERS = 100  # times 0.1 s: how long to wait until the server has settled a commit whose connection was lost


class PostgresSession(Session):
    """A connection to PostgreSQL. Locks belong to the connection: losing it loses them and what is not committed."""

    def __init__(self, url: str, password: str | None, *, read_only: bool = False) -> None:
        address = sa.make_url(url).set(drivername="postgresql+psycopg")
        super().__init__(sa.make_url(url).render_as_string(hide_password=True), read_only=read_only)
        options = "-c default_transaction_read_only=on" if read_only else ""
        self._engine = sa.create_engine(
            address.set(password=password) if password else address,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,  # errors are logged; mails and tokens must not be
            connect_args={"connect_timeout": 10, "application_name": "mailbot", "options": options},
        )
        self._mailboxes: set[str] = set()

    def _connect(self) -> sa.Connection:
        connection = self._engine.connect()
        try:
            self._prepare(connection)
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sa.Connection) -> None:
        exists = sa.text("SELECT to_regclass('schema_version') IS NOT NULL")
        if not self.read_only:
            connection.exec_driver_sql(f"BEGIN; SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})")
            if not connection.execute(exists).scalar():
                schema.create(connection)
        found = schema.version_of(connection, self.place)
        if found < schema.VERSION and self.read_only:
            raise StateError(f"{self.place} has schema version {found}; start `mailbot run` once, which migrates it")
        if not self.read_only:
            schema.migrate(connection, found)
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("SET synchronous_commit TO off")  # marks do not wait; see _begin
            self.worker = secrets.randbits(62)
            connection.execute(sa.select(sa.func.pg_advisory_lock(self.worker)))

    def _error(self, error: DBAPIError) -> Exception:
        import psycopg

        cause = error.orig
        text = f"{self.place}: {str(cause).strip()}"
        if isinstance(cause, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure):
            return StaleError(text)
        if error.connection_invalidated or (self._connection is not None and self._lost()):
            self._drop()
        if isinstance(cause, psycopg.OperationalError):
            return UnavailableError(f"{text}; nothing was changed")
        return StateError(f"{text}. Run `mailbot state check`, or restore a backup")

    def _lost(self) -> bool:
        assert self._connection is not None  # noqa: S101 - the caller asked
        return self._connection.invalidated or bool(getattr(self._connection.connection.driver_connection, "closed", 1))

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
        self._mailboxes.clear()

    def _begin(self) -> None:
        self._do("BEGIN; SET LOCAL synchronous_commit TO DEFAULT")

    def _commit(self) -> None:
        transaction = self.execute(sa.text("SELECT pg_current_xact_id_if_assigned()::text")).scalar()
        try:
            self._do("COMMIT")
        except UnavailableError:
            if self._connection is not None or transaction is None or not self._settled(transaction):
                raise

    def _settled(self, transaction: str) -> bool:
        """Ask, on a new connection, whether a transaction whose COMMIT got no answer was committed."""
        status = sa.text("SELECT pg_xact_status(CAST(CAST(:id AS text) AS xid8))")
        for _ in range(_ANSWERS):
            with self._errors():
                found = self.connection.execute(status, {"id": transaction}).scalar()
            if found != "in progress":
                return bool(found == "committed")
            time.sleep(0.1)
        return False

    def rollback(self) -> None:
        """See ``Session.rollback``."""
        super().rollback()
        if self._connection is not None and self._lost():
            self._drop()

    def close(self) -> None:
        """See ``Session.close``."""
        super().close()
        self._mailboxes.clear()

    # ------------------------------------------------------------ sequences and locks

    def draw(self) -> int:
        """See ``Session.draw``."""
        return int(self.execute(sa.select(schema.rma_sequence.next_value())).scalar())

    def use(self, sequence: int) -> None:
        """See ``Session.use``."""

    def sequence(self) -> int:
        """See ``Session.sequence``."""
        query = sa.text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM rma_sequence")
        return int(self.execute(query).scalar())

    def resume(self, sequence: int) -> None:
        """See ``Session.resume``."""
        if sequence:
            self.execute(sa.text("SELECT setval('rma_sequence', :value)"), {"value": sequence})

    def problems(self) -> list[str]:
        """See ``Session.problems``: PostgreSQL checks its pages itself."""
        return []

    def claim_mailbox(self, address: str) -> bool:
        """See ``Session.claim_mailbox``."""
        if address not in self._mailboxes and self._lock("pg_try_advisory_lock", _lock_key(address)):
            self._mailboxes.add(address)
        return address in self._mailboxes

    def release_mailbox(self, address: str) -> None:
        """See ``Session.release_mailbox``."""
        if address in self._mailboxes:
            self._mailboxes.discard(address)
            self._lock("pg_advisory_unlock", _lock_key(address))

    def take_over(self, worker: int) -> bool:
        """See ``Session.take_over``."""
        return self._lock("pg_try_advisory_lock", worker)

    def leave(self, worker: int) -> None:
        """See ``Session.leave``."""
        self._lock("pg_advisory_unlock", worker)

    def _lock(self, function: str, number: int) -> bool:
        return bool(self.execute(sa.text(f"SELECT {function}(:number)"), {"number": number}).scalar())


def _lock_key(address: str) -> int:
    return int.from_bytes(hashlib.blake2b(address.lower().encode(), digest_size=7).digest(), "big")
