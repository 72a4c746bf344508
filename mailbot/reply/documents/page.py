"""What full-page documents have in common: a page as wide as A4 and as high as Letter, which prints unscaled on both, and tables.

Rows are typeset and distributed to pages before anything is drawn, so that the number of pages is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from mailbot.reply.documents.canvas import SMALL, DrawingSheet
from mailbot.reply.documents.return_shipment import ReturnShipment
from mailbot.reply.documents.typesetting import Lines, fit, flow

WIDTH, HEIGHT = 595.0, 792.0
LEFT, TOP, BOTTOM = 42.0, 40.0, 748.0
ACROSS = WIDTH - 2 * LEFT

_PAD, _CELL_HEIGHT, _HEADINGS = 3.0, 36.0, 18.0
"""In points: the margin within a cell, the maximum height of its text, and the height of the row of headings."""


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

    ``title``: for the top of the following pages. ``top``: the upper edge of the table on this page. ``foot``: the height that must
    be free below the table on the last page. ``begin`` draws the background of each following page. Returns the lower edge.
    """
    over = TOP + 22
    pages = _deal(rows, BOTTOM - top, BOTTOM - over)
    used = _HEADINGS + sum(row.height for row in pages[-1]) + (top if len(pages) == 1 else over)
    if used + foot > BOTTOM:
        pages.append([])
    bottom = top
    for n, page in enumerate(pages, 1):
        if n > 1:
            sheet.next_page()
            begin()
            sheet.line(LEFT, TOP, ACROSS, f"{title} · {shipment.number}", 10, bold=True)
            top = over
        bottom = _draw_rows(sheet, LEFT, top, columns, page) if page else top
        ending = shipment.words.shared.page.format(n=n, m=len(pages))
        sheet.line(LEFT, BOTTOM + 6, ACROSS, f"{shipment.number} · {ending}", 8, right=True)
    return bottom


class Column(NamedTuple):
    """A column: its heading and its width in points."""

    heading: str
    width: float


class TableRow(NamedTuple):
    """A typeset row; ``height`` is in points. A cell is None if the customer must fill it in."""

    height: float
    cells: tuple[Lines | None, ...]


def set_rows(columns: Sequence[Column], rows: Iterable[Sequence[str | None]], *, least: float = 0) -> Iterator[TableRow]:
    """Typeset rows: cells are wrapped, shrunk and shortened to their columns. ``least``: minimum height of a row, in points."""
    for row in rows:
        cells = tuple(
            None if text is None else flow([text], column.width - 2 * _PAD, _CELL_HEIGHT, 9, SMALL)
            for column, text in zip(columns, row, strict=True)
        )
        yield TableRow(max(least, *(cell.height + 2 * _PAD for cell in cells if cell)), cells)


def _deal(rows: Iterable[TableRow], first: float, others: float) -> list[list[TableRow]]:
    """Distribute rows to pages. ``first``, ``others``: the height for the table on the first and on the other pages, in points."""
    pages: list[list[TableRow]] = [[]]
    room = first - _HEADINGS
    for row in rows:
        if row.height > room:
            pages.append([])
            room = others - _HEADINGS
        pages[-1].append(row)
        room -= row.height
    return pages


def _draw_rows(sheet: DrawingSheet, x: float, top: float, columns: Sequence[Column], rows: Sequence[TableRow]) -> float:
    """Draw the headings and rows. Returns the lower edge of the table."""
    width = sum(column.width for column in columns)
    at = x
    for column in columns:
        heading = fit(column.heading, column.width - 2 * _PAD, 8, 6, bold=True)
        sheet.text(at + _PAD, top + _HEADINGS - _PAD - heading.height, heading, bold=True)
        at += column.width
    top += _HEADINGS
    sheet.rule(x, top, width, 1)
    for row in rows:
        at = x
        for column, cell in zip(columns, row.cells, strict=True):
            if cell is None:
                sheet.rule(at + _PAD, top + row.height - _PAD - 2, column.width - 2 * _PAD, 0.5)
            else:
                sheet.text(at + _PAD, top + _PAD, cell)
            at += column.width
        top += row.height
        sheet.rule(x, top, width, 0.25)
    return top
