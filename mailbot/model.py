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


class DueDate(Value, frozen=True, tag="due"):
    """One or more deadlines of a case have come."""

    case_id: str
    at: datetime


class FailedDelivery(Value, frozen=True, tag="undelivered"):
    """A mail of ours that the mail server refused for good, or whose delivery has been given up."""

    case_id: str
    message_id: str
    why: str


Trigger = Mail | DueDate | FailedDelivery


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
SpecialRequest = Literal[
    "rush",
    "freight_account",
    "insure_instruction",
    "cod",
    "advance_replacement",
    "overseas",
    "buy_extension",
    "return_address",
]
Missing = Literal["serial", "reason"]
Finding = Literal["npf", "abuse", "transit_damage", "not_esd_packed", "bad_packaging", "incomplete", "not_like_new"]
Outcome = Literal["issue", "quote", "ask", "staff", "decline"]
MessageOutcome = Literal["issue", "quote", "ask", "staff", "decline", "mixed", "none"]


class RequestedUnit(Value, frozen=True):
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


class Price(Value, frozen=True):
    """An amount that a mail names, in an ISO 4217 currency (empty where none is named), and what it is for."""

    amount: Decimal
    currency: str = ""
    label: str = ""


class PurchaseOrder(Value, frozen=True):
    """A purchase order as the mail shows it: to be compared with the quote (AP-17).

    ``copy``: the order itself is attached, and not only spoken of. ``totals`` are the amounts that it may mean as its total,
    the likeliest first; none where it could not be read. ``quotes`` are the quote numbers that it names.
    """

    number: str
    copy: bool = False
    totals: tuple[Price, ...] = ()
    quotes: tuple[str, ...] = ()


class ShipmentNotice(Value, frozen=True):
    """A shipment under way: carrier and tracking number, each empty where it is not named.

    ``serials`` are the units in it, as written; none: all that were to be sent.
    """

    carrier: str = ""
    tracking: str = ""
    serials: tuple[str, ...] = ()


CommandName = Literal[
    "approve",
    "reject",
    "quote",
    "received",
    "diagnosed",
    "repaired",
    "not_repairable",
    "shipped",
    "ship_to",
    "extend",
    "hold",
    "close",
    "note",
    "help",
    "confirm",
]


class Command(Value, frozen=True):
    """One command of staff, read from a line or a sentence (design §5).

    ``said`` is the sentence as written. ``serials`` are the units it names, as written; none means all that it can concern.
    ``count`` is "2 of 3". ``prices`` are the lines of a quote, the credit of an approval or the fee that goes with it, which
    ``fee`` tells. ``findings`` and ``text`` are what was found, the reason, the note or the address (its lines). ``force`` is the
    reason for doing it against the order of things. ``flaw`` names what is wrong with it as written: "amount", "currency",
    "days", "reason", "address", "carrier"; such a command is refused with a hint.
    """

    name: CommandName
    said: str
    serials: tuple[str, ...] = ()
    count: tuple[int, int] | None = None
    prices: tuple[Price, ...] = ()
    fee: bool = False
    findings: tuple[Finding, ...] = ()
    text: str = ""
    parcel: ShipmentNotice | None = None
    days: int = 0
    force: str = ""
    flaw: str = ""

    @property
    def money(self) -> Decimal:
        """The money that it sets in motion."""
        return sum((price.amount for price in self.prices), Decimal(0))


