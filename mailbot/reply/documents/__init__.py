"""The documents for a new RMA number: box label, packing list, commercial invoice (PDF), and a calendar file.

Clauses AP-31, AP-32, AP-42, ST-11. Each document depends only on a `ReturnShipment`; the same value gives the same bytes. reportlab
and icalendar are imported when the first document needs them.
"""

from __future__ import annotations

from datetime import date

from mailbot.case.lifecycle import NUMBERED
from mailbot.model import Attachment, Case, DocumentFacts, Number
from mailbot.policy.policy import Policy
from mailbot.reply.customer_emails import ship_to
from mailbot.reply.documents.return_shipment import ReturnShipment, ShipmentUnit
from mailbot.reply.policy_sentences import language_of


def documents_for(policy: Policy, case: Case, facts: DocumentFacts, day: date) -> tuple[Attachment, ...]:
    """Return the documents for the number of a case; without a number, none.

    ``facts`` are from the registry. ``day`` is today in the company's zone.
    """
    if case.number is None or not policy.document_texts or policy.documents == "none":
        return ()
    shipment = _return_shipment(policy, case, case.number, facts, day)
    names = ["label.pdf", "packing-sheet.pdf", *(["commercial-invoice.pdf"] if shipment.statements else []), "deadlines.ics"]
    kinds = {"pdf": "application/pdf", "ics": "text/calendar"}
    drawn = policy.documents == "pdf"
    return tuple(Attachment(name, kinds[name[-3:]], _draw(name, shipment) if drawn else b"") for name in names)


def _draw(name: str, shipment: ReturnShipment) -> bytes:
    from mailbot.reply.documents import calendar, invoice, label, packing_list

    documents = {
        "label.pdf": label.draw_label,
        "packing-sheet.pdf": packing_list.draw_packing_list,
        "commercial-invoice.pdf": invoice.draw_commercial_invoice,
        "deadlines.ics": calendar.write_calendar,
    }
    return documents[name](shipment)


def _return_shipment(policy: Policy, case: Case, number: Number, facts: DocumentFacts, day: date) -> ReturnShipment:
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
        words=policy.document_texts.get(language_of(policy, case)) or policy.document_texts["en"],
        customer=case.name,
        customer_company=facts.customer,
        email=case.sender,
        packing=policy.rules.papers.packing,
        statements=policy.rules.papers.customs if facts.customs else (),
    )
