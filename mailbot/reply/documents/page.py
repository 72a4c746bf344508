"""What full-page documents have in common: a page as wide as A4 and as high as Letter, which prints unscaled on both."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mailbot.reply.documents import table
from mailbot.reply.documents.canvas import DrawingSheet
from mailbot.reply.documents.return_shipment import ReturnShipment
from mailbot.reply.documents.table import Column, TableRow

WIDTH, HEIGHT = 595.0, 792.0
LEFT, TOP, BOTTOM = 42.0, 40.0, 748.0
ACROSS = WIDTH - 2 * LEFT


def head(sheet: DrawingSheet, shipment: ReturnShipment, issuer: str, title: str, mark: str = "") -> float:
    """Draw the issuer, the title, the number (also as QR code), and a mark such as "DRAFT". Returns the lower edge."""
    width = ACROSS - (192 if mark else 90)
    if mark:
        sheet.sign(LEFT + ACROSS - 176, TOP + 4, 96, 30, mark, 16)
    sheet.qr(WIDTH - LEFT - 64, TOP - 6, 72, shipment.number)
    sheet.line(LEFT, TOP - 4, width, issuer, 10)
    sheet.line(LEFT, TOP + 10, width, title, 20, bold=True)
    sheet.line(LEFT, TOP + 38, width, f"{shipment.words.shared.number} {shipment.number}", 14, bold=True)
    sheet.rule(LEFT, TOP + 68, ACROSS, 1.5)
    return TOP + 74


def tables(
    sheet: DrawingSheet,
    shipment: ReturnShipment,
    title: str,
    top: float,
    columns: Sequence[Column],
    rows: Sequence[TableRow],
    *,
    foot: float = 0,
    begin: Callable[[], None] = lambda: None,
) -> float:
    """Draw a table on as many pages as necessary, each with a page number at the bottom.

    Args:
        sheet: to draw on.
        shipment: its number is on each page.
        title: of the document, for the top of the following pages.
        top: the upper edge of the table on this page, in points.
        columns: headings and widths.
        rows: typeset.
        foot: the height that must be free below the table on the last page, in points.
        begin: draws the background of each following page.

    Returns:
        The lower edge of the table, in points.
    """
    over = TOP + 22
    pages = table.deal(rows, BOTTOM - top, BOTTOM - over)
    used = table.HEAD + sum(row.height for row in pages[-1]) + (top if len(pages) == 1 else over)
    if used + foot > BOTTOM:
        pages.append([])
    bottom = top
    for n, page in enumerate(pages, 1):
        if n > 1:
            sheet.next_page()
            begin()
            sheet.line(LEFT, TOP, ACROSS, f"{title} · {shipment.number}", 10, bold=True)
            top = over
        bottom = table.draw(sheet, LEFT, top, columns, page) if page else top
        ending = shipment.words.shared.page.format(n=n, m=len(pages))
        sheet.line(LEFT, BOTTOM + 6, ACROSS, f"{shipment.number} · {ending}", 8, right=True)
    return bottom
