"""What becomes of a command of staff: who may give it, for which units, in which state, for how much money (design §5, A12, O2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from msgspec import structs

from mailbot.case.lifecycle import ON_SITE, is_allowed, states_for
from mailbot.case.quotes import awaits_order, latest_quote, limited_to
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, CaseUnit, Command, CommandName, CommandResult, RefusalReason, Role, StaffMember, State
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


def decide_command(case: Case | None, command: Command, person: StaffMember, policy: Policy) -> CommandResult:
    """Decide whether one command is granted, on the case as it is.

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
        return CommandResult(command, "done")
    if case is None:
        return _refused(command, "no_case")
    known = {serial_key(unit.serial) for unit in case.units}
    if any(serial_key(serial) not in known for serial in command.serials):
        return _refused(command, "unknown_unit")
    if any(price.currency not in ("", policy.currency) for price in command.prices):
        return _refused(command, "currency")
    items = affected_units(case, command)
    if not items:
        if command.name == "diagnosed" and not command.findings and not any(i.state in ON_SITE for i in case.units):
            return CommandResult(
                command, "done"
            )  # a diagnosis from afar, before anything is sent in (ST-3): it is on record
        if command.name == "close" and not case.units and case.state == "held":
            return CommandResult(command, "done")
        return structs.replace(_refused(command, "state"), states=states_for(command.name))
    return _within_limit(CommandResult(command, "done", tuple(unit.serial for unit in items)), case, person, policy)


def affected_units(case: Case, command: Command) -> tuple[CaseUnit, ...]:
    """Return the units that a command is about; none where it cannot be carried out for what it names."""
    named = {serial_key(serial) for serial in command.serials}
    units = [unit for unit in case.units if not named or serial_key(unit.serial) in named]
    fitting = [unit for unit in units if is_allowed(command.name, unit.state, force=bool(command.force))]
    if command.name == "approve":
        fitting = [unit for unit in fitting if unit.state != "asking" or unit.serial]
        first = next((state for state in _APPROVES if any(unit.state == state for unit in fitting)), None)
        fitting = fitting if named else [unit for unit in fitting if unit.state == first]
    if command.name == "close" and not command.force:
        fitting = [unit for unit in fitting if not unit.on_site or unit.state == "shipped"]
    if command.name == "shipped":
        fitting = [unit for unit in fitting if unit.received_on or command.force]
    if command.name == "quote" and any(unit.state in ON_SITE for unit in fitting):
        fitting = [unit for unit in fitting if unit.state in ON_SITE]
    if named and len(fitting) < len(units):
        return ()
    if command.count and not named:
        fitting = fitting[: command.count[0]] if command.count[1] == len(units) else []
    return tuple(fitting)


def amount_of(case: Case, result: CommandResult) -> Decimal:
    """Return the money that a command sets in motion: its own, or the open quote that an approval waives or accepts."""
    command, keys = result.command, {serial_key(serial) for serial in result.serials}
    if command.name != "approve":
        return command.money
    free = [
        unit
        for unit in case.units
        if serial_key(unit.serial) in keys and (awaits_order(unit) or unit.state == "declined")
    ]
    offers = {quote.number: quote for unit in free if (quote := latest_quote(case, unit.serial))}
    named = {serial_key(unit.serial) for unit in free}
    return command.money + sum((limited_to(quote, named).total for quote in offers.values()), Decimal(0))


def _within_limit(result: CommandResult, case: Case, person: StaffMember, policy: Policy) -> CommandResult:
    """Put what is above the person's limit, or in the person's own case, before a second approver (A12)."""
    if result.command.name not in _MONEY:
        return result
    own = person.address in (case.sender, *case.participants)
    amount = amount_of(case, result)
    if not own and amount <= person.limit:
        return result
    reason: RefusalReason = "own" if own else "limit"
    able = second_approvers(policy.desk.staff, person.address, amount, case)
    return structs.replace(result, result="second" if able else "refused", reason=reason)


def second_approvers(staff: Iterable[StaffMember], first: str, amount: Decimal, case: Case) -> tuple[StaffMember, ...]:
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
    return sum((amount_of(case, CommandResult(c, "done", _serials(case, c))) for c in case.pending.commands), Decimal(0))


def _serials(case: Case, command: Command) -> tuple[str, ...]:
    return tuple(unit.serial for unit in affected_units(case, command))


def _refused(command: Command, reason: RefusalReason) -> CommandResult:
    return CommandResult(command, "refused", reason=reason)
