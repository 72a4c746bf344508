"""Make the incoming emails of a conversation, as mail clients write them and our mail server delivers them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from pathlib import Path

from mailbot.rehearsal.attachment_files import make_attachment
from mailbot.rehearsal.conversation_file import ConversationStep, Texts

Fill = Callable[[str], str]
"""Replaces {rma1}, {quote1}, {amount1} … with the numbers and amounts of the conversation."""


def server_of(mailbox: str) -> str:
    """Return the authserv-id of our mail server in a conversation (RFC 8601 §2.5)."""
    return f"mx.{mailbox.rpartition('@')[2]}"


def bare(address: str) -> str:
    """Return the address without a display name, in lower case."""
    return address.strip().rpartition("<")[2].rstrip("> ").lower()


def texts(value: Texts) -> tuple[str, ...]:
    """Return a tuple, whether the value is one text or several."""
    return (value,) if isinstance(value, str) else value


def parsed(raw: str) -> EmailMessage:
    """Parse an email that mailbot sent."""
    return message_from_bytes(raw.encode("ascii"), policy=policy.default)


def body_of(mail: EmailMessage) -> str:
    """Return the text part of an email that mailbot sent."""
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part else ""


def arriving(step: ConversationStep, count: int, mailbox: str, last: str, fill: Fill, beside: Path) -> bytes:
    """Return the bytes of the email that arrives in a step: the fields that our mail server adds, then the email itself.

    ``count`` is the number of the step, for the Message-ID. ``last`` is the email that is answered, or that the delivery report is
    about; empty if there is none. ``beside`` is the folder of the conversation file, for ``raw``.

    Raises:
        OSError: the file that ``raw`` names cannot be read.
    """
    if step.raw is not None:
        mail = fill((beside / step.raw).read_bytes().decode("latin-1")).encode("latin-1")
        return _trace(step, mailbox, _sender_of(mail), {}) + mail
    path = "<>" if step.bounce else f"<{bare(step.from_)}>"
    own = {"return-path": path, **{name.lower(): values[0] for name, values in _own_fields(step, fill).items() if values}}
    return _trace(step, mailbox, step.from_ or _reporter(mailbox), own) + authored(step, count, mailbox, last, fill)


def authored(step: ConversationStep, count: int, mailbox: str, last: str, fill: Fill) -> bytes:
    """Return the email of a step as its sender's program writes it (see ``arriving``)."""
    fields, body = _report(step, count, mailbox, last) if step.bounce else _written(step, count, mailbox, last, fill)
    return _head(fields, _own_fields(step, fill)) + body


def _own_fields(step: ConversationStep, fill: Fill) -> dict[str, list[str]]:
    return {name: [_words(fill(value)) for value in texts(values)] for name, values in step.headers.items()}


def _written(step: ConversationStep, count: int, mailbox: str, last: str, fill: Fill) -> tuple[list[tuple[str, str]], bytes]:
    answered = parsed(last) if last else None
    to = texts(step.to) or (str(answered["Reply-To"] or answered["From"]) if answered else mailbox,)
    subject = step.subject
    if subject is None and answered:
        subject = str(answered["Subject"])
        subject = subject if re.match(r"(?i)re:", subject) else f"Re: {subject}"
    fields = [
        ("From", _people((step.from_,))),
        ("To", _people(to)),
        *([("Cc", _people(texts(step.cc)))] if step.cc else []),
        ("Subject", _words(fill(subject or ""))),
        ("Date", format_datetime(step.at)),
        ("Message-ID", f"<step-{count}.{step.at:%Y%m%d%H%M%S}@{bare(step.from_).rpartition('@')[2] or 'nowhere.example'}>"),
        *(thread(answered).items() if answered else ()),
    ]
    return fields, _content(step, answered, fill).as_bytes()


def _content(step: ConversationStep, answered: EmailMessage | None, fill: Fill) -> EmailMessage:
    """Return the MIME body: text, HTML, the quoted email as mail clients write it, and the attachments."""
    mail = EmailMessage(policy=policy.SMTP)
    quoted = body_of(answered).rstrip().splitlines() if answered else []
    who = f"On {answered['Date'].datetime:%a, %d %b %Y at %H:%M}, {answered['From']} wrote:" if answered else ""
    if step.html is None or step.body is not None:
        text = fill(step.body or "")
        mail.set_content("\n".join([text, "", who, *(f"> {line}".rstrip() for line in quoted)]) if answered else text)
    if step.html is not None:
        html = fill(step.html)
        if answered:
            html += f"<div>{escape(who)}</div><blockquote type='cite'>{'<br>'.join(map(escape, quoted))}</blockquote>"
        (mail.set_content if step.body is None else mail.add_alternative)(html, subtype="html")
    for file in step.attach:
        make_attachment(mail, fill(file.name), fill(file.text))
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart() and part.get_boundary() is None):
        part.set_boundary(f"=_part_{number}")  # the same in every run
    return mail


