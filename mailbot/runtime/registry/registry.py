"""The registry of shipped units: a CSV file in an SQLite index, reloaded when it changes."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mailbot.intake.entities.serials import serial_key
from mailbot.model import Unit
from mailbot.runtime import files
from mailbot.runtime.registry.csv_rows import RegistryError, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Registry", "RegistryError"]

_VERSION = 1
_VALUES_PER_QUERY = 500  # well below SQLite's limit of values in one query
_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE units (key TEXT NOT NULL, line INTEGER NOT NULL, unit BLOB NOT NULL);
CREATE TABLE source (version INTEGER, policy TEXT, digest TEXT);
"""
_DUPLICATE = """
SELECT one.line, two.line FROM units AS one JOIN units AS two USING (key)
WHERE one.line < two.line AND one.unit <> two.unit ORDER BY two.line LIMIT 1
"""


class Registry:
    """The units of one policy, found by serial key. An index in a file keeps memory use small."""

    def __init__(self, db: sqlite3.Connection, source: Path, policy: str, cache: Path | None) -> None:
        self._db, self._source, self._policy, self._cache = db, source, policy, cache
        self._stamp: tuple[int, int] | None = None  # size in bytes and modification time in nanoseconds of the CSV file
        self._digest = ""
        self._refused: tuple[tuple[int, int], str] | None = None

    @classmethod
    def open(cls, source: Path | str, policy: str, cache: Path | str | None = None) -> Registry:
        """Open the registry in a CSV file; if it has a column ``policy``, only the rows of this policy.

        The index is in the file ``cache``, and used if it is up to date; without one (None or ":memory:") it is in memory.

        Raises RegistryError: The file cannot be used; the text names the file, line, column and the fix.
        """
        index_file = None if cache is None or str(cache) == ":memory:" else Path(cache)
        registry = cls(sqlite3.connect(":memory:", check_same_thread=False), Path(source), policy, index_file)
        if index_file and (existing := _existing_index(index_file, policy)):
            registry._db.close()
            registry._db, registry._digest = existing
        registry.refresh()
        return registry

    def look_up(self, codes: Iterable[str]) -> dict[str, Unit]:
        """Return the units with these serial numbers, by serial key. A damaged index is built again from the CSV.

        Raises RegistryError: The index is damaged, and the CSV cannot be used.
        """
        keys = list(dict.fromkeys(map(serial_key, codes)))
        try:
            return self._select(keys)
        except (sqlite3.DatabaseError, msgspec.DecodeError):
            self._digest = ""
            self._load(self._source)
            return self._select(keys)

    def _select(self, keys: list[str]) -> dict[str, Unit]:
        found: dict[str, Unit] = {}
        for start in range(0, len(keys), _VALUES_PER_QUERY):
            chunk = keys[start : start + _VALUES_PER_QUERY]
            marks = ", ".join("?" * len(chunk))
            query = f"SELECT key, unit FROM units WHERE key IN ({marks})"  # noqa: S608 - question marks
            found.update((key, msgspec.json.decode(unit, type=Unit)) for key, unit in self._db.execute(query, chunk))
        return found

    def __iter__(self) -> Iterator[Unit]:
        """Yield every unit, in the order of the file."""
        for (unit,) in self._db.execute("SELECT unit FROM units ORDER BY line"):
            yield msgspec.json.decode(unit, type=Unit)

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM units").fetchone()[0])

    def refresh(self) -> bool:
        """Load the CSV again if it has changed, and return whether it had. Cheap if it has not.

        Raises RegistryError until the file changes if it cannot be used. The rows loaded before stay in effect.
        """
        with _reading(self._source):
            stat = self._source.stat()
        stamp = (stat.st_size, stat.st_mtime_ns)
        if stamp == self._stamp:
            return False
        if self._refused and self._refused[0] == stamp:
            raise RegistryError(self._refused[1])
        try:
            with _reading(self._source):
                changed = self._load(self._source)
        except RegistryError as error:
            self._refused = (stamp, str(error))
            raise
        self._stamp, self._refused = stamp, None
        return changed

    def _load(self, source: Path) -> bool:
        with source.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        if digest == self._digest:
            return False
        new_file = self._cache.with_name(f"{self._cache.name}.{os.getpid()}") if self._cache else ":memory:"
        try:
            db = _new_index(new_file, rows(source, self._policy), str(source), self._policy, digest)
            if self._cache and isinstance(new_file, Path):
                db.close()
                files.sync(new_file)
                new_file.replace(self._cache)
                db = sqlite3.connect(self._cache, check_same_thread=False)
        except sqlite3.Error as error:
            raise RegistryError(f"{self._cache or source}: {error}") from error
        finally:
            if isinstance(new_file, Path):
                new_file.unlink(missing_ok=True)
        self._db.close()
        self._db, self._digest = db, digest
        return True

    def close(self) -> None:
        """Close the index."""
        self._db.close()


def _new_index(path: Path | str, units: Iterable[tuple[int, Unit]], name: str, policy: str, digest: str) -> sqlite3.Connection:
    """Create an index of these units, each with its line number.

    Raises:
        RegistryError: A serial number appears twice with different data.
        sqlite3.Error: The file cannot be written.
    """
    if isinstance(path, Path):
        path.unlink(missing_ok=True)
    db = sqlite3.connect(path, check_same_thread=False)
    try:
        db.executescript(_SCHEMA)
        encode = msgspec.json.Encoder().encode
        lines = ((serial_key(unit.serial), line, encode(unit)) for line, unit in units)
        db.executemany("INSERT INTO units VALUES (?, ?, ?)", lines)
        db.execute("CREATE INDEX units_key ON units (key)")
        _check_duplicates(db, name)
        db.execute("INSERT INTO source VALUES (?, ?, ?)", (_VERSION, policy, digest))
        db.commit()
    except BaseException:
        db.close()
        raise
    return db


def _check_duplicates(db: sqlite3.Connection, name: str) -> None:
    duplicate = db.execute(_DUPLICATE).fetchone()
    if duplicate:
        (unit,) = db.execute("SELECT unit FROM units WHERE line = ?", (duplicate[0],)).fetchone()
        serial = msgspec.json.decode(unit, type=Unit).serial
        raise RegistryError(
            f"{name} line {duplicate[1]}, column serial: {serial!r} is already in line {duplicate[0]} with different data; "
            "keep the correct row"
        )


@contextmanager
def _reading(source: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RegistryError(f"{error.filename or source}: {error.strerror or error}") from error


def _existing_index(cache: Path, policy: str) -> tuple[sqlite3.Connection, str] | None:
    """Open an existing index and return it with the digest of its CSV; None if it cannot be used."""
    if not cache.exists():
        return None
    db = sqlite3.connect(cache, check_same_thread=False)
    try:
        with closing(db.execute("SELECT digest FROM source WHERE version = ? AND policy = ?", (_VERSION, policy))) as held:
            row = held.fetchone()
    except sqlite3.DatabaseError:
        row = None
    if row is None:
        db.close()
        return None
    return db, row[0]
