"""Parse an incoming message: bytes to ``Message``, within limits. It raises ``UnreadableError`` and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from hashlib import sha256

from mailbot.mail import addresses, body, headers, mime, reply_text
from mailbot.mail.authentication import Profile, authenticate
from mailbot.mail.automated import classify
from mailbot.mail.headers import Headers
from mailbot.mail.mime import Part, UnreadableError
from mailbot.model import Address, Message, Table

__all__ = ["UnreadableError", "parse"]

_AUTHOR_FIELDS = (
    *("from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references"),
    *("mime-version", "content-type", "content-transfer-encoding", "content-disposition", "auto-submitted"),
)
"""Fields that the author's program writes. Others may differ between two deliveries of one message (trace, filters)."""


def parse(
    raw: bytes,
    *,
    mailbox: str,
    arrived_at: datetime,
    ours: Collection[str] = (),
    trusted_authserv_id: str | None = None,
    profile: Profile = "standard",
) -> Message:
    """Parse a message.

    Args:
        raw: the message as the server returns it, with any line endings.
        mailbox: the address of the mailbox it arrived in.
        arrived_at: when it arrived (UTC).
        ours: our other addresses; plus-addresses of all our addresses are ours too.
        trusted_authserv_id: the authserv-id of our mail server in Authentication-Results (RFC 8601 §2.5).
        profile: how the server writes that field.

    Raises:
        UnreadableError: the message exceeds the limits, is encrypted, or only refers to its content.
    """
    root = mime.parse_parts(raw)
    _refuse_unreadable(root)
    header = root.headers
    subject = headers.decode_words(header.first("subject") or "")
    body_content = body.read_body(root)
    if body_content.text.lstrip().startswith("-----BEGIN PGP MESSAGE-----"):
        raise UnreadableError("encrypted")
    split = reply_text.split(body_content.text, subject)
    own_addresses = (mailbox, *ours)
    sender = addresses.single_mailbox(header.all("from"))
    reply_to = addresses.all_mailboxes(header.all("reply-to"))
    delivery_fields = [value for name in ("delivered-to", "x-original-to", "envelope-to") for value in header.all(name)]
    classification, bounce = classify(root, body_content.text, ours=own_addresses)
    return Message(
        mailbox=mailbox,
        digest=digest(raw, header),
        arrived_at=arrived_at,
        size=len(raw),
        subject=subject,
        message_id=headers.message_id(header.first("message-id")),
        sent_at=headers.parse_date(header.first("date")),
        sender=sender,
        reply_to=reply_to,
        answer_to=_reply_address(reply_to, sender, own_addresses),
        to=addresses.all_mailboxes(header.all("to")),
        cc=addresses.all_mailboxes(header.all("cc")),
        delivered_to=tuple(dict.fromkeys(mailbox.email for mailbox in addresses.all_mailboxes(delivery_fields))),
        in_reply_to=headers.message_ids(header.first("in-reply-to")),
        references=headers.message_ids(header.first("references")),
        text=body_content.text,
        visible=split.visible,
        quoted=split.quoted,
        forwarded=split.forwarded,
        tables=tuple(_visible_tables(body_content.tables, split)),
        attachments=body_content.attachments,
        classification=classification,
        bounce=bounce,
        auth=authenticate(header, sender, trusted_authserv_id, profile),
    )


def digest(raw: bytes, header: Headers) -> str:
    """Return the SHA-256 of what the author wrote, in hexadecimal.

    It is equal for two deliveries of one message and differs for two contents.
    """
    hasher = sha256()
    for name, value in sorted((name, " ".join(value.split())) for name, value in header.fields if name in _AUTHOR_FIELDS):
        hasher.update(f"{name}:{value}\n".encode("utf-8", "replace"))
    _, encoded_body = mime.split_header(raw if b"\n" in raw else raw.replace(b"\r", b"\n"))
    hasher.update(b"\n")
    hasher.update(encoded_body.replace(b"\r\n", b"\n").rstrip(b"\n"))
    return hasher.hexdigest()


def _refuse_unreadable(root: Part) -> None:
    """Refuse content that cannot be read here, and never fetch content that a message only refers to."""
    for part in root.walk():
        if part.kind == "multipart/encrypted":
            raise UnreadableError("encrypted")
        if part.kind in {"application/pkcs7-mime", "application/x-pkcs7-mime"}:
            raise UnreadableError("encrypted or sealed by S/MIME")
        if part.kind in {"message/external-body", "message/partial"}:
            raise UnreadableError(f"{part.kind}: its content is elsewhere")


def _reply_address(reply_to: tuple[Address, ...], sender: Address | None, own_addresses: Collection[str]) -> Address | None:
    """Choose the one address that a reply may go to, or None."""
    chosen = sender
    if reply_to:
        chosen = next((mailbox for mailbox in reply_to if sender and mailbox.email == sender.email), reply_to[0])
    email = chosen and addresses.deliverable(chosen.email)
    if chosen is None or not email or addresses.is_ours(email, own_addresses):
        return None
    return Address(name=chosen.name, email=email)


def _visible_tables(tables: tuple[Table, ...], split: reply_text.SplitText) -> Iterator[Table]:
    """Keep the tables that are in the new text, or in the forwarded message."""
    text = " ".join(f"{split.visible} {split.quoted if split.forwarded else ''}".split())
    for table in tables:
        if all(cell in text for cell in table.rows[0]):
            yield table
