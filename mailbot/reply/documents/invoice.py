"""The draft of a commercial invoice for a customer abroad: known values are filled in, with blank lines for the rest (AP-42)."""

from __future__ import annotations

from mailbot.reply.documents.canvas import DrawingSheet
from mailbot.reply.documents.page import ACROSS, HEIGHT, LEFT, WIDTH, Column, head, set_rows, tables
from mailbot.reply.documents.return_shipment import ReturnShipment
from mailbot.reply.policy_sentences import date_in_words

_HALF = ACROSS / 2 - 8
_FOOT = 214.0
_STATEMENTS = 62.0


def draw_commercial_invoice(shipment: ReturnShipment) -> bytes:
    """Draw the draft as PDF."""
    words = shipment.words.invoice
    sheet = DrawingSheet(shipment, f"{words.title} ({words.draft})", WIDTH, HEIGHT)
    sheet.watermark(words.draft)
    top = head(sheet, shipment, "".join(shipment.sender[:1]), words.title, words.draft)
    top = sheet.block(LEFT, top, ACROSS, 26, [words.draft_note], 9, bold=True) + 6
    left = sheet.captioned(LEFT, top, _HALF, 96, words.shipper, (*shipment.sender, shipment.email), 10)
    right = sheet.captioned(LEFT + _HALF + 16, top, _HALF, 96, words.consignee, shipment.ship_to, 10)
    top = _facts(sheet, shipment, max(left, right) + 8)
    columns = (
        Column("", 24),
        Column(words.goods, 118),
        Column(shipment.words.shared.serial, 92),
        Column(words.origin, 90),
        Column(words.tariff, 66),
        Column(words.quantity, 32),
        Column(words.value, ACROSS - 422),
    )
    rows = [
        (str(number), unit.model, unit.serial, unit.origin.strip() or None, None, "1", None)
        for number, unit in enumerate(shipment.units, 1)
    ]
    set_ = list(set_rows(columns, rows, least=24))
    title = f"{words.title} ({words.draft})"
    top = tables(sheet, shipment, title, top, columns, set_, foot=_FOOT, begin=lambda: sheet.watermark(words.draft))
    _end(sheet, shipment, top)
    return sheet.done()


def _facts(sheet: DrawingSheet, shipment: ReturnShipment, top: float) -> float:
    """Draw what customs and the carrier need, in two rows. Returns their lower edge."""
    words, third = shipment.words.invoice, ACROSS / 3
    facts = {
        words.date: date_in_words(shipment.issued_on, shipment.words.language),
        words.reason_for_export: words.reason_text,
        words.packages: "1",
        words.weight: None,
        words.waybill: None,
        words.currency: None,
    }
    for place, (caption, fact) in enumerate(facts.items()):
        x, y = LEFT + place % 3 * third, top + place // 3 * 32
        sheet.captioned(x, y, third - 12, 30, caption, [fact] if fact else [], 10)
        if fact is None:
            sheet.rule(x, y + 26, third - 12, 0.5)
    return top + 66


def _end(sheet: DrawingSheet, shipment: ReturnShipment, top: float) -> None:
    """Draw the total, the customs statements, and the signature lines."""
    words = shipment.words.invoice
    x = LEFT + ACROSS - 220
    sheet.line(x, top + 8, 120, words.total, 10, bold=True, right=True)
    sheet.rule(x + 127, top + 22, 90, 1)
    top += 32
    if shipment.statements:
        sheet.frame(LEFT, top, ACROSS, _STATEMENTS, thick=1)
        under = sheet.line(LEFT + 8, top + 5, ACROSS - 16, words.statements, 7, bold=True)
        sheet.block(LEFT + 8, under + 1, ACROSS - 16, top + _STATEMENTS - under - 4, shipment.statements, 13, bold=True)
    top += _STATEMENTS + 8
    top = sheet.block(LEFT, top, ACROSS, 26, [words.declaration], 9)
    for place, caption in enumerate((words.name, words.signature)):
        x = LEFT + place * (_HALF + 16)
        sheet.rule(x, top + 44, _HALF, 0.75)
        sheet.line(x, top + 46, _HALF, caption, 8)
