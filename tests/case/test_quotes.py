"""Quotes: an offer is made once, and an order is compared with it to the cent (AP-17, AP-20, ST-6, O3)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.memory_desk import COMPANIES, NOW, PORTWELL, policy

from mailbot.case.quotes import accepted_quote, open_quotes, with_quote
from mailbot.model import Case, CaseUnit, Charge, Price, PurchaseOrder, Quote, Snapshot, State
from mailbot.policy.context import Context

TODAY = date(2026, 11, 20)
LINE = Charge("service", "Service charge", Decimal("150.00"), "USD", "A1")
MORE = Charge("", "CPU", Decimal("95.50"), "USD", "A1")
QUOTE = Quote("Q-BCDFGHJKMN-2", TODAY, TODAY + timedelta(days=29), (LINE, MORE), ("A1",))


def case(state: State = "quoted", *quotes: Quote, charged: bool = False) -> Case:
    unit = CaseUnit("A1", state, "quote", ("AP-15",), known=True, billed=charged)
    return Case("C-BCDFGHJKMN", "rma@portwell.example", PORTWELL, "kim@acme.example", state, NOW, units=(unit,), quotes=quotes)


def order(
    *totals: str, currency: str = "USD", quotes: tuple[str, ...] = (QUOTE.number,), copy: bool = True, number: str = "4711"
) -> PurchaseOrder:
    prices = tuple(Price(Decimal(total), currency) for total in totals)
    return PurchaseOrder(number, copy=copy, totals=prices, quotes=quotes)


@pytest.mark.parametrize(
    "fits",
    [
        order("245.50"),
        order("245.5"),
        order("245.50", currency=""),
        order("245.50", quotes=()),
        order("245.50", quotes=("Q-BCDFGHJKMN-1", QUOTE.number)),
        order("245.50", "150.00"),
        order("245.50", number=""),
    ],
    ids=repr,
)
@pytest.mark.parametrize("day", [TODAY, QUOTE.valid_until], ids=["at once", "on the last day"])
def test_an_order_that_agrees_matches(fits: PurchaseOrder, day: date) -> None:
    """The same total, in the same currency where one is named, for this quote where one is named, in time."""
    assert accepted_quote(fits, (QUOTE,), day) == QUOTE


@pytest.mark.parametrize(
    "other",
    [
        order("245.49"),
        order("245.51"),
        order("24550"),
        order("0"),
        order("245.50", currency="EUR"),
        order(),
        order("150.00", "245.50"),
        order("245.50", quotes=("Q-BCDFGHJKMN-1",)),
        order("245.50", quotes=("Q-BCDFGHJKMN-20",)),
    ],
    ids=repr,
)
def test_an_order_that_differs_is_for_a_person(other: PurchaseOrder) -> None:
    """Another total, currency or quote, or no total that could be read: a person compares."""
    assert accepted_quote(other, (QUOTE,), TODAY) is None


def test_after_its_last_day_a_quote_is_nobodys() -> None:
    """The day after, the very same order is for a person."""
    assert accepted_quote(order("245.50"), (QUOTE,), QUOTE.valid_until + timedelta(days=1)) is None


@given(st.decimals(0, 1000, places=2))
def test_nothing_but_the_total_to_the_cent(total: Decimal) -> None:
    """The total agrees or does not."""
    assert (accepted_quote(order(str(total)), (QUOTE,), TODAY) == QUOTE) == (total == QUOTE.total)


def test_of_several_offers_the_order_meets_the_one_it_means() -> None:
    """By its number, else by its amount; where both could be meant, a person compares."""
    other = replace(QUOTE, number="Q-BCDFGHJKMN-3", charges=(LINE,))
    assert accepted_quote(order("245.50"), (QUOTE, other), TODAY) == QUOTE
    assert accepted_quote(order("150.00", quotes=()), (QUOTE, other), TODAY) == other
    assert accepted_quote(order("150.00"), (QUOTE, other), TODAY) is None
    assert accepted_quote(order("245.50", quotes=()), (QUOTE, replace(QUOTE, number="Q-BCDFGHJKMN-3")), TODAY) is None


# ------------------------------------------------------------------ the offer


def on(day: date, company: str = PORTWELL) -> Context:
    """A step on this day."""
    return Context(policy(company), Snapshot(), NOW + (day - NOW.date()))


@pytest.mark.parametrize("company", COMPANIES)
def test_an_offer_has_its_number_and_its_days(company: str) -> None:
    """The first of the case, valid up to the day before the request is closed for want of an order."""
    [made] = with_quote(case(), (LINE,), ("A1",), on(TODAY, company))
    assert (made.number, made.issued_on, made.total) == ("Q-BCDFGHJKMN-1", TODAY, Decimal("150.00"))
    assert made.valid_until == TODAY + timedelta(days=policy(company).rules.deadlines.quote.close - 1)


def test_the_same_offer_is_not_made_again() -> None:
    """Who asks twice has one quote, while it stands; other charges, or for parts, are another one."""
    first = with_quote(case(), (LINE,), ("A1",), on(TODAY))
    quoted = case("quoted", *first)
    last = first[0].valid_until
    assert with_quote(quoted, (LINE,), ("A1",), on(last)) == first
    for again in (
        with_quote(quoted, (LINE, MORE), ("A1",), on(TODAY)),
        with_quote(quoted, (LINE,), ("A1",), on(TODAY), parts=True),
        with_quote(quoted, (LINE,), ("A1",), on(last + timedelta(days=1))),
        with_quote(case("quoted", replace(first[0], order="4711")), (LINE,), ("A1",), on(TODAY)),
    ):
        assert [quote.number for quote in again] == ["Q-BCDFGHJKMN-1", "Q-BCDFGHJKMN-2"]


@pytest.mark.parametrize(
    ("state", "charged", "awaited"),
    [
        ("quoted", False, True),
        ("parts_quoted", False, True),
        ("held", True, True),
        ("held", False, False),
        ("authorized", True, False),
        ("closed", False, False),
    ],
)
def test_an_order_is_awaited_while_a_unit_waits_for_it(state: State, charged: bool, awaited: bool) -> None:  # noqa: FBT001
    """The latest quote counts, until an order has accepted it or nothing waits for one."""
    old = replace(QUOTE, number="Q-BCDFGHJKMN-1")
    assert open_quotes(case(state, old, QUOTE, charged=charged)) == ((QUOTE,) if awaited else ())
    assert open_quotes(case(state, old, replace(QUOTE, order="4711"), charged=charged)) == ()
    assert open_quotes(case(state)) == ()
