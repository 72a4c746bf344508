"""The tables, their version, and the migrations from older versions.

Moments are microseconds since 1970 in UTC. Flags are 0 or 1. Texts that are compared are stored as ``rows.key`` gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import sqlalchemy as sa

from mailbot.runtime.store.errors import StateError

VERSION = 2
"""The version of the tables and documents that this code writes. Version 1 was a folder without a database."""

MIGRATIONS: Mapping[int, Callable[[sa.Connection], None]] = MappingProxyType({})
"""How to get from the version before to the version named by the key. Each runs in one transaction with its version row.

A migration must not use the tables below, which show the newest version only.
"""

metadata = sa.MetaData()

versions = sa.Table(
    "schema_version",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
)

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("mailbox", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("over", sa.Integer, nullable=False),
    sa.Column("opened_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("due_at", sa.BigInteger),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("document", sa.LargeBinary),  # NULL once its file in ``folder`` is on the disk
    sa.Column("folder", sa.Text, nullable=False),
    sa.Index("cases_due", "due_at"),
    sa.Index("cases_opened", "opened_at"),
    sa.Index("cases_folder", "folder", "over"),
)

case_keys = sa.Table(
    "case_keys",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Index("case_keys_key", "key"),
)

numbers = sa.Table(
    "numbers",
    metadata,
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("case_id", sa.Text, nullable=False),
)

replies = sa.Table(
    "replies",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("message_id", sa.Text, nullable=False, unique=True),
    sa.Column("case_id", sa.Text),
    sa.Column("mailbox", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("direct", sa.Integer, nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("unsent", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", sa.BigInteger),
    sa.Column("tried_at", sa.BigInteger),
    sa.Column("unanswered", sa.Integer, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("worker", sa.BigInteger),
    sa.Index("replies_unsent", "unsent", "created_at"),
    sa.Index("replies_case", "case_id"),
    sa.Index("replies_recipient", "recipient", "created_at"),
)

contents = sa.Table(  # apart, so that a mark does not write a mail's bytes again
    "contents",
    metadata,
    sa.Column("message_id", sa.Text, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),  # the row is deleted some time after it was sent
)

mails = sa.Table(
    "mails",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("identity", sa.Text, nullable=False, unique=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
)

facts = sa.Table(
    "facts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

rma_sequence = sa.Sequence("rma_sequence", metadata=metadata)
"""PostgreSQL only. SQLite keeps the last sequence in ``facts``."""

COPIED = (cases, case_keys, numbers, replies, contents, mails, facts)
"""The tables that hold state, in the order in which they are copied."""


def create(connection: sa.Connection) -> None:
    """Create the tables of the newest version. The caller holds the transaction."""
    metadata.create_all(connection, checkfirst=False)
    connection.execute(versions.insert(), {"version": VERSION})


def version_of(connection: sa.Connection, place: str) -> int:
    """Return the version of the tables.

    Raises:
        StateError: there is no version, or a newer program wrote it.
        sqlalchemy.exc.DBAPIError: the tables cannot be read.
    """
    found = connection.execute(sa.select(sa.func.max(versions.c.version))).scalar()
    if found is None:
        raise StateError(f"{place} has no schema version; restore it from a backup")
    if found > VERSION:
        raise StateError(
            f"{place} was written by a newer mailbot (schema version {found}, this one knows {VERSION}). "
            "Install the newer version, or restore a backup from before the upgrade"
        )
    return int(found)


def migrate(connection: sa.Connection, found: int) -> None:
    """Bring the tables from version ``found`` to the newest. The caller holds the transaction."""
    for version in range(found + 1, VERSION + 1):
        MIGRATIONS[version](connection)
        connection.execute(versions.insert(), {"version": version})
