"""Quotes: numbered offers, and how a purchase order compares with one (AP-16, AP-17, AP-20, ST-6)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from mailbot.model import Case, CaseItem, Charge, Order, Quote
from mailbot.policy.policy import Policy


def offer(
    case: Case, charges: tuple[Charge, ...], serials: tuple[str, ...], policy: Policy, day: date, *, parts: bool = False
) -> tuple[Quote, ...]:
    """Return the case's quotes with this one; the same offer, where it still stands, is not made again."""
    last = case.quotes[-1] if case.quotes else None
    if last and not last.order and (last.charges, last.parts) == (charges, parts) and day <= last.valid_until:
        return case.quotes
    quote = Quote(
        number=f"Q-{case.id.removeprefix('C-')}-{len(case.quotes) + 1}",
        on=day,
        valid_until=day + timedelta(days=policy.rules.deadlines.quote.close - 1),  # on the next it is closed
        charges=charges,
        serials=serials,
        parts=parts,
    )
    return (*case.quotes, quote)


def awaits_order(item: CaseItem) -> bool:
    """Say whether a purchase order is what this unit waits for."""
    return item.state in ("quoted", "parts_quoted") or (item.state == "held" and item.charged)


def standing(case: Case) -> Quote | None:
    """Return the quote for which the case awaits an order: the latest one, if none has accepted it."""
    last = case.quotes[-1] if case.quotes else None
    return last if last and not last.order and any(awaits_order(item) for item in case.items) else None


Comparison = Literal["matches", "differs", "no copy"]


def compare(order: Order, quote: Quote, day: date) -> Comparison:
    """Compare an order with the quote that it is to accept.

    It matches where its total is the quote's, in the same currency if it names one, and the quote that it names, if any, is
    this one and still valid. An order of which no copy is there is not compared (AP-17).
    """
    if not order.copy:
        return "no copy"
    currency = quote.charges[0].currency
    same = any(price.amount == quote.total and price.currency in ("", currency) for price in order.totals[:1])
    named = not order.quotes or quote.number in order.quotes
    return "matches" if same and named and day <= quote.valid_until else "differs"
