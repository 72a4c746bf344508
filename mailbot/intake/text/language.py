"""The language of a text, short ones too: by its script, then by its common words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailbot.intake.text.normalize import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailbot.intake.statements.word_lists import LanguageWords, WordLists

_ENOUGH = 4_000
"""Characters that suffice to tell a language."""

_CLEAR = 1.6
"""What the words of a text must count together to make its language certain: one may be a name, or shared by two."""

_NEAR = 0.75
"""Of the best language's count: what makes another one possible."""

_EVERYBODY = 0.3
"""What English has ahead: in doubt it is what people write to strangers."""

_MOST = 3
"""Languages that a mail may be: where every one is possible, none is heard better than English."""

_FAR = 0.4
"""Of the best language's count: what no other may pass where a single word shows the language."""

_FOREIGN = 3
"""An ideograph says about as much as three letters."""


def language(texts: Iterable[str], words: WordLists) -> str:
    """The ISO 639-1 code of the first text that shows its language; English where none does."""
    return languages(texts, words)[0]


def languages(texts: Iterable[str], words: WordLists) -> tuple[str, ...]:
    """The language of a mail, and behind it those that it may be as well.

    A text that shows it by a word or two only is read together with the next.
    """
    seen = ""
    guess: tuple[str, ...] = ()
    for text in texts:
        seen = f"{seen}\n{text[:_ENOUGH]}" if seen else text[:_ENOUGH]
        found, clear = _of(seen, words)
        if clear:
            return found
        guess = guess or found
    return guess or ("en",)


def _of(text: str, words: WordLists) -> tuple[tuple[str, ...], bool]:
    """The languages that a text may be, the likeliest first, and whether that one is beyond doubt."""
    if script := _script(text):
        return (script,), script != "zh" or len(_HAN.findall(text)) >= _CHINESE
    listen = plain(text)
    letters = set(text.casefold())
    scores = {code: _score(letters, listen, lexicon, words) for code, lexicon in words.lexicons.items()}
    if scores.get("en"):
        scores["en"] += _EVERYBODY
    if max(scores.values(), default=0) < _CLEAR:
        for code, lexicon in words.lexicons.items():
            told = (lexicon.reasons.failing, lexicon.reasons.vague, lexicon.labels.device, lexicon.labels.serial)
            scores[code] += len({listen[start:end] for phrases in told for start, end in phrases.spans(listen)}) / 2
    ranked = sorted((code for code, score in scores.items() if score), key=lambda code: (-scores[code], code != "en"))
    if not ranked:
        return (), False
    best, second = scores[ranked[0]], scores[ranked[1]] if len(ranked) > 1 else 0
    clear = best >= _CLEAR or (best >= 1 and second <= _FAR * best)
    return tuple(code for code in ranked[:_MOST] if scores[code] >= _NEAR * best), clear


_HAN = re.compile("[\u4e00-\u9fff]")
_CHINESE = 8
"""Ideographs without any kana that make a text Chinese: a Japanese subject may hold as many as a Chinese one."""


def _score(letters: set[str], listen: str, lexicon: LanguageWords, words: WordLists) -> float:
    """How many different common words, and letters with marks, of a language stand in a text.

    One that several languages share counts as a part of one.
    """
    return sum(
        1 / words.shared.get(word, 1)
        for word in lexicon.common.said(listen).union(letters.intersection(lexicon.letters))
    )


def _script(text: str) -> str | None:
    """Korean, Japanese, Chinese or Russian, where their letters outweigh the Latin ones."""
    if text.isascii():
        return None
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
