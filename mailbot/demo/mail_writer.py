"""Write emails the way mail programs, auto-responders, mail servers and mailing lists do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import formataddr
from hashlib import sha256

from mailbot.demo.personas import Persona, WrittenMail
from mailbot.demo.traffic import TrafficEntry
from mailbot.model import Message
from mailbot.rehearsal.conversation_file import BounceSpec, ConversationStep
from mailbot.rehearsal.incoming_mail import authored, parsed, thread

PLACEHOLDERS = {
    "quote": re.compile(r"\bQ-[A-Z]+-\d+\b"),
    "total": re.compile(r"\b[A-Z]{3} \d+\.\d\d\b"),
    "rma": re.compile(r"\bRMA-[0-9A-Z]+\b"),
}
"""What a sender can copy from mailbot's emails: {quote}, {total}, {rma}."""


def recipient(writing: WrittenMail, mailbox: str, answered: TrafficEntry | None) -> str:
    """Return the address that an email goes to: the Reply-To of the email being answered, else the mailbox."""
    reply_to = answered.message.answer_to if answered and not writing.to and writing.like != "bounce" else None
    return reply_to.email if reply_to else mailbox


def write(
    writing: WrittenMail,
    person: Persona,
    mailbox: str,
    at: datetime,
    received: Sequence[Message] = (),
    answered: TrafficEntry | None = None,
) -> bytes:
    """Return an email as the sender's mail program sends it.

    ``at`` is in the sender's time zone. The sender can copy from the emails ``received``, the latest last. ``answered`` is the
    email being answered, or that the delivery report is about.
    """
    known = _known((*received, *([answered.message] if answered else [])))
    raw = answered.raw.decode("ascii") if answered else ""
    quoted = writing.like == "person" and not writing.to  # an email to somebody else does not quote the desk's email
    digest = sha256(f"{person.address}\n{writing.text}\n{writing.html}".encode()).hexdigest()[:20]
    headers = {"Message-ID": f"<{digest}@{person.domain}>"}
    sender, bounce = formataddr((person.name, person.address)), None
    match writing.like:
        case "bounce":
            sender, bounce = f"Mail Delivery System <MAILER-DAEMON@mx.{person.domain}>", BounceSpec(person.address)
        case "auto-reply":
            headers["Auto-Submitted"] = "auto-replied"
        case "newsletter":
            headers["List-Id"] = f"<weekly.{person.domain}>"
            headers["List-Unsubscribe"] = f"<mailto:leave@{person.domain}>"
            headers["Precedence"] = "bulk"
    if raw and not quoted and not bounce:
        headers |= thread(parsed(raw))
    step = ConversationStep(
        at,
        sender,
        to=writing.to or recipient(writing, mailbox, answered),
        cc=mailbox if writing.to else (),
        subject=writing.subject,
        body=None if writing.html else writing.text,
        html=writing.html or None,
        headers=headers,
        attach=writing.attach,
        bounce=bounce,
    )

    def fill(text: str) -> str:
        for name, value in known.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    return authored(step, 1, mailbox, raw if quoted or bounce else "", fill)


def _known(received: Sequence[Message]) -> dict[str, str]:
    """Return the values of the placeholders: the latest subject, and the latest number of each kind."""
    known: dict[str, str] = {}
    for mail in received:
        known["subject"] = mail.subject.removeprefix("Re: ")
        known |= {name: match[0] for name, pattern in PLACEHOLDERS.items() if (match := pattern.search(mail.text))}
    return known
