"""The box label: 4 x 6 inches, one page a box, for thermal and laser printers; its margins let it be printed on A6 too."""

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


def draw(consignment: ReturnShipment) -> bytes:
    """Draw a label for each box."""
    sheet = DrawingSheet(consignment, consignment.words.label.title, _WIDTH, _HEIGHT)
    for n in range(1, consignment.boxes + 1):
        if n > 1:
            sheet.next_page()
        _page(sheet, consignment, n)
    return sheet.done()


def _page(sheet: DrawingSheet, consignment: ReturnShipment, n: int) -> None:
    words = consignment.words.shared
    sheet.captioned(_LEFT, _TOP, 162, 66, words.sender, consignment.sender, 9)
    sheet.sign(_RIGHT - 90, _TOP, 90, 28, words.box.format(n=n, m=consignment.boxes), 13)
    sheet.line(_RIGHT - 90, _TOP + 33, 90, words.valid_until, SMALL, bold=True, right=True)
    until = date_in_words(consignment.valid_until, consignment.words.language)
    sheet.line(_RIGHT - 90, _TOP + 42, 90, until, 9, right=True)

    sheet.rule(_LEFT, 88, _ACROSS, 1.5)
    sheet.captioned(_LEFT, 91, _ACROSS, 100, words.ship_to, consignment.ship_to, 14, bold=True)

    sheet.rule(_LEFT, 193, _ACROSS, 1.5)
    sheet.line(_LEFT, 196, _ACROSS, words.number, SMALL, bold=True)
    sheet.line(_LEFT, 203, _ACROSS, consignment.number, 32, bold=True)
    sheet.code128(0, 246, _WIDTH, 50, consignment.number)

    sheet.rule(_LEFT, 302, _ACROSS, 1.5)
    sheet.qr(_RIGHT - _QR + 8, 304, _QR, consignment.number)
    _units(sheet, consignment, 306, 82)
    hints = " · ".join(consignment.words.label.hints)
    sheet.rule(_LEFT, 392, _ACROSS)
    sheet.block(_LEFT, 394, _ACROSS, 20, [hints], SMALL + 0.5, bold=True)


def _units(sheet: DrawingSheet, consignment: ReturnShipment, top: float, height: float) -> None:
    """The units, as many as there is room for; of the rest, how many."""
    words, width = consignment.words.shared, _ACROSS - _QR + 2
    count = len(consignment.units)
    under = sheet.line(_LEFT, top, width, f"{words.units}: {count}", SMALL, bold=True)
    size = 9.0 if count <= 6 else 8.0  # noqa: PLR2004 - so many lines of 9 points have room
    most = int((top + height - under) / (size * LEADING))
    shown = consignment.units if count <= most else consignment.units[: most - 1]
    for unit in shown:
        under = sheet.line(_LEFT, under, width, f"{unit.serial}  {unit.model}", size)
    if len(shown) < count:
        sheet.line(_LEFT, under, width, words.more.format(n=count - len(shown)), size)
