"""The notices that a decision asks for: one email each."""

from __future__ import annotations

from datetime import date
from typing import Literal

from mailbot.model.request import ShipmentNotice
from mailbot.model.unit import Quote, Token
from mailbot.model.values import Value
from mailbot.model.verdict import Charge, CommandResult, Number, Verdict

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
