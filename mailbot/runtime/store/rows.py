"""Model values to table rows and back. Pure: no database, no files."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from mailbot.case.lifecycle import FINAL_STATES
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, MailRecord, Reply
from mailbot.runtime.store.schema import VERSION

Row = dict[str, Any]
"""One row, by column name."""

FINAL = frozenset({"sent", "failed", "held"})
"""States of a reply in which the outbox has nothing left to do with it."""

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_CASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # it is a file's name
_LONGEST_KEY = 300  # characters; PostgreSQL cannot index long texts
_NEW: Row = {"state": "queued", "attempts": 0, "ambiguous_attempts": 0, "due_at": None, "tried_at": None, "note": ""}


class _Document(msgspec.Struct, frozen=True):
    version: int  # the schema version that wrote it
    case: Case


_encode = msgspec.json.Encoder().encode
_decode_document = msgspec.json.Decoder(dict[str, dict[str, _Document]]).decode
_decode_reply = msgspec.json.Decoder(Reply).decode
decode_mail = msgspec.json.Decoder(MailRecord).decode


def number(at: datetime) -> int:
    """Return a moment as microseconds since 1970 in UTC."""
    return (at - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """Return the moment, in UTC, of a number of microseconds since 1970."""
    return _EPOCH + microseconds * _MICROSECOND


def key(text: str, kind: Literal["", "thread", "name", "unit"] = "") -> str:
    """Return a text in a form that every database can index: long or unprintable texts become a digest.

    Message-IDs, names (case ids and RMA numbers, in any capitals) and units (folded serials) have a prefix of their kind.
    """
    if kind:
        text = f"{kind[0]}:{text.strip().casefold() if kind == 'name' else text}"
    if len(text) <= _LONGEST_KEY and text.isprintable():
        return text
    return f"#{digest(text.encode('utf-8', 'surrogatepass'))}"


def digest(content: bytes) -> str:
    """Return the SHA-256 of a document or an email, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def encode_case(case: Case) -> bytes:
    """Return the document of a case: the content of a TinyDB file on one line, without the deliveries and bytes of replies.

    Raises ValueError: the case has no usable id, or a value that could not be read back.
    """
    if not _CASE_ID.fullmatch(case.id):
        raise ValueError(f"{case.id!r} cannot be a case's id: letters, digits, dots, hyphens and _, at most 100")
    stored = replace(case, replies=tuple(map(_bare, case.replies)))
    document = _encode({"_default": {"1": _Document(VERSION, stored)}})
    decode_case(document)
    return document


def decode_case(document: bytes) -> Case:
    """Return the case of a document. Raises ValueError if it is none of this version."""
    return _decode_document(document)["_default"]["1"].case


def to_file(document: bytes) -> bytes:
    """Return a document as a person can read it."""
    return msgspec.json.format(document, indent=1) + b"\n"


def from_file(content: bytes) -> bytes:
    """Return the document in a file, or what is there instead."""
    try:
        return msgspec.json.format(content, indent=-1)
    except ValueError:
        return content


def case_row(case: Case, document: bytes, revision: int = 1) -> Row:
    """Return the row of a case."""
    last = case.history[-1].at if case.history else case.opened_at
    over = case.state in FINAL_STATES
    return {
        "id": case.id,
        "mailbox": case.mailbox,
        "state": case.state,
        "over": int(over),
        "opened_at": number(case.opened_at),
        "due_at": min((number(deadline.at) for deadline in case.deadlines), default=None),
        "revision": revision,
        "digest": digest(document),
        "document": document,
        "folder": f"archive/{last.year}" if over else "cases",
    }


def case_keys(case: Case) -> set[str]:
    """Return the keys by which a case is found: its id and number, its thread, its units."""
    incoming = {mail.message_id for entry in case.history if (mail := getattr(entry.event, "mail", None))}
    threads = incoming.union(reply.message_id for reply in case.replies)
    names = (case.id, case.number.text) if case.number else (case.id,)
    units = filter(None, (serial_key(unit.serial) for unit in case.units))
    keys = {key(name, "name") for name in names} | {key(each, "thread") for each in threads if each}
    return keys.union(key(unit, "unit") for unit in units)


def _bare(reply: Reply) -> Reply:
    return replace(reply, raw="", **_NEW)


def delivery_row(reply: Reply) -> Row:
    """Return how far the delivery of a reply has come."""
    return {
        "message_id": reply.message_id,
        "state": reply.state,
        "unsent": int(reply.state not in FINAL),
        "attempts": reply.attempts,
        "due_at": number(reply.due_at) if reply.due_at else None,
        "tried_at": number(reply.tried_at) if reply.tried_at else None,
        "unanswered": reply.ambiguous_attempts,
        "note": reply.note.replace("\0", " ").encode("utf-8", "replace").decode(),
    }


def reply_row(reply: Reply, case_id: str | None) -> Row:
    """Return the row of a new reply, with its bytes as ``content``; ``case_id`` is None if it belongs to no case."""
    content = reply.raw.encode("utf-8", "surrogatepass")
    return delivery_row(reply) | {
        "case_id": case_id,
        "mailbox": reply.mailbox,
        "recipient": key(reply.to.lower()),
        "created_at": number(reply.at),
        "direct": int(reply.direct),
        "document": _encode(_bare(reply)),
        "digest": digest(content),
        "worker": None,
        "content": content,
    }


def with_deliveries(case: Case, progress: dict[str, Any]) -> Case:
    """Return a case with the deliveries of its replies, given their rows by Message-ID."""
    replies = (_with_delivery(reply, row) if (row := progress.get(reply.message_id)) else reply for reply in case.replies)
    return replace(case, replies=tuple(replies))


def _with_delivery(reply: Reply, row: Any) -> Reply:
    due_at, tried_at = (None if at is None else moment(at) for at in (row.due_at, row.tried_at))
    progress = {"state": row.state, "attempts": row.attempts, "ambiguous_attempts": row.unanswered, "note": row.note}
    return replace(reply, due_at=due_at, tried_at=tried_at, **progress)


def decode_reply(row: Any) -> Reply:
    """Return the reply of a row, with its bytes if the row has them."""
    reply = _with_delivery(_decode_reply(row.document), row)
    return replace(reply, raw=(row.content or b"").decode("utf-8", "surrogatepass"))


def mail_row(record: MailRecord) -> Row:
    """Return the row of one line of the mail log."""
    return {"identity": key(record.identity), "at": number(record.at), "document": _encode(record)}
