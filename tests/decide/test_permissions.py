"""Who may give which command, for which units, in which state, for how much money (design §5, A12, O2)."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.memory_desk import NOW, PORTWELL, library

from mailbot.decide.permissions import decide_command, pending_amount, second_approvers
from mailbot.model import (
    Case,
    CaseUnit,
    Charge,
    Command,
    CommandName,
    DraftedDecision,
    PendingApproval,
    Price,
    Quote,
    Role,
    ShipmentNotice,
    StaffMember,
    State,
)

if TYPE_CHECKING:
    from mailbot.policy.policy import Policy

KIM = "kim@acme.example"
STATES: tuple[State, ...] = get_args(State)
NAMES: tuple[CommandName, ...] = get_args(CommandName)
PARCEL = ShipmentNotice("UPS", "1Z999AA10123456784")

BOSS = StaffMember("boss@portwell.example", ("approver", "desk"), Decimal(500))
CHIEF = StaffMember("chief@portwell.example", ("approver",), Decimal(5000))
BENCH = StaffMember("bench@portwell.example", ("desk",))
SALES = StaffMember("sales@portwell.example", ("sales",), Decimal(100))

WHO: dict[CommandName, set[Role]] = {
    "approve": {"approver"},
    "reject": {"approver"},
    "quote": {"approver", "sales", "desk"},
    "received": {"desk"},
    "diagnosed": {"desk"},
    "repaired": {"desk"},
    "not_repairable": {"desk"},
    "shipped": {"desk"},
    "ship_to": {"desk", "approver"},
    "means": {"desk", "approver"},
    "extend": {"desk", "approver"},
    "hold": {"desk", "approver"},
    "close": {"desk", "approver"},
    "note": {"approver", "sales", "desk"},
    "help": {"approver", "sales", "desk"},
    "confirm": {"approver", "sales", "desk"},
}
"""The table of the design: by whom."""

AWAY = {"asking", "quoted", "held", "authorized", "in_transit"}
WORKED = {"received", "diagnosed", "ordered"}
HERE = {*WORKED, "parts_quoted", "repaired"}
WHEN: dict[str, set[str]] = {
    "approve": {"held", "asking", "quoted", "declined", "expired"},
    "reject": {*AWAY, "received", "diagnosed"},
    "quote": {"asking", "held", "quoted", "declined", "closed", *WORKED, "parts_quoted"},
    "received": {"authorized", "in_transit"},
    "diagnosed": {*WORKED, "parts_quoted"},
    "repaired": WORKED,
    "not_repairable": {*WORKED, "parts_quoted"},
    "shipped": {*WORKED, "repaired", "declined"},
    "ship_to": {*AWAY, "declined", "expired"},
    "means": {"held"},
    "extend": {"asking", "quoted", "parts_quoted", "authorized"},
    "hold": {"asking", "quoted", "authorized", "in_transit", *HERE},
    "close": {*AWAY, "declined", "expired", "shipped"},
}
"""In which states of the one unit there is."""

FORCED: dict[str, set[str]] = {
    "received": {"asking", "quoted", "held", "expired", "declined", "withdrawn", "closed"},
    "repaired": {"parts_quoted"},
    "shipped": {"parts_quoted", "authorized", "in_transit"},
    "close": HERE,
}
"""In which states besides, with FORCE and a reason (O2)."""


@cache
def policy() -> Policy:
    return library().policy(PORTWELL, staff=(BOSS, CHIEF, BENCH, SALES))


def unit(serial: str, state: State, **more: object) -> CaseUnit:
    return CaseUnit(serial, state, "issue", ("AP-1",), known=True, received_on=more.pop("received_on", NOW.date()), **more)  # type: ignore[arg-type]


def case(*items: CaseUnit, **more: object) -> Case:
    found = Case("C-BCDFGHJKMN", "rma@portwell.example", PORTWELL, KIM, items[0].state if items else "held", NOW, units=items)
    return replace(found, **({"participants": (KIM,)} | more))


def offered(amount: str, *serials: str) -> tuple[Quote, ...]:
    line = Charge("service", "Service charge", Decimal(amount), "USD")
    return (Quote("Q-BCDFGHJKMN-1", NOW.date(), NOW.date(), (line,), serials),)


def said(name: CommandName, amount: str = "", **more: object) -> Command:
    prices = (Price(Decimal(amount), "USD"),) if amount else ()
    return Command(name, name.upper(), prices=prices, shipment=PARCEL if name == "shipped" else None, **more)  # type: ignore[arg-type]


# ------------------------------------------------------------------ who, and when


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("role", get_args(Role))
def test_a_role_may_what_the_table_says(name: CommandName, role: Role) -> None:
    """A command of a role that does not have it is refused, whatever the case is like."""
    person = StaffMember("x@portwell.example", (role,), Decimal(1000))
    assert {decide_command(case(unit("A1", state)), said(name), person, policy()).reason == "role" for state in STATES} == {
        role not in WHO[name]
    }


@pytest.mark.parametrize("name", sorted(WHEN))
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("force", ["", "agreed by phone"])
def test_a_command_fits_the_state(name: CommandName, state: State, force: str) -> None:
    """What cannot be done as a unit stands is refused with the states in which it can; some of it staff may force."""
    away = None if name == "close" and state not in HERE else NOW.date()  # what lies here is not closed without FORCE
    draft = DraftedDecision("issue", ("AP-1",)) if name == "means" else None
    result = decide_command(case(unit("A1", state, received_on=away, draft=draft)), said(name, force=force), BOSS, policy())
    allowed = WHEN[name] | (FORCED.get(name, set()) if force else set())
    if state in allowed:
        assert (result.result, result.serials) == ("done", ("A1",))
    elif name == "diagnosed" and state not in HERE:
        assert (result.result, result.serials) == ("done", ()), "a diagnosis from afar is on record (ST-3)"
    else:
        assert (result.result, result.reason) == ("refused", "state")
        assert set(result.states) == WHEN[name]


@pytest.mark.parametrize("name", ["note", "help", "confirm"])
@pytest.mark.parametrize("about", [None, case(unit("A1", "closed"))], ids=["no case", "a closed case"])
def test_what_changes_nothing_is_always_taken(name: CommandName, about: Case | None) -> None:
    """A note or a question for help needs no case and no state."""
    assert decide_command(about, said(name), SALES, policy()).result == "done"


@pytest.mark.parametrize("name", sorted(WHEN))
def test_without_a_case_nothing_is_done(name: CommandName) -> None:
    """Who does not say which case is meant is notified so."""
    assert decide_command(None, said(name), BOSS, policy()).reason == "no_case"


@pytest.mark.parametrize("flaw", ["amount", "currency", "days", "reason", "address", "carrier"])
def test_what_is_written_wrongly_is_refused_first(flaw: str) -> None:
    """A command that cannot be read for certain does nothing, anyone who gives it."""
    result = decide_command(case(unit("A1", "held")), said("approve", flaw=flaw), BENCH, policy())
    assert (result.result, result.reason) == ("refused", "flaw")


@pytest.mark.parametrize("name", ["approve", "quote"])
def test_another_currency_is_refused(name: CommandName) -> None:
    """Money is in the currency of the fee schedule; without a currency it is meant in that one."""
    euros = Command(name, "x", prices=(Price(Decimal(10), "EUR"),))
    bare = Command(name, "x", prices=(Price(Decimal(10)),))
    assert decide_command(case(unit("A1", "held")), euros, BOSS, policy()).reason == "currency"
    assert decide_command(case(unit("A1", "held")), bare, BOSS, policy()).result == "done"


def test_a_finding_needs_a_unit_that_is_here() -> None:
    """Without a finding a diagnosis may come from afar; abuse is found on what lies on the bench."""
    result = decide_command(case(unit("A1", "authorized")), said("diagnosed", findings=("abuse",)), BENCH, policy())
    assert (result.result, result.reason) == ("refused", "state")


def test_a_question_without_units_can_be_closed() -> None:
    """A case about no unit waits for a colleague's word that it is done, and for nothing else."""
    assert decide_command(case(), said("close"), BENCH, policy()).result == "done"
    assert decide_command(case(), said("approve"), BOSS, policy()).reason == "state"


