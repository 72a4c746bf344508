"""What a permitted staff command changes in a case."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from support.memory_desk import COMPANIES, NOW, PORTWELL, SERVERTECH, policy

from mailbot.case.apply import with_change
from mailbot.case.deadlines import deadlines_of
from mailbot.case.lifecycle import ImpossibleTransitionError
from mailbot.decide.execution import execute
from mailbot.decide.plan import Plan
from mailbot.model import (
    Case,
    CaseUnit,
    Charge,
    Command,
    CommandName,
    CommandResult,
    Finding,
    Number,
    Price,
    Quote,
    ShipmentNotice,
    Snapshot,
    State,
)
from mailbot.policy.context import Context

if TYPE_CHECKING:
    from mailbot.policy.policy import Policy

BOSS = "boss@portwell.example"
FRIDAY = date(2026, 11, 20)
NUMBER = Number("RMA-2026000014", FRIDAY, FRIDAY + timedelta(days=30), "rule AP-1")
LINE = Charge("service", "Service charge", Decimal("150.00"), "USD", "A1")
QUOTE = Quote("Q-BCDFGHJKMN-1", FRIDAY, FRIDAY + timedelta(days=29), (LINE,), ("A1",))


def unit(serial: str, state: State, **more: object) -> CaseUnit:
    return CaseUnit(serial, state, "issue", ("AP-1",), known=True, **more)  # type: ignore[arg-type]


def case(*items: CaseUnit, **more: object) -> Case:
    state = items[0].state if items else "held"
    return replace(Case("C-BCDFGHJKMN", "rma@x.example", "x", "kim@acme.example", state, NOW, units=items), **more)


def done(before: Case, name: CommandName, *serials: str, rules: Policy | None = None, day: date = FRIDAY, **more: object) -> Case:
    """Execute a command on these units, on all if none is named, and apply the changes that it plans."""
    command = Command(name, name.upper(), **more)  # type: ignore[arg-type]
    meant = serials or tuple(unit.serial for unit in before.units)
    now = NOW + (day - FRIDAY)
    plan = Plan(before, Context(rules or policy(PORTWELL), Snapshot(sequence=7), now))
    execute(plan, CommandResult(command, "done", meant), BOSS)
    after = before
    for change in plan.changes:
        after = with_change(after, change, now)
    assert after == plan.case, "the plan shows the case as the changes leave it"
    return after


def states(found: Case) -> list[State]:
    return [unit.state for unit in found.units]


def usd(amount: str, label: str = "") -> Price:
    return Price(Decimal(amount), "USD", label)


# ------------------------------------------------------------------ decisions


@pytest.mark.parametrize("state", ["held", "asking", "quoted", "declined", "expired"])
def test_an_approval_gives_the_number(state: State) -> None:
    """A fresh number, on record as this person's; what was hidden from the customer need not be any more."""
    before = case(unit("A1", state, answered_as_unknown=True, asks=("known_serial",)))
    after = done(before, "approve")
    [item] = after.units
    assert (item.state, item.outcome, item.answered_as_unknown, item.asks) == ("authorized", "issue", False, ())
    assert after.number
    assert (after.number.issued_by, after.number.issued_on) == (BOSS, FRIDAY)
    assert after.number.valid_until == FRIDAY + timedelta(days=30)
    assert after.state == "authorized"


@pytest.mark.parametrize("resumes", ["in_transit", "received", "diagnosed", "parts_quoted", "ordered", "repaired"])
def test_a_released_unit_continues_in_its_earlier_state(resumes: State) -> None:
    """An approval of a unit that is under way or here brings no second number."""
    after = done(case(unit("A1", "held", resume_state=resumes), number=NUMBER), "approve")
    assert (states(after), after.units[0].resume_state, after.number) == ([resumes], None, NUMBER)


def test_a_further_unit_travels_under_the_number_there_is() -> None:
    """While one unit travels under the number, the next one does too; once it has ended, it needs another one."""
    before = case(unit("A1", "authorized"), unit("A2", "held"), number=NUMBER)
    assert done(before, "approve", "A2").number == NUMBER
    late = NUMBER.valid_until + timedelta(days=1)
    renewed = done(case(unit("A1", "expired"), number=NUMBER), "approve", day=late).number
    assert renewed
    assert renewed.text != NUMBER.text


@pytest.mark.parametrize("currency", ["USD", ""])
def test_a_credit_is_on_record(currency: str) -> None:
    """The amount in the company's currency; a fee beside it is another thing (ST-12)."""
    price = Price(Decimal(900), currency)
    credited = done(case(unit("A1", "held")), "approve", prices=(price,))
    assert (credited.credit, credited.fee) == (usd("900"), None)
    fee = done(case(unit("A1", "held"), credit=usd("5")), "approve", prices=(price,), fee=True)
    assert (fee.credit, fee.fee) == (usd("5"), usd("900"))


