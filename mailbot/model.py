"""The vocabulary: frozen types that travel the one path.

Every type is an immutable value. Times are aware ``datetime`` in UTC; dates are calendar days in the company's zone.
Money is ``Decimal`` with an ISO 4217 currency beside it. What is stored is stored in these types (msgspec, JSON).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """A frozen value; what equals its default is left out of the record."""


# ---------------------------------------------------------------- arrivals


class Mail(Value, frozen=True, tag="mail"):
    """A mail as the server hands it over. ``uid`` is only a cache: identity is the Message-ID and the content."""

    mailbox: str
    raw: bytes
    arrived_at: datetime
    uid: int = 0


class Due(Value, frozen=True, tag="due"):
    """One or more deadlines of a case have come."""

    case_id: str
    at: datetime


class Undelivered(Value, frozen=True, tag="undelivered"):
    """A mail of ours that the mail server refused for good, or whose delivery has been given up."""

    case_id: str
    message_id: str
    why: str


Arrival = Mail | Due | Undelivered


# ---------------------------------------------------------------- a mail, read


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


Sort = Literal["human", "bounce", "auto", "list", "spam"]


class Machine(Value, frozen=True):
    """Who wrote a mail, a person or a machine, and by what sign that was seen."""

    sort: Sort
    because: str = ""


Role = Literal["desk", "approver", "sales"]


class Staff(Value, frozen=True):
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
    machine: Machine = Machine("human")
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


# ---------------------------------------------------------------- the registry


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


# ---------------------------------------------------------------- what a mail asks for

Kind = Literal["request", "reply", "staff", "bounce", "auto", "list", "spam", "other"]
Intent = Literal[
    "repair",
    "credit",
    "exchange",
    "doa",
    "rework",
    "status",
    "po",
    "accept_quote",
    "cancel",
    "question",
    "none",
]
Exclusion = Literal[
    "physical_damage",
    "liquid",
    "lightning_surge",
    "misuse",
    "modified",
    "serial_removed",
    "shipping_damage",
]
Wish = Literal[
    "rush", "freight_account", "insure_instruction", "cod", "advance_replacement", "overseas", "buy_extension"
]
Missing = Literal["serial", "reason"]
Outcome = Literal["issue", "quote", "ask", "staff", "decline"]
MessageOutcome = Literal["issue", "quote", "ask", "staff", "decline", "mixed", "none"]


class Item(Value, frozen=True):
    """One unit that the mail is about: its serial (as in the registry, else as written in capitals) and the reason.

    ``vague`` says that the reason names no symptom ("doesn't work"). ``symptom`` is the word list's name of the failure,
    where it knows one. ``revision`` is what the mail says of the unit's revision. ``suggestion`` is the one unit of the
    requester's whose serial looks like this unknown one: a question to ask, never an answer (U2). ``unsure``: the mail does
    not say for certain that it means this unit, so it is asked about as one that nobody knows.
    """

    serial: str
    reason: str = ""
    exclusions: tuple[Exclusion, ...] = ()
    vague: bool = False
    symptom: str | None = None
    revision: str | None = None
    suggestion: str = ""
    unsure: bool = False


class Request(Value, frozen=True):
    """What a mail wants, as intake understood it.

    ``reason`` and ``exclusions`` are the whole mail's; an item carries its own. ``support_case`` is the reference of a
    remote diagnosis. ``claimed_numbers`` are RMA numbers that the mail names. ``thanks`` says that it is plain thanks.
    ``notes`` say which attachments were not read, or not wholly, and why: for staff.
    ``foreign`` are units that are registered to others, as only staff may see them; what else stands here is what the mail
    says to somebody who has never heard of them (promise 7).
    """

    kind: Kind
    intent: Intent = "none"
    items: tuple[Item, ...] = ()
    reason: str = ""
    exclusions: tuple[Exclusion, ...] = ()
    vague: bool = False
    missing: tuple[Missing, ...] = ()
    po_number: str | None = None
    language: str = "en"
    wishes: tuple[Wish, ...] = ()
    support_case: str | None = None
    claimed_numbers: tuple[str, ...] = ()
    thanks: bool = False
    attention: bool = False
    foreign: tuple[Item, ...] = ()
    notes: tuple[str, ...] = ()


# ---------------------------------------------------------------- decisions


class Charge(Value, frozen=True):
    """One line of a quote, from the fee schedule: what is charged for one unit."""

    fee: str
    label: str
    amount: Decimal
    currency: str
    serial: str = ""


class Fact(Value, frozen=True):
    """One fact a decision saw, named in the words of the rules."""

    name: str
    value: str


class Number(Value, frozen=True):
    """An RMA number (AP-25, ST-4): unique, assigned by us alone; the last valid day is in."""

    text: str
    issued_on: date
    valid_until: date
    issued_by: str


class Verdict(Value, frozen=True):
    """The decision for one unit. ``clauses[0]`` decided; the others go with it.

    ``asks`` names what the customer must supply. ``disguised`` marks a verdict that must look like an unknown serial.
    ``number`` is set where the unit's open RMA answers the request. ``says`` is the rule's sentence, its placeholders yet
    unfilled. ``valid_until`` is the last day a number given on this verdict may have, where the rule limits it. ``shown`` are the
    clauses that the customer is shown, where they are not ``clauses``. ``hidden``: only staff learn of this unit at all.
    """

    serial: str
    outcome: Outcome
    clauses: tuple[str, ...]
    facts: tuple[Fact, ...] = ()
    known: bool = False
    model: str = ""
    asks: tuple[str, ...] = ()
    charges: tuple[Charge, ...] = ()
    covered_until: date | None = None
    disguised: bool = False
    number: Number | None = None
    says: str = ""
    valid_until: date | None = None
    shown: tuple[str, ...] = ()
    hidden: bool = False
    owner: str = ""
    suggestion: str = ""


class Stamp(Value, frozen=True):
    """The policy's version: date and digest of its rules file (ST-18)."""

    policy: str
    version: date
    digest: str


