"""The decision on one unit or one staff command."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from mailbot.model.request import Command, Outcome, State
from mailbot.model.values import Value


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


class Verdict(Value, frozen=True):
    """The decision on one unit. ``clauses[0]`` is the clause that decided; the others accompany it.

    ``asks``: what the customer must supply. ``answered_as_unknown``: the answer must look like the one for an unknown serial
    number. ``number``: the unit's open RMA, if that answers the request. ``says``: the rule's sentence, with placeholders.
    ``valid_until``: the latest last day of a number issued by this verdict, if the rule limits it. ``shown_clauses``: the
    clauses that the customer is shown, if they are not ``clauses``. ``staff_only``: only staff learn about this unit.
    ``owner``: the domain of the registered customer. ``suggestion``: see ``RequestedUnit``.
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


class PolicyStamp(Value, frozen=True):
    """The version of a policy: its name, and the date and digest of its rules file (ST-18)."""

    policy: str
    version: date
    digest: str


RefusalReason = Literal[
    "role",
    "limit",
    "own",
    "state",
    "unknown_unit",
    "no_case",
    "several_cases",
    "flaw",
    "currency",
    "not_ours",
    "nothing",
    "other_case",
]
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
