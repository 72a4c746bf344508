"""Small mails for the tests, written as a mail server hands them over."""

from datetime import UTC, datetime
from pathlib import Path

from mailbot.mail.authentication import Profile
from mailbot.mail.parse import parse
from mailbot.model import Message

MAILBOX = "rma@desk.example"
ARRIVED = datetime(2026, 11, 20, 10, tzinfo=UTC)
SAVED = Path(__file__).parents[1] / "data" / "mail"


def mail(*fields: str, body: str | bytes = "Board AH2F104432 is dead.", **changed: str) -> bytes:
    """Write a mail of Kim's; ``changed`` replaces header fields ("_" for "-"; empty leaves one out)."""
    usual = {
        "From": "Kim Lee <kim@acme.example>",
        "To": f"<{MAILBOX}>",
        "Subject": "WADE board dead",
        "Date": "Fri, 20 Nov 2026 09:59:00 +0100",
        "Message-ID": "<1@acme.example>",
    }
    usual |= {name.replace("_", "-"): value for name, value in changed.items()}
    head = "\r\n".join([*(f"{name}: {value}" for name, value in usual.items() if value), *fields])
    content = body if isinstance(body, bytes) else body.replace("\n", "\r\n").encode()
    return head.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + content


def arrived(raw: bytes, *, mailbox: str = MAILBOX, authserv_id: str | None = None, profile: Profile = "standard") -> Message:
    return parse(raw, mailbox=mailbox, arrived_at=ARRIVED, trusted_authserv_id=authserv_id, profile=profile)


def read(*fields: str, body: str | bytes = "Board AH2F104432 is dead.", **changed: str) -> Message:
    return arrived(mail(*fields, body=body, **changed))


def saved(number: str) -> Message:
    raw = (SAVED / f"{number}.eml").read_bytes()
    mailbox = "rma@portwell.example" if b"Delivered-To: rma@portwell.example" in raw else "rma@servertech.example"
    return arrived(raw, mailbox=mailbox)