def test_the_order_that_a_person_compared_has_accepted_the_quote() -> None:
    """After an approval nothing waits for an order any more."""
    waiting = case(unit("A1", "held", billed=True), quotes=(replace(QUOTE, pending_order="4711"),))
    assert done(waiting, "approve").quotes[-1].order == "4711"


@pytest.mark.parametrize("state", ["held", "asking", "quoted", "authorized", "in_transit", "received", "diagnosed"])
def test_a_refusal_declines(state: State) -> None:
    """Nothing is asked for any more."""
    after = done(case(unit("A1", state, asks=("reason",))), "reject", text="too old")
    [item] = after.units
    assert (item.state, item.outcome, item.asks, after.state) == ("declined", "decline", (), "declined")


# ------------------------------------------------------------------ quotes


@pytest.mark.parametrize("state", ["held", "asking", "declined"])
def test_a_first_quote(state: State) -> None:
    """Before anything is sent in it is an offer for the repair; the unit is no secret any more."""
    after = done(case(unit("A1", state, answered_as_unknown=True)), "quote", prices=(usd("250"),), text="labor")
    [quote] = after.quotes
    assert (states(after), after.units[0].answered_as_unknown, quote.parts) == (["quoted"], False, False)
    assert [(line.label, line.amount, line.serial) for line in quote.charges] == [("labor", Decimal(250), "A1")]


@pytest.mark.parametrize("state", ["received", "diagnosed", "ordered", "parts_quoted"])
def test_a_quote_for_parts(state: State) -> None:
    """With the unit on the bench it is an offer for parts (AP-16), line by line."""
    after = done(case(unit("A1", state)), "quote", prices=(usd("180", "repair"), usd("95", "CPU")))
    [quote] = after.quotes
    assert (states(after), quote.parts, quote.total) == (["parts_quoted"], True, Decimal(275))
    assert [line.label for line in quote.charges] == ["repair", "CPU"]


def test_a_quote_for_several_units_is_one_offer() -> None:
    """No line of it is one unit's alone."""
    after = done(case(unit("A1", "held"), unit("A2", "held")), "quote", prices=(usd("90"),))
    assert [(quote.serials, quote.charges[0].serial) for quote in after.quotes] == [(("A1", "A2"), "")]


# ------------------------------------------------------------------ on the bench


@pytest.mark.parametrize("company", COMPANIES)
def test_receipt_is_logged_with_its_due_date(company: str) -> None:
    """Ten business days from the day of receipt; Thanksgiving is a working day unless the rules name a calendar (ST-15)."""
    after = done(case(unit("A1", "authorized"), unit("A2", "authorized"), number=NUMBER), "received", "A1", rules=policy(company))
    assert states(after) == ["received", "authorized"]
    assert (after.units[0].received_on, after.units[0].repair_due) == (FRIDAY, date(2026, 12, 4))
    assert after.state == "authorized", "the least advanced"
    assert after.units[1] == unit("A2", "authorized")


def test_a_diagnosis_without_a_finding_is_only_logged() -> None:
    """The repair continues; nobody is charged."""
    after = done(case(unit("A1", "received")), "diagnosed", text="burnt capacitor")
    assert (states(after), after.charges, after.quotes) == (["diagnosed"], (), ())


def test_a_finding_that_is_charged() -> None:
    """No problem found at Portwell: the diagnostic charge, once (AP-14)."""
    after = done(case(unit("A1", "received")), "diagnosed", findings=("npf",))
    assert (states(after), after.units[0].findings) == (["diagnosed"], ("npf",))
    assert [(line.fee, line.serial) for line in after.charges] == [("diagnostic", "A1")]
    again = done(after, "diagnosed", findings=("npf",))
    assert again.charges == after.charges


@pytest.mark.parametrize("finding", ["abuse", "transit_damage", "not_esd_packed", "bad_packaging"])
def test_a_finding_that_makes_chargeable(finding: Finding) -> None:
    """At Server Technology damage by handling is quoted (ST-9); where the repair is paid for already, it is only logged."""
    rules = policy(SERVERTECH)
    after = done(case(unit("A1", "received"), intent="repair"), "diagnosed", rules=rules, findings=(finding,))
    assert (states(after), after.units[0].outcome) == (["parts_quoted"], "quote")
    assert after.quotes[-1].parts
    assert after.quotes[-1].total > 0
    paid = done(case(unit("A1", "received", billed=True), intent="repair"), "diagnosed", rules=rules, findings=(finding,))
    assert (states(paid), paid.quotes) == (["diagnosed"], ())


@pytest.mark.parametrize("finding", ["incomplete", "not_like_new"])
def test_a_finding_on_a_credit(finding: Finding) -> None:
    """Portwell does not accept it (AP-46); at Server Technology an approver decides (ST-14)."""
    back = case(unit("A1", "received"), intent="credit")
    refused = done(back, "diagnosed", findings=(finding,))
    assert (states(refused), refused.units[0].outcome) == (["diagnosed"], "decline")
    held = done(back, "diagnosed", rules=policy(SERVERTECH), findings=(finding,))
    assert (states(held), held.units[0].resume_state) == (["held"], "diagnosed")


