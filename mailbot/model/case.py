"""A case: what its events and decisions add up to. Its events, history and emails; the snapshot of a step, and its result."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from mailbot.model.decision import Decision
from mailbot.model.mail import Bounce
from mailbot.model.request import Intent, Kind, MessageOutcome, Price, Request, ShipmentNotice, SpecialRequest, State
from mailbot.model.statement import Guess, Statement
from mailbot.model.unit import CaseUnit, Charge, Deadline, Number, PendingApproval, Quote, Token, Unit
from mailbot.model.values import Value

Proof = Literal["server", "token", "confirmation", "trust", "none", "forged"]
"""How a member of staff was authenticated.

"server": by the Authentication-Results of our mail server (RFC 8601). "token": by the one-time token of a notice. "confirmation":
by the one-time token of a request for confirmation. "trust": by the From header alone, because the settings allow it. "none": not
authenticated. "forged": our mail server reports that the From header is not genuine.
"""


class MailReference(Value, frozen=True):
    """The email behind an event: enough to find it again and to reply in its thread.

    ``identity``: see ``Message.identity``; empty if there was no email. ``answer_to``: the address that a reply may go to;
    empty if there is none. ``at``: when it was processed, aware, UTC. ``text``: the beginning of what the sender wrote.
    ``attachments``: file names. ``forged``: our own mail server reports that the From header is not genuine (a trusted fail,
    RFC 8601). ``other_recipients``: the addresses in To and Cc, except ours.
    """

    identity: str
    message_id: str | None
    sender: str
    answer_to: str
    subject: str
    at: datetime
    name: str = ""
    references: tuple[str, ...] = ()
    text: str = ""
    attachments: tuple[str, ...] = ()
    forged: bool = False
    other_recipients: tuple[str, ...] = ()


class MailEvent(Value, frozen=True):
    """An event that an email caused."""

    mail: MailReference
    request: Request


class Requested(MailEvent, frozen=True, tag="requested"):
    """A customer requests something, for the first time or again."""


class Answered(MailEvent, frozen=True, tag="answered"):
    """A customer writes while the case waits for information or for staff."""


class Ordered(MailEvent, frozen=True, tag="ordered"):
    """A purchase order arrived."""


class StaffMessage(MailEvent, frozen=True, tag="staff_message"):
    """An email from the address of a member of staff. ``proof``: how the sender was authenticated. ``token``: the secret used."""

    proof: Proof = "none"
    token: str = ""


class Bounced(MailEvent, frozen=True, tag="bounced"):
    """An outgoing email could not be delivered."""

    bounce: Bounce


class Ignored(MailEvent, frozen=True, tag="ignored"):
    """An email that is recorded and not answered."""

    reason: str


class DeadlinesReached(Value, frozen=True, tag="deadlines_reached"):
    """Deadlines of a case were reached. ``keys``: the keys of these deadlines."""

    at: datetime
    keys: tuple[str, ...]


CustomerEvent = Requested | Answered | Ordered
Event = CustomerEvent | StaffMessage | Bounced | Ignored | DeadlinesReached


ReplyState = Literal["queued", "sending", "sent", "deferred", "ambiguous", "failed", "held"]


class Reply(Value, frozen=True):
    """An outgoing email, frozen at commit: the bytes (ASCII, CRLF), one recipient, a stable Message-ID.

    ``at``: when it was written, aware, UTC. ``template``: kind and variant of the notice, such as "reminder quote".
    ``cites``: the clauses that are recorded with it. ``direct``: it replies to an email and counts toward the daily limit.
    ``attempts``: SMTP transactions begun, the first at ``tried_at``. ``ambiguous_attempts``: transactions whose result is
    unknown. ``due_at``: when the next transaction may begin; None: now. ``note``: the server's last response, or why the
    email is not sent.
    """

    message_id: str
    mailbox: str
    to: str
    subject: str
    raw: str
    at: datetime
    template: str
    cites: tuple[str, ...] = ()
    audience: Literal["customer", "staff"] = "customer"
    direct: bool = False
    state: ReplyState = "queued"
    attempts: int = 0
    due_at: datetime | None = None
    note: str = ""
    tried_at: datetime | None = None
    ambiguous_attempts: int = 0


class HistoryEntry(Value, frozen=True):
    """One entry of a case's history. ``at``: aware, UTC. ``sent``: the Message-IDs of the emails that were sent."""

    at: datetime
    event: Event
    decision: Decision
    sent: tuple[str, ...] = ()


class Case(Value, frozen=True):
    """What its events and decisions add up to: the customer, the units, their states and their deadlines.

    ``sender``: the address that replies to the customer go to. ``name``: the customer's display name, may be empty.
    ``unreachable``: an email to the sender could not be delivered, and the sender has not written since. ``version`` grows when
    the units, the quotes, the number or a pending approval change; tokens of an earlier version are invalid. ``asked``: what
    the customer has been asked for so far. ``ship_to``: the ship-to address that staff gave for this case (ST-10). ``credit``
    and ``fee``: the approved credit and the fee that goes with it (ST-12). ``inbound``: the shipment from the customer to us.
    ``outbound``: the shipment back. ``charges``: what is billed outside of a quote (AP-13, AP-14). ``questions``: the
    customer's sentences that staff must read before anything is decided.
    """

    id: str
    mailbox: str
    policy: str
    sender: str
    state: State
    opened_at: datetime
    subject: str = ""
    name: str = ""
    language: str = "en"
    intent: Intent = "none"
    units: tuple[CaseUnit, ...] = ()
    number: Number | None = None
    quotes: tuple[Quote, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    asked: tuple[str, ...] = ()
    special_requests: tuple[SpecialRequest, ...] = ()
    support_case: str | None = None
    participants: tuple[str, ...] = ()
    unreachable: bool = False
    version: int = 0
    tokens: tuple[Token, ...] = ()
    pending: PendingApproval | None = None
    ship_to: tuple[str, ...] = ()
    credit: Price | None = None
    fee: Price | None = None
    inbound: ShipmentNotice | None = None
    outbound: ShipmentNotice | None = None
    charges: tuple[Charge, ...] = ()
    questions: tuple[Statement, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    replies: tuple[Reply, ...] = ()


class Snapshot(Value, frozen=True):
    """Everything that the core is given about the world for one step.

    ``units``: registry rows by serial key. ``open_cases``: open cases of this mailbox that contain one of these units.
    ``past_cases``: closed ones. ``answers_today``: direct replies already sent to the address today, in the company's zone.
    ``id_entropy``: 128 random bits in hexadecimal, for ids. ``token_entropy``: another 128, for tokens. ``sequence``: the
    next unused RMA sequence number. ``classes``: what the classifier says about the sentences of the email that phrases leave
    open, by masked text, the most likely first; a sentence that could not be classified is not in it.
    """

    units: dict[str, Unit] = {}  # noqa: RUF012 - msgspec copies it for each instance
    open_cases: tuple[Case, ...] = ()
    answers_today: int = 0
    id_entropy: str = ""
    sequence: int = 1
    past_cases: tuple[Case, ...] = ()
    token_entropy: str = ""
    classes: dict[str, tuple[Guess, ...]] = {}  # noqa: RUF012 - as above


FolderName = Literal["Done", "Ignored", "Attention"]
"""The folders that processed emails are moved to."""


class MailRecord(Value, frozen=True):
    """One line of the mail log: an email that arrived, what was done with it, and the folder it was moved to."""

    identity: str
    at: datetime
    mailbox: str
    folder: FolderName
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
