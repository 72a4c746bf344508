"""What goes with the number: label, packing sheet, commercial invoice, calendar (AP-31, AP-32, AP-42, ST-11)."""

from __future__ import annotations

from datetime import date

from mailbot.case.lifecycle import NUMBERED
from mailbot.intake.serials import fold
from mailbot.model import Attachment, Case, Known, Number
from mailbot.policy.policy import Policy
from mailbot.reply import papers
from mailbot.reply.letters import ship_to
from mailbot.reply.papers import CalendarDate, Consignment, Piece
from mailbot.reply.sentences import tongue


def attached(policy: Policy, case: Case, known: Known, day: date) -> tuple[Attachment, ...]:
    """Return the papers of the case's number: the same case on the same day gives the same bytes.

    Args:
        policy: the company's.
        case: with its number.
        known: brings the registry's rows: customer, origin, country.
        day: today in the company's zone.
    """
    if case.number is None or not policy.papers:
        return ()
    sheet = _consignment(policy, case, case.number, known, day)
    pdf = "application/pdf"
    found = [
        Attachment("label.pdf", pdf, papers.label(sheet)),
        Attachment("packing-sheet.pdf", pdf, papers.packing_sheet(sheet)),
        Attachment("deadlines.ics", "text/calendar", papers.calendar(sheet)),
    ]
    if sheet.statements:
        found.insert(2, Attachment("commercial-invoice.pdf", pdf, papers.commercial_invoice(sheet)))
    return tuple(found)


def _consignment(policy: Policy, case: Case, number: Number, known: Known, day: date) -> Consignment:
    words = policy.papers.get(tongue(policy, case)) or policy.papers["en"]
    items = [item for item in case.items if item.state in NUMBERED]
    rows = {item.serial: known.units.get(fold(item.serial)) for item in items}
    home = policy.rules.policy.country.value
    abroad = "overseas" in case.wishes or any(u and u.country and u.country.upper() != home for u in rows.values())
    return Consignment(
        company=policy.rules.policy.company,
        number=number.text,
        issued_on=day,
        valid_until=number.valid_until,
        ship_to=ship_to(policy, case),
        units=tuple(
            Piece(item.serial, item.model, item.reason, (unit.origin or "") if (unit := rows[item.serial]) else "")
            for item in items
        ),
        words=words,
        customer=case.name,
        customer_company=next((unit.customer for unit in rows.values() if unit), ""),
        email=case.sender,
        packing=policy.rules.papers.packing,
        statements=policy.rules.papers.customs if abroad else (),
        dates=(CalendarDate("number", number.valid_until, words.calendar.ship_by.format(number=number.text)),),
    )
