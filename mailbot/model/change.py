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


Change = CaseOpened | UnitChanged | UnitRemoved | CaseChanged