def thread(answered: EmailMessage) -> dict[str, str]:
    """Return the header fields of a reply that name its thread (RFC 5322 §3.6.4)."""
    message_id = str(answered["Message-ID"])
    return {"In-Reply-To": message_id, "References": f"{answered['References'] or ''} {message_id}".strip()}


def _report(step: ConversationStep, count: int, mailbox: str, last: str) -> tuple[list[tuple[str, str]], bytes]:
    """Return the fields and the body of a delivery report about an email from mailbot (RFC 3464); its third part is that email."""
    assert step.bounce is not None  # noqa: S101 - the caller has checked
    server = server_of(mailbox)
    delayed = step.bounce.status.startswith("4")
    boundary = f"=_report_{count}"
    fields = [
        ("From", _people((step.from_ or _reporter(mailbox),))),
        ("To", _people((mailbox,))),
        ("Subject", step.subject or f"Delivery Status Notification ({'Delay' if delayed else 'Failure'})"),
        ("Date", format_datetime(step.at)),
        ("Message-ID", f"<step-{count}.{step.at:%Y%m%d%H%M%S}@{server}>"),
        ("Auto-Submitted", "auto-replied"),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/report; report-type=delivery-status; boundary="{boundary}"'),
    ]
    status = (
        f"Reporting-MTA: dns; {server}",
        "",
        f"Original-Recipient: rfc822; {step.bounce.of}",
        f"Final-Recipient: rfc822; {step.bounce.of}",
        f"Action: {'delayed' if delayed else 'failed'}",
        f"Status: {step.bounce.status}",
    )
    text = step.body or f"Your mail to {step.bounce.of} {'has been delayed' if delayed else 'could not be delivered'}."
    parts = (
        ("text/plain; charset=utf-8", f"{text}\r\n"),
        ("message/delivery-status", "".join(f"{line}\r\n" for line in status)),
        ("message/rfc822", last),
    )
    body = "".join(f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n{content}\r\n" for kind, content in parts)
    return fields, f"\r\n{body}--{boundary}--\r\n".encode()


def _reporter(mailbox: str) -> str:
    """Return the sender of the delivery reports of our mail server."""
    return f"Mail Delivery System <mailer-daemon@{server_of(mailbox)}>"


# ---------------------------------------------------------------- headers


def _trace(step: ConversationStep, mailbox: str, sender: str, own: dict[str, str]) -> bytes:
    """Return the header fields that our mail server adds: its verdict on the sender, directly above its own Received."""
    server, domain = server_of(mailbox), bare(sender).rpartition("@")[2]
    lines = [
        *([f"Return-Path: {own['return-path']}"] if own else []),
        *([] if step.auth == "none" else [f"Authentication-Results: {server}; dmarc={step.auth} header.from={domain}"]),
        f"Received: from out.{domain} by {server} with ESMTPS for <{mailbox}>; {format_datetime(step.at)}",
        f"Delivered-To: {own.get('delivered-to', mailbox)}",  # separates our server's fields from the ones in the email
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()


_SERVER_FIELDS = frozenset({"return-path", "delivered-to"})


def _head(fields: Iterable[tuple[str, str]], own: dict[str, list[str]]) -> bytes:
    """Return the header fields of the email. Fields set in the conversation replace those with the same name."""
    left = {name.lower(): (name, values) for name, values in own.items() if name.lower() not in _SERVER_FIELDS}
    found = [left.pop(name.lower(), (name, [value])) for name, value in fields]
    return "".join(f"{name}: {value}\r\n" for name, values in (*found, *left.values()) for value in values).encode()


def _people(addresses: Iterable[str]) -> str:
    """Return addresses as header text. A non-ASCII display name becomes an encoded word (RFC 2047)."""
    return ", ".join(_person(address.strip()) for address in addresses)


def _person(address: str) -> str:
    name, mark, rest = address.rpartition("<")
    return address if address.isascii() or not mark else f"{_words(name.strip())} <{rest}"


def _words(text: str) -> str:
    """Return unstructured header text. If it is not printable ASCII, encode it in words of at most 75 characters."""
    if text.isascii() and text.isprintable():
        return text
    chunks, chunk = [], b""
    for char in text:
        encoded = char.encode("utf-8", "surrogateescape")
        if len(chunk) + len(encoded) > 45:  # noqa: PLR2004 - 60 characters of Base64
            chunks.append(chunk)
            chunk = b""
        chunk += encoded
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(each).decode('ascii')}?=" for each in (*chunks, chunk))


def _sender_of(mail: bytes) -> str:
    found = re.search(rb"(?im)^from:[ \t]*(.+)$", mail[:100_000])
    return found[1].decode("latin-1").strip() if found else ""
