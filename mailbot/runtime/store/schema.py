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

MIGRATIONS: Mapping[int, Callable[[Callable[[str], Any]], None]] = MappingProxyType({})
"""How to get from the version before to the version named by the key, given what runs a statement. One transaction each.

A migration must not use the tables below, which show the newest version only.
"""

_metadata = sa.MetaData()


def _table(name: str, *parts: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, _metadata, *parts)


def _text(name: str, *, key: bool = False, unique: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, unique=unique or None, nullable=False)


def _number(name: str, *, optional: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=optional)


def _bytes(name: str, *, optional: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=optional)


def _order() -> sa.Column[int]:
    return sa.Column("seq", sa.Integer, primary_key=True)


versions = _table("schema_version", sa.Column("version", sa.Integer, primary_key=True, autoincrement=False))

cases = _table(
    "cases",
    _text("id", key=True),
    _text("mailbox"),
    _text("state"),
    _number("over"),
    _number("opened_at"),
    _number("due_at", optional=True),
    _number("revision"),
    _text("digest"),
    _bytes("document", optional=True),  # NULL once its file in ``folder`` is on the disk
    _text("folder"),
    sa.Index("cases_due", "due_at"),
    sa.Index("cases_opened", "opened_at"),
)

case_keys = _table("case_keys", _text("case_id", key=True), _text("key", key=True), sa.Index("case_keys_key", "key"))

numbers = _table("numbers", _text("number", key=True), _text("case_id"), _number("sequence"))

replies = _table(
    "replies",
    _order(),
    _text("message_id", unique=True),
    sa.Column("case_id", sa.Text),
    _text("mailbox"),
    _text("recipient"),
    _number("created_at"),
    _number("direct"),
    _bytes("document"),
    _text("digest"),
    _text("state"),
    _number("unsent"),
    _number("attempts"),
    _number("due_at", optional=True),
    _number("tried_at", optional=True),
    _number("unanswered"),
    _text("note"),
    _number("worker", optional=True),
    sa.Index("replies_unsent", "unsent", "created_at"),
    sa.Index("replies_case", "case_id"),
    sa.Index("replies_recipient", "recipient", "created_at"),
)

contents = _table("contents", _text("message_id", key=True), _bytes("content"))
"""The bytes of replies, apart so that a mark does not write them again. A row is deleted some time after it was sent."""

mails = _table("mails", _order(), _text("identity", unique=True), _number("at"), _bytes("document"))

facts = _table("facts", _text("name", key=True), _text("value"))

rma_sequence = sa.Sequence("rma_sequence", metadata=_metadata)
"""PostgreSQL only: it never gives the same number twice. On SQLite one process counts."""

COPIED = (cases, case_keys, numbers, replies, contents, mails, facts)
"""The tables that hold state, in the order in which they are copied."""


def names(table: sa.Table) -> list[str]:
    """Return the columns of a table that a statement gives values for."""
    return [column.name for column in table.columns if column.name != "seq"]


def insert(table: sa.Table) -> str:
    """Return the statement that adds a row, unless one with the same key exists."""
    columns = names(table)
    values = ", ".join(f":{name}" for name in columns)
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({values}) ON CONFLICT DO NOTHING"  # noqa: S608 - our names


def create(run: Callable[[str], Any], dialect: sa.Dialect) -> None:
    """Create the tables of the newest version. The caller holds the transaction."""
    engine = sa.create_mock_engine(f"{dialect.name}://", lambda ddl, *_, **__: run(str(ddl.compile(dialect=dialect))))
    _metadata.create_all(engine, checkfirst=False)
    run(f"INSERT INTO schema_version VALUES ({VERSION})")  # noqa: S608 - a number


def migrate(run: Callable[[str], Any], found: int) -> None:
    """Bring the tables from version ``found`` to the newest. The caller holds the transaction."""
    for version in range(found + 1, VERSION + 1):
        MIGRATIONS[version](run)
        run(f"INSERT INTO schema_version VALUES ({version})")  # noqa: S608 - a number
