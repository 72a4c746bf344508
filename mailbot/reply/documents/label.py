"""The box label: one page of 4 x 6 inches, for thermal and laser printers. Its margins allow printing on A6."""

from __future__ import annotations

from mailbot.reply.documents.canvas import SMALL, DrawingSheet
from mailbot.reply.documents.return_shipment import ReturnShipment
from mailbot.reply.documents.typesetting import LEADING
from mailbot.reply.policy_sentences import date_in_words

_WIDTH, _HEIGHT = 288.0, 432.0
_LEFT, _RIGHT = 14.0, 274.0
_ACROSS = _RIGHT - _LEFT
_TOP = 20.0
_QR = 88.0


def draw_label(shipment: ReturnShipment) -> bytes:
    """Draw the label as PDF, the number also as Code 128 and QR (AP-31, ST-11)."""
    sheet = DrawingSheet(shipment, shipment.words.label.title, _WIDTH, _HEIGHT)
    words = shipment.words.shared
    sheet.captioned(_LEFT, _TOP, 162, 66, words.sender, shipment.sender, 9)
    sheet.sign(_RIGHT - 90, _TOP, 90, 28, words.box.format(n=1, m=1), 13)
    sheet.line(_RIGHT - 90, _TOP + 33, 90, words.valid_until, SMALL, bold=True, right=True)
    until = date_in_words(shipment.valid_until, shipment.words.language)
    sheet.line(_RIGHT - 90, _TOP + 42, 90, until, 9, right=True)

    sheet.rule(_LEFT, 88, _ACROSS, 1.5)
    sheet.captioned(_LEFT, 91, _ACROSS, 100, words.ship_to, shipment.ship_to, 14, bold=True)

    sheet.rule(_LEFT, 193, _ACROSS, 1.5)
    sheet.line(_LEFT, 196, _ACROSS, words.number, SMALL, bold=True)
    sheet.line(_LEFT, 203, _ACROSS, shipment.number, 32, bold=True)
    sheet.code128(0, 246, _WIDTH, 50, shipment.number)

    sheet.rule(_LEFT, 302, _ACROSS, 1.5)
    sheet.qr(_RIGHT - _QR + 8, 304, _QR, shipment.number)
    _units(sheet, shipment, 306, 82)
    hints = " · ".join(shipment.words.label.hints)
    sheet.rule(_LEFT, 392, _ACROSS)
    sheet.block(_LEFT, 394, _ACROSS, 20, [hints], SMALL + 0.5, bold=True)
    return sheet.done()


def _units(sheet: DrawingSheet, shipment: ReturnShipment, top: float, height: float) -> None:
    """Draw as many units as there is room for, and the number of the others."""
    words, width = shipment.words.shared, _ACROSS - _QR + 2
    count = len(shipment.units)
    under = sheet.line(_LEFT, top, width, f"{words.units}: {count}", SMALL, bold=True)
    size = 9.0 if count <= 6 else 8.0  # noqa: PLR2004 - six lines of 9 points fit
    most = int((top + height - under) / (size * LEADING))
    shown = shipment.units if count <= most else shipment.units[: most - 1]
    for unit in shown:
        under = sheet.line(_LEFT, under, width, f"{unit.serial}  {unit.model}", size)
    if len(shown) < count:
        sheet.line(_LEFT, under, width, words.more.format(n=count - len(shown)), size)
