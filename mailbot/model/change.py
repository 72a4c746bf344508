"""The changes to a case that a decision plans."""

from __future__ import annotations

from typing import Literal

import msgspec

from mailbot.model.request import Intent, Price, ShipmentNotice, SpecialRequest, State
from mailbot.model.unit import CaseUnit, Deadline, PendingApproval, Quote, Token
from mailbot.model.values import Value
from mailbot.model.verdict import Charge, Number

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


Change = CaseOpened | UnitChanged | UnitRemoved | CaseChanged
