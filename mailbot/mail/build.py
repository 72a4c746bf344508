"""A mail of ours, frozen to bytes: pure ASCII, CRLF, the same draft always the same bytes (RFC 5322, RFC 2045; L6).

What came from outside (names, subjects, ids) is cleaned before it is written, and what was written is read again and
compared before anybody may send it: a header that nobody asked for cannot leave the house (H1 to H4).
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

LINE = 998
FOLD = 78
"""Octets of the longest line, and where header fields are folded (RFC 5322 §2.1.1)."""

_ID = re.compile(r"[!-;=?-~]{1,400}@[!-;=?-~]{1,400}")
_MEDIA_TYPE = re.compile(r"(?!message/|multipart/)[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,90}")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")


class Draft(Value, frozen=True):
    """A mail about to be frozen.

    Ids stand without angle brackets; foreign ones that are malformed are left out. ``date`` is aware. ``html`` and
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
    """Freeze a draft.

    Raises:
        ValueError: an address or our own Message-ID is malformed, the date is naive, or what was written does not read
            back as it was meant.
    """
    fields = _fields(draft)
    raw = "\r\n".join([*(_field(name, value) for name, value in fields), _body(draft)]).encode("ascii")
    _verify(raw, draft, [name.lower() for name, _ in fields])
    return raw


# ---------------------------------------------------------------- the header


def _fields(draft: Draft) -> list[tuple[str, str]]:
    if not _ID.fullmatch(draft.message_id):
        raise ValueError("malformed Message-ID of our own")
    if draft.date.tzinfo is None:
        raise ValueError("a date without a time zone")
    answered = [each for each in (draft.in_reply_to or "",) if _ID.fullmatch(each)]
    references = list(dict.fromkeys(each for each in draft.references if _ID.fullmatch(each)))
    if len(references) > 11:  # noqa: PLR2004  (the first and the last ten, as other programs cut them)
        references = [references[0], *references[-10:]]
    fields = [
        ("From", _mailbox(draft.mailbox_name, draft.mailbox)),
        ("To", _mailbox("", draft.to)),
        ("Reply-To", _mailbox("", draft.reply_to) if draft.reply_to else ""),
        ("Subject", _encoded(one_line(draft.subject), len("Subject: "))),
        ("Date", format_datetime(draft.date.astimezone(UTC))),
        ("Message-ID", f"<{draft.message_id}>"),
        ("In-Reply-To", " ".join(f"<{each}>" for each in answered)),
        ("References", " ".join(f"<{each}>" for each in references)),
        ("Auto-Submitted", draft.auto_submitted),
        ("X-Auto-Response-Suppress", "All"),
        ("MIME-Version", "1.0"),
    ]
    return [(name, value) for name, value in fields if value or name == "Subject"]


def _mailbox(name: str, address: str) -> str:
    valid = addresses.deliverable(address)
    if valid is None:
        raise ValueError("an address that no mail can be sent to")  # H4
    clean = one_line(name, 200)
    if not clean:
        return valid
    if clean.isascii() and "=?" not in clean:
        quoted = clean if _ATOMS.fullmatch(clean) else '"' + re.sub(r'(["\\])', r"\\\1", clean) + '"'
        return f"{quoted} <{valid}>"
    return f"{_encoded(clean, len('From: '))} <{valid}>"


def _encoded(text: str, indent: int) -> str:
    """Return header text as it is where it is harmless ASCII, else as encoded words (H2: also what looks like one)."""
    if text.isascii() and "=?" not in text and max(map(len, text.split(" "))) < FOLD - indent:
        return text
    return Header(text, "utf-8", maxlinelen=FOLD - 2, header_name="x" * indent).encode(linesep="\n").replace("\n", "")


def _field(name: str, value: str) -> str:
    """Fold a field at its spaces; a single word may be longer than the fold, never than a line."""
    out, line = [], f"{name}:"
    for word in value.split(" "):
        if len(line) + 1 + len(word) > FOLD and line != f"{name}:":
            out.append(line)
            line = ""
        line = f"{line} {word}"
    return "\r\n".join([*out, line])


