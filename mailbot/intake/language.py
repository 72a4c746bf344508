"""The language of a text, short ones too: by its script, then by its common words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailbot.intake.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailbot.intake.words import Words

_ENOUGH = 4_000
"""Characters that suffice to tell a language."""

_FOREIGN = 3
"""An ideograph says about as much as three letters."""


def language(texts: Iterable[str], words: Words) -> str:
    """The ISO 639-1 code of the first text that shows its language; English where none does."""
    return next((found for text in texts if (found := _of(text[:_ENOUGH], words))), "en")


def _of(text: str, words: Words) -> str | None:
    if script := _script(text):
        return script
    listen = plain(text)
    scores = {code: sum(1 for _ in lexicon.common.spans(listen)) for code, lexicon in words.lexicons.items()}
    best = max(scores, key=lambda code: (scores[code], code == "en"), default=None)
    return best if best and scores[best] else None


def _script(text: str) -> str | None:
    """Korean, Japanese or Chinese, where their letters outweigh the Latin ones."""
    hangul = sum("가" <= char <= "힣" for char in text)
    kana = sum("぀" <= char <= "ヿ" for char in text)
    han = sum("一" <= char <= "鿿" for char in text)
    latin = sum(char.isalpha() and char < "ɐ" for char in text)
    if _FOREIGN * (hangul + kana + han) <= latin:
        return None
    if hangul > kana + han:
        return "ko"
    return "ja" if kana * 8 > han else "zh"
