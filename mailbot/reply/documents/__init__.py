"""The documents that are attached to an email: box label, packing list, commercial invoice (PDF), and a calendar file.

Each document depends only on a `ReturnShipment`; the same value gives the same bytes. reportlab and icalendar are imported when the
first document needs them.
"""

from __future__ import annotations

from mailbot.reply.documents.return_shipment import CalendarDate, ReturnShipment, ShipmentUnit
from mailbot.reply.documents.texts import DocumentTexts

__all__ = [
    "CalendarDate",
    "DocumentTexts",
    "ReturnShipment",
    "ShipmentUnit",
    "draw_commercial_invoice",
    "draw_label",
    "draw_packing_list",
    "write_calendar",
]


def draw_label(shipment: ReturnShipment) -> bytes:
    """Draw the box labels as PDF: one page of 4 x 6 inches for each box, the number also as Code 128 and QR (AP-31, ST-11)."""
    from mailbot.reply.documents.label import draw

    return draw(shipment)


def draw_packing_list(shipment: ReturnShipment) -> bytes:
    """Draw the packing list as PDF: how to pack (AP-32, ST-8), what to check, and the units; fits A4 and Letter."""
    from mailbot.reply.documents.packing_list import draw

    return draw(shipment)


def draw_commercial_invoice(shipment: ReturnShipment) -> bytes:
    """Draw the draft of a commercial invoice as PDF, for a customer abroad to check, complete and sign (AP-42)."""
    from mailbot.reply.documents.invoice import draw

    return draw(shipment)


def write_calendar(shipment: ReturnShipment) -> bytes:
    """Return the dates of the shipment as a calendar file (RFC 5545): all-day events, each with an alarm two days before."""
    from mailbot.reply.documents.calendar import write

    return write(shipment)
