"""Permissions of staff commands: by role, units, state, and amount."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, get_args

from msgspec import structs

from mailbot.case.lifecycle import IN_REPAIR, is_allowed, states_for
from mailbot.case.quotes import awaits_order, is_for_parts, latest_quote, limited_to
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, CaseUnit, Command, CommandName, CommandResult, RefusalReason, Role, SafeCommand, StaffMember
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
        "means": ("desk", "approver"),
        "note": _ANY,
        "help": _ANY,
        "confirm": _ANY,
    }
)
"""The roles that may give a command."""

HARMLESS: Final[frozenset[CommandName]] = frozenset(get_args(SafeCommand))
"""Commands that change nothing."""

_MONEY: Final[frozenset[CommandName]] = frozenset({"approve", "quote"})


def decide_command(case: Case | None, command: Command, person: StaffMember, policy: Policy) -> CommandResult:
    """Return whether a person may give a command in the current state of the case: "done", "refused" with a reason, or "second".

    Authentication is checked elsewhere.
    """
    if command.flaw:
        return CommandResult(command, "refused", reason="flaw")
    if not set(ROLES[command.name]) & set(person.roles):
        return CommandResult(command, "refused", reason="role")
    if command.name in HARMLESS:
        return CommandResult(command, "done")
    if case is None:
        return CommandResult(command, "refused", reason="no_case")
    known = {serial_key(unit.serial) for unit in case.units}
    if any(serial_key(serial) not in known for serial in command.serials):
        return CommandResult(command, "refused", reason="unknown_unit")
    if any(price.currency not in ("", policy.currency) for price in command.prices):
        return CommandResult(command, "refused", reason="currency")
    units = affected_units(case, command)
    if not units:
        if command.name == "diagnosed" and not command.findings and not any(i.state in IN_REPAIR for i in case.units):
            return CommandResult(command, "done")  # a remote diagnosis before receipt (ST-3): it is only recorded
        if command.name == "close" and not case.units and case.state == "held":
            return CommandResult(command, "done")
        return CommandResult(command, "refused", reason="state", states=states_for(command.name))
    return _within_limit(CommandResult(command, "done", tuple(unit.serial for unit in units)), units, case, person, policy)


def affected_units(case: Case, command: Command) -> tuple[CaseUnit, ...]:
    """Return the units that a command applies to; none if it is not possible for all units that it names."""
    named = {serial_key(serial) for serial in command.serials}
    units = [unit for unit in case.units if not named or serial_key(unit.serial) in named]
    fitting = [unit for unit in units if is_allowed(command.name, unit.state, force=bool(command.force))]
    if command.name == "approve":
        fitting = [unit for unit in fitting if unit.state != "asking" or unit.serial]
        first = next((state for state in states_for("approve") if any(unit.state == state for unit in fitting)), None)
        fitting = fitting if named else [unit for unit in fitting if unit.state == first]
    if command.name == "means":
        fitting = [unit for unit in fitting if unit.draft]
    if command.name == "close" and not command.force:
        fitting = [unit for unit in fitting if not unit.on_site or unit.state == "shipped"]
    if command.name == "shipped":
        fitting = [unit for unit in fitting if unit.received_on or command.force]
    if command.name == "quote" and is_for_parts(fitting):
        fitting = [unit for unit in fitting if unit.state in IN_REPAIR]
    if named and len(fitting) < len(units):
        return ()
    if command.count and not named:
        fitting = fitting[: command.count[0]] if command.count[1] == len(units) else []
    return tuple(fitting)


def amount_of(case: Case, command: Command, units: tuple[CaseUnit, ...]) -> Decimal:
    """Return the amount of a command for the approval limit: its prices, and the open quotes that an approval waives or accepts."""
    if command.name != "approve":
        return command.money
    quoted = [unit for unit in units if awaits_order(unit) or unit.state == "declined"]
    open_quotes = {quote.number: quote for unit in quoted if (quote := latest_quote(case, unit.serial))}
    quoted_keys = {serial_key(unit.serial) for unit in quoted}
    return command.money + sum((limited_to(quote, quoted_keys).total for quote in open_quotes.values()), Decimal(0))


def _within_limit(
    result: CommandResult, units: tuple[CaseUnit, ...], case: Case, person: StaffMember, policy: Policy
) -> CommandResult:
    """Require a second approver above the person's approval limit, and in the person's own case."""
    if result.command.name not in _MONEY:
        return result
    own = person.address in (case.sender, *case.participants)
    amount = amount_of(case, result.command, units)
    if not own and amount <= person.limit:
        return result
    reason: RefusalReason = "own" if own else "limit"
    approvers = second_approvers(policy.desk.staff, person.address, amount, case)
    return structs.replace(result, result="second" if approvers else "refused", reason=reason)


def second_approvers(staff: Iterable[StaffMember], first: str, amount: Decimal, case: Case) -> tuple[StaffMember, ...]:
    """Return the members of staff who can approve this amount in this case, except the first one (an address)."""
    return tuple(
        person
        for person in staff
        if "approver" in person.roles
        and person.address != first
        and person.limit >= amount
        and person.address not in (case.sender, *case.participants)
    )


def pending_amount(case: Case) -> Decimal:
    """Return the amount of the commands that wait for a second approver."""
    waiting = case.pending.commands if case.pending else ()
    return sum((amount_of(case, command, affected_units(case, command)) for command in waiting), Decimal(0))
