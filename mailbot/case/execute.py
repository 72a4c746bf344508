"""Case + a command that was granted -> the case after it. Who may grant it stands in ``rulings``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from msgspec import structs

from mailbot.case import numbers, quotes
from mailbot.case.deadlines import later
from mailbot.case.lifecycle import ON_SITE, move, state_of
from mailbot.case.quotes import marked, open_quotes
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, CaseUnit, Charge, Command, CommandResult, Number, Snapshot, State
from mailbot.policy.dates import plus_business_days
from mailbot.policy.policy import Policy
from mailbot.policy.rules import FindingRule


def execute(case: Case, ruling: CommandResult, person: str, policy: Policy, snapshot: Snapshot, day: date) -> Case:
    """Return the case after a command was carried out. Deadlines are renewed by ``advance``.

    Args:
        case: as it stands.
        ruling: the command, and the units it was granted for.
        person: whose decision it is (ST-4).
        policy: the company's.
        snapshot: brings the next sequence of RMA numbers.
        day: today in the company's zone.
    """
    command, keys = ruling.command, {serial_key(serial) for serial in ruling.serials}

    def each(change: Callable[[CaseUnit], CaseUnit]) -> Case:
        items = tuple(change(unit) if serial_key(unit.serial) in keys else unit for unit in case.units)
        return structs.replace(case, units=items, state=state_of(items, case.state))

    if command.name in _MOVES:
        return _MOVES[command.name](case, each, command, policy, day)
    match command.name:
        case "approve":
            return _approved(each(_approve), case, command, person, policy, snapshot, day)
        case "quote":
            return _quoted(case, each, ruling, policy, day)
        case "diagnosed":
            return _diagnosed(case, each, ruling, policy, day)
        case "ship_to":
            return structs.replace(case, ship_to=tuple(command.text.splitlines()))
        case "extend":
            return _extended(case, command.days, keys)
        case _:
            return case


Each = Callable[[Callable[[CaseUnit], CaseUnit]], Case]
"""Changes each of the units that a command is about."""


def _received(_case: Case, each: Each, _command: Command, policy: Policy, day: date) -> Case:
    rules = policy.rules.deadlines.repair
    due = plus_business_days(day, rules.days, rules.holidays)
    return each(lambda i: _to(i, "received", received_on=day, repair_due=due, resume_state=None))


def _sent_back(_case: Case, each: Each, command: Command, policy: Policy, day: date) -> Case:
    closes = policy.rules.deadlines.close.days == 0
    return structs.replace(each(lambda i: _shipped(i, day, closes=closes)), outbound=command.parcel)


def _closed(case: Case, each: Each, *_: object) -> Case:
    return each(lambda i: _to(i, "closed")) if case.units else structs.replace(case, state="closed")


_MOVES: dict[str, Callable[[Case, Each, Command, Policy, date], Case]] = {
    "received": _received,
    "shipped": _sent_back,
    "close": _closed,
    "reject": lambda _, each, *__: each(lambda i: _to(i, "declined", outcome="decline", asks=(), resume_state=None)),
    "repaired": lambda _, each, *__: each(lambda i: _to(i, "repaired", repaired=True, unrepairable=False)),
    "not_repairable": lambda _, each, *__: each(lambda i: _to(i, "diagnosed", unrepairable=True)),
    "hold": lambda _, each, *__: each(lambda i: _to(i, "held", resume_state=i.state)),
}
"""What the commands do that only bring units into another state."""


def _to(unit: CaseUnit, state: State, **more: object) -> CaseUnit:
    return structs.replace(unit, state=move(unit.state, state), **more)


def _approve(unit: CaseUnit) -> CaseUnit:
    """Let a unit go on where it stood; what a person has decided need not be disguised any more."""
    target = unit.resume_state or "authorized"
    outcome = "quote" if target in ("quoted", "parts_quoted") else "issue"
    return _to(
        unit,
        target,
        outcome=outcome,
        asks=(),
        resume_state=None,
        answered_as_unknown=False,
        staff_only=False,
        known=True,
    )


def _approved(
    after: Case, before: Case, command: Command, person: str, policy: Policy, snapshot: Snapshot, day: date
) -> Case:
    prices = [structs.replace(price, currency=price.currency or policy.currency) for price in command.prices]
    fee = prices.pop() if prices and command.fee else after.fee
    number: Number | None = after.number
    if any(unit.state == "authorized" for unit in after.units):
        number = numbers.valid_number(before, day) or numbers.assign(policy, snapshot, day, person)
    left = {quote.number for quote in open_quotes(after)}
    for quote in open_quotes(
        before
    ):  # the order that a person had to compare is accepted with the last unit of its quote
        if quote.pending_order and quote.number not in left:
            after = structs.replace(after, quotes=marked(after, {quote.number}, order=quote.pending_order))
    return structs.replace(
        after,
        number=number,
        credit=prices[0] if prices else after.credit,
        fee=fee,
    )


def _quoted(case: Case, each: Each, ruling: CommandResult, policy: Policy, day: date) -> Case:
    """Make the offer that staff worked out: for parts where the units are here (AP-16, AP-19), else the first one."""
    keys = {serial_key(serial) for serial in ruling.serials}
    parts = any(unit.state in ON_SITE for unit in case.units if serial_key(unit.serial) in keys)
    state: State = "parts_quoted" if parts else "quoted"
    fallback = next(iter(policy.rules.fees.values())).label if policy.rules.fees else ruling.command.name
    only = ruling.serials[0] if len(ruling.serials) == 1 else ""
    charges = tuple(
        Charge(
            "", price.label or ruling.command.text or fallback, price.amount, price.currency or policy.currency, only
        )
        for price in ruling.command.prices
    )
    after = each(
        lambda i: _to(
            i,
            state,
            outcome="quote",
            asks=(),
            resume_state=None,
            answered_as_unknown=False,
            staff_only=False,
            known=True,
        )
    )
    return structs.replace(after, quotes=quotes.offer(case, charges, ruling.serials, policy, day, parts=parts))


_GRAVEST = ("decline", "hold", "quote", "notice")
"""Of several findings on one unit the gravest decides."""


def flags(case: Case, ruling: CommandResult, policy: Policy) -> list[FindingRule]:
    """Return what the rules make of what was found; a finding that they do not name is only logged."""
    found = (policy.rules.findings.get(finding) for finding in ruling.command.findings)
    fitting = [flag for flag in found if flag and flag.concerns(case.intent)]
    return sorted(fitting, key=lambda flag: _GRAVEST.index(flag.then))


def _diagnosed(case: Case, each: Each, ruling: CommandResult, policy: Policy, day: date) -> Case:
    found = flags(case, ruling, policy)
    then = {flag.then for flag in found}

    def inspected(unit: CaseUnit) -> CaseUnit:
        findings = tuple(dict.fromkeys((*unit.findings, *ruling.command.findings)))
        if "decline" in then:
            return _to(unit, "diagnosed", findings=findings, outcome="decline")
        if "hold" in then:
            return _to(unit, "held", findings=findings, resume_state="diagnosed", outcome="staff")
        if "quote" in then and not unit.charged:
            return _to(unit, "parts_quoted", findings=findings, outcome="quote")
        return _to(unit, "diagnosed", findings=findings)

    after = each(inspected)
    lines = tuple(
        line
        for serial in ruling.serials
        for flag in found
        if flag.then in ("notice", "decline")
        for line in fees(policy, flag.charge, serial)
        if line not in case.charges
    )
    offered = tuple(
        line
        for serial in ruling.serials
        for flag in found
        if flag.then == "quote"
        for line in fees(policy, flag.charge, serial)
    )
    if any(
        unit.state == "parts_quoted" and serial_key(unit.serial) in map(serial_key, ruling.serials)
        for unit in after.units
    ):
        after = structs.replace(after, quotes=quotes.offer(case, offered, ruling.serials, policy, day, parts=True))
    return structs.replace(after, charges=(*case.charges, *lines))


def fees(policy: Policy, names: tuple[str, ...], serial: str) -> tuple[Charge, ...]:
    """Return lines of the fee schedule, for one unit."""
    lines = ((name, policy.rules.fees[name]) for name in dict.fromkeys(names))
    return tuple(Charge(name, line.label, line.amount, line.currency, serial) for name, line in lines)


def _shipped(unit: CaseUnit, day: date, *, closes: bool) -> CaseUnit:
    sent = _to(unit, "shipped", shipped_on=day)
    return _to(sent, "closed") if closes else sent


def _extended(case: Case, days: int, keys: set[str]) -> Case:
    """Move the outer dates of what these units wait for: the number's end, the offer's, the answer's."""
    more = timedelta(days=days)
    states = {unit.state for unit in case.units if serial_key(unit.serial) in keys}
    if "authorized" in states and case.number:
        case = structs.replace(case, number=structs.replace(case.number, valid_until=case.number.valid_until + more))
    if states & {"quoted", "parts_quoted"}:
        longer = {quote.number for quote in open_quotes(case) if keys & set(map(serial_key, quote.serials))}
        offers = tuple(
            structs.replace(q, valid_until=q.valid_until + more) if q.number in longer else q for q in case.quotes
        )
        case = structs.replace(case, quotes=offers, deadlines=later(case, "quote", days))
    return structs.replace(case, deadlines=later(case, "missing", days)) if "asking" in states else case
