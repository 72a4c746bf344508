"""The papers that go with a mail: box label, packing sheet, commercial invoice (PDF), and the dates as a calendar file.

Each is a function of one frozen `ReturnShipment`; the same value makes the same bytes. reportlab and icalendar are loaded
by the first paper that needs them.
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


def draw_label(consignment: ReturnShipment) -> bytes:
    """Draw the box labels as PDF: one page of 4 x 6 inches a box, the number also as Code 128 and QR (AP-31, ST-11)."""
    from mailbot.reply.documents.label import draw

    return draw(consignment)


def draw_packing_list(consignment: ReturnShipment) -> bytes:
    """Draw the packing sheet as PDF: how to pack (AP-32, ST-8), what to check, and the units; fits A4 and Letter."""
    from mailbot.reply.documents.packing_list import draw

    return draw(consignment)


def draw_commercial_invoice(consignment: ReturnShipment) -> bytes:
    """Draw the draft of a commercial invoice as PDF, for a customer overseas to check, complete and sign (AP-42)."""
    from mailbot.reply.documents.invoice import draw

    return draw(consignment)


def write_calendar(consignment: ReturnShipment) -> bytes:
    """Write the consignment's dates as a calendar file (RFC 5545): all-day events, each with an alarm two days before."""
    from mailbot.reply.documents.calendar import write

    return write(consignment)
