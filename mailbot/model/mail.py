"""Triggers and emails: what starts a step, and a parsed email."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from mailbot.model.values import Value


class Mail(Value, frozen=True, tag="mail"):
    """An email as the server delivers it. ``arrived_at``: aware, UTC. ``uid``: the IMAP UID, which is not its identity."""

    mailbox: str
    raw: bytes
    arrived_at: datetime
    uid: int = 0


class DueDate(Value, frozen=True, tag="due"):
    """Deadlines of a case have been reached. ``at``: aware, UTC; in the store's list the first of them, in a trigger now."""

    case_id: str
    at: datetime


class FailedDelivery(Value, frozen=True, tag="undelivered"):
    """An outgoing email that the mail server refused permanently, or whose delivery was given up.

    It may have arrived, if delivery was given up because the server's last answers were lost.
    """

    case_id: str
    message_id: str
    why: str


class Address(Value, frozen=True):
    """A mailbox (RFC 5322 §3.4): display name (may be empty) and addr-spec in lower case."""

    name: str
    email: str

    @property
    def domain(self) -> str:
        """The part after the last @."""
        return self.email.rpartition("@")[2]


class Attachment(Value, frozen=True):
    """A MIME part that has a file name or is not body text: displayed name, media type, decoded content."""

    name: str
    media_type: str
    content: bytes


class Table(Value, frozen=True):
    """Rows of cells from an HTML table, a CSV file or a worksheet. ``source``: where it was found."""

    rows: tuple[tuple[str, ...], ...]
    source: str = ""


class Document(Value, frozen=True):
    """What could be read from one attachment: text and tables.

    ``note``: why the attachment was not read completely: encrypted, too large, or a program with the file name of a document.
    A Document without a name has a note about the attachments as a whole.
    """

    name: str
    text: str = ""
    tables: tuple[Table, ...] = ()
    note: str = ""


SenderClass = Literal["human", "bounce", "auto", "list", "spam"]


class Classification(Value, frozen=True):
    """Whether a person or a machine sent an email (RFC 3834), and the sign that shows it."""

    sender_class: SenderClass
    reason: str = ""


Role = Literal["desk", "approver", "sales"]


class StaffMember(Value, frozen=True):
    """A member of staff: address in lower case, roles, and the approval limit per command."""

    address: str
    roles: tuple[Role, ...]
    limit: Decimal = Decimal(0)


class Bounce(Value, frozen=True):
    """A delivery status notification (RFC 3464, or a nonstandard bounce).

    ``recipients``: the addresses that could not be reached. ``temporary``: the server keeps trying. ``original_id``: the Message-ID
    of the email that was not delivered, without angle brackets.
    """

    recipients: tuple[str, ...] = ()
    temporary: bool = False
    original_id: str | None = None


class Auth(Value, frozen=True):
    """What the Authentication-Results of our own mail server (RFC 8601) say about the From domain."""

    result: Literal["pass", "fail", "none"] = "none"
    domain: str | None = None


class Message(Value, frozen=True):
    """A parsed email: decoded headers, the new text, the attachments, the authenticated sender.

    ``digest``: hash of the content. ``size``: octets. ``sent_at``: the Date header, aware. ``sender``: the single From
    mailbox; None if there is none or more than one. ``answer_to``: the one address that a reply may go to (Reply-To if there
    is one), or None. ``visible``: what the sender wrote in this email. ``quoted``: the rest of the body. ``codes``: folded
    strings that may be a serial number, an RMA number or a purchase order number (see intake). Message-IDs (``message_id``,
    ``in_reply_to``, ``references``) have no angle brackets.
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
        """Mailbox, Message-ID and digest: an email that is delivered twice to one mailbox has the same identity."""
        return f"{self.mailbox} {self.message_id or ''} {self.digest}"

    @property
    def thread(self) -> tuple[str, ...]:
        """The Message-IDs of the emails that this one replies to, the nearest first, each once."""
        return tuple(dict.fromkeys((*self.in_reply_to, *reversed(self.references))))
