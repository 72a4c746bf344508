"""What the core is told about the world, and what it returns: registry rows, snapshot, mail log, step."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from mailbot.model.case import Case
from mailbot.model.decision import Decision
from mailbot.model.event import Event
from mailbot.model.mail import DueDate, FailedDelivery, Mail
from mailbot.model.reply import Reply
from mailbot.model.request import Kind, MessageOutcome
from mailbot.model.values import Value


class Unit(Value, frozen=True):
    """One row of the registry: a unit that the company shipped."""

    serial: str
    model: str
    family: str
    delivered_on: date
    customer: str
    customer_domain: str
    extended_until: date | None = None
    revision: str | None = None
    repair_shipped_on: date | None = None
    repair_failure: str | None = None
    purchased_on: date | None = None
    origin: str | None = None
    country: str | None = None


class Snapshot(Value, frozen=True):
    """What the core needs to know of the world, as values.

    ``units``: registry rows by folded serial. ``open_cases``: cases of this mailbox that hold one of these units and
    are not over; ``past_cases`` those that are. ``answers_today``: direct answers already given to the address in its
    company's day. ``id_entropy``: 128 random bits in hexadecimal, for ids; ``token_entropy``: 128 others, for tokens.
    ``sequence``: the next unused RMA sequence number.
    """

    units: dict[str, Unit] = {}  # noqa: RUF012 - msgspec copies it for each instance
    open_cases: tuple[Case, ...] = ()
    answers_today: int = 0
    id_entropy: str = ""
    sequence: int = 1
    past_cases: tuple[Case, ...] = ()
    token_entropy: str = ""


class MailRecord(Value, frozen=True):
    """One line of the mail ledger: every message that arrived, what was done with it, and where it lies now."""

    identity: str
    at: datetime
    mailbox: str
    folder: Literal["Done", "Ignored", "Attention"]
    kind: Kind | Literal["unreadable"]
    sender: str = ""
    subject: str = ""
    message_id: str | None = None
    case_id: str | None = None
    outcome: MessageOutcome = "none"
    why: str = ""


class Step(Value, frozen=True):
    """The result of the one path: the event, the decision, the case after, the replies.

    ``after`` is None where no case is touched; ``replies`` then belong to no case (a note to staff). ``record`` is None
    for a due date.
    """

    event: Event | None
    decision: Decision | None
    after: Case | None
    replies: tuple[Reply, ...] = ()
    record: MailRecord | None = None


Trigger = Mail | DueDate | FailedDelivery
