"""Write an outgoing message as bytes: pure ASCII, CRLF, and deterministic (RFC 5322, RFC 2045).

Text from outside (names, subjects, ids) is cleaned before it is written. The result is parsed again and compared with
the draft before it can be sent, so that an injected header never leaves the application.
"""

from __future__ import annotations

import base64
import quopri
import re
from datetime import UTC, datetime
from email.header import Header
from email.utils import encode_rfc2231, format_datetime
from hashlib import sha256
from typing import Literal

from mailbot.mail import addresses, headers, mime
from mailbot.mail.charsets import one_line
from mailbot.model import Attachment, Value

MAX_LINE = 998
FOLD_AT = 78
"""The maximum number of octets in a line, and the length at which header fields are folded (RFC 5322 §2.1.1)."""

_MESSAGE_ID = re.compile(r"[!-;=?-~]{1,400}@[!-;=?-~]{1,400}")
_MEDIA_TYPE = re.compile(r"(?!message/|multipart/)[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,90}")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")


class Draft(Value, frozen=True):
    """An outgoing message before it is frozen.

    Ids have no angle brackets; malformed ids of other senders are dropped. ``date`` is time zone aware. ``html`` and
    ``reply_to`` may be empty.
    """

    mailbox_name: str
    mailbox: str
    to: str
    subject: str
    message_id: str
    date: datetime
    text: str
    html: str = ""
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    auto_submitted: Literal["auto-replied", "auto-generated"] = "auto-replied"
    reply_to: str = ""


def build(draft: Draft) -> bytes:
    """Return the bytes of a draft. The same draft always gives the same bytes.

    Raises:
        ValueError: an address or our own Message-ID is malformed, the date is naive, or the result does not parse back
            to the draft.
    """
    fields = _fields(draft)
    raw = "\r\n".join([*(_fold_field(name, value) for name, value in fields), _body(draft)]).encode("ascii")
    _verify(raw, draft, [name.lower() for name, _ in fields])
    return raw


# ---------------------------------------------------------------- the header


def _fields(draft: Draft) -> list[tuple[str, str]]:
    if not _MESSAGE_ID.fullmatch(draft.message_id):
        raise ValueError("our Message-ID is malformed")
    if draft.date.tzinfo is None:
        raise ValueError("the date has no time zone")
    in_reply_to = [message_id for message_id in (draft.in_reply_to or "",) if _MESSAGE_ID.fullmatch(message_id)]
    references = list(dict.fromkeys(message_id for message_id in draft.references if _MESSAGE_ID.fullmatch(message_id)))
    if len(references) > 11:  # noqa: PLR2004  (keep the first and the last ten, as other programs do)
        references = [references[0], *references[-10:]]
    fields = [
        ("From", _format_mailbox(draft.mailbox_name, draft.mailbox)),
        ("To", _format_mailbox("", draft.to)),
        ("Reply-To", _format_mailbox("", draft.reply_to) if draft.reply_to else ""),
        ("Subject", _encode_text(one_line(draft.subject), len("Subject: "))),
        ("Date", format_datetime(draft.date.astimezone(UTC))),
        ("Message-ID", f"<{draft.message_id}>"),
        ("In-Reply-To", " ".join(f"<{message_id}>" for message_id in in_reply_to)),
        ("References", " ".join(f"<{message_id}>" for message_id in references)),
        ("Auto-Submitted", draft.auto_submitted),
        ("X-Auto-Response-Suppress", "All"),
        ("MIME-Version", "1.0"),
    ]
    return [(name, value) for name, value in fields if value or name == "Subject"]


def _format_mailbox(name: str, address: str) -> str:
    normalized = addresses.deliverable(address)
    if normalized is None:
        raise ValueError("the address cannot receive email")
    clean_name = one_line(name, 200)
    if not clean_name:
        return normalized
    if clean_name.isascii() and "=?" not in clean_name:
        quoted = clean_name if _ATOMS.fullmatch(clean_name) else '"' + re.sub(r'(["\\])', r"\\\1", clean_name) + '"'
        return f"{quoted} <{normalized}>"
    return f"{_encode_text(clean_name, len('From: '))} <{normalized}>"


def _encode_text(text: str, indent: int) -> str:
    """Return header text unchanged if it is safe ASCII, else as encoded words (RFC 2047).

    Text that looks like an encoded word is encoded too.
    """
    if text.isascii() and "=?" not in text and max(map(len, text.split(" "))) < FOLD_AT - indent:
        return text
    return Header(text, "utf-8", maxlinelen=FOLD_AT - 2, header_name="x" * indent).encode(linesep="\n").replace("\n", "")


