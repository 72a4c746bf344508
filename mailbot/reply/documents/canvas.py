"""A sheet to draw on: points from the left and from the top, texts that never leave their box, barcodes. Black on white."""

from __future__ import annotations

import io
from collections.abc import Sequence

from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qr import QrCode
from reportlab.pdfgen.canvas import Canvas

from mailbot.reply.documents.printable import printable
from mailbot.reply.documents.return_shipment import ReturnShipment
from mailbot.reply.documents.typesetting import LEADING, Lines, fit, flow, is_wide, main_face, measure, runs

SMALL = 7.0
"""Size of captions and of what is shrunk, in points: the smallest that a laser printer and a tired eye can bear."""

_QUIET = 10
"""Modules of white on both sides of a Code 128 (ISO/IEC 15417)."""


class DrawingSheet:
    """Pages of one size that become a PDF. The same calls make the same bytes."""

    def __init__(self, consignment: ReturnShipment, title: str, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._out = io.BytesIO()
        self._canvas = Canvas(
            self._out, (width, height), invariant=True, lang=consignment.words.language, initialFontName=main_face()
        )
        self._canvas.setTitle(f"{printable(title)} {consignment.number}")
        self._canvas.setAuthor(printable(consignment.company))
        self._canvas.setSubject(consignment.number)
        self._canvas.setCreator("mailbot")
        self._canvas.setViewerPreference("PrintScaling", "None")

    def text(self, x: float, top: float, lines: Lines, *, bold: bool = False, right: float = 0) -> float:
        """Print lines that were set; with ``right`` each ends there. Returns where they end."""
        for number, line in enumerate(lines.lines):
            left = right - measure(line, lines.size, bold=bold) if right else x
            # The base line stands where ascent and descent of the line are in balance.
            self._line(left, top + lines.size * (number * LEADING + 0.98), line, lines.size, bold=bold)
        return top + lines.height

    def line(
        self, x: float, top: float, width: float, text: str, size: float, *, bold: bool = False, right: bool = False
    ) -> float:
        """Print a text in one line, shrunk or shortened to the width. Returns where it ends."""
        return self.text(
            x, top, fit(text, width, size, min(size, SMALL), bold=bold), bold=bold, right=x + width if right else 0
        )

    def block(
        self,
        x: float,
        top: float,
        width: float,
        height: float,
        texts: Sequence[str],
        size: float,
        *,
        bold: bool = False,
    ) -> float:
        """Print texts one below the other, wrapped, shrunk and shortened into a box. Returns where they end."""
        return self.text(x, top, flow(texts, width, height, size, min(size, SMALL), bold=bold), bold=bold)

    def captioned(
        self, x: float, top: float, width: float, height: float, caption: str, texts: Sequence[str], size: float,
        *, bold: bool = False,
    ) -> float:  # fmt: skip
        """Print a small caption and a block under it. Returns where they end."""
        under = self.line(x, top, width, caption, SMALL, bold=True)
        return self.block(x, under, width, top + height - under, texts, size, bold=bold)

    def rule(self, x: float, top: float, width: float, thick: float = 0.75) -> None:
        """Draw a level line."""
        self._canvas.setLineWidth(thick)
        self._canvas.line(x, self.height - top, x + width, self.height - top)

    def frame(
        self, x: float, top: float, width: float, height: float, *, thick: float = 0.75, filled: bool = False
    ) -> None:
        """Draw a box, or a black area."""
        self._canvas.setLineWidth(thick)
        self._canvas.rect(x, self.height - top - height, width, height, stroke=int(not filled), fill=int(filled))

    def sign(self, x: float, top: float, width: float, height: float, text: str, size: float) -> None:
        """Print a text in white in the middle of a black area."""
        self.frame(x, top, width, height, filled=True)
        self._canvas.setFillGray(1)
        lines = fit(text, width - 12, size, SMALL, bold=True)
        left = x + (width - measure(lines.lines[0], lines.size, bold=True)) / 2
        self.text(left, top + (height - lines.height) / 2, lines, bold=True)
        self._canvas.setFillGray(0)

    def watermark(self, text: str) -> None:
        """Print a word across the page, in a grey that lets everything above it be read."""
        lines = fit(text, self.width * 0.9, 150, SMALL, bold=True)
        self._canvas.saveState()
        self._canvas.setFillGray(0.92)
        self._canvas.translate(self.width / 2, self.height / 2)
        self._canvas.rotate(45)
        self._canvas.translate(-measure(lines.lines[0], lines.size, bold=True) / 2, -self.height - lines.size * 0.3)
        self._line(0, 0, lines.lines[0], lines.size, bold=True)
        self._canvas.restoreState()

    def code128(self, x: float, top: float, width: float, height: float, text: str) -> None:
        """Draw a Code 128 (ISO/IEC 15417) of exactly this text across a width, its quiet zones within."""
        modules = Code128(text, barWidth=1, quiet=False).width
        module = min(1.3, width / (modules + 2 * _QUIET))
        code = Code128(text, barWidth=module, barHeight=height, quiet=False)
        code.drawOn(self._canvas, x + (width - code.width) / 2, self.height - top - height)

    def qr(self, x: float, top: float, size: float, text: str) -> None:
        """Draw a QR code (ISO/IEC 18004, level Q, quiet zone of 4 modules within) of exactly this text."""
        code = QrCode(text, width=size, height=size, qrLevel="Q")
        code.drawOn(self._canvas, x, self.height - top - size)

    def next_page(self) -> None:
        """Go on with a new page."""
        self._canvas.showPage()

    def done(self) -> bytes:
        """Return the PDF."""
        self._canvas.showPage()
        self._canvas.save()
        return self._out.getvalue()

    def _line(self, x: float, base: float, text: str, size: float, *, bold: bool) -> None:
        pen = self._canvas.beginText(x, self.height - base)
        for name, stretch in runs(text, bold=bold):
            pen.setFont(name, size)
            # The East Asian face has no bold cut: its outlines are drawn as well.
            heavy = bold and is_wide(name)
            self._canvas.setLineWidth(size * 0.03)
            pen.setTextRenderMode(2 if heavy else 0)
            pen.textOut(stretch)
        self._canvas.drawText(pen)