# ------------------------------------------------------------------ which units


def test_an_unknown_serial_does_nothing_to_the_others() -> None:
    """An error of the pen is notified, and not half carried out."""
    result = decide_command(case(unit("A1", "authorized")), said("received", serials=("A1", "A2")), BENCH, policy())
    assert (result.result, result.reason) == ("refused", "unknown_unit")


def test_a_serial_may_be_written_as_people_write() -> None:
    """Hyphens and capitals make no difference."""
    assert decide_command(case(unit("AB-12", "authorized")), said("received", serials=("ab12",)), BENCH, policy()).serials == (
        "AB-12",
    )


def test_named_units_all_or_none() -> None:
    """Where one of the units that are named cannot follow, none does; where none is named, those that can."""
    both = case(unit("A1", "authorized"), unit("A2", "repaired"))
    assert decide_command(both, said("received", serials=("A1", "A2")), BENCH, policy()).reason == "state"
    assert decide_command(both, said("received"), BENCH, policy()).serials == ("A1",)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_so_many_of_them(count: int) -> None:
    """RECEIVED 2 of 3 logs in the first two that are awaited."""
    three = case(*(unit(f"A{n}", "authorized") for n in range(3)))
    assert len(decide_command(three, said("received", count=(count, 3)), BENCH, policy()).serials) == count