class Request(Value, frozen=True):
    """What a mail wants, as intake understood it.

    ``reason`` and ``exclusions`` are the whole mail's; an item carries its own. ``support_case`` is the reference of a
    remote diagnosis. ``claimed_numbers`` are RMA numbers that the mail names. ``thanks`` says that it is plain thanks.
    ``notes`` say for staff which attachments were not read, and why, and what was not understood.
    ``foreign`` are units that are registered to others, as only staff may see them; what else stands here is what the mail
    says to somebody who has never heard of them (promise 7). ``order`` is the purchase order, ``parcel`` what the customer has
    sent us. ``adds``: the units are to go with those of the case. ``corrects``: the mail
    puts a serial right; ``instead`` is the one that it takes back, where it names it. ``renews``: it asks for a new or a longer
    number. ``commands`` are those of staff; ``unclear`` the sentences that sound like one and decide nothing (a
    question, a condition, a negation, a contradiction).
    """

    kind: Kind
    intent: Intent = "none"
    units: tuple[RequestedUnit, ...] = ()
    reason: str = ""
    exclusions: tuple[Exclusion, ...] = ()
    vague: bool = False
    missing: tuple[Missing, ...] = ()
    po_number: str | None = None
    language: str = "en"
    special_requests: tuple[SpecialRequest, ...] = ()
    support_case: str | None = None
    claimed_numbers: tuple[str, ...] = ()
    thanks: bool = False
    attention: bool = False
    foreign: tuple[RequestedUnit, ...] = ()
    order: PurchaseOrder | None = None
    parcel: ShipmentNotice | None = None
    adds: bool = False
    instead: str = ""
    corrects: bool = False
    renews: bool = False
    commands: tuple[Command, ...] = ()
    unclear: tuple[str, ...] = ()
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

    ``asks`` names what the customer must supply. ``answered_as_unknown`` marks a verdict that must look like an unknown serial.
    ``number`` is set where the unit's open RMA answers the request. ``says`` is the rule's sentence, its placeholders yet
    unfilled. ``valid_until`` is the last day a number given on this verdict may have, where the rule limits it. ``shown`` are the
    clauses that the customer is shown, where they are not ``clauses``. ``staff_only``: only staff learn of this unit at all.
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
    answered_as_unknown: bool = False
    number: Number | None = None
    says: str = ""
    valid_until: date | None = None
    shown: tuple[str, ...] = ()
    staff_only: bool = False
    owner: str = ""
    suggestion: str = ""


class PolicyStamp(Value, frozen=True):
    """The policy's version: date and digest of its rules file (ST-18)."""

    policy: str
    version: date
    digest: str


RefusalReason = Literal[
    "role",
    "limit",
    "own",
    "state",
    "unknown_unit",
    "no_case",
    "several_cases",
    "flaw",
    "currency",
    "not_ours",
    "nothing",
    "other_case",
]
"""Why a command was not carried out; the templates say it in words."""


class CommandResult(Value, frozen=True):
    """What becomes of one command: carried out on these units, refused, or put before a second approver."""

    command: Command
    result: Literal["done", "refused", "second", "asked"]
    serials: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    why: RefusalReason | None = None
    states: tuple[State, ...] = ()


# ---------------------------------------------------------------- replies

ReplyState = Literal["queued", "sending", "sent", "deferred", "ambiguous", "failed", "held"]


class Reply(Value, frozen=True):
    """A mail to be sent, frozen at commit: the bytes (ASCII, CRLF), one recipient, a stable Message-ID.

    ``cites`` are the clauses on record for this mail. ``direct`` says that it answers a mail (and counts in the day's
    cap). ``attempts`` counts SMTP transactions begun, the first at ``tried_at``; ``ambiguous_attempts`` those whose end is unknown;
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
    ambiguous_attempts: int = 0


# ---------------------------------------------------------------- events


Proof = Literal["server", "token", "confirmation", "trust", "none", "forged"]
"""By what a member of staff is known: our server's Authentication-Results, the one-time token of a notice or of a question for
confirmation, the settings' word that From is believed, nothing; or our server says that the From is not genuine."""


