"""A unit in the registry and in a case, the decisions on it, and other parts of a case: numbers, quotes, deadlines, tokens."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from mailbot.model.request import Command, Finding, Outcome, RequestedUnit, State
from mailbot.model.statement import Exclusion
from mailbot.model.values import Value


class Unit(Value, frozen=True):
    """One row of the registry: a unit that the company shipped.

    ``customer_domain``: the email domain of the registered customer. ``extended_until``: last day of an extended warranty.
    ``repair_shipped_on`` and ``repair_failure``: the latest repair that the customer paid for. ``origin``: country of manufacture;
    ``country``: the customer's country; both ISO 3166-1 alpha-2.
    """

    serial: str
    model: str
    family: str
    delivered_on: date
    customer: str
    customer_domain: str
    extended_until: date | None = None
    revision: str | None = None
    repair_shipped_on: date | None = None
    repair_failure: str | None = None
    purchased_on: date | None = None
    origin: str | None = None
    country: str | None = None


class Charge(Value, frozen=True):
    """One line of a quote or bill. ``fee``: the name in [fees], empty if staff named the price. ``currency``: ISO 4217."""

    fee: str
    label: str
    amount: Decimal
    currency: str
    serial: str = ""


class Fact(Value, frozen=True):
    """One fact that a decision was based on, named as in the rules."""

    name: str
    value: str


class Number(Value, frozen=True):
    """An RMA number (AP-25, ST-4): unique, and issued only by us.

    ``issued_by``: "rule" with a clause, or the address of a member of staff. ``valid_until`` is the last valid day. Dates are
    days in the company's zone.
    """

    text: str
    issued_on: date
    valid_until: date
    issued_by: str


class DraftedDecision(Value, frozen=True):
    """What would be decided on a unit if a sentence were not in question; a person decides instead (promise 10)."""

    outcome: Outcome
    clauses: tuple[str, ...]
    charges: tuple[Charge, ...] = ()


class Verdict(Value, frozen=True):
    """The decision on one unit. ``clauses[0]`` is the clause that decided; the others accompany it.

    ``asks``: what the customer must supply. ``answered_as_unknown``: the answer must look like the one for an unknown serial
    number. ``number``: the unit's open RMA, if that answers the request. ``says``: the rule's sentence, with placeholders.
    ``valid_until``: the latest last day of a number issued by this verdict, if the rule limits it. ``shown_clauses``: the
    clauses that the customer is shown, if they are not ``clauses``. ``staff_only``: only staff learn about this unit.
    ``owner``: the domain of the registered customer. ``suggestion``: see ``RequestedUnit``. ``draft``: the decision that waits
    for a person, because a sentence is in question.
    """

    serial: str
    outcome: Outcome
    clauses: tuple[str, ...]
    facts: tuple[Fact, ...] = ()
    known: bool = False
    model: str = ""
    asks: tuple[str, ...] = ()
    charges: tuple[Charge, ...] = ()
    covered_until: date | None = None
    answered_as_unknown: bool = False
    number: Number | None = None
    says: str = ""
    valid_until: date | None = None
    shown_clauses: tuple[str, ...] = ()
    staff_only: bool = False
    owner: str = ""
    suggestion: str = ""
    draft: DraftedDecision | None = None


class PolicyStamp(Value, frozen=True):
    """The version of a policy: its name, and the date and digest of its rules file (ST-18)."""

    policy: str
    version: date
    digest: str


RefusalReason = Literal["role", "limit", "own", "state", "unknown_unit", "no_case", "flaw", "currency", "other_case"]
"""Why a command was not executed; the templates have the words for it."""


class CommandResult(Value, frozen=True):
    """The result of one command.

    ``result``: "done"; "refused"; "second": a second approver must approve it; "asked": the sender must confirm it.
    ``serials``: the units that it was executed for. ``states``: the states that it is possible in, if it was refused for the
    state of the units.
    """

    command: Command
    result: Literal["done", "refused", "second", "asked"]
    serials: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    reason: RefusalReason | None = None
    states: tuple[State, ...] = ()


class CaseUnit(Value, frozen=True):
    """A unit in a case, with its own coverage, outcome and state. Dates are days in the company's zone.

    ``known``: the requester may know that the unit is in the registry. ``owner``: the domain of its registered customer.
    ``answered_as_unknown``: the requester is answered as if the serial number were not in the registry. ``staff_only``: the
    requester learns nothing about the unit. ``asks``: what the customer must supply. ``resume_state``: the state of a held
    unit after it is released; None: "authorized". ``not_repairable``: it is returned unrepaired. ``billed``: the customer
    pays for the repair, which then has a repair warranty (AP-21). ``draft``: see ``Verdict``.
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
    draft: DraftedDecision | None = None

    @property
    def on_site(self) -> bool:
        """Whether the unit is at our site, whatever its state."""
        return self.received_on is not None and self.shipped_on is None and self.state != "closed"

    @property
    def as_requested(self) -> RequestedUnit:
        """The unit as a request with the same information would name it."""
        return RequestedUnit(self.serial, self.reason, self.exclusions, self.vague, self.symptom, self.revision)


class Quote(Value, frozen=True):
    """A numbered quote for the billable units of a case. Dates are days in the company's zone; ``valid_until`` is included.

    ``parts``: it was made after the diagnosis (AP-16). ``pending_order``: the number of a purchase order that staff must
    compare with the quote. ``order``: the number of the purchase order that accepted it.
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
    """A reminder or an expiration of a case.

    ``key``: unique in its case. ``at``: when it is processed, aware, UTC. ``due_on``: its day in the company's zone.
    ``is_final``: what the case waits for expires with it; otherwise it is a reminder.
    """

    key: str
    kind: DeadlineKind
    at: datetime
    due_on: date
    is_final: bool = False


class Token(Value, frozen=True):
    """A one-time token: it authenticates a reply to an email that only one member of staff received (promise 5).

    ``secret``: 128 random bits in hexadecimal. ``person``: the address of that member of staff. ``until``: aware, UTC.
    ``version``: the version of the case that it is valid for. ``commands``: the commands that it confirms, if it belongs to a
    request for confirmation.
    """

    secret: str
    person: str
    until: datetime
    version: int
    commands: tuple[Command, ...] = ()


class PendingApproval(Value, frozen=True):
    """Commands that wait for a second approver. ``by``: the address of the member of staff who gave them."""

    commands: tuple[Command, ...]
    by: str
