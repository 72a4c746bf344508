"""The parts of a case: units, quotes, deadlines, tokens."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from mailbot.model.request import Command, Exclusion, Finding, Outcome, RequestedUnit, State
from mailbot.model.values import Value
from mailbot.model.verdict import Charge


class CaseUnit(Value, frozen=True):
    """A unit as a case holds it, with its own coverage, outcome and state; ``owner`` is the domain of its registered customer.

    ``resume_state`` is the state of a held unit after it is released, if not "authorized". ``charged``: the customer pays for
    its repair, which is warranted (AP-21). Dates are days in the company's zone. ``answered_as_unknown``: the requester is
    answered as if the serial number were not in the registry. ``staff_only``: the requester learns nothing about the unit.
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
    not_repairable: bool = False
    billed: bool = False
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
    issued_on: date
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
    due_on: date
    is_final: bool = False


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