class MailReference(Value, frozen=True):
    """The mail behind an event: enough to find it again and to answer in its thread.

    ``forged``: our own mail server says that the From is not genuine (a trusted fail, RFC 8601). ``others`` are those beside us
    to whom it went (To, Cc).
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
    others: tuple[str, ...] = ()


class Requested(Value, frozen=True, tag="requested"):
    """A customer asks for something, first or again."""

    mail: MailReference
    request: Request


class Answered(Value, frozen=True, tag="answered"):
    """A customer supplies what was missing."""

    mail: MailReference
    request: Request


class Ordered(Value, frozen=True, tag="ordered"):
    """A purchase order came."""

    mail: MailReference
    request: Request


class StaffMessage(Value, frozen=True, tag="staff_said"):
    """A member of staff wrote, and by what this is known (see ``Proof``)."""

    mail: MailReference
    request: Request
    proof: Proof = "none"
    token: str = ""


class Bounced(Value, frozen=True, tag="bounced"):
    """A mail of ours could not be delivered."""

    mail: MailReference
    request: Request
    bounce: Bounce


class Ignored(Value, frozen=True, tag="ignored"):
    """A mail that is on record and gets no answer."""

    mail: MailReference
    request: Request
    reason: str


class DeadlinesReached(Value, frozen=True, tag="came_due"):
    """Deadlines came: their keys, the last of which speaks."""

    at: datetime
    keys: tuple[str, ...]


Event = Requested | Answered | Ordered | StaffMessage | Bounced | Ignored | DeadlinesReached


# ---------------------------------------------------------------- the case


class CaseUnit(Value, frozen=True):
    """One unit in a case, with its own coverage, outcome and state; ``owner`` is its registered customer's domain.

    ``resume_state`` is where a held unit goes on when it is approved, if not to "authorized". ``charged``: its repair is paid for by
    the customer, and warranted (AP-21). Days are in the company's zone.
    """

    serial: str
    state: State
    outcome: Outcome
    clauses: tuple[str, ...]
    known: bool = False
    model: str = ""
    reason: str = ""
    exclusions: tuple[Exclusion, ...] = ()
    vague: bool = False
    answered_as_unknown: bool = False
    staff_only: bool = False
    owner: str = ""
    asks: tuple[str, ...] = ()
    symptom: str | None = None
    revision: str | None = None
    resume_state: State | None = None
    received_on: date | None = None
    repair_due: date | None = None
    findings: tuple[Finding, ...] = ()
    unrepairable: bool = False
    charged: bool = False
    repaired: bool = False
    shipped_on: date | None = None

    @property
    def on_site(self) -> bool:
        """Whether the unit is at our site, whatever its state."""
        return self.received_on is not None and self.shipped_on is None and self.state != "closed"

    @property
    def as_requested(self) -> RequestedUnit:
        """What the case knows about the unit, as a request would name it."""
        return RequestedUnit(self.serial, self.reason, self.exclusions, self.vague, self.symptom, self.revision)


class Quote(Value, frozen=True):
    """A numbered offer for the chargeable units of a case.

    ``parts``: quoted after the units were examined (AP-16). ``pending_order`` is a purchase order that a person compares,
    ``order`` the one that accepted it.
    """

    number: str
    on: date
    valid_until: date
    charges: tuple[Charge, ...]
    serials: tuple[str, ...]
    parts: bool = False
    pending_order: str = ""
    order: str = ""

    @property
    def total(self) -> Decimal:
        """The sum of the charges, in their one currency."""
        return sum((charge.amount for charge in self.charges), Decimal(0))


DeadlineKind = Literal["missing", "quote", "number", "held", "repair", "close"]


class Deadline(Value, frozen=True):
    """Something that comes due: ``key`` is unique in its case; ``ends`` marks the outer date of a state."""

    key: str
    kind: DeadlineKind
    at: datetime
    on: date
    ends: bool = False


class Token(Value, frozen=True):
    """What lets a person decide by answering a mail that only that person got (promise 5).

    ``secret``: 128 random bits in hexadecimal. Bound to the person, to the case as it stood (``version``), and, where a command
    is to be confirmed, to these ``commands``.
    """

    secret: str
    person: str
    until: datetime
    version: int
    commands: tuple[Command, ...] = ()


class PendingApproval(Value, frozen=True):
    """Commands that wait for a second approver: what was asked for, and by whom."""

    commands: tuple[Command, ...]
    by: str


# ---------------------------------------------------------------- changes to a case

LifecycleEvent = Literal[
    "issued",
    "quoted",
    "quoted_by_staff",
    "asked",
    "held_for_staff",
    "declined",
    "unanswered",
    "po_matched",
    "po_differs",
    "parts_po_matched",
    "parts_declined",
    "canceled",
    "number_expired",
    "announced",
    "approved",
    "resumed_asking",
    "resumed_quoted",
    "resumed_authorized",
    "resumed_in_transit",
    "resumed_received",
    "resumed_diagnosed",
    "resumed_parts_quoted",
    "resumed_ordered",
    "resumed_repaired",
    "rejected",
    "parts_quoted",
    "received",
    "force_received",
    "diagnosed",
    "repaired",
    "force_repaired",
    "not_repairable",
    "shipped",
    "force_shipped",
    "closed",
    "put_on_hold",
    "closed_by_staff",
    "force_closed",
]
"""What can happen to a unit; ``case.lifecycle`` has the table. The ``force_`` events are what staff force with a reason."""


class CaseOpened(Value, frozen=True, tag="opened"):
    """A case is opened for the person who is to be answered."""

    id: str
    mailbox: str
    policy: str
    sender: str
    subject: str
    name: str
    language: str
    intent: Intent
    participants: tuple[str, ...] = ()


class UnitChanged(Value, frozen=True, tag="unit"):
    """A unit of the case, as it is from now on; ``event`` is what brought it into its state, None if the state stays."""

    unit: CaseUnit
    event: LifecycleEvent | None = None


class UnitRemoved(Value, frozen=True, tag="removed"):
    """A unit without a known serial number whose place another unit takes."""

    serial: str


class CaseChanged(Value, frozen=True, tag="case"):
    """Other fields of the case; what is UNSET stays as it is."""

    state: State | msgspec.UnsetType = msgspec.UNSET
    intent: Intent | msgspec.UnsetType = msgspec.UNSET
    number: Number | None | msgspec.UnsetType = msgspec.UNSET
    quotes: tuple[Quote, ...] | msgspec.UnsetType = msgspec.UNSET
    deadlines: tuple[Deadline, ...] | msgspec.UnsetType = msgspec.UNSET
    asked: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    special_requests: tuple[SpecialRequest, ...] | msgspec.UnsetType = msgspec.UNSET
    support_case: str | None | msgspec.UnsetType = msgspec.UNSET
    unreachable: bool | msgspec.UnsetType = msgspec.UNSET
    tokens: tuple[Token, ...] | msgspec.UnsetType = msgspec.UNSET
    pending: PendingApproval | None | msgspec.UnsetType = msgspec.UNSET
    ship_to: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    credit: Price | None | msgspec.UnsetType = msgspec.UNSET
    fee: Price | None | msgspec.UnsetType = msgspec.UNSET
    inbound: ShipmentNotice | None | msgspec.UnsetType = msgspec.UNSET
    outbound: ShipmentNotice | None | msgspec.UnsetType = msgspec.UNSET
    charges: tuple[Charge, ...] | msgspec.UnsetType = msgspec.UNSET


Change = CaseOpened | UnitChanged | UnitRemoved | CaseChanged


# ---------------------------------------------------------------- notices

EmailKind = Literal["answer", "reminder", "expired", "closed", "progress", "notice", "transcript"]


class Recipient(Value, frozen=True):
    """Who gets a notice, the Message-ID of that email, and for staff the token by which a reply can decide."""

    address: str
    message_id: str
    token: Token | None = None


class Inform(Value, frozen=True):
    """A sentence of the policy that a notice carries: its clause, its text with placeholders, the unit that it is about."""

    clause: str
    says: str
    serial: str | None = None


class DocumentFacts(Value, frozen=True):
    """What the documents of a return need from the registry.

    ``customer`` is the registered company; ``origins`` are pairs of serial number and country of manufacture; ``customs``
    says that the shipment crosses a border.
    """

    customer: str = ""
    origins: tuple[tuple[str, str], ...] = ()
    customs: bool = False


class Notice(Value, frozen=True):
    """One email that a decision asks for: which template, to whom, with which facts. ``reply.compose`` renders it.

    ``kind`` and ``about`` name the template and its case. Each recipient gets an email of their own. ``clauses`` are the
    clauses on record for it. ``direct``: it answers an email, and counts toward the day's limit. ``withheld`` says why it is
    kept on record and not sent. ``basis`` are the clauses that the decision rests on; ``verdicts``, ``asks``, ``says`` and
    ``why`` are shown as they are. ``echo``: the customer's own words may be repeated. ``units`` are serial numbers of the case's
    units that it lists as they are. ``days_left`` counts whole days to ``until``. ``facts`` are (name, value) pairs, ``quoted``
    the sender's words, both for staff only.
    """

    kind: EmailKind
    about: str = ""
    recipients: tuple[Recipient, ...] = ()
    audience: Literal["customer", "staff"] = "customer"
    clauses: tuple[str, ...] = ()
    direct: bool = False
    withheld: str = ""
    basis: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    asks: tuple[str, ...] = ()
    says: str = ""
    why: str = ""
    greeting: str = ""
    echo: bool = True
    informs: tuple[Inform, ...] = ()
    units: tuple[str, ...] = ()
    number: Number | None = None
    quote: Quote | None = None
    charges: tuple[Charge, ...] = ()
    shipment: ShipmentNotice | None = None
    until: date | None = None
    days_left: int = 0
    documents: DocumentFacts | None = None
    command_results: tuple[CommandResult, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    quoted: str = ""
    sender: str = ""
    subject: str = ""


# ---------------------------------------------------------------- the decision


class Decision(Value, frozen=True):
    """What follows from one trigger: outcome, clauses, facts, the changes to the case and the notices to send.

    ``clauses`` decided; ``facts`` are what they saw; ``stamp`` is the policy version. ``answer_key`` names the entry of the
    rules' [answers] that the customer is answered with if no unit is decided on, or what a member of staff is told.
    ``command_results`` say what became of the commands of staff. ``notify`` are the roles that are notified. ``changes`` are
    applied in order (see ``case.apply``); ``notices`` are rendered one by one (see ``reply.compose``).
    """

    outcome: MessageOutcome
    clauses: tuple[str, ...]
    why: str
    stamp: PolicyStamp
    facts: tuple[Fact, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    notify: tuple[Role, ...] = ()
    asks: tuple[str, ...] = ()
    says: str = ""
    command_results: tuple[CommandResult, ...] = ()
    answer_key: str = ""
    changes: tuple[Change, ...] = ()
    notices: tuple[Notice, ...] = ()


class HistoryEntry(Value, frozen=True):
    """One line of a case's history: what happened, what was decided on it, and the Message-IDs that went out."""

    at: datetime
    event: Event
    decision: Decision
    sent: tuple[str, ...] = ()


class Case(Value, frozen=True):
    """The fold of its events: who, which units, in which state, until when.

    ``unreachable``: a mail to the sender could not be delivered, and the sender has not written since. ``version`` counts the
    decisions of staff: a token of an earlier one is spent. ``ship_to``: the delivery address that staff gave for this case
    (ST-10). ``credit`` and ``fee`` are what was approved with a credit (ST-12). ``inbound`` is what the customer has sent,
    ``outbound`` what went back. ``charges`` are those that fell due beside a quote (AP-13, AP-14).
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
    history: tuple[HistoryEntry, ...] = ()
    replies: tuple[Reply, ...] = ()


# ---------------------------------------------------------------- what the core is told of the world


class Snapshot(Value, frozen=True):
    """What the core needs to know of the world, as values.

    ``units``: registry rows by folded serial. ``open_cases``: cases of this mailbox that hold one of these units and
    are not over; ``past_cases`` those that are. ``answers_today``: direct answers already given to the address in its
    company's day. ``id_entropy``: 128 random bits in hexadecimal, for ids; ``token_entropy``: 128 others, for tokens.
    ``sequence``: the next unused RMA sequence number.
    """

    units: dict[str, Unit] = {}
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
