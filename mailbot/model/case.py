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
