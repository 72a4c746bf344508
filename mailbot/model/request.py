"""What an email asks for: units with reasons, intent, purchase order, shipment, staff commands."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from mailbot.model.statement import Exclusion, Statement
from mailbot.model.values import Value

OpenState = Literal[
    "asking",
    "quoted",
    "held",
    "authorized",
    "in_transit",
    "received",
    "diagnosed",
    "parts_quoted",
    "ordered",
    "repaired",
    "shipped",
]
"""The states in which a unit waits for something, the least advanced first."""

FinalState = Literal["expired", "closed", "withdrawn", "declined"]
"""The states in which a unit waits for nothing."""

State = Literal[OpenState, FinalState]
Kind = Literal["request", "reply", "staff", "bounce", "auto", "list", "spam", "other"]
Intent = Literal["repair", "credit", "exchange", "doa", "rework", "status", "po", "accept_quote", "cancel", "question", "none"]
SpecialRequest = Literal[
    "rush", "freight_account", "insure_instruction", "cod", "advance_replacement", "overseas", "buy_extension", "return_address"
]
Missing = Literal["serial", "reason"]
Finding = Literal["npf", "abuse", "transit_damage", "not_esd_packed", "bad_packaging", "incomplete", "not_like_new"]
Outcome = Literal["issue", "quote", "ask", "staff", "decline"]
MessageOutcome = Literal[Outcome, "mixed", "none"]


class RequestedUnit(Value, frozen=True):
    """One unit that the email is about: its serial number (as in the registry, else as written, in capitals) and the reason.

    ``vague``: the reason names no symptom ("doesn't work"). ``symptom``: the name of the failure in the word list, if it has
    one. ``revision``: the revision that the email states. ``suggestion``: the serial number of the requester's only unit that
    looks like this unknown one; the customer is asked about it, and nothing is decided on it. ``unsure``: it is not
    certain that the email means this unit, so the customer is asked about it as if it were unknown.
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
    """An amount that an email names, its ISO 4217 currency (empty if it names none), and what it is for."""

    amount: Decimal
    currency: str = ""
    label: str = ""


class PurchaseOrder(Value, frozen=True):
    """A purchase order (PO) as read from the email, to be compared with the quote (AP-17).

    ``copy``: the PO itself is attached, and not only mentioned. ``totals``: the amounts that may be its total, the most likely
    first; empty if none could be read. ``quotes``: the quote numbers that it names.
    """

    number: str
    copy: bool = False
    totals: tuple[Price, ...] = ()
    quotes: tuple[str, ...] = ()


class ShipmentNotice(Value, frozen=True):
    """A shipment: carrier and tracking number, each empty if not named.

    ``serials``: the serial numbers of the units in it, as written. If empty: all units that are due to be shipped.
    """

    carrier: str = ""
    tracking: str = ""
    serials: tuple[str, ...] = ()


SafeCommand = Literal["note", "help", "confirm"]
"""Commands that change nothing."""

UnitCommand = Literal[
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
    "means",
]
CommandName = Literal[UnitCommand, SafeCommand]


class Command(Value, frozen=True):
    """One staff command, read from a line or a sentence.

    ``said``: the sentence as written. ``serials``: the serial numbers it names, as written. If empty: all units that it
    applies to. ``count``: (2, 3) for "2 of 3". ``prices``: the lines of a quote, or the credit of an approval; with ``fee``
    the last one is the fee that goes with the credit. ``findings``: the result of the diagnosis. ``text``: the findings in
    words, the reason, the note, or the lines of an address. ``days``: of an extension. ``force``: the reason for FORCE; empty
    if not forced. ``flaw``: what is wrong with the command as written: "amount", "currency", "days", "reason", "address",
    "carrier"; it is refused with a hint.
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
        """The sum of the prices."""
        return sum((price.amount for price in self.prices), Decimal(0))


class Request(Value, frozen=True):
    """What an email asks for, as intake understood it.

    ``reason``, ``exclusions`` and ``vague`` are those of the whole email; each unit has its own. ``missing``: what the customer
    did not supply. ``language``: ISO 639-1 code. ``support_case``: the reference number of a remote diagnosis.
    ``claimed_numbers``: RMA numbers that the email names. ``thanks``: it says thanks and nothing else. ``attention``: staff
    must read it. ``may_be_machine``: it may be an automatic email or advertising: only staff see it. ``notes``: for staff:
    which attachments were not read, why, and what was not understood.

    ``foreign``: units that are registered to somebody else, for staff only; all other fields are the same as if these units
    were not in the registry (promise 7). ``order``: the purchase order. ``shipment``: what the customer has shipped to us.
    ``adds_units``: the units are to be added to those of the case. ``corrects_serial``: the email corrects a serial number.
    ``corrected_serial``: the wrong serial number that it replaces, if named. ``renews_number``: it asks for a new RMA number
    or more time. ``commands``: staff commands. ``unclear``: sentences of staff that look like a command but decide nothing (a
    question, a condition, a negation, a contradiction). ``statements``: what its sentences say, one by one.
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
    may_be_machine: bool = False
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
    statements: tuple[Statement, ...] = ()

    @property
    def in_question(self) -> tuple[Statement, ...]:
        """The statements that a person must read before anything is decided, the most doubtful first."""
        return tuple(each for each in self.statements if each.in_question)
