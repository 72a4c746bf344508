"""The packing list: packing instructions, a checklist, and the units that belong to the RMA number."""

from __future__ import annotations

from collections.abc import Sequence

from mailbot.reply.documents.canvas import SMALL, DrawingSheet
from mailbot.reply.documents.page import ACROSS, HEIGHT, LEFT, WIDTH, Column, head, set_rows, tables
from mailbot.reply.documents.return_shipment import ReturnShipment, printable
from mailbot.reply.documents.typesetting import LEADING, Lines, flow
from mailbot.reply.policy_sentences import date_in_words

_HALF = ACROSS / 2 - 8
_GAP = 2.0


def draw_packing_list(shipment: ReturnShipment) -> bytes:
    """Draw the packing list as PDF (AP-32, ST-8)."""
    words, shared = shipment.words.packing, shipment.words.shared
    sheet = DrawingSheet(shipment, words.title, WIDTH, HEIGHT)
    top = head(sheet, shipment, shipment.company, words.title)
    left = sheet.captioned(LEFT, top, _HALF, 84, shared.ship_to, shipment.ship_to, 11, bold=True)
    right = sheet.captioned(LEFT + _HALF + 16, top, _HALF, 84, shared.sender, (*shipment.sender, shipment.email), 10)
    top = max(left, right) + 8
    facts = {
        shared.issued_on: date_in_words(shipment.issued_on, shipment.words.language),
        shared.valid_until: date_in_words(shipment.valid_until, shipment.words.language),
        shared.boxes: "1",
        shared.units: str(len(shipment.units)),
    }
    for place, (caption, fact) in enumerate(facts.items()):
        sheet.captioned(LEFT + place * ACROSS / 4, top, ACROSS / 4 - 8, 26, caption, [fact], 10)
    top += 32
    sheet.rule(LEFT, top, ACROSS)
    top = sheet.block(LEFT, top + 6, ACROSS, 28, [words.intro], 10) + 6
    top = _listed(sheet, top, words.how, shipment.packing, 150, boxes=False)
    top = _listed(sheet, top, words.check, words.checks, 130, boxes=True)
    columns = (Column("", 24), Column(shared.serial, 130), Column(shared.model, 140), Column(shared.reason, ACROSS - 294))
    rows = [(str(number), unit.serial, unit.model, unit.reason) for number, unit in enumerate(shipment.units, 1)]
    tables(sheet, shipment, words.title, top + 2, columns, list(set_rows(columns, rows)))
    return sheet.done()


def _listed(sheet: DrawingSheet, top: float, heading: str, texts: tuple[str, ...], height: float, *, boxes: bool) -> float:
    """Draw a heading and sentences below it, numbered or with check boxes. Returns their lower edge."""
    printed = [text for text in texts if printable(text)]
    if not printed:
        return top
    top = sheet.line(LEFT, top, ACROSS, heading, 11, bold=True) + 2
    for number, lines in enumerate(_one_size(printed, height), 1):
        if boxes:
            sheet.frame(LEFT + 2, top + 2.5, 8, 8)
        else:
            sheet.line(LEFT, top, 18, f"{number}.", lines.size, bold=True)
        top = sheet.text(LEFT + 20, top, lines) + _GAP
    return top + 6


def _one_size(texts: Sequence[str], height: float) -> list[Lines]:
    """Typeset sentences in the largest size in which all fit; if none, small, in 1.5 times the height, shortened equally."""
    for size in (10.0, 9.0, 8.0):
        whole = [flow([text], ACROSS - 20, height, size, size) for text in texts]
        if sum(lines.height + _GAP for lines in whole) <= height:
            return whole
    most = int(1.5 * height / (SMALL * LEADING + _GAP))
    share = 1.5 * height / min(len(texts), most) - _GAP
    return [flow([text], ACROSS - 20, share, SMALL, SMALL) for text in texts[:most]]
