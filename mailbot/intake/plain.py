"""Plain text: how words are compared. Case, width, accents, curly quotes and white space make no difference."""

from __future__ import annotations

import re
import unicodedata


def _letters() -> dict[int, str | None]:
    """Latin letters with marks to their base letter, curly punctuation to straight, invisible characters to nothing."""
    table: dict[int, str | None] = {}
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFD", chr(code))[0]
        if base != chr(code):
            table[code] = base
    straight = {"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"'}
    dashes = {dash: "-" for dash in "‐‑‒–—―−"}
    table |= {ord(odd): plain for odd, plain in (straight | dashes | {"ı": "i", "ł": "l", "ø": "o", "đ": "d"}).items()}
    return table | dict.fromkeys((0x307, 0xAD, *INVISIBLE))


# Zero-width and direction characters: they hide in pasted serials and carry no meaning here (U2, U3).
INVISIBLE = (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x206A), 0xFEFF)
_LETTERS = _letters()
_SPACE = re.compile(r"\s+")


def plain(text: str) -> str:
    """The text as words are compared: NFKC, case-folded, without Latin accents, white space as one blank."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _SPACE.sub(" ", folded.translate(_LETTERS)).strip()