class Decision(Value, frozen=True):
    """Outcome, the clauses that decided, the facts they saw, and the version they were taken under."""

    outcome: MessageOutcome
    clauses: tuple[str, ...]
    why: str
    stamp: Stamp
    facts: tuple[Fact, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    notify: tuple[Role, ...] = ()
    asks: tuple[str, ...] = ()
    says: str = ""


# ---------------------------------------------------------------- replies

ReplyState = Literal["queued", "sending", "sent", "deferred", "ambiguous", "failed", "held"]


class Reply(Value, frozen=True):
    """A mail to be sent, frozen at commit: the bytes (ASCII, CRLF), one recipient, a stable Message-ID.

    ``cites`` are the clauses on record for this mail. ``direct`` says that it answers a mail (and counts in the day's
    cap). ``attempts`` counts SMTP transactions begun, the first at ``tried_at``; ``doubts`` those whose end is unknown;
    ``due_at`` is when the next may begin.
    """

    message_id: str
    mailbox: str
    to: str
    subject: str
    raw: str
    at: datetime
    letter: str
    cites: tuple[str, ...] = ()
    audience: Literal["customer", "staff"] = "customer"
    direct: bool = False
    state: ReplyState = "queued"
    attempts: int = 0
    due_at: datetime | None = None
    note: str = ""
    tried_at: datetime | None = None
    doubts: int = 0


# ---------------------------------------------------------------- events


class Wrote(Value, frozen=True):
    """The mail behind an event: enough to find it again and to answer in its thread.

    ``forged``: our own mail server says that the From is not genuine (a trusted fail, RFC 8601).
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


class Requested(Value, frozen=True, tag="requested"):
    """A customer asks for something, first or again."""

    mail: Wrote
    request: Request


class Answered(Value, frozen=True, tag="answered"):
    """A customer supplies what was missing."""

    mail: Wrote
    request: Request


class Ordered(Value, frozen=True, tag="ordered"):
    """A purchase order came."""

    mail: Wrote
    request: Request


class StaffSaid(Value, frozen=True, tag="staff_said"):
    """A member of staff wrote."""

    mail: Wrote
    request: Request


class Bounced(Value, frozen=True, tag="bounced"):
    """A mail of ours could not be delivered."""

    mail: Wrote
    request: Request
    bounce: Bounce


class Ignored(Value, frozen=True, tag="ignored"):
    """A mail that is on record and gets no answer."""

    mail: Wrote
    request: Request
    because: str


class CameDue(Value, frozen=True, tag="came_due"):
    """Deadlines came: their keys, the last of which speaks."""

    at: datetime
    keys: tuple[str, ...]


Event = Requested | Answered | Ordered | StaffSaid | Bounced | Ignored | CameDue


# ---------------------------------------------------------------- the case

State = Literal[
    "asking",
    "quoted",
    "held",
    "declined",
    "authorized",
    "in_transit",
    "received",
    "diagnosed",
    "parts_quoted",
    "ordered",
    "repaired",
    "shipped",
    "closed",
    "expired",
    "withdrawn",
]


class CaseItem(Value, frozen=True):
    """One unit in a case, with its own coverage, outcome and state; ``owner`` is its registered customer's domain."""

    serial: str
    state: State
    outcome: Outcome
    clauses: tuple[str, ...]
    known: bool = False
    model: str = ""
    reason: str = ""
    exclusions: tuple[Exclusion, ...] = ()
    vague: bool = False
    disguised: bool = False
    hidden: bool = False
    owner: str = ""
    asks: tuple[str, ...] = ()
    symptom: str | None = None
    revision: str | None = None


class Quote(Value, frozen=True):
    """A numbered offer for the chargeable units of a case."""

    number: str
    on: date
    valid_until: date
    charges: tuple[Charge, ...]
    serials: tuple[str, ...]

    @property
    def total(self) -> Decimal:
        """The sum of the charges, in their one currency."""
        return sum((charge.amount for charge in self.charges), Decimal(0))


DeadlineKind = Literal["missing", "quote", "number", "held"]


class Deadline(Value, frozen=True):
    """Something that comes due: ``key`` is unique in its case; ``ends`` marks the outer date of a state."""

    key: str
    kind: DeadlineKind
    at: datetime
    on: date
    ends: bool = False


class Entry(Value, frozen=True):
    """One line of a case's history: what happened, what was decided on it, and the Message-IDs that went out."""

    at: datetime
    event: Event
    decision: Decision
    sent: tuple[str, ...] = ()


class Case(Value, frozen=True):
    """The fold of its events: who, which units, in which state, until when.

    ``unreachable``: a mail to the sender could not be delivered, and the sender has not written since.
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
    items: tuple[CaseItem, ...] = ()
    number: Number | None = None
    quotes: tuple[Quote, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    asked: tuple[str, ...] = ()
    wishes: tuple[Wish, ...] = ()
    support_case: str | None = None
    participants: tuple[str, ...] = ()
    unreachable: bool = False
    history: tuple[Entry, ...] = ()
    replies: tuple[Reply, ...] = ()


# ---------------------------------------------------------------- what the core is told of the world


class Known(Value, frozen=True):
    """What the core needs to know of the world, as values.

    ``units``: registry rows by folded serial. ``open_cases``: cases of this mailbox that hold one of these units and
    are not over. ``answers_today``: direct answers already given to the address in its company's day. ``fresh``: 128
    random bits in hexadecimal, for ids. ``sequence``: the next unused RMA sequence number.
    """

    units: dict[str, Unit] = {}
    open_cases: tuple[Case, ...] = ()
    answers_today: int = 0
    fresh: str = ""
    sequence: int = 1


class Record(Value, frozen=True):
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
    record: Record | None = None
