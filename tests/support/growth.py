"""What may come out of a non-owner's mail at most: looked at by the fuzzer and by Hypothesis alike."""

from __future__ import annotations

import unicodedata
from functools import cache

import msgspec
from support.memory_desk import NOW, PORTWELL, policy, unit

from mailbot.intake.attachments import extraction, formats
from mailbot.intake.desk import Desk
from mailbot.intake.reading import read_message
from mailbot.intake.understand import understand
from mailbot.mail import addresses, body
from mailbot.mail.parse import UnreadableError
from mailbot.model import Mail, Message, Request, Snapshot

LINE = 990
"""Characters of one line of a header, decoded: an id may be that long (RFC 5322 §2.1.1), a subject is shorter."""

REASON = 2_000
SERIAL = 64
ITEMS = 5_000
CODES = 20_000


@cache
def desk() -> Desk:
    """A shipped desk behind an email server that we sent."""
    return msgspec.structs.replace(policy(PORTWELL).desk, trusted_authserv_id="mx.portwell.example")


KNOWN = Snapshot(units={"AH2F104432": unit("AH2F104432", "ipc")}, id_entropy="0" * 32)


def look_through(raw: bytes) -> tuple[Message, Request] | None:
    """Read and understand an email; nothing is raised, and everything is under its cap. None: a person reads it."""
    mail = Mail(desk().address, raw, NOW)
    try:
        message = read_message(mail, desk())
    except UnreadableError as error:
        check_line(error.reason)
        return None
    check_message(message)
    request = understand(message, None, KNOWN, desk())
    check_request(request)
    msgspec.json.encode((message.visible, request))  # a lone surrogate could not be put on record
    return message, request


def check_line(line: str) -> None:
    """Look whether a line is one, of a decent length, that moves no cursor and does not run backwards."""
    assert len(line) <= LINE
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in line), line
    assert not set(line) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"), line


def check_message(message: Message) -> None:
    """Look whether a message is within its bounds."""
    boxes = (message.sender, message.answer_to, *message.to, *message.cc, *message.reply_to)
    for line in (
        message.subject,
        message.message_id or "",
        *message.in_reply_to,
        *message.references,
        *(attachment.name for attachment in message.attachments),
        *(box.name for box in boxes if box),
        *(box.email for box in boxes if box),
        message.classification.reason,
    ):
        check_line(line)
    assert all(len(named) <= addresses.MAX_MAILBOXES for named in (message.to, message.cc, message.reply_to))
    for text in (message.text, message.visible, message.quoted):
        assert len(text) <= body.MAX_CHARACTERS + 1_000
        assert "\x00" not in text
        assert "\u202e" not in text
    assert len(message.codes) <= CODES
    assert len(message.documents) <= extraction.MAX_ATTACHMENTS + 1
    assert sum(len(document.text) for document in message.documents) <= extraction.MAX_TEXT
    tables = [table for document in message.documents for table in document.tables]
    assert sum(len(row) for table in tables for row in table.rows) <= extraction.MAX_CELLS
    assert all(len(table.rows) <= formats.MAX_ROWS for table in (*message.tables, *tables))


def check_request(request: Request) -> None:
    """Look whether a request is within its bounds."""
    assert len(request.units) <= ITEMS
    for item in request.units:
        assert 0 < len(item.serial) <= SERIAL
        check_line(item.serial)
        assert len(item.reason) <= REASON
        assert len(item.revision or "") <= SERIAL
    assert len(request.reason) <= REASON
    assert len(request.po_number or "") <= SERIAL * 3
    assert len(request.support_case or "") <= SERIAL * 3
    assert len(request.claimed_numbers) <= ITEMS
    assert all(len(number) <= SERIAL * 3 for number in request.claimed_numbers)
