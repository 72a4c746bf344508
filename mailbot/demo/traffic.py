"""Read back every email that went through the mail server, with what the store knows about it. Nothing here is scripted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from email import message_from_bytes, policy

from mailbot.mail.addresses import all_mailboxes
from mailbot.mail.parse import UnreadableError, parse
from mailbot.model import Case, DeadlinesReached, Event, HistoryEntry, MailRecord, Message, Reply, StaffMessage, Value
from mailbot.runtime.embedded import ReceivedMail, without_detail
from mailbot.runtime.store import Store


class TrafficEntry(Value, frozen=True):
    """One email. ``number`` counts from 1 in the order of arrival at the server.

    ``outgoing``: mailbot sent it. ``record`` is the mail record of an incoming email, ``reply`` the stored reply of an
    outgoing one. ``entry`` is the entry in the case's history that it belongs to. ``other`` is the address of the customer
    or member of staff.
    """

    number: int
    at: datetime
    outgoing: bool
    mailbox: str
    other: str
    message: Message
    raw: bytes
    record: MailRecord | None = None
    case: Case | None = None
    entry: HistoryEntry | None = None
    reply: Reply | None = None

    @property
    def name(self) -> str:
        """The name of its files, without the extension."""
        address = "".join(char if char.isalnum() and char.isascii() else "-" for char in self.other.lower())
        return f"{self.number:03}-{'to' if self.outgoing else 'from'}-{address[:60]}"

    @property
    def event(self) -> Event | None:
        """The event that it caused, or that caused it."""
        return self.entry.event if self.entry else None

    @property
    def due(self) -> bool:
        """Whether it was sent because of a deadline."""
        return self.outgoing and isinstance(self.event, DeadlinesReached)

    @property
    def to_staff(self) -> bool:
        """Whether it was sent to staff."""
        return self.reply is not None and self.reply.audience == "staff"

    @property
    def by_staff(self) -> bool:
        """Whether it was sent by staff."""
        return isinstance(self.event, StaffMessage)

    @property
    def html(self) -> str:
        """The HTML part as it was sent; empty if there is none."""
        part = message_from_bytes(self.raw, policy=policy.default).get_body(("html",))
        return str(part.get_content()) if part else ""

    @property
    def has_text(self) -> bool:
        """Whether the email has a plain text part."""
        return message_from_bytes(self.raw, policy=policy.default).get_body(("plain",)) is not None


def read_back(
    received: Sequence[ReceivedMail], store: Store, mailboxes: Collection[str], now: datetime, *, after: int = 0
) -> list[TrafficEntry]:
    """Return the emails that the server received, from number ``after`` + 1 on, with what the store knows about each.

    ``mailboxes``: the addresses of the desks, in lower case. ``now``: the time of arrival of emails that are not in the store yet.
    """
    return [_read(n, mail, store, mailboxes, now) for n, mail in enumerate(received[after:], after + 1)]


def _read(number: int, mail: ReceivedMail, store: Store, mailboxes: Collection[str], now: datetime) -> TrafficEntry:
    outgoing = without_detail(mail.sender) in mailboxes
    mailbox = without_detail(mail.sender if outgoing else mail.recipient)
    message = _message(mail, mailbox, now)
    if outgoing:
        case = next(iter(store.find([message.message_id or ""])), None)
        reply = next((r for r in case.replies if r.message_id == message.message_id), None) if case else None
        entry = next((e for e in case.history if message.message_id in e.sent), None) if case else None
        at = reply.at if reply else message.sent_at or now
        return TrafficEntry(number, at, outgoing, mailbox, mail.recipient, message, mail.raw, None, case, entry, reply)
    record = store.recorded(message.identity)
    case = store.case(record.case_id) if record and record.case_id else None
    entry = next((e for e in case.history if _is_about(e, message)), None) if case else None
    at = record.at if record else now
    other = message.sender.email if message.sender else mail.sender
    return TrafficEntry(number, at, outgoing, mailbox, other, message, mail.raw, record, case, entry)


def _is_about(entry: HistoryEntry, message: Message) -> bool:
    mail = getattr(entry.event, "mail", None)
    return mail is not None and mail.identity == message.identity


def _message(mail: ReceivedMail, mailbox: str, now: datetime) -> Message:
    try:
        return parse(mail.raw, mailbox=mailbox, arrived_at=now)
    except UnreadableError as error:
        return Message(
            mailbox=mailbox,
            digest="",
            arrived_at=now,
            size=len(mail.raw),
            subject=f"(unreadable: {error})",
            sender=next(iter(all_mailboxes([mail.sender])), None),
        )
