"""What an email asks for: units with reasons, intent, purchase order, shipment, staff commands."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from mailbot.model.values import Value

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
    shipment: ShipmentNotice | None = None
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
    shipment: ShipmentNotice | None = None
    adds_units: bool = False
    corrected_serial: str = ""
    corrects_serial: bool = False
    renews_number: bool = False
    commands: tuple[Command, ...] = ()
    unclear: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
