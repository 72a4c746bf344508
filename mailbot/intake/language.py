"""The language of a text, short ones too: by its script, then by its common words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailbot.intake.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailbot.intake.words import Lexicon, Words

_ENOUGH = 4_000
"""Characters that suffice to tell a language."""

_CLEAR = 2
"""Signs that make a language certain; one may be a name, or a word that two languages share."""

_FOREIGN = 3
"""An ideograph says about as much as three letters."""


def language(texts: Iterable[str], words: Words) -> str:
    """The ISO 639-1 code of the first text that shows its language; English where none does.

    A text that shows it by a word or two only is read together with the next.
    """
    seen, guess = "", ""
    for text in texts:
        seen = f"{seen}\n{text[:_ENOUGH]}" if seen else text[:_ENOUGH]
        found, clear = _of(seen, words)
        if clear:
            return found
        guess = guess or found
    return guess or "en"


def _of(text: str, words: Words) -> tuple[str, bool]:
    """The language of a text, and whether it is beyond doubt: an empty string where nothing shows it."""
    if script := _script(text):
        return script, True
    listen = plain(text)
    scores = {code: _score(text, listen, lexicon) for code, lexicon in words.lexicons.items()}
    best = max(sorted(scores), key=lambda code: (scores[code], code == "en"), default="en")
    if scores.get(best, 0) <= _CLEAR:
        for code, lexicon in words.lexicons.items():
            told = (lexicon.reasons.failing, lexicon.reasons.vague, lexicon.labels.device, lexicon.labels.serial)
            scores[code] += len({listen[start:end] for phrases in told for start, end in phrases.spans(listen)})
        best = max(sorted(scores), key=lambda code: (scores[code], code == "en"), default="en")
    found = scores.get(best, 0)
    return (best if found else ""), found >= _CLEAR


def _score(text: str, listen: str, lexicon: Lexicon) -> int:
    """How many different common words, and letters that few other languages have, stand in a text."""
    common = {listen[start:end] for start, end in lexicon.common.spans(listen)}
    return len(common) + len(set(lexicon.letters) & set(text.casefold()))


def _script(text: str) -> str | None:
    """Korean, Japanese, Chinese or Russian, where their letters outweigh the Latin ones."""
    hangul = sum("가" <= char <= "힣" for char in text)
    kana = sum("぀" <= char <= "ヿ" for char in text)
    han = sum("一" <= char <= "鿿" for char in text)
    latin = sum(char.isalpha() and char < "ɐ" for char in text)
    cyrillic = sum("\u0430" <= char <= "\u045f" for char in text.casefold())
    if 2 * cyrillic > latin:
        return "ru"
    if _FOREIGN * (hangul + kana + han) <= latin:
        return None
    if hangul > kana + han:
        return "ko"
    return "ja" if kana * 8 > han else "zh"
