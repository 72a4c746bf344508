"""The tables, their version, and the migrations from older versions.

Moments are microseconds since 1970 in UTC. Flags are 0 or 1. Texts that are compared are stored as ``rows.key`` gives them.
SQLAlchemy Core makes the tables; it is imported only for that, because its import takes as long as a short command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

VERSION = 2
"""The version of the tables and documents that this code writes. Version 1 was a folder without a database."""

Run = Callable[[str], Any]
"""What runs a statement without values."""

MIGRATIONS: Mapping[int, Callable[[Run], None]] = MappingProxyType({})
"""How to get from the version before to the version named by the key; each in one transaction.

A migration must not use the tables below, which show the newest version only.
"""


class StoredTable(NamedTuple):
    """A table: its columns by type, the key, those that may be NULL, the columns of each index; names separated by blanks.

    A table without a key has ``seq``, which grows with each row.
    """

    name: str
    text: str = ""
    number: str = ""
    binary: str = ""
    key: str = ""
    optional: str = ""
    indexes: tuple[str, ...] = ()
    unique: str = ""
    """The index whose values are unique."""

    @property
    def columns(self) -> list[str]:
        """The columns that a statement gives values for."""
        return f"{self.text} {self.number} {self.binary}".split()

    @property
    def insert(self) -> str:
        """The statement that adds a row, unless one with the same key exists."""
        values = ", ".join(f":{name}" for name in self.columns)
        return f"INSERT INTO {self.name} ({', '.join(self.columns)}) VALUES ({values}) ON CONFLICT DO NOTHING"


# A case's document is NULL once its file in ``folder`` is on the disk.
CASES = StoredTable(
    "cases", "id mailbox state digest folder", "over opened_at revision due_at", "document", key="id",
    optional="due_at document", indexes=("due_at", "opened_at"),
)  # fmt: skip
CASE_KEYS = StoredTable("case_keys", "case_id key", key="case_id key", indexes=("key",))
NUMBERS = StoredTable("numbers", "number case_id", "sequence", key="number", indexes=("sequence",))
REPLIES = StoredTable(
    "replies", "message_id mailbox recipient digest state note case_id",
    "created_at direct unsent attempts unanswered due_at tried_at worker", "document",
    optional="case_id due_at tried_at worker",
    indexes=("message_id", "unsent created_at", "case_id", "recipient created_at"), unique="message_id",
)  # fmt: skip
# The bytes of replies are apart, so that a mark does not write them again. A row is deleted some time after it was sent.
CONTENTS = StoredTable("contents", "message_id", binary="content", key="message_id")
MAIL_LOG = StoredTable("mail_log", "identity", "at", "document", indexes=("identity",), unique="identity")
FACTS = StoredTable("facts", "name value", key="name")

COPIED = (CASES, CASE_KEYS, NUMBERS, REPLIES, CONTENTS, MAIL_LOG, FACTS)
"""The tables that hold state, in the order in which they are copied."""
_TABLES = (StoredTable("schema_version", number="version", key="version"), *COPIED)


def create(run: Run, driver: str) -> None:
    """Create the tables of the newest version, for a driver of SQLAlchemy. The caller holds the transaction."""
    import sqlalchemy as sa

    metadata = sa.MetaData()
    for table in _TABLES:
        columns: list[sa.Column[Any]] = [] if table.key else [sa.Column("seq", sa.Integer, primary_key=True)]
        keys, optional = table.key.split(), table.optional.split()
        for kind, names in ((sa.Text, table.text), (sa.BigInteger, table.number), (sa.LargeBinary, table.binary)):
            columns += [sa.Column(each, kind, primary_key=each in keys, nullable=each in optional) for each in names.split()]
        made = sa.Table(table.name, metadata, *columns)
        for index in table.indexes:
            fields = index.split()
            sa.Index("_".join((table.name, *fields)), *(made.columns[each] for each in fields), unique=index == table.unique)
    sa.Sequence("rma_sequence", metadata=metadata)  # PostgreSQL only: it never gives the same number twice
    engine: Any = sa.create_mock_engine(f"{driver}://", lambda ddl, *_, **__: run(str(ddl.compile(dialect=engine.dialect))))
    metadata.create_all(engine, checkfirst=False)
    run(f"INSERT INTO schema_version VALUES ({VERSION})")


def outline(run: Run) -> None:
    """Create empty tables of SQLite that are only read: a state that does not exist."""
    for table in _TABLES:
        run(f"CREATE TABLE {table.name} (seq, {', '.join(table.columns)})")


def migrate(run: Run, found: int) -> None:
    """Bring the tables from version ``found`` to the newest. The caller holds the transaction."""
    for version in range(found + 1, VERSION + 1):
        MIGRATIONS[version](run)
        run(f"INSERT INTO schema_version VALUES ({version})")
