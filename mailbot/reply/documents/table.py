"""Tables: rows are typeset and distributed to pages before anything is drawn, so that the number of pages is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mailbot.reply.documents.canvas import SMALL, DrawingSheet
from mailbot.reply.documents.typesetting import Lines, fit, flow

_PAD = 3.0
_CELL_HEIGHT = 36.0


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


def deal(rows: Iterable[TableRow], first: float, others: float) -> list[list[TableRow]]:
    """Distribute rows to pages. ``first``, ``others``: the height for the table on the first and on the other pages, in points."""
    pages: list[list[TableRow]] = [[]]
    room = first - HEAD
    for row in rows:
        if row.height > room:
            pages.append([])
            room = others - HEAD
        pages[-1].append(row)
        room -= row.height
    return pages


HEAD = 18.0
"""Height of the row of headings, in points."""


def draw(sheet: DrawingSheet, x: float, top: float, columns: Sequence[Column], rows: Sequence[TableRow]) -> float:
    """Draw the headings and rows. Returns the lower edge of the table."""
    width = sum(column.width for column in columns)
    at = x
    for column in columns:
        heading = fit(column.heading, column.width - 2 * _PAD, 8, 6, bold=True)
        sheet.text(at + _PAD, top + HEAD - _PAD - heading.height, heading, bold=True)
        at += column.width
    top += HEAD
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
