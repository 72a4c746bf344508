"""What of a text may stand on paper or in a calendar, whoever wrote it."""

from __future__ import annotations

import unicodedata

LONGEST = 1000
"""Characters of one text that are looked at; what a page could never hold is not measured."""


def printable(text: str) -> str:
    """Return a text as it may be printed: composed (NFC), in one line, without control, format and direction marks."""
    composed = unicodedata.normalize("NFC", text[:LONGEST])
    kinds = ((char, unicodedata.category(char)) for char in composed)
    seen = (" " if kind in {"Cc", "Zl", "Zp", "Zs"} else char for char, kind in kinds if kind not in {"Cf", "Cs"})
    return " ".join("".join(seen).split())
