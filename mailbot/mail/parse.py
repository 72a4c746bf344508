"""Bytes to Message: a mail read once, within bounds, without an exception but one."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from mailbot.mail import addresses, body, headers, mime, reply_text
from mailbot.mail.authentication import authenticate
from mailbot.mail.automated import classify
from mailbot.mail.charsets import one_line
from mailbot.mail.mime import Part, UnreadableError
from mailbot.model import Address, Message, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from mailbot.mail.authentication import Profile
    from mailbot.mail.headers import Headers

__all__ = ["UnreadableError", "parse"]

_AUTHORED = (
    *("from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references"),
    *("mime-version", "content-type", "content-transfer-encoding", "content-disposition", "auto-submitted"),
)
"""Fields the author's program writes. All others may differ between two deliveries of one mail (trace, filters)."""


def parse(
    raw: bytes,
    *,
    mailbox: str,
    arrived_at: datetime,
    ours: Collection[str] = (),
    trusted_authserv_id: str | None = None,
    profile: Profile = "standard",
) -> Message:
    """Parse a mail.

    Args:
        raw: the mail as the server hands it over, any line ends.
        mailbox: the address of the mailbox it arrived in.
        arrived_at: when it arrived (UTC).
        ours: further addresses of ours; plus-addresses of all of them are ours too.
        trusted_authserv_id: the id our mail server signs Authentication-Results with (RFC 8601 §2.5).
        profile: how it writes that field.

    Raises:
        Unreadable: the mail is beyond the bounds, encrypted, or only a reference to its content (M1, M2, M7).
    """
    root = mime.cut(raw)
    _refuse_sealed(root)
    head = root.headers
    subject = headers.words(head.first("subject") or "")
    content = body.read(root)
    if content.text.lstrip().startswith("-----BEGIN PGP MESSAGE-----"):
        raise UnreadableError("encrypted")
    split = reply_text.split(content.text, subject)
    own = (mailbox, *ours)
    sender = addresses.single(head.all("from"))
    reply_to = addresses.every(head.all("reply-to"))
    machine, bounce = classify(root, content.text, ours=own)
    return Message(
        mailbox=mailbox,
        digest=digest(raw, head),
        arrived_at=arrived_at,
        size=len(raw),
        subject=subject,
        message_id=headers.own_id(head.first("message-id")),
        sent_at=headers.moment(head.first("date")),
        sender=sender,
        reply_to=reply_to,
        answer_to=_answer_to(head, sender, own),
        to=addresses.every(head.all("to")),
        cc=addresses.every(head.all("cc")),
        delivered_to=tuple(dict.fromkeys(box.email for box in addresses.every(_delivered(head)))),
        return_path=_return_path(head),
        in_reply_to=headers.ids(head.first("in-reply-to")),
        references=headers.ids(head.first("references")),
        text=content.text,
        visible=split.visible,
        quoted=split.quoted,
        forwarded=split.forwarded,
        tables=tuple(_shown(content.tables, split)),
        attachments=content.attachments,
        classification=machine,
        bounce=bounce,
        auth=authenticate(head, sender, trusted_authserv_id, profile),
    )


def digest(raw: bytes, head: Headers) -> str:
    """Return the SHA-256 of what the author wrote, in hexadecimal: two deliveries agree, two contents differ."""
    total = sha256()
    for name, value in sorted((name, " ".join(value.split())) for name, value in head.fields if name in _AUTHORED):
        total.update(f"{name}:{value}\n".encode("utf-8", "replace"))
    _, rest = mime.split_header(raw if b"\n" in raw else raw.replace(b"\r", b"\n"))
    total.update(b"\n")
    total.update(rest.replace(b"\r\n", b"\n").rstrip(b"\n"))
    return total.hexdigest()


def _refuse_sealed(root: Part) -> None:
    """Refuse what nobody here can read, and fetch nothing that a mail merely points to (M7)."""
    for part in root.walk():
        if part.kind == "multipart/encrypted":
            raise UnreadableError("encrypted")
        if part.kind in {"application/pkcs7-mime", "application/x-pkcs7-mime"}:
            raise UnreadableError("encrypted or sealed by S/MIME")
        if part.kind in {"message/external-body", "message/partial"}:
            raise UnreadableError(f"{part.kind}: its content is elsewhere")


def _answer_to(head: Headers, sender: Address | None, own: Collection[str]) -> Address | None:
    """Choose the one address an answer may go to, or None (L3, L9)."""
    named = addresses.every(head.all("reply-to"))
    chosen = sender
    if named:
        chosen = next((box for box in named if sender and box.email == sender.email), named[0])
    email = chosen and addresses.deliverable(chosen.email)
    if chosen is None or not email or addresses.is_ours(email, own):
        return None
    return Address(name=chosen.name, email=email)


def _delivered(head: Headers) -> Iterator[str]:
    for name in ("delivered-to", "x-original-to", "envelope-to"):
        yield from head.all(name)


def _return_path(head: Headers) -> str | None:
    value = head.first("return-path")
    if value is None:
        return None
    named = addresses.read(value).found
    return named[0].email if named else one_line(value.strip(" <>\t"))


def _shown(tables: tuple[Table, ...], split: reply_text.SplitText) -> Iterator[Table]:
    """Keep the tables that stand in the new text, or in the mail that is passed on."""
    text = " ".join(f"{split.visible} {split.quoted if split.forwarded else ''}".split())
    for table in tables:
        if all(cell in text for cell in table.rows[0]):
            yield table
