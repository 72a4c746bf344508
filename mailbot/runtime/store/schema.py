"""The tables, in SQLAlchemy Core, their version, and the migrations from older versions.

Moments are microseconds since 1970 in UTC. Flags are 0 or 1. Texts that are compared are stored as ``rows.key`` gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Index, LargeBinary, Text

VERSION = 2
"""The version of the tables and documents that this code writes. Version 1 was a folder without a database."""

Run = Callable[[str], Any]
"""What runs a statement without values."""

MIGRATIONS: Mapping[int, Callable[[Run], None]] = MappingProxyType({})
"""How to get from the version before to the version named by the key; each in one transaction.

A migration must not use the tables below, which show the newest version only.
"""

_metadata = sa.MetaData()


def _columns(kind: Any, *names: str, key: bool = False, optional: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, primary_key=key, nullable=optional) for name in names]


def _table(name: str, columns: list[sa.Column[Any]], *more: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, _metadata, *columns, *more)


_table("schema_version", [sa.Column("version", sa.Integer, primary_key=True, autoincrement=False)])
cases = _table(
    "cases",
    _columns(Text, "id", key=True)
    + _columns(Text, "mailbox", "state", "digest", "folder")
    + _columns(BigInteger, "over", "opened_at", "revision")
    + _columns(BigInteger, "due_at", optional=True)
    + _columns(LargeBinary, "document", optional=True),  # NULL once its file in ``folder`` is on the disk
    Index("cases_due", "due_at"),
    Index("cases_opened", "opened_at"),
)
case_keys = _table("case_keys", _columns(Text, "case_id", "key", key=True), Index("case_keys_key", "key"))
numbers = _table(
    "numbers",
    _columns(Text, "number", key=True) + _columns(Text, "case_id") + _columns(BigInteger, "sequence"),
    Index("numbers_sequence", "sequence"),
)
replies = _table(
    "replies",
    [sa.Column("seq", sa.Integer, primary_key=True)]
    + _columns(Text, "message_id", "mailbox", "recipient", "digest", "state", "note")
    + _columns(BigInteger, "created_at", "direct", "unsent", "attempts", "unanswered")
    + _columns(BigInteger, "due_at", "tried_at", "worker", optional=True)
    + _columns(Text, "case_id", optional=True)
    + _columns(LargeBinary, "document"),
    Index("replies_message_id", "message_id", unique=True),
    Index("replies_unsent", "unsent", "created_at"),
    Index("replies_case", "case_id"),
    Index("replies_recipient", "recipient", "created_at"),
)
contents = _table("contents", _columns(Text, "message_id", key=True) + _columns(LargeBinary, "content"))
"""The bytes of replies, apart so that a mark does not write them again. A row is deleted some time after it was sent."""
mails = _table(
    "mails",
    [sa.Column("seq", sa.Integer, primary_key=True)]
    + _columns(Text, "identity")
    + _columns(BigInteger, "at")
    + _columns(LargeBinary, "document"),
    Index("mails_identity", "identity", unique=True),
)
facts = _table("facts", _columns(Text, "name", key=True) + _columns(Text, "value"))
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
