"""Typesetting: choose fonts, measure text, break it into lines, and shorten it. Nothing is drawn here."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import accumulate, groupby
from typing import Any, NamedTuple

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from mailbot.reply.documents.return_shipment import LONGEST, printable

LEADING = 1.25
"""The distance of baselines, as a multiple of the font size."""

_REGULAR, _BOLD, _WIDE = "NotoSans-Regular", "NotoSans-Bold", "DroidSansFallback"
_FIRST_WIDE = 0x1100
"""The first East Asian script (Hangul Jamo): the large font is not loaded for characters before it."""

_ELLIPSIS = "…"
_CLOSING = frozenset({"Pe", "Pf", "Po", "Lm", "Mn", "Mc"})
"""Unicode categories that cannot begin a line: closing punctuation, the Japanese long vowel mark, combining marks."""


class Lines(NamedTuple):
    """Lines that fit, and their font size in points."""

    size: float
    lines: tuple[str, ...]

    @property
    def height(self) -> float:
        """The height of all lines, in points."""
        return len(self.lines) * self.size * LEADING


def fit(text: str, width: float, size: float, smallest: float, *, bold: bool = False) -> Lines:
    """Typeset a text in one line: in the largest size down to ``smallest`` that fits, else shortened with an ellipsis."""
    text = printable(text)
    one = measure(text, 1, bold=bold)
    size = max(smallest, min(size, width / one if one else size))
    return Lines(size, (text if one * size <= width + 0.01 else _shorten(text, width / size, bold=bold),))


def flow(texts: Sequence[str], width: float, height: float, largest: float, smallest: float, *, bold: bool = False) -> Lines:
    """Typeset texts in lines, each text on a new line: in the largest size that fits the box.

    If they do not fit in the smallest size, each text is cut to two lines, then to one, so that one long text does not displace the
    others; then the last texts are omitted. Widths, heights and sizes are in points.
    """
    cleaned = [text for text in map(printable, texts) if text]
    steps = int((largest - smallest) * 2)
    tries = [*((largest - step / 2, LONGEST) for step in range(steps + 1)), (smallest, LONGEST)]
    if len(cleaned) > 1:
        tries += [(smallest, 2), (smallest, 1)]
    for size, each in tries:
        most = _most(height, size)
        lines = tuple(_wrapped(cleaned, width / size, most + 1, each, bold=bold))
        if len(lines) <= most:
            return Lines(size, lines)
    kept = lines[: _most(height, smallest)]
    return Lines(smallest, (*kept[:-1], _shorten(kept[-1] + _ELLIPSIS, width / smallest, bold=bold)))


def measure(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a text in points."""
    return sum(_widths(text, bold=bold)) * size


def runs(text: str, *, bold: bool = False) -> Iterator[tuple[str, str]]:
    """Yield the parts of a text with one font each: the name of the font, the part."""
    for name, chars in groupby(text, lambda char: _face_of(char, bold=bold)):
        yield name, "".join(chars)


def main_face() -> str:
    """Return the name of the main font, loaded: a PDF that starts with it uses only embedded fonts."""
    return str(_face(_REGULAR).fontName)


def is_wide(name: str) -> bool:
    """Return whether this is the font for East Asian scripts, which has no bold variant."""
    return name == _WIDE


def _most(height: float, size: float) -> int:
    """Return the number of lines of a font size that fit a height; at least one."""
    return max(1, int((height + 0.01) / (size * LEADING)))


def _wrapped(texts: Sequence[str], width: float, most: int, each: int, *, bold: bool) -> Iterator[str]:
    """Break texts into at most ``most`` lines, each text into at most ``each``; ``width`` is a multiple of the font size."""
    for text in texts:
        at = [0.0, *accumulate(_widths(text, bold=bold))]
        start = count = 0
        while start < len(text) and count < min(each, most):
            end = bisect_right(at, at[start] + width + 0.001, lo=start + 1) - 1
            end = len(text) if end >= len(text) else _break(text, start, max(end, start + 1))
            count += 1
            if count == each and end < len(text):
                yield _shorten(text[start:], width, bold=bold)
            else:
                yield text[start:end].strip()
            start = end
        most -= count


def _break(text: str, start: int, end: int) -> int:
    """Return the last index up to ``end`` at which a line may end, or ``end`` if there is none."""
    for cut in range(end, start, -1):
        before, after = text[cut - 1], text[cut]
        if after == " " or before == " ":
            return cut
        if unicodedata.category(after) not in _CLOSING and (
            before in "-/,;@_" or ord(before) >= _FIRST_WIDE or ord(after) >= _FIRST_WIDE
        ):
            return cut
    return end


def _shorten(text: str, width: float, *, bold: bool) -> str:
    """Cut a text to a width (a multiple of the font size), with an ellipsis at its end."""
    text = text.rstrip(_ELLIPSIS)
    room = width - sum(_widths(_ELLIPSIS, bold=bold))
    kept = bisect_right(list(accumulate(_widths(text, bold=bold))), room + 0.001)
    return text[:kept].rstrip() + _ELLIPSIS


def _widths(text: str, *, bold: bool) -> Iterator[float]:
    """Yield the width of each character, as a multiple of the font size."""
    for char in text:
        face = _face(_face_of(char, bold=bold)).face
        yield face.charWidths.get(ord(char), face.defaultWidth) / 1000


def _face_of(char: str, *, bold: bool) -> str:
    """Return the name of the font for a character; if no font has it, the main font, which prints an empty box."""
    main = _BOLD if bold else _REGULAR
    code = ord(char)
    if code < _FIRST_WIDE or code in _face(main).face.charToGlyph:
        return main
    return _WIDE if code in _face(_WIDE).face.charToGlyph else main


@cache
def _face(name: str) -> Any:
    """Load a font from the folder next to this module, once."""
    with (files(__package__) / "fonts" / f"{name}.ttf").open("rb") as file:
        face = TTFont(name, file)
    pdfmetrics.registerFont(face)
    return face
