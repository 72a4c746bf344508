"""Triggers and emails: what starts a step, and an email once it is parsed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from mailbot.model.values import Value


class Mail(Value, frozen=True, tag="mail"):
    """A mail as the server hands it over. ``uid`` is only a cache: identity is the Message-ID and the content."""

    mailbox: str
    raw: bytes
    arrived_at: datetime
    uid: int = 0


class DueDate(Value, frozen=True, tag="due"):
    """One or more deadlines of a case have come."""

    case_id: str
    at: datetime


class FailedDelivery(Value, frozen=True, tag="undelivered"):
    """A mail of ours that the mail server refused for good, or whose delivery has been given up."""

    case_id: str
    message_id: str
    why: str


class Address(Value, frozen=True):
    """A mailbox of RFC 5322 §3.4: display name (may be empty) and addr-spec in lower case."""

    name: str
    email: str

    @property
    def domain(self) -> str:
        """The part behind the last @."""
        return self.email.rpartition("@")[2]


class Attachment(Value, frozen=True):
    """A part with a file name, or a part that is no body text: name as shown, type, decoded content."""

    name: str
    media_type: str
    content: bytes


class Table(Value, frozen=True):
    """Rows of cells, from an HTML table, a CSV or a worksheet; ``source`` says where it stood."""

    rows: tuple[tuple[str, ...], ...]
    source: str = ""


class Document(Value, frozen=True):
    """What could be read from one attachment: running text and tables.

    ``note`` says why there is less than the attachment holds: encrypted, too large, a program under a document's name.
    A nameless Document carries a note about the attachments as a whole.
    """

    name: str
    text: str = ""
    tables: tuple[Table, ...] = ()
    note: str = ""


SenderClass = Literal["human", "bounce", "auto", "list", "spam"]


class Classification(Value, frozen=True):
    """Who wrote a mail, a person or a machine, and by what sign that was seen."""

    sender_class: SenderClass
    reason: str = ""


Role = Literal["desk", "approver", "sales"]


class StaffMember(Value, frozen=True):
    """A member of staff: address in lower case, roles, and the money this person may set in motion."""

    address: str
    roles: tuple[Role, ...]
    limit: Decimal = Decimal(0)


class Bounce(Value, frozen=True):
    """A delivery report (RFC 3464, or a dialect without it): who could not be reached, for now or for good."""

    recipients: tuple[str, ...] = ()
    temporary: bool = False
    original_id: str | None = None


class Auth(Value, frozen=True):
    """What our own mail server's Authentication-Results (RFC 8601) says of the From domain."""

    result: Literal["pass", "fail", "none"] = "none"
    domain: str | None = None


class Message(Value, frozen=True):
    """A mail, parsed: headers decoded, the visible text, the attachments, who it is really from.

    ``sender`` is the single From mailbox, or None where there is none or more than one. ``answer_to`` is the one address
    an answer may go to (Reply-To if there is one), or None. ``visible`` is what the sender wrote now; ``quoted`` the
    rest of the body. ``codes`` are the folded strings that may be a serial, a number or an order (see intake).
    Ids (``message_id``, ``in_reply_to``, ``references``) stand without angle brackets.
    """

    mailbox: str
    digest: str
    arrived_at: datetime
    size: int
    subject: str = ""
    message_id: str | None = None
    sent_at: datetime | None = None
    sender: Address | None = None
    reply_to: tuple[Address, ...] = ()
    answer_to: Address | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    delivered_to: tuple[str, ...] = ()
    return_path: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text: str = ""
    visible: str = ""
    quoted: str = ""
    forwarded: bool = False
    tables: tuple[Table, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    classification: Classification = Classification("human")
    bounce: Bounce | None = None
    auth: Auth = Auth()
    documents: tuple[Document, ...] = ()
    codes: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """Mailbox, Message-ID and digest: the same mail delivered twice at one mailbox has the same identity."""
        return f"{self.mailbox} {self.message_id or ''} {self.digest}"

    @property
    def thread(self) -> tuple[str, ...]:
        """The ids of the mails this one answers, the nearest first, each once."""
        return tuple(dict.fromkeys((*self.in_reply_to, *reversed(self.references))))