# ---------------------------------------------------------------- the body


def _body(draft: Draft) -> str:
    """Return the body's own header fields, the blank line, and the body."""
    letter = _text("plain", draft.text)
    if draft.html:
        letter = _several("alternative", [letter, _text("html", draft.html)], draft)
    if draft.attachments:
        letter = _several("mixed", [letter, *map(_attached, draft.attachments)], draft)
    return letter


def _several(subtype: str, pieces: list[str], draft: Draft) -> str:
    """Join parts by a boundary that follows from the mail's id, so that the same draft gives the same bytes."""
    seed = f"{subtype} {draft.message_id}"
    while (boundary := f"=_{sha256(seed.encode()).hexdigest()[:32]}") in "".join(pieces):
        seed += "+"
    head = f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"\r\n\r\n'
    return head + "".join(f"--{boundary}\r\n{piece}\r\n" for piece in pieces) + f"--{boundary}--\r\n"


def _text(subtype: str, text: str) -> str:
    unix = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    encoding, body = _transferable(unix)
    charset = "us-ascii" if encoding == "7bit" else "utf-8"
    head = f"Content-Type: text/{subtype}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head + body.replace("\n", "\r\n")


def _transferable(text: str) -> tuple[str, str]:
    """Choose the transfer encoding: none for short lines of ASCII, else the shorter of the two (RFC 2045 §6)."""
    lines = text.split("\n")
    plain = text.isascii() and not re.search(r"[\x00-\x08\x0b-\x1f\x7f]| \n", text)
    if plain and max(map(len, lines)) < LINE:
        return "7bit", text
    data = text.encode("utf-8", "replace")
    printable = quopri.encodestring(data).decode("ascii")
    wrapped = base64.encodebytes(data.replace(b"\n", b"\r\n")).decode("ascii")
    return ("quoted-printable", printable) if text.isascii() or len(printable) <= len(wrapped) else ("base64", wrapped)


def _attached(attachment: Attachment) -> str:
    media_type = attachment.media_type.lower()
    if not _MEDIA_TYPE.fullmatch(media_type):
        media_type = "application/octet-stream"
    name = mime.clean_name(attachment.name, limit=60) or "attachment"  # 60 characters fit a line in any script
    shown = f'filename="{name}"' if name.isascii() else f"filename*={encode_rfc2231(name, 'utf-8')}"
    body = base64.encodebytes(attachment.content).decode("ascii").replace("\n", "\r\n")
    return (
        f"Content-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n {shown}\r\n\r\n{body}"
    )


# ---------------------------------------------------------------- reading it again


def _verify(raw: bytes, draft: Draft, names: list[str]) -> None:
    """Read the bytes back.

    Raises:
        ValueError: they do not say exactly what the draft says.
    """
    root = mime.cut(raw)
    head = root.headers
    body_fields = {"content-type", "content-transfer-encoding"}
    if [name for name, _ in head.fields if name not in body_fields] != names:
        raise ValueError("the header does not read back as written")
    if headers.words(head.first("subject") or "") != one_line(draft.subject):
        raise ValueError("the subject does not read back as written")
    for name, address in (("from", draft.mailbox), ("to", draft.to), ("reply-to", draft.reply_to)):
        found = [box.email for box in addresses.read(head.first(name) or "").found]
        if address and found != [addresses.deliverable(address)]:
            raise ValueError(f"{name} does not read back as written")
    leaves = sum(1 for part in root.walk() if not part.children)
    if leaves != 1 + bool(draft.html) + len(draft.attachments):
        raise ValueError("the parts do not read back as written")
    ends = raw.count(b"\r\n")
    if max(map(len, raw.split(b"\r\n"))) > LINE or not raw.count(b"\r") == ends == raw.count(b"\n"):
        raise ValueError("a line that no server need accept")
