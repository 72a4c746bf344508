"""What lies in the state folder: dossiers, one TinyDB file each, replaced whole and sealed with a digest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
from tinydb import TinyDB
from tinydb.storages import Storage

from mailbot.case.lifecycle import CLOSED_STATES
from mailbot.model import Case, Reply, Value
from mailbot.runtime import facets, files
from mailbot.runtime.store_protocol import StateError

if TYPE_CHECKING:
    from pathlib import Path

Sealed = dict[str, Any]
"""A dossier in the types of JSON, with the digest of everything else in it."""

FACTS = "facts"
"""The id of the one dossier that holds no case: small facts and the sequence of RMA numbers."""


class Dossier(Value, frozen=True):
    """A case with every RMA number it ever had, or caseless replies (notes), or the store's small facts.

    ``revision`` grows with every change, so that of two copies the newer is known.
    """

    id: str
    revision: int
    case: Case | None = None
    numbers: tuple[str, ...] = ()
    notes: tuple[Reply, ...] = ()
    facts: dict[str, str] = {}  # noqa: RUF012 - msgspec copies it for each
    sequence: int = 0

    @property
    def replies(self) -> tuple[Reply, ...]:
        """The mails in it."""
        return self.case.replies if self.case else self.notes

    @property
    def path(self) -> str:
        """Where it belongs, below the state folder: what is over and sent goes to the archive of its last year."""
        if self.id == FACTS:
            return f"{FACTS}.json"
        waits = any(reply.state not in facets.FINAL for reply in self.replies)
        if not waits and (self.case is None or self.case.state in CLOSED_STATES):
            return f"archive/{self._last_year()}/{self.id}.json"
        return f"{'cases' if self.case else 'notes'}/{self.id}.json"

    def _last_year(self) -> int:
        if self.case is None:
            return self.notes[-1].at.year
        return (self.case.history[-1].at if self.case.history else self.case.opened_at).year


class Mark(Value, frozen=True):
    """How far the delivery of one reply has come (``reply`` is without its mail): a dossier's next revision."""

    id: str
    revision: int
    reply: Reply


def marked(dossier: Dossier, mark: Mark) -> Dossier:
    """The dossier with a mark applied, unless it is newer than the mark."""
    if mark.revision <= dossier.revision:
        return dossier
    case = facets.with_delivery(dossier.case, mark.reply) if dossier.case else None
    notes = tuple(
        facets.delivered(reply, mark.reply) if reply.message_id == mark.reply.message_id else reply
        for reply in dossier.notes
    )
    return msgspec.structs.replace(dossier, revision=mark.revision, case=case, notes=notes)


# ---------------------------------------------------------------- seals


def seal(value: Value) -> Sealed:
    """The value in the types of JSON, with its digest.

    Raises:
        UnicodeEncodeError: A text in it is no Unicode (a lone surrogate).
    """
    body: Sealed = msgspec.to_builtins(value)
    body["digest"] = _digest(body)
    return body


def unbroken(body: object) -> bool:
    """Whether a sealed value is as it was sealed."""
    if not isinstance(body, dict):
        return False
    return body.get("digest") == _digest({key: value for key, value in body.items() if key != "digest"})


def unseal(body: Sealed) -> Dossier:
    """The dossier of a sealed value that is unbroken.

    Raises:
        msgspec.ValidationError: It is no dossier of this version.
    """
    return msgspec.convert(body, Dossier)


def _digest(body: Sealed) -> str:
    # Sorted keys: a later version may order the fields otherwise, and today's dossiers still hold.
    return hashlib.blake2b(msgspec.json.encode(body, order="sorted"), digest_size=12).hexdigest()


# ---------------------------------------------------------------- TinyDB files


class AtomicStorage(Storage):
    """A TinyDB storage that replaces its file whole. TinyDB's own writes in place, and a kill would leave half a file.

    Args:
        path: The file.
        afresh: The file is written whole, so nothing needs to be read before.
    """

    def __init__(self, path: Path, *, afresh: bool = False) -> None:
        self._path = path
        self._afresh = afresh

    def read(self) -> dict[str, dict[str, Any]] | None:
        """What the file holds."""
        if self._afresh:
            return None
        tables: dict[str, dict[str, Any]] = msgspec.json.decode(self._path.read_bytes(), type=dict[str, dict[str, Any]])
        return tables

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Replaces the file, laid out for people to read."""
        text = msgspec.json.format(msgspec.json.encode(data), indent=1)
        files.replace(self._path, text + b"\n", durable=False)


def write(path: Path, sealed: Sealed) -> None:
    """Makes a sealed dossier the content of a file. Until it is synced, somebody else must hold a durable copy.

    Raises:
        OSError: The disk would not take it; the file is as it was.
    """
    TinyDB(path, storage=AtomicStorage, afresh=True).table("dossiers").insert(sealed)


def read(path: Path) -> Dossier:
    """The dossier in a file.

    Raises:
        FileNotFoundError: There is none.
        StateError: The file is damaged, or holds another dossier than its name says.
    """
    try:
        body = TinyDB(path, storage=AtomicStorage).table("dossiers").get(doc_id=1)
        dossier = unseal(dict(body)) if isinstance(body, dict) and unbroken(body) else None
    except (msgspec.MsgspecError, ValueError, TypeError, AttributeError) as error:
        raise _damaged(path, str(error)) from error
    if dossier is None:
        raise _damaged(path, "its content does not match its digest")
    if dossier.id != path.stem:
        raise _damaged(path, f"it holds {dossier.id}")
    return dossier


def _damaged(path: Path, what: str) -> StateError:
    # A case that is moved away is one case lost; without the facts nothing is known of the mailboxes.
    away = ", or move it away: mailbot then starts without this case, and takes answers to it for new requests"
    return StateError(
        f"{path} is damaged ({what}). Restore this file from a backup{away if path.stem != 'facts' else ''}"
    )
