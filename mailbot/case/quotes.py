"""Quotes: numbered offers, and how a purchase order compares with one (AP-16, AP-17, AP-20, ST-6)."""

from __future__ import annotations

from datetime import date, timedelta

from msgspec import structs

from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, CaseUnit, Charge, PurchaseOrder, Quote
from mailbot.policy.context import Context


def offer(
    case: Case, charges: tuple[Charge, ...], serials: tuple[str, ...], context: Context, *, parts: bool = False
) -> tuple[Quote, ...]:
    """Return the case's quotes with this one; the same quote is not made again while it is valid."""
    day = context.day
    last = case.quotes[-1] if case.quotes else None
    if last and not last.order and (last.charges, last.parts) == (charges, parts) and day <= last.valid_until:
        return case.quotes
    quote = Quote(
        number=f"Q-{case.id.removeprefix('C-')}-{len(case.quotes) + 1}",
        issued_on=day,
        valid_until=day + timedelta(days=context.policy.rules.deadlines.quote.close - 1),  # on the next it is closed
        charges=charges,
        serials=serials,
        parts=parts,
    )
    return (*case.quotes, quote)


def awaits_order(unit: CaseUnit) -> bool:
    """Say whether a purchase order is what this unit waits for, or one for it waits for a person."""
    offered = ("quoted", "parts_quoted")
    return unit.state in offered or (unit.state == "held" and (unit.billed or unit.resume_state in offered))


def latest(case: Case, serial: str) -> Quote | None:
    """Return the last quote that names a unit, if no order has accepted it."""
    named = (quote for quote in reversed(case.quotes) if serial_key(serial) in map(serial_key, quote.serials))
    last = next(named, None)
    return last if last and not last.order else None


def due(quote: Quote, serials: set[str]) -> Quote:
    """Return the quote for these units alone: what was decided otherwise for the rest is no longer part of the offer."""
    return structs.replace(
        quote,
        charges=tuple(c for c in quote.charges if not c.serial or serial_key(c.serial) in serials),
        serials=tuple(serial for serial in quote.serials if serial_key(serial) in serials),
    )


def open_quotes(case: Case) -> tuple[Quote, ...]:
    """Return the quotes for which the case awaits an order, each for the units that still wait for it, the oldest first."""
    waiting: dict[str, set[str]] = {}
    for unit in case.units:
        quote = latest(case, unit.serial) if awaits_order(unit) else None
        if quote:
            waiting.setdefault(quote.number, set()).add(serial_key(unit.serial))
    return tuple(due(quote, waiting[quote.number]) for quote in case.quotes if quote.number in waiting)


def quotes_named(order: PurchaseOrder, offers: tuple[Quote, ...]) -> tuple[Quote, ...]:
    """Return the offers that an order may be for: the one it names, else those of its amount, else all."""
    named = tuple(quote for quote in offers if quote.number in order.quotes)
    return named or tuple(quote for quote in offers if _agrees(order, quote)) or offers


def accepts(order: PurchaseOrder, offers: tuple[Quote, ...], day: date) -> Quote | None:
    """Return the one quote that an order accepts, or None: then a person compares the two (AP-17, O3).

    Its total is the quote's, in the same currency if it names one, and the quote that it names, if any, is this one and valid.
    """
    found = quotes_named(order, offers)
    if len(found) != 1 or not _agrees(order, found[0]) or day > found[0].valid_until:
        return None
    return found[0] if not order.quotes or found[0].number in order.quotes else None


def _agrees(order: PurchaseOrder, quote: Quote) -> bool:
    currency = quote.charges[0].currency if quote.charges else ""
    return any(price.amount == quote.total and price.currency in ("", currency) for price in order.totals[:1])


def marked(case: Case, numbers: set[str], **marks: str) -> tuple[Quote, ...]:
    """Return the case's quotes, those of these numbers marked with an order (``offered`` or ``order``)."""
    return tuple(structs.replace(q, **marks) if q.number in numbers else q for q in case.quotes)