@pytest.mark.parametrize(
    ("states", "meant"),
    [
        (("quoted", "held", "expired"), ("A1",)),
        (("quoted", "declined"), ("A0",)),
        (("held", "held", "authorized"), ("A0", "A1")),
        (("expired", "asking"), ("A1",)),
    ],
)
def test_an_approval_is_about_what_waits_most(states: tuple[State, ...], meant: tuple[str, ...]) -> None:
    """Held before asked, quoted, declined, expired: APPROVE alone waives no quote beside a unit that is held."""
    several = case(*(unit(f"A{n}", state) for n, state in enumerate(states)))
    assert decide_command(several, said("approve"), CHIEF, policy()).serials == meant


def test_what_has_no_serial_cannot_be_approved() -> None:
    """A number is for a unit that has a name."""
    assert decide_command(case(unit("", "asking")), said("approve"), BOSS, policy()).reason == "state"


def test_what_was_never_received_is_not_sent_back() -> None:
    """A request that was declined from afar has nothing to ship."""
    never = replace(unit("A1", "declined"), received_on=None)
    assert decide_command(case(never), said("shipped"), BENCH, policy()).reason == "state"
    assert decide_command(case(never), said("shipped", force="found on the shelf"), BENCH, policy()).result == "done"


def test_parts_are_quoted_for_what_is_here() -> None:
    """A quote in a mixed case is about the units on the bench."""
    mixed = case(unit("A1", "quoted"), unit("A2", "received"))
    assert decide_command(mixed, said("quote", "90"), SALES, policy()).serials == ("A2",)


# ------------------------------------------------------------------ money


@given(st.decimals(0, 6000, places=2), st.sampled_from([BOSS, CHIEF, BENCH, SALES]), st.sampled_from(["quote", "approve"]))
def test_nobody_alone_sets_more_in_motion_than_the_limit(amount: Decimal, person: StaffMember, name: CommandName) -> None:
    """Up to the limit it is done; above it somebody who may spend that much is asked; where there is nobody it is refused."""
    result = decide_command(case(unit("A1", "held")), replace(said(name), prices=(Price(amount, "USD"),)), person, policy())
    if name == "approve" and "approver" not in person.roles:
        assert result.reason == "role"
    elif amount <= person.limit:
        assert result.result == "done"
    else:
        others = [p for p in (BOSS, CHIEF) if p != person and p.limit >= amount]
        assert (result.result, result.reason) == ("second" if others else "refused", "limit")


@pytest.mark.parametrize("state", ["quoted", "held"])
def test_an_approval_that_waives_a_quote_costs_the_quote(state: State) -> None:
    """Who lets a chargeable unit go on without a matching order decides on the quote's money."""
    waiting = case(unit("A1", state, billed=state == "held"), quotes=offered("700", "A1"))
    assert decide_command(waiting, said("approve"), BOSS, policy()).result == "second"
    assert decide_command(waiting, said("approve"), CHIEF, policy()).result == "done"
    assert decide_command(waiting, said("approve", "4400"), CHIEF, policy()).reason == "limit"


def test_a_quote_of_other_units_is_not_counted() -> None:
    """A unit that was held for another reason is not the one that the quote is about."""
    waiting = case(unit("A1", "quoted"), unit("A2", "held"), quotes=offered("700", "A1"))
    assert decide_command(waiting, said("approve"), BOSS, policy()).serials == ("A2",)
    assert decide_command(waiting, said("approve"), BOSS, policy()).result == "done"


@pytest.mark.parametrize("name", ["approve", "quote"])
@pytest.mark.parametrize("how", ["sender", "participants"])
def test_nobody_decides_on_an_own_case(name: CommandName, how: str) -> None:
    """A colleague's own return needs another approver, however little it costs (A12)."""
    own = case(unit("A1", "held"), **{how: BOSS.address if how == "sender" else (KIM, BOSS.address)})
    result = decide_command(own, said(name, "1"), BOSS, policy())
    assert (result.result, result.reason) == ("second", "own")
    assert decide_command(own, said(name, "1"), CHIEF, policy()).result == "done"


def test_a_second_approver_is_another_one_with_enough() -> None:
    """Not the first one, not one whose case it is, not one without the role or the money."""
    staff = policy().desk.staff
    assert second_approvers(staff, BOSS.address, Decimal(5000), case(unit("A1", "held"))) == (CHIEF,)
    assert second_approvers(staff, CHIEF.address, Decimal(500), case(unit("A1", "held"))) == (BOSS,)
    assert second_approvers(staff, CHIEF.address, Decimal(501), case(unit("A1", "held"))) == ()
    assert second_approvers(staff, BOSS.address, Decimal(1), case(unit("A1", "held"), sender=CHIEF.address)) == ()


def test_what_waits_is_counted_with_what_it_waives() -> None:
    """The second approver decides on all of it."""
    waiting = case(unit("A1", "quoted"), quotes=offered("700", "A1"))
    assert pending_amount(waiting) == 0
    assert pending_amount(replace(waiting, pending=PendingApproval((said("approve", "40"),), BOSS.address))) == 740
