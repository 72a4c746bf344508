"""Clean text from anybody for printing on documents and for calendar files."""

from __future__ import annotations

import unicodedata

LONGEST = 1000
"""Characters of a text that are used; the rest would not fit on a page."""


def printable(text: str) -> str:
    """Return a text for printing: composed (NFC), in one line, without control, format and direction characters."""
    composed = unicodedata.normalize("NFC", text[:LONGEST])
    kinds = ((char, unicodedata.category(char)) for char in composed)
    kept = (" " if kind in {"Cc", "Zl", "Zp", "Zs"} else char for char, kind in kinds if kind not in {"Cf", "Cs"})
    return " ".join("".join(kept).split())
