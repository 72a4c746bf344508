"""The documents for a new RMA number: label, packing list, commercial invoice, calendar file (AP-31, AP-32, AP-42, ST-11)."""

from __future__ import annotations

from datetime import date

from mailbot.case.lifecycle import NUMBERED
from mailbot.model import Attachment, Case, DocumentFacts, Number
from mailbot.policy.policy import Policy
from mailbot.reply import documents
from mailbot.reply.customer_emails import ship_to
from mailbot.reply.documents import CalendarDate, ReturnShipment, ShipmentUnit
from mailbot.reply.policy_sentences import language_of


def documents_for(policy: Policy, case: Case, facts: DocumentFacts, day: date) -> tuple[Attachment, ...]:
    """Return the documents for the number of a case: the same case on the same day gives the same bytes.

    Args:
        policy: the company's.
        case: with its number; without one there are no documents.
        facts: from the registry: customer, origins, customs.
        day: today in the company's zone.
    """
    if case.number is None or not policy.document_texts or policy.documents == "none":
        return ()
    shipment = _return_shipment(policy, case, case.number, facts, day)
    pdf = "application/pdf"
    found = [("label.pdf", pdf, documents.draw_label), ("packing-sheet.pdf", pdf, documents.draw_packing_list)]
    if shipment.statements:
        found.append(("commercial-invoice.pdf", pdf, documents.draw_commercial_invoice))
    found.append(("deadlines.ics", "text/calendar", documents.write_calendar))
    drawn = policy.documents == "pdf"
    return tuple(Attachment(name, kind, draw(shipment) if drawn else b"") for name, kind, draw in found)


def _return_shipment(policy: Policy, case: Case, number: Number, facts: DocumentFacts, day: date) -> ReturnShipment:
    words = policy.document_texts.get(language_of(policy, case)) or policy.document_texts["en"]
    origins = dict(facts.origins)
    return ReturnShipment(
        company=policy.rules.policy.company,
        number=number.text,
        issued_on=day,
        valid_until=number.valid_until,
        ship_to=ship_to(policy, case),
        units=tuple(
            ShipmentUnit(unit.serial, unit.model, unit.reason, origins.get(unit.serial, ""))
            for unit in case.units
            if unit.state in NUMBERED
        ),
        words=words,
        customer=case.name,
        customer_company=facts.customer,
        email=case.sender,
        packing=policy.rules.papers.packing,
        statements=policy.rules.papers.customs if facts.customs else (),
        dates=(CalendarDate("number", number.valid_until, words.calendar.ship_by.format(number=number.text)),),
    )
