"""The notices of a decision: one email each."""

from __future__ import annotations

from datetime import date
from typing import Literal

from mailbot.model.request import ShipmentNotice
from mailbot.model.unit import Quote, Token
from mailbot.model.values import Value
from mailbot.model.verdict import Charge, CommandResult, Number, Verdict

EmailKind = Literal["answer", "reminder", "expired", "closed", "progress", "notice", "transcript"]


class Recipient(Value, frozen=True):
    """Who gets a notice, the Message-ID of the email and, for staff, the token that authenticates a reply."""

    address: str
    message_id: str
    token: Token | None = None


class Inform(Value, frozen=True):
    """A sentence of the policy in a notice: its clause, its text with placeholders, and the unit that it is about, if any."""

    clause: str
    says: str
    serial: str | None = None


class DocumentFacts(Value, frozen=True):
    """What the documents of a return need from the registry.

    ``customer``: the registered company. ``origins``: pairs of serial number and country of manufacture. ``customs``: whether the
    shipment crosses a border.
    """

    customer: str = ""
    origins: tuple[tuple[str, str], ...] = ()
    customs: bool = False


class Notice(Value, frozen=True):
    """One email to be sent: its template, its recipients and its facts. ``reply.compose`` renders it.

    ``kind`` names the template, ``about`` a variant of it. Each recipient gets a separate email. ``clauses``: the clauses
    that are recorded with the email. ``direct``: it replies to an email and counts toward the daily limit. ``withheld``: if
    not empty, why the email is recorded but not sent. ``basis``: the clauses that the decision is based on. ``verdicts``,
    ``asks``, ``says`` and ``why`` are those of the decision. ``greeting``: the customer's name. ``echo``: whether the
    customer's own words may be repeated. ``units``: serial numbers of units that are listed with their state in the case.
    ``until``: a day in the company's zone. ``days_left``: whole days to ``until``. ``facts``: (name, value) pairs, for staff
    only. ``quoted``: the sender's words, for staff only. ``as_decided``: the verdicts are the decision's, and are not stored
    twice (see ``Decision.full_notices``).
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
    as_decided: bool = False
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
