"""The post: every mail that passed the mail server, beside what the store says of it. Nothing here is scripted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from email import message_from_bytes, policy

from mailbot.mail.addresses import all_mailboxes
from mailbot.mail.parse import UnreadableError, parse
from mailbot.model import Case, DeadlinesReached, HistoryEntry, MailRecord, Message, Reply, StaffMessage, Value
from mailbot.runtime.embedded import ReceivedMail, without_detail
from mailbot.runtime.store import Store


class TrafficEntry(Value, frozen=True):
    """One mail: ``number`` counts from 1 in the order of arrival at the server; ``ours`` says that mailbot sent it.

    ``record`` is the ledger's line of a mail to us; ``reply`` the frozen reply behind a mail of ours; ``entry`` the line of
    the case's history that it belongs to.
    """

    number: int
    at: datetime
    ours: bool
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
        """The name of its files, without the ending."""
        words = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in self.other.lower())
        return f"{self.number:03}-{'to' if self.ours else 'from'}-{words[:60]}"

    @property
    def due(self) -> bool:
        """Whether a due date sent it."""
        return self.ours and self.entry is not None and isinstance(self.entry.event, DeadlinesReached)

    @property
    def to_staff(self) -> bool:
        """Whether it went to a member of staff."""
        return self.reply is not None and self.reply.audience == "staff"

    @property
    def by_staff(self) -> bool:
        """Whether a member of staff wrote it."""
        return self.entry is not None and isinstance(self.entry.event, StaffMessage)

    @property
    def html(self) -> str:
        """The mail's HTML as it was sent, or nothing."""
        part = message_from_bytes(self.raw, policy=policy.default).get_body(("html",))
        return str(part.get_content()) if part else ""

    @property
    def has_text(self) -> bool:
        """Whether the mail has a plain text part."""
        return message_from_bytes(self.raw, policy=policy.default).get_body(("plain",)) is not None


def read_back(
    received: Sequence[ReceivedMail], store: Store, mailboxes: Collection[str], now: datetime, *, after: int = 0
) -> list[TrafficEntry]:
    """Return the mails that the server has taken, from number ``after`` + 1 on, with what the store knows of each.

    Args:
        received: what the server took, in order.
        store: what mailbot has on record.
        mailboxes: the addresses that mailbot answers for, lower case.
        now: when a mail arrived of which nothing is on record yet.
        after: how many of them to pass over.
    """
    return [_read(n, mail, store, mailboxes, now) for n, mail in enumerate(received[after:], after + 1)]


def _read(number: int, mail: ReceivedMail, store: Store, mailboxes: Collection[str], now: datetime) -> TrafficEntry:
    ours = without_detail(mail.sender) in mailboxes
    mailbox = without_detail(mail.sender if ours else mail.recipient)
    message = _message(mail, mailbox, now)
    if ours:
        case = next(iter(store.find([message.message_id or ""])), None)
        reply = next((r for r in case.replies if r.message_id == message.message_id), None) if case else None
        entry = next((e for e in case.history if message.message_id in e.sent), None) if case else None
        at = reply.at if reply else message.sent_at or now
        return TrafficEntry(number, at, ours, mailbox, mail.recipient, message, mail.raw, None, case, entry, reply)
    record = store.recorded(message.identity)
    case = store.case(record.case_id) if record and record.case_id else None
    entry = next((e for e in case.history if _tells(e, message)), None) if case else None
    at = record.at if record else now
    other = message.sender.email if message.sender else mail.sender
    return TrafficEntry(number, at, ours, mailbox, other, message, mail.raw, record, case, entry)


def _tells(entry: HistoryEntry, message: Message) -> bool:
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
