"""The tables, in SQLAlchemy Core, their version, and the migrations from older versions.

Moments are microseconds since 1970 in UTC. Flags are 0 or 1. Texts that are compared are stored as ``rows.key`` gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

VERSION = 2
"""The version of the tables and documents that this code writes. Version 1 was a folder without a database."""

Run = Callable[[str], Any]
"""What runs a statement without values."""

MIGRATIONS: Mapping[int, Callable[[Run], None]] = MappingProxyType({})
"""How to get from the version before to the version named by the key; each in one transaction.

A migration must not use the tables below, which show the newest version only.
"""

_metadata = sa.MetaData()
_KINDS = {"text": sa.Text, "number": sa.BigInteger, "bytes": sa.LargeBinary}


def _table(name: str, *indexes: str, key: str = "", unique: str = "", optional: str = "", **columns: str) -> sa.Table:
    """Return a table: the columns of each of ``_KINDS``, of each index, of the key; a unique one, and those that may be NULL.

    Names are separated by blanks. A table without a key has ``seq``, which grows with each row.
    """
    made: list[sa.schema.SchemaItem] = [] if key else [sa.Column("seq", sa.Integer, primary_key=True)]
    keys, nullable = key.split(), optional.split()
    for kind, listed in columns.items():
        made += [sa.Column(c, _KINDS[kind], primary_key=c in keys, nullable=c in nullable) for c in listed.split()]
    made += [sa.Index(f"{name}_{each.replace(' ', '_')}", *each.split(), unique=each == unique) for each in indexes]
    return sa.Table(name, _metadata, *made)


_table("schema_version", key="version", number="version")
# A case's document is NULL once its file in ``folder`` is on the disk.
cases = _table(
    "cases", "due_at", "opened_at", key="id", text="id mailbox state digest folder",
    number="over opened_at revision due_at", bytes="document", optional="due_at document",
)  # fmt: skip
case_keys = _table("case_keys", "key", key="case_id key", text="case_id key")
numbers = _table("numbers", "sequence", key="number", text="number case_id", number="sequence")
replies = _table(
    "replies", "message_id", "unsent created_at", "case_id", "recipient created_at", unique="message_id",
    text="message_id mailbox recipient digest state note case_id", bytes="document",
    number="created_at direct unsent attempts unanswered due_at tried_at worker", optional="case_id due_at tried_at worker",
)  # fmt: skip
# The bytes of replies are apart, so that a mark does not write them again. A row is deleted some time after it was sent.
contents = _table("contents", key="message_id", text="message_id", bytes="content")
mails = _table("mails", "identity", unique="identity", text="identity", number="at", bytes="document")
facts = _table("facts", key="name", text="name value")
sa.Sequence("rma_sequence", metadata=_metadata)  # PostgreSQL only: it never gives the same number twice

COPIED = (cases, case_keys, numbers, replies, contents, mails, facts)
"""The tables that hold state, in the order in which they are copied."""


def names(table: sa.Table) -> list[str]:
    """Return the columns of a table that a statement gives values for."""
    return [column.name for column in table.columns if column.name != "seq"]


def insert(table: sa.Table) -> str:
    """Return the statement that adds a row, unless one with the same key exists."""
    columns = names(table)
    values = ", ".join(f":{name}" for name in columns)
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({values}) ON CONFLICT DO NOTHING"


def create(run: Run, dialect: sa.Dialect) -> None:
    """Create the tables of the newest version. The caller holds the transaction."""
    engine = sa.create_mock_engine(f"{dialect.name}://", lambda ddl, *_, **__: run(str(ddl.compile(dialect=dialect))))
    _metadata.create_all(engine, checkfirst=False)
    run(f"INSERT INTO schema_version VALUES ({VERSION})")


def migrate(run: Run, found: int) -> None:
    """Bring the tables from version ``found`` to the newest. The caller holds the transaction."""
    for version in range(found + 1, VERSION + 1):
        MIGRATIONS[version](run)
        run(f"INSERT INTO schema_version VALUES ({version})")
