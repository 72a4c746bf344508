"""What is decided for one unit or one staff command."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from mailbot.model.request import Command, Outcome, State
from mailbot.model.values import Value


class Charge(Value, frozen=True):
    """One line of a quote, from the fee schedule: what is charged for one unit."""

    fee: str
    label: str
    amount: Decimal
    currency: str
    serial: str = ""


class Fact(Value, frozen=True):
    """One fact a decision saw, named in the words of the rules."""

    name: str
    value: str


class Number(Value, frozen=True):
    """An RMA number (AP-25, ST-4): unique, assigned by us alone; the last valid day is in."""

    text: str
    issued_on: date
    valid_until: date
    issued_by: str


class Verdict(Value, frozen=True):
    """The decision for one unit. ``clauses[0]`` decided; the others go with it.

    ``asks`` names what the customer must supply. ``answered_as_unknown`` marks a verdict that must look like an unknown serial.
    ``number`` is set where the unit's open RMA answers the request. ``says`` is the rule's sentence, its placeholders yet
    unfilled. ``valid_until`` is the last day a number given on this verdict may have, where the rule limits it. ``shown`` are the
    clauses that the customer is shown, where they are not ``clauses``. ``staff_only``: only staff learn of this unit at all.
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
    """The policy's version: date and digest of its rules file (ST-18)."""

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
"""Why a command was not carried out; the templates say it in words."""


class CommandResult(Value, frozen=True):
    """What becomes of one command: carried out on these units, refused, or put before a second approver."""

    command: Command
    result: Literal["done", "refused", "second", "asked"]
    serials: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    reason: RefusalReason | None = None
    states: tuple[State, ...] = ()
