"""Model values to table rows and back. Pure: no database, no files."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from mailbot.case.lifecycle import CLOSED_STATES
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, MailRecord, Reply, ReplyState, Step
from mailbot.runtime.store.schema import VERSION

Row = dict[str, Any]
"""One row, by column name."""

FINAL: frozenset[ReplyState] = frozenset({"sent", "failed", "held"})
"""States of a reply in which the outbox has nothing left to do with it."""

OPEN_FOLDER = "cases"
"""The folder of case files that are not archived."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # it is a file's name
_LONGEST_KEY = 300  # characters; PostgreSQL cannot index long texts


class Document(msgspec.Struct, frozen=True):
    """A stored case, with the schema version that wrote it."""

    version: int
    case: Case


class _Tables(msgspec.Struct, frozen=True):
    """The content of a case file: TinyDB's default table with one document."""

    rows: dict[str, Document] = msgspec.field(name="_default")


_TABLES = msgspec.json.Decoder(_Tables)
_REPLY = msgspec.json.Decoder(Reply)
_RECORD = msgspec.json.Decoder(MailRecord)


def number(at: datetime) -> int:
    """Return a moment as microseconds since 1970 in UTC."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(microseconds: int) -> datetime:
    """Return the moment, in UTC, of a number of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def key(text: str) -> str:
    """Return the text in a form that every database can index: long or unprintable texts become a digest."""
    if len(text) <= _LONGEST_KEY and text.isprintable():
        return text
    return f"#{hashlib.blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def thread_key(message_id: str) -> str:
    """Return the key of a Message-ID."""
    return key(f"m:{message_id}")


def name_key(name: str) -> str:
    """Return the key of a case id or an RMA number, in any capitals."""
    return key(f"n:{name.strip().casefold()}")


def unit_key(folded: str) -> str:
    """Return the key of a folded serial."""
    return key(f"s:{folded}")


def digest(content: bytes) -> str:
    """Return the SHA-256 of a document or a mail, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


# ---------------------------------------------------------------- cases


def encode_case(case: Case) -> bytes:
    """Return the document of a case as the content of a TinyDB file.

    The delivery and the bytes of its replies are left out: they live in the table of replies.

    Raises:
        ValueError: the case has no usable id, or a value that could not be read back.
    """
    if not _CASE_ID.fullmatch(case.id):
        raise ValueError(f"{case.id!r} cannot be a case's id: letters, digits, dots, hyphens and _, at most 100")
    stored = msgspec.structs.replace(case, replies=tuple(map(_bare, case.replies)))
    return msgspec.json.format(msgspec.json.encode(_Tables({"1": Document(VERSION, stored)})), indent=1) + b"\n"


def decode_case(content: bytes) -> Case:
    """Return the case of a document; every reply in it is queued and has no bytes.

    Raises:
        ValueError: it is no document of this version.
    """
    [document] = _TABLES.decode(content).rows.values()
    return document.case


def case_row(case: Case, document: bytes) -> Row:
    """Return the row of a case, all but its revision."""
    return {
        "id": case.id,
        "mailbox": case.mailbox,
        "state": case.state,
        "over": int(case.state in CLOSED_STATES),
        "opened_at": number(case.opened_at),
        "updated_at": number(case.history[-1].at if case.history else case.opened_at),
        "due_at": min((number(deadline.at) for deadline in case.deadlines), default=None),
        "digest": digest(document),
        "document": document,
        "folder": OPEN_FOLDER,
    }


def case_keys(case: Case) -> set[str]:
    """Return the keys by which a case is found: its id and number, its thread, its units."""
    ours = {reply.message_id for reply in case.replies}
    theirs = {mail.message_id for entry in case.history if (mail := getattr(entry.event, "mail", None))}
    names = (case.id, case.number.text) if case.number else (case.id,)
    return {
        *map(name_key, names),
        *(thread_key(message_id) for message_id in ours | theirs if message_id),
        *(unit_key(folded) for unit in case.units if (folded := serial_key(unit.serial))),
    }


# ---------------------------------------------------------------- replies


def _bare(reply: Reply) -> Reply:
    return msgspec.structs.replace(
        reply, raw="", state="queued", attempts=0, due_at=None, note="", tried_at=None, ambiguous_attempts=0
    )


def delivery(reply: Reply) -> Row:
    """Return how far the delivery of a reply has come."""
    return {
        "state": reply.state,
        "unsent": int(reply.state not in FINAL),
        "attempts": reply.attempts,
        "due_at": number(reply.due_at) if reply.due_at else None,
        "tried_at": number(reply.tried_at) if reply.tried_at else None,
        "unanswered": reply.ambiguous_attempts,
        "note": reply.note.replace("\0", " ").encode("utf-8", "replace").decode(),
    }


def reply_row(reply: Reply, case_id: str | None) -> Row:
    """Return the row of a new reply; ``case_id`` is None for a note to staff that belongs to no case."""
    return {
        "message_id": reply.message_id,
        "case_id": case_id,
        "mailbox": reply.mailbox,
        "recipient": key(reply.to.lower()),
        "created_at": number(reply.at),
        "direct": int(reply.direct),
        "document": msgspec.json.encode(_bare(reply)),
        "sha256": digest(content_of(reply)),
        "worker": None,
        **delivery(reply),
    }


def content_of(reply: Reply) -> bytes:
    """Return the bytes of a reply."""
    return reply.raw.encode("utf-8", "surrogatepass")


def content_row(reply: Reply) -> Row:
    """Return the row of a reply's bytes."""
    return {"message_id": reply.message_id, "content": content_of(reply)}


def with_delivery(reply: Reply, row: Any) -> Reply:
    """Return the reply with the delivery state of its row."""
    return msgspec.structs.replace(
        reply,
        state=row.state,
        attempts=row.attempts,
        due_at=None if row.due_at is None else moment(row.due_at),
        tried_at=None if row.tried_at is None else moment(row.tried_at),
        ambiguous_attempts=row.unanswered,
        note=row.note,
    )


def decode_reply(row: Any, content: bytes) -> Reply:
    """Return the reply of a row, with its bytes."""
    reply = with_delivery(_REPLY.decode(row.document), row)
    return msgspec.structs.replace(reply, raw=content.decode("utf-8", "surrogatepass"))


def notes(step: Step) -> list[Reply]:
    """Return the replies of a step that belong to no case."""
    in_case = {reply.message_id for reply in step.after.replies} if step.after else set()
    return [reply for reply in step.replies if reply.message_id not in in_case]


# ---------------------------------------------------------------- the mail log


def mail_row(record: MailRecord) -> Row:
    """Return the row of one line of the mail log."""
    return {"identity": key(record.identity), "at": number(record.at), "document": msgspec.json.encode(record)}


def decode_mail(content: bytes) -> MailRecord:
    """Return one line of the mail log."""
    return _RECORD.decode(content)
