"""What goes with the number: label, packing sheet, commercial invoice, calendar (AP-31, AP-32, AP-42, ST-11)."""

from __future__ import annotations

from datetime import date

from mailbot.case.lifecycle import NUMBERED
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Attachment, Case, Number, Snapshot
from mailbot.policy.policy import Policy
from mailbot.reply import documents
from mailbot.reply.customer_emails import ship_to
from mailbot.reply.documents import CalendarDate, ReturnShipment, ShipmentUnit
from mailbot.reply.policy_sentences import language_of


def documents_for(policy: Policy, case: Case, snapshot: Snapshot, day: date) -> tuple[Attachment, ...]:
    """Return the papers of the case's number, none where documents are switched off.

    The same case on the same day gives the same bytes.

    Args:
        policy: the company's.
        case: with its number.
        snapshot: brings the registry's rows: customer, origin, country.
        day: today in the company's zone.
    """
    if case.number is None or not policy.papers or policy.documents == "none":
        return ()
    sheet = _consignment(policy, case, case.number, snapshot, day)
    pdf = "application/pdf"
    found = [("label.pdf", pdf, documents.label), ("packing-sheet.pdf", pdf, documents.packing_sheet)]
    if sheet.statements:
        found.append(("commercial-invoice.pdf", pdf, documents.commercial_invoice))
    found.append(("deadlines.ics", "text/calendar", documents.calendar))
    drawn = policy.documents == "pdf"
    return tuple(Attachment(name, kind, draw(sheet) if drawn else b"") for name, kind, draw in found)


def _consignment(policy: Policy, case: Case, number: Number, snapshot: Snapshot, day: date) -> ReturnShipment:
    words = policy.papers.get(language_of(policy, case)) or policy.papers["en"]
    items = [item for item in case.units if item.state in NUMBERED]
    rows = {item.serial: snapshot.units.get(serial_key(item.serial)) for item in items}
    home = policy.rules.policy.country.value
    abroad = "overseas" in case.special_requests or any(
        u and u.country and u.country.upper() != home for u in rows.values()
    )
    return ReturnShipment(
        company=policy.rules.policy.company,
        number=number.text,
        issued_on=day,
        valid_until=number.valid_until,
        ship_to=ship_to(policy, case),
        units=tuple(
            ShipmentUnit(
                item.serial, item.model, item.reason, (unit.origin or "") if (unit := rows[item.serial]) else ""
            )
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