def _fold_field(name: str, value: str) -> str:
    """Fold a field at its spaces. A single word may be longer than ``FOLD``, but never longer than ``LINE``."""
    lines, line = [], f"{name}:"
    for word in value.split(" "):
        if len(line) + 1 + len(word) > FOLD_AT and line != f"{name}:":
            lines.append(line)
            line = ""
        line = f"{line} {word}"
    return "\r\n".join([*lines, line])


# ---------------------------------------------------------------- the body


def _body(draft: Draft) -> str:
    """Return the header fields of the body, the blank line, and the body."""
    body = _text_part("plain", draft.text)
    if draft.html:
        body = _multipart("alternative", [body, _text_part("html", draft.html)], draft)
    if draft.attachments:
        body = _multipart("mixed", [body, *map(_attachment_part, draft.attachments)], draft)
    return body


def _multipart(subtype: str, parts: list[str], draft: Draft) -> str:
    """Join parts with a boundary derived from the Message-ID, so that the same draft gives the same bytes."""
    seed = f"{subtype} {draft.message_id}"
    while (boundary := f"=_{sha256(seed.encode()).hexdigest()[:32]}") in "".join(parts):
        seed += "+"
    header = f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"\r\n\r\n'
    return header + "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"


def _text_part(subtype: str, text: str) -> str:
    normalized = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    encoding, body = _transfer_encode(normalized)
    charset = "us-ascii" if encoding == "7bit" else "utf-8"
    header = f"Content-Type: text/{subtype}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return header + body.replace("\n", "\r\n")


def _transfer_encode(text: str) -> tuple[str, str]:
    """Choose the transfer encoding: 7bit for short ASCII lines, else the shorter result (RFC 2045 §6)."""
    lines = text.split("\n")
    plain = text.isascii() and not re.search(r"[\x00-\x08\x0b-\x1f\x7f]| \n", text)
    if plain and max(map(len, lines)) < MAX_LINE:
        return "7bit", text
    data = text.encode("utf-8", "replace")
    quoted_text = quopri.encodestring(data).decode("ascii")
    base64_text = base64.encodebytes(data.replace(b"\n", b"\r\n")).decode("ascii")
    return ("quoted-printable", quoted_text) if text.isascii() or len(quoted_text) <= len(base64_text) else ("base64", base64_text)


def _attachment_part(attachment: Attachment) -> str:
    media_type = attachment.media_type.lower()
    if not _MEDIA_TYPE.fullmatch(media_type):
        media_type = "application/octet-stream"
    name = mime.clean_name(attachment.name, limit=60) or "attachment"  # 60 characters fit on one line in any script
    filename = f'filename="{name}"' if name.isascii() else f"filename*={encode_rfc2231(name, 'utf-8')}"
    body = base64.encodebytes(attachment.content).decode("ascii").replace("\n", "\r\n")
    return (
        f"Content-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n {filename}\r\n\r\n{body}"
    )


# ---------------------------------------------------------------- verification


def _verify(raw: bytes, draft: Draft, names: list[str]) -> None:
    """Parse the bytes again and compare them with the draft.

    Raises:
        ValueError: they differ.
    """
    root = mime.parse_parts(raw)
    header = root.headers
    body_fields = {"content-type", "content-transfer-encoding"}
    if [name for name, _ in header.fields if name not in body_fields] != names:
        raise ValueError("the header does not match the draft")
    if headers.decode_words(header.first("subject") or "") != one_line(draft.subject):
        raise ValueError("the subject does not match the draft")
    for name, address in (("from", draft.mailbox), ("to", draft.to), ("reply-to", draft.reply_to)):
        found = [mailbox.email for mailbox in addresses.parse_mailboxes(header.first(name) or "").found]
        if address and found != [addresses.deliverable(address)]:
            raise ValueError(f"{name} does not match the draft")
    leaves = sum(1 for part in root.walk() if not part.children)
    if leaves != 1 + bool(draft.html) + len(draft.attachments):
        raise ValueError("the parts do not match the draft")
    line_endings = raw.count(b"\r\n")
    if max(map(len, raw.split(b"\r\n"))) > MAX_LINE or not raw.count(b"\r") == line_endings == raw.count(b"\n"):
        raise ValueError("a line is longer than RFC 5322 allows, or does not end with CRLF")
