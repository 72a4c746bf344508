"""Quotes, and the comparison of purchase orders with them (AP-16, AP-17, AP-20, ST-6)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from msgspec import structs

from mailbot.case.lifecycle import IN_REPAIR
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, CaseUnit, Charge, PurchaseOrder, Quote
from mailbot.policy.context import Context


def with_quote(
    case: Case, charges: tuple[Charge, ...], serials: tuple[str, ...], context: Context, *, parts: bool = False
) -> tuple[Quote, ...]:
    """Return the quotes of the case with a new one added; none is added while the same quote is valid and open.

    ``parts``: it is made after the diagnosis (AP-16).
    """
    day = context.day
    last = case.quotes[-1] if case.quotes else None
    if last and not last.order and (last.charges, last.parts) == (charges, parts) and day <= last.valid_until:
        return case.quotes
    quote = Quote(
        number=f"Q-{case.id.removeprefix('C-')}-{len(case.quotes) + 1}",
        issued_on=day,
        valid_until=day + timedelta(days=context.policy.rules.deadlines.quote.close - 1),  # it is closed on the next day
        charges=charges,
        serials=serials,
        parts=parts,
    )
    return (*case.quotes, quote)


def is_for_parts(units: Iterable[CaseUnit]) -> bool:
    """Return whether a quote for these units is a parts quote: one of them has been received (AP-16, AP-19)."""
    return any(unit.state in IN_REPAIR for unit in units)


def awaits_order(unit: CaseUnit) -> bool:
    """Return whether the unit waits for a purchase order, or for staff to compare one with the quote."""
    quoted = ("quoted", "parts_quoted")
    return unit.state in quoted or (unit.state == "held" and (unit.billed or unit.resume_state in quoted))


def latest_quote(case: Case, serial: str) -> Quote | None:
    """Return the latest quote for a unit if no purchase order has accepted it, else None."""
    named = (quote for quote in reversed(case.quotes) if serial_key(serial) in map(serial_key, quote.serials))
    last = next(named, None)
    return last if last and not last.order else None


def limited_to(quote: Quote, serials: set[str]) -> Quote:
    """Return the quote limited to the units with these serial keys: the charges of other units are no longer part of it."""
    return structs.replace(
        quote,
        charges=tuple(c for c in quote.charges if not c.serial or serial_key(c.serial) in serials),
        serials=tuple(serial for serial in quote.serials if serial_key(serial) in serials),
    )


def open_quotes(case: Case) -> tuple[Quote, ...]:
    """Return the quotes that wait for a purchase order, the oldest first, each limited to the units that still wait."""
    waiting: dict[str, set[str]] = {}
    for unit in case.units:
        quote = latest_quote(case, unit.serial) if awaits_order(unit) else None
        if quote:
            waiting.setdefault(quote.number, set()).add(serial_key(unit.serial))
    return tuple(limited_to(quote, waiting[quote.number]) for quote in case.quotes if quote.number in waiting)


def quotes_named(order: PurchaseOrder, offers: tuple[Quote, ...]) -> tuple[Quote, ...]:
    """Return the quotes that a purchase order may be for: the one it names, else those with its amount, else all."""
    named = tuple(quote for quote in offers if quote.number in order.quotes)
    return named or tuple(quote for quote in offers if _agrees(order, quote)) or offers


def accepted_quote(order: PurchaseOrder, offers: tuple[Quote, ...], day: date) -> Quote | None:
    """Return the one quote that a purchase order accepts; None: staff must compare them (AP-17).

    The total must be equal, and the currency, if it names one. The quote must be valid on ``day``, and the one that it names,
    if any.
    """
    found = quotes_named(order, offers)
    if len(found) != 1 or not _agrees(order, found[0]) or day > found[0].valid_until:
        return None
    return found[0] if not order.quotes or found[0].number in order.quotes else None


def _agrees(order: PurchaseOrder, quote: Quote) -> bool:
    currency = quote.charges[0].currency if quote.charges else ""
    return any(price.amount == quote.total and price.currency in ("", currency) for price in order.totals[:1])


def marked(case: Case, numbers: set[str], **marks: str) -> tuple[Quote, ...]:
    """Return the quotes of the case; those with these numbers get new values of ``pending_order`` or ``order``."""
    return tuple(structs.replace(q, **marks) if q.number in numbers else q for q in case.quotes)