@pytest.mark.parametrize("findings", [("npf", "incomplete"), ("incomplete", "npf")])
def test_of_several_findings_the_gravest_decides(findings: tuple[Finding, ...]) -> None:
    """In whatever order they were written; all are on record."""
    after = done(case(unit("A1", "received"), intent="credit"), "diagnosed", findings=findings)
    assert (after.units[0].outcome, after.units[0].findings) == ("decline", findings)


@pytest.mark.parametrize("state", ["received", "diagnosed", "ordered"])
def test_repaired_and_beyond_repair(state: State) -> None:
    """Repaired it waits for its shipment; beyond repair it goes back as it is (AP-11)."""
    assert states(done(case(unit("A1", state)), "repaired")) == ["repaired"]
    [item] = done(case(unit("A1", state)), "not_repairable").units
    assert (item.state, item.not_repairable) == ("diagnosed", True)


@pytest.mark.parametrize(("company", "state"), [(PORTWELL, "shipped"), (SERVERTECH, "closed")])
def test_shipped_back(company: str, state: State) -> None:
    """Server Technology closes with the shipment (ST-16), Portwell on the next day; carrier and tracking are on record."""
    parcel = ShipmentNotice("UPS", "1Z999AA10123456784")
    after = done(case(unit("A1", "repaired")), "shipped", rules=policy(company), shipment=parcel)
    assert (states(after), after.units[0].shipped_on, after.outbound) == ([state], FRIDAY, parcel)


# ------------------------------------------------------------------ the case


def test_another_address_is_this_cases() -> None:
    """Line by line as staff wrote it (ST-10); the units stay where they are."""
    before = case(unit("A1", "authorized"))
    after = done(before, "ship_to", text="Dock 7\n1 Harbor Road\nOakland CA 94607")
    assert after == replace(before, ship_to=("Dock 7", "1 Harbor Road", "Oakland CA 94607"))


def test_more_time_for_a_number() -> None:
    """The number is the same, its last day later."""
    after = done(case(unit("A1", "authorized"), number=NUMBER), "extend", days=14)
    assert after.number == replace(NUMBER, valid_until=NUMBER.valid_until + timedelta(days=14))


@pytest.mark.parametrize("state", ["quoted", "parts_quoted"])
def test_more_time_for_an_order(state: State) -> None:
    """The quote binds longer, and what comes due for it comes later."""
    before = case(unit("A1", state), quotes=(QUOTE,))
    before = replace(before, deadlines=deadlines_of(before, policy(PORTWELL), FRIDAY))
    after = done(before, "extend", days=14)
    assert after.quotes == (replace(QUOTE, valid_until=QUOTE.valid_until + timedelta(days=14)),)
    assert [late.at - at.at for at, late in zip(before.deadlines, after.deadlines, strict=True)] == [timedelta(days=14)] * 3
    assert not {deadline.key for deadline in before.deadlines} & {deadline.key for deadline in after.deadlines}


def test_more_time_for_an_answer() -> None:
    """What is missing may come later."""
    before = case(unit("A1", "asking"))
    before = replace(before, deadlines=deadlines_of(before, policy(PORTWELL), FRIDAY))
    after = done(before, "extend", days=7)
    assert [late.due_on - at.due_on for at, late in zip(before.deadlines, after.deadlines, strict=True)] == [timedelta(days=7)] * 3


@pytest.mark.parametrize("state", ["quoted", "authorized", "in_transit", "received", "diagnosed", "ordered", "repaired"])
def test_on_hold_and_on_again(state: State) -> None:
    """A released unit continues in its earlier state, with its number, its quote and its order."""
    before = case(unit("A1", state), number=NUMBER, quotes=(QUOTE,))
    held = done(before, "hold")
    assert (states(held), held.units[0].resume_state, held.state) == (["held"], state, "held")
    after = done(held, "approve")
    assert (states(after), after.number, after.quotes) == ([state], NUMBER, (QUOTE,))


@pytest.mark.parametrize("state", ["asking", "quoted", "held", "authorized", "in_transit", "declined", "expired", "shipped"])
def test_closed(state: State) -> None:
    """A case is over, whether it is about units or not."""
    assert done(case(unit("A1", state)), "close").state == "closed"
    assert done(case(), "close").state == "closed"


@pytest.mark.parametrize("name", ["note", "help", "confirm"])
def test_what_changes_nothing(name: CommandName) -> None:
    """A note is in the history and nowhere else."""
    before = case(unit("A1", "received"), number=NUMBER)
    assert done(before, name, text="called the customer") == before


@pytest.mark.parametrize(
    ("name", "state"), [("repaired", "authorized"), ("received", "repaired"), ("shipped", "asking"), ("approve", "received")]
)
def test_the_table_has_the_last_word(name: CommandName, state: State) -> None:
    """A permitted command that the lifecycle table does not allow is an error, and is never executed."""
    with pytest.raises(ImpossibleTransitionError):
        done(case(unit("A1", state)), name, shipment=ShipmentNotice("UPS", "1Z999AA10123456784"))
