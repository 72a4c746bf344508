"""A sheet to draw on: texts that never leave their box, barcodes, lines. Coordinates are points from the left and from the top."""

from __future__ import annotations

import io
from collections.abc import Sequence

from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qr import QrCode
from reportlab.pdfgen.canvas import Canvas

from mailbot.reply.documents.return_shipment import ReturnShipment, printable
from mailbot.reply.documents.typesetting import LEADING, Lines, fit, flow, is_wide, main_face, measure, runs

SMALL = 7.0
"""Size of captions and of shrunk text, in points: the smallest legible size."""

_QUIET = 10
"""Width of the quiet zones of a Code 128, in modules (ISO/IEC 15417)."""


class DrawingSheet:
    """Pages of one size that become a PDF. The same calls give the same bytes."""

    def __init__(self, shipment: ReturnShipment, title: str, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._out = io.BytesIO()
        self._canvas = Canvas(self._out, (width, height), invariant=True, lang=shipment.words.language, initialFontName=main_face())
        self._canvas.setTitle(f"{printable(title)} {shipment.number}")
        self._canvas.setAuthor(printable(shipment.company))
        self._canvas.setSubject(shipment.number)
        self._canvas.setCreator("mailbot")
        self._canvas.setViewerPreference("PrintScaling", "None")

    def text(self, x: float, top: float, lines: Lines, *, bold: bool = False, right: float = 0) -> float:
        """Draw typeset lines; with ``right``, each line ends there. Returns their lower edge."""
        for number, line in enumerate(lines.lines):
            left = right - measure(line, lines.size, bold=bold) if right else x
            # The baseline that balances ascent and descent of the line.
            self._line(left, top + lines.size * (number * LEADING + 0.98), line, lines.size, bold=bold)
        return top + lines.height

    def line(self, x: float, top: float, width: float, text: str, size: float, *, bold: bool = False, right: bool = False) -> float:
        """Draw a text in one line, shrunk or shortened to the width. Returns its lower edge."""
        return self.text(x, top, fit(text, width, size, min(size, SMALL), bold=bold), bold=bold, right=x + width if right else 0)

    def block(
        self, x: float, top: float, width: float, height: float, texts: Sequence[str], size: float, *, bold: bool = False
    ) -> float:
        """Draw texts below each other, wrapped, shrunk and shortened into a box. Returns their lower edge."""
        return self.text(x, top, flow(texts, width, height, size, min(size, SMALL), bold=bold), bold=bold)

    def captioned(
        self, x: float, top: float, width: float, height: float, caption: str, texts: Sequence[str], size: float,
        *, bold: bool = False,
    ) -> float:  # fmt: skip
        """Draw a small caption and a block below it. Returns their lower edge."""
        under = self.line(x, top, width, caption, SMALL, bold=True)
        return self.block(x, under, width, top + height - under, texts, size, bold=bold)

    def rule(self, x: float, top: float, width: float, thick: float = 0.75) -> None:
        """Draw a horizontal line."""
        self._canvas.setLineWidth(thick)
        self._canvas.line(x, self.height - top, x + width, self.height - top)

    def frame(self, x: float, top: float, width: float, height: float, *, thick: float = 0.75, filled: bool = False) -> None:
        """Draw a box; with ``filled``, a black one."""
        self._canvas.setLineWidth(thick)
        self._canvas.rect(x, self.height - top - height, width, height, stroke=int(not filled), fill=int(filled))

    def sign(self, x: float, top: float, width: float, height: float, text: str, size: float) -> None:
        """Draw a white text in the middle of a black box."""
        self.frame(x, top, width, height, filled=True)
        self._canvas.setFillGray(1)
        lines = fit(text, width - 12, size, SMALL, bold=True)
        left = x + (width - measure(lines.lines[0], lines.size, bold=True)) / 2
        self.text(left, top + (height - lines.height) / 2, lines, bold=True)
        self._canvas.setFillGray(0)

    def watermark(self, text: str) -> None:
        """Draw a word diagonally across the page, in a gray so light that text on it is legible."""
        lines = fit(text, self.width * 0.9, 150, SMALL, bold=True)
        self._canvas.saveState()
        self._canvas.setFillGray(0.92)
        self._canvas.translate(self.width / 2, self.height / 2)
        self._canvas.rotate(45)
        self._canvas.translate(-measure(lines.lines[0], lines.size, bold=True) / 2, -self.height - lines.size * 0.3)
        self._line(0, 0, lines.lines[0], lines.size, bold=True)
        self._canvas.restoreState()

    def code128(self, x: float, top: float, width: float, height: float, text: str) -> None:
        """Draw a Code 128 (ISO/IEC 15417) of this text, centered in a width that includes its quiet zones."""
        modules = Code128(text, barWidth=1, quiet=False).width
        module = min(1.3, width / (modules + 2 * _QUIET))
        code = Code128(text, barWidth=module, barHeight=height, quiet=False)
        code.drawOn(self._canvas, x + (width - code.width) / 2, self.height - top - height)

    def qr(self, x: float, top: float, size: float, text: str) -> None:
        """Draw a QR code (ISO/IEC 18004, level Q) of this text; the size includes its quiet zone of 4 modules."""
        code = QrCode(text, width=size, height=size, qrLevel="Q")
        code.drawOn(self._canvas, x, self.height - top - size)

    def next_page(self) -> None:
        """Start a new page."""
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
            # The East Asian font has no bold variant: its outlines are drawn, too.
            heavy = bold and is_wide(name)
            self._canvas.setLineWidth(size * 0.03)
            pen.setTextRenderMode(2 if heavy else 0)
            pen.textOut(stretch)
        self._canvas.drawText(pen)
