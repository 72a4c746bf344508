"""Write emails the way mail programs, auto-responders, mail servers and mailing lists do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email import message_from_string
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from hashlib import sha256
from zoneinfo import ZoneInfo

from mailbot.demo.personas import Persona, WrittenMail
from mailbot.model import Message
from mailbot.rehearsal.attachment_files import make_attachment

PLACEHOLDERS = {
    "quote": re.compile(r"\bQ-[A-Z]+-\d+\b"),
    "total": re.compile(r"\b[A-Z]{3} \d+\.\d\d\b"),
    "rma": re.compile(r"\bRMA-[0-9A-Z]+\b"),
}
"""What a sender can copy from mailbot's emails: {quote}, {total}, {rma}."""


def recipient(writing: WrittenMail, mailbox: str, answered: Message | None) -> str:
    """Return the address that an email goes to: the Reply-To of the email being answered, else the mailbox."""
    reply_to = answered.answer_to if answered and not writing.to and writing.like != "bounce" else None
    return reply_to.email if reply_to else mailbox


def write(
    writing: WrittenMail,
    person: Persona,
    mailbox: str,
    at: datetime,
    zone: str,
    received: Sequence[Message] = (),
    answered: Message | None = None,
) -> bytes:
    """Return an email as the sender's mail program sends it.

    Args:
        writing: the content.
        person: the sender.
        mailbox: the address of the desk.
        at: when it is sent, with a time zone.
        zone: the sender's time zone.
        received: the emails that the sender can copy from, the latest last.
        answered: the email being answered, if any.
    """
    local = at.astimezone(ZoneInfo(zone))
    known = _known((*received, *([answered] if answered else [])))
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _sender(writing, person)
    mail["To"] = writing.to or recipient(writing, mailbox, answered)
    if writing.to:
        mail["Cc"] = mailbox
    mail["Subject"] = _filled(writing.subject, known)
    mail["Date"] = format_datetime(local)
    mail["Message-ID"] = f"<{_digest(person.address, writing.text, writing.html)}@{person.domain}>"
    if answered and answered.message_id and writing.like != "bounce":
        mail["In-Reply-To"] = f"<{answered.message_id}>"
        mail["References"] = " ".join(f"<{each}>" for each in (*reversed(answered.thread), answered.message_id))
    _fill(mail, writing, person, known, answered, local)
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart() and part.get_boundary() is None):
        part.set_boundary(f"=_{_digest(person.address, writing.text)}_{number}")
    return mail.as_bytes()


def _fill(
    mail: EmailMessage, writing: WrittenMail, person: Persona, known: dict[str, str], answered: Message | None, at: datetime
) -> None:
    text = _filled(writing.text, known)
    match writing.like:
        case "bounce":
            _report(mail, person, text, answered)
            return
        case "auto-reply":
            mail["Auto-Submitted"] = "auto-replied"
        case "newsletter":
            mail["List-Id"] = f"<weekly.{person.domain}>"
            mail["List-Unsubscribe"] = f"<mailto:leave@{person.domain}>"
            mail["Precedence"] = "bulk"
        case "person":
            # an email to somebody else does not quote the desk's email
            text += _quoted(answered, at) if answered and not writing.to else ""
    if writing.html:
        mail.set_content(writing.html, subtype="html", cte="quoted-printable")
    else:
        mail.set_content(text, cte="quoted-printable")  # ASCII only, whatever is quoted
    for attachment in writing.attach:
        make_attachment(mail, attachment.name, _filled(attachment.text, known))


def _report(mail: EmailMessage, person: Persona, why: str, answered: Message | None) -> None:
    """Fill in a delivery report (RFC 3464) from the server that could not deliver ``answered``."""
    server, original = f"mx.{person.domain}", answered.message_id if answered else ""
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content(
        f"This is the mail system at host {server}.\n\nYour message could not be delivered.\n\n"
        f"<{person.address}>: 550 5.1.1 {why}\n"
    )
    mail.make_mixed()
    mail.set_type("multipart/report")
    mail.set_param("report-type", "delivery-status")
    mail.attach(
        _part(
            "message/delivery-status",
            f"Reporting-MTA: dns; {server}\n\nFinal-Recipient: rfc822; {person.address}\nAction: failed\n"
            f"Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 {why}\n",
        )
    )
    mail.attach(_part("text/rfc822-headers", f"Message-ID: <{original}>\nTo: {person.address}\n"))


def _part(media_type: str, content: str) -> EmailMessage:
    return message_from_string(f"Content-Type: {media_type}\n\n{content}", policy=SMTP)


def _sender(writing: WrittenMail, person: Persona) -> str:
    if writing.like == "bounce":
        return formataddr(("Mail Delivery System", f"MAILER-DAEMON@mx.{person.domain}"))
    return formataddr((person.name, person.address), charset="utf-8")


def _known(received: Sequence[Message]) -> dict[str, str]:
    """Return the values of the placeholders: the latest subject, and the latest number of each kind."""
    known: dict[str, str] = {}
    for mail in received:
        known["subject"] = mail.subject.removeprefix("Re: ")
        known |= {name: match[0] for name, pattern in PLACEHOLDERS.items() if (match := pattern.search(mail.text))}
    return known


def _filled(text: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _quoted(answered: Message, at: datetime) -> str:
    """Return an email as mail programs quote it below a reply."""
    who = answered.sender.email if answered.sender else ""
    lines = "\n".join(f"> {line}".rstrip() for line in answered.text.strip().splitlines())
    return f"\n\nOn {at:%a, %b} {at.day}, {at.year} at {at:%H:%M}, {who} wrote:\n{lines}\n"


def _digest(*texts: str) -> str:
    """Return an id that depends on the texts only, so that every run writes the same ids."""
    return sha256("\n".join(texts).encode()).hexdigest()[:20]
