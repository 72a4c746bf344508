"""What becomes of a command of staff: who may give it, for which units, in which state, for how much money (design §5, A12, O2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from msgspec import structs

from mailbot.case.lifecycle import HERE, states_for, takes
from mailbot.case.quotes import awaits_order, due, latest
from mailbot.intake.serials import fold
from mailbot.model import Case, CaseItem, Command, CommandName, Role, Ruling, Staff, State, Why
from mailbot.policy.policy import Policy

_ANY: Final[tuple[Role, ...]] = ("approver", "sales", "desk")
ROLES: Final[Mapping[CommandName, tuple[Role, ...]]] = MappingProxyType(
    {
        "approve": ("approver",),
        "reject": ("approver",),
        "quote": _ANY,
        "received": ("desk",),
        "diagnosed": ("desk",),
        "repaired": ("desk",),
        "not_repairable": ("desk",),
        "shipped": ("desk",),
        "ship_to": ("desk", "approver"),
        "extend": ("desk", "approver"),
        "hold": ("desk", "approver"),
        "close": ("desk", "approver"),
        "note": _ANY,
        "help": _ANY,
        "confirm": _ANY,
    }
)
"""Who may give a command: one of these roles."""

HARMLESS: Final[frozenset[CommandName]] = frozenset({"note", "help", "confirm"})
"""Commands that change nothing for anybody."""

_MONEY: Final[frozenset[CommandName]] = frozenset({"approve", "quote"})

_APPROVES: Final[tuple[State, ...]] = ("held", "asking", "quoted", "declined", "expired")
"""What an approval without serials is about: the first of these states in which a unit is."""


def rule(case: Case | None, command: Command, person: Staff, policy: Policy) -> Ruling:
    """Rule on one command, as the case stands.

    Args:
        case: the case it is about, if there is one.
        command: as read.
        person: who gives it; that it is really this person is shown elsewhere.
        policy: the company's.
    """
    if command.flaw:
        return _refused(command, "flaw")
    if not set(ROLES[command.name]) & set(person.roles):
        return _refused(command, "role")
    if command.name in HARMLESS:
        return Ruling(command, "done")
    if case is None:
        return _refused(command, "no_case")
    known = {fold(item.serial) for item in case.items}
    if any(fold(serial) not in known for serial in command.serials):
        return _refused(command, "unknown_unit")
    if any(price.currency not in ("", policy.currency) for price in command.prices):
        return _refused(command, "currency")
    items = concerned(case, command)
    if not items:
        if command.name == "diagnosed" and not command.findings and not any(i.state in HERE for i in case.items):
            return Ruling(command, "done")  # a diagnosis from afar, before anything is sent in (ST-3): it is on record
        if command.name == "close" and not case.items and case.state == "held":
            return Ruling(command, "done")
        return structs.replace(_refused(command, "state"), states=states_for(command.name))
    return _within_limit(Ruling(command, "done", tuple(item.serial for item in items)), case, person, policy)


def concerned(case: Case, command: Command) -> tuple[CaseItem, ...]:
    """Return the units that a command is about; none where it cannot be carried out for what it names."""
    named = {fold(serial) for serial in command.serials}
    units = [item for item in case.items if not named or fold(item.serial) in named]
    fitting = [item for item in units if takes(command.name, item.state, force=bool(command.force))]
    if command.name == "approve":
        fitting = [item for item in fitting if item.state != "asking" or item.serial]
        first = next((state for state in _APPROVES if any(item.state == state for item in fitting)), None)
        fitting = fitting if named else [item for item in fitting if item.state == first]
    if command.name == "close" and not command.force:
        fitting = [item for item in fitting if not item.here or item.state == "shipped"]
    if command.name == "shipped":
        fitting = [item for item in fitting if item.received_on or command.force]
    if command.name == "quote" and any(item.state in HERE for item in fitting):
        fitting = [item for item in fitting if item.state in HERE]
    if named and len(fitting) < len(units):
        return ()
    if command.count and not named:
        fitting = fitting[: command.count[0]] if command.count[1] == len(units) else []
    return tuple(fitting)


def money(case: Case, ruling: Ruling) -> Decimal:
    """Return the money that a command sets in motion: its own, or the open quote that an approval waives or accepts."""
    command, keys = ruling.command, {fold(serial) for serial in ruling.serials}
    if command.name != "approve":
        return command.money
    free = [
        item for item in case.items if fold(item.serial) in keys and (awaits_order(item) or item.state == "declined")
    ]
    offers = {quote.number: quote for item in free if (quote := latest(case, item.serial))}
    named = {fold(item.serial) for item in free}
    return command.money + sum((due(quote, named).total for quote in offers.values()), Decimal(0))


def _within_limit(ruling: Ruling, case: Case, person: Staff, policy: Policy) -> Ruling:
    """Put what is above the person's limit, or in the person's own case, before a second approver (A12)."""
    if ruling.command.name not in _MONEY:
        return ruling
    own = person.address in (case.sender, *case.participants)
    amount = money(case, ruling)
    if not own and amount <= person.limit:
        return ruling
    why: Why = "own" if own else "limit"
    able = second_approvers(policy.desk.staff, person.address, amount, case)
    return structs.replace(ruling, result="second" if able else "refused", why=why)


def second_approvers(staff: Iterable[Staff], first: str, amount: Decimal, case: Case) -> tuple[Staff, ...]:
    """Return those who can approve what somebody else asked for."""
    return tuple(
        person
        for person in staff
        if "approver" in person.roles
        and person.address != first
        and person.limit >= amount
        and person.address not in (case.sender, *case.participants)
    )


def pending_amount(case: Case) -> Decimal:
    """Return the money of the commands that wait for a second approver."""
    if case.pending is None:
        return Decimal(0)
    return sum((money(case, Ruling(c, "done", _serials(case, c))) for c in case.pending.commands), Decimal(0))


def _serials(case: Case, command: Command) -> tuple[str, ...]:
    return tuple(item.serial for item in concerned(case, command))


def _refused(command: Command, why: Why) -> Ruling:
    return Ruling(command, "refused", why=why)
