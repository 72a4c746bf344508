"""The decision on one trigger: the changes to the case, and the notices to send."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec
from msgspec import structs

from mailbot.model.mail import Role
from mailbot.model.request import Intent, MessageOutcome, Price, ShipmentNotice, SpecialRequest, State
from mailbot.model.statement import Statement, TaughtExample
from mailbot.model.unit import (
    CaseUnit,
    Charge,
    CommandResult,
    Deadline,
    Fact,
    Number,
    PendingApproval,
    PolicyStamp,
    Quote,
    Token,
    Verdict,
)
from mailbot.model.values import Value

VerdictEvent = Literal["issued", "quoted", "asked", "held_for_staff", "declined"]
CustomerAction = Literal["po_matched", "po_differs", "parts_po_matched", "parts_declined", "canceled", "announced"]
Expiration = Literal["unanswered", "number_expired", "closed"]
Release = Literal[
    "resumed_asking",
    "resumed_quoted",
    "resumed_authorized",
    "resumed_in_transit",
    "resumed_received",
    "resumed_diagnosed",
    "resumed_parts_quoted",
    "resumed_ordered",
    "resumed_repaired",
]
StaffDecision = Literal["approved", "rejected", "quoted_by_staff", "parts_quoted", "put_on_hold", "closed_by_staff"]
RepairStep = Literal["received", "diagnosed", "repaired", "not_repairable", "shipped"]
ForcedAct = Literal["force_received", "force_repaired", "force_shipped", "force_closed"]
LifecycleEvent = Literal[VerdictEvent, CustomerAction, Expiration, Release, StaffDecision, RepairStep, ForcedAct]
"""What can happen to a unit; ``case.lifecycle`` has the table. Staff cause the ``force_`` events by FORCE and a reason."""


class CaseOpened(Value, frozen=True, tag="opened"):
    """A case is opened. ``sender`` is the address that replies go to."""

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
    """The new values of one unit of the case. ``event`` is what changed its state; None if the state does not change."""

    unit: CaseUnit
    event: LifecycleEvent | None = None


class UnitRemoved(Value, frozen=True, tag="removed"):
    """A unit without a known serial number is removed, because another unit replaces it."""

    serial: str


class CaseChanged(Value, frozen=True, tag="case"):
    """New values of other fields of the case. Fields that are UNSET do not change."""

    state: State | msgspec.UnsetType = msgspec.UNSET
    intent: Intent | msgspec.UnsetType = msgspec.UNSET
    number: Number | msgspec.UnsetType | None = msgspec.UNSET
    quotes: tuple[Quote, ...] | msgspec.UnsetType = msgspec.UNSET
    deadlines: tuple[Deadline, ...] | msgspec.UnsetType = msgspec.UNSET
    asked: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    special_requests: tuple[SpecialRequest, ...] | msgspec.UnsetType = msgspec.UNSET
    support_case: str | msgspec.UnsetType | None = msgspec.UNSET
    unreachable: bool | msgspec.UnsetType = msgspec.UNSET
    tokens: tuple[Token, ...] | msgspec.UnsetType = msgspec.UNSET
    pending: PendingApproval | msgspec.UnsetType | None = msgspec.UNSET
    ship_to: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    credit: Price | msgspec.UnsetType | None = msgspec.UNSET
    fee: Price | msgspec.UnsetType | None = msgspec.UNSET
    inbound: ShipmentNotice | msgspec.UnsetType | None = msgspec.UNSET
    outbound: ShipmentNotice | msgspec.UnsetType | None = msgspec.UNSET
    charges: tuple[Charge, ...] | msgspec.UnsetType = msgspec.UNSET
    questions: tuple[Statement, ...] | msgspec.UnsetType = msgspec.UNSET


Change = CaseOpened | UnitChanged | UnitRemoved | CaseChanged


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

    ``kind`` names the template, ``about`` a variant of it. Each recipient gets a separate email. ``clauses``: the clauses that
    are recorded with the email. ``direct``: it replies to an email and counts toward the daily limit. ``withheld``: if not
    empty, why the email is recorded but not sent. ``basis``: the clauses that the decision is based on. ``verdicts``, ``asks``,
    ``says`` and ``why`` are those of the decision. ``greeting``: the customer's name. ``echo``: whether the customer's own
    words may be repeated. ``units``: serial numbers of units that are listed with their state in the case. ``until``: a day in
    the company's zone. ``days_left``: whole days to ``until``. ``facts``: (name, value) pairs, for staff only. ``questions``:
    the sentences that staff must read. ``quoted``: the sender's words, for staff only. ``as_decided``: the verdicts are the
    decision's, and are not stored twice (see ``Decision.full_notices``).
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
    questions: tuple[Statement, ...] = ()
    quoted: str = ""
    sender: str = ""
    subject: str = ""


class Decision(Value, frozen=True):
    """The result of deciding on one trigger: outcome, clauses, facts, the changes to the case and the notices to send.

    ``clauses``: the clauses that decided. ``facts``: the facts that they were applied to. ``stamp``: the policy version. ``why``:
    the reason, for staff and the record. ``answer_key``: if no unit is decided on, the entry of the rules' [answers] that answers
    the customer; for a staff email, the kind of transcript. ``asks``: what the customer must supply. ``says``: the sentence of the
    rule, with placeholders. ``command_results``: one result for each staff command. ``notify``: the staff roles to notify.
    ``changes`` are applied in order (see ``case.apply``); ``notices`` are rendered one by one (see ``reply.compose``). ``taught``:
    the sentences that the commands explain.
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
    taught: tuple[TaughtExample, ...] = ()

    @property
    def full_notices(self) -> tuple[Notice, ...]:
        """The notices, each with its verdicts; they are stored once, with the decision."""
        return tuple(
            structs.replace(notice, verdicts=self.verdicts, as_decided=False) if notice.as_decided else notice
            for notice in self.notices
        )
