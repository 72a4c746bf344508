"""The input and the output of the core: registry rows, snapshot, mail log, step."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from mailbot.model.case import Case, Event, Reply
from mailbot.model.decision import Decision
from mailbot.model.request import Kind, MessageOutcome
from mailbot.model.values import Value


class Unit(Value, frozen=True):
    """One row of the registry: a unit that the company shipped.

    ``customer_domain``: the email domain of the registered customer. ``extended_until``: last day of an extended warranty.
    ``repair_shipped_on`` and ``repair_failure``: the latest repair that the customer paid for. ``origin``: country of manufacture;
    ``country``: the customer's country; both ISO 3166-1 alpha-2.
    """

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
    """Everything that the core is given about the world for one step.

    ``units``: registry rows by serial key. ``open_cases``: open cases of this mailbox that contain one of these units.
    ``past_cases``: closed ones. ``answers_today``: direct replies already sent to the address today, in the company's zone.
    ``id_entropy``: 128 random bits in hexadecimal, for ids. ``token_entropy``: another 128, for tokens. ``sequence``: the
    next unused RMA sequence number.
    """

    units: dict[str, Unit] = {}  # noqa: RUF012 - msgspec copies it for each instance
    open_cases: tuple[Case, ...] = ()
    answers_today: int = 0
    id_entropy: str = ""
    sequence: int = 1
    past_cases: tuple[Case, ...] = ()
    token_entropy: str = ""


class MailRecord(Value, frozen=True):
    """One line of the mail log: an email that arrived, what was done with it, and the folder it was moved to."""

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
    """The result of the pipeline for one trigger: the event, the decision, the case after it, the replies.

    ``after`` is None if no case is affected; ``replies`` then belong to no case (a notice to staff). ``record`` is None if the
    trigger is not an email.
    """

    event: Event | None
    decision: Decision | None
    after: Case | None
    replies: tuple[Reply, ...] = ()
    record: MailRecord | None = None
