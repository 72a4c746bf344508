"""A case: the fold of its events."""

from __future__ import annotations

from datetime import datetime

from mailbot.model.decision import Decision
from mailbot.model.event import Event
from mailbot.model.reply import Reply
from mailbot.model.request import Intent, Price, ShipmentNotice, SpecialRequest, State
from mailbot.model.unit import CaseUnit, Deadline, PendingApproval, Quote, Token
from mailbot.model.values import Value
from mailbot.model.verdict import Charge, Number


class HistoryEntry(Value, frozen=True):
    """One entry of a case's history: the event, the decision on it, and the Message-IDs of the emails that were sent.

    ``at``: aware, UTC.
    """

    at: datetime
    event: Event
    decision: Decision
    sent: tuple[str, ...] = ()


class Case(Value, frozen=True):
    """The fold of its events: the customer, the units, their states and their deadlines.

    ``sender``: the address that replies to the customer go to. ``name``: the customer's display name, may be empty.
    ``unreachable``: an email to the sender could not be delivered, and the sender has not written since. ``version`` grows when
    the units, the quotes, the number or a pending approval change; tokens of an earlier version are invalid. ``asked``: what the
    customer has been asked for so far. ``ship_to``: the ship-to address that staff gave for this case (ST-10). ``credit`` and
    ``fee``: the approved credit and the fee that goes with it (ST-12). ``inbound``: the shipment from the customer to us.
    ``outbound``: the shipment back. ``charges``: what is billed outside of a quote (AP-13, AP-14).
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
