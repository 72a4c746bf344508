"""The language of a text, including short texts: by its script, then by its common words."""

from __future__ import annotations

import re
from math import fsum
from typing import TYPE_CHECKING

from mailbot.intake.text.normalize import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailbot.intake.statements.word_lists import LanguageWords, WordLists

_MAX_CHARACTERS = 4_000
"""The number of characters that are enough to detect a language."""

_MIN_CERTAIN_SCORE = 1.6
"""The minimum score for a certain result: a single word may be a name, or shared by two languages."""

_POSSIBLE_SHARE = 0.75
"""Another language is possible if its score is at least this share of the best one."""

_ENGLISH_BONUS = 0.3
"""The bonus for English: if uncertain, it is the most likely language of business email."""

_MAX_LANGUAGES = 3
"""The maximum number of languages that a message may be; with more, none is better than English."""

_MAX_SECOND_SHARE = 0.4
"""If a single word shows the language, no other may have more than this share of the best score."""

_IDEOGRAPH_WEIGHT = 3
"""An ideograph counts as this many letters."""


def language(texts: Iterable[str], words: WordLists) -> str:
    """Return the ISO 639-1 code of the first text that shows its language, or "en" if none does."""
    return languages(texts, words)[0]


def languages(texts: Iterable[str], words: WordLists) -> tuple[str, ...]:
    """Return the ISO 639-1 codes of the language of a message, followed by other possible ones.

    A text with only one or two telling words is read together with the next.
    """
    read_so_far = ""
    guess: tuple[str, ...] = ()
    for text in texts:
        read_so_far = f"{read_so_far}\n{text[:_MAX_CHARACTERS]}" if read_so_far else text[:_MAX_CHARACTERS]
        found, is_certain = _detect(read_so_far, words)
        if is_certain:
            return found
        guess = guess or found
    return guess or ("en",)


def _detect(text: str, words: WordLists) -> tuple[tuple[str, ...], bool]:
    """Return the possible languages of a text, the most likely first, and whether that one is certain."""
    if script := _script(text):
        return (script,), script != "zh" or len(_HAN.findall(text)) >= _MIN_CHINESE
    normalized = normalize(text)
    letters = set(text.casefold())
    scores = {code: _score(letters, normalized, lexicon, words) for code, lexicon in words.lexicons.items()}
    if scores.get("en"):
        scores["en"] += _ENGLISH_BONUS
    if max(scores.values(), default=0) < _MIN_CERTAIN_SCORE:
        for code, lexicon in words.lexicons.items():
            phrase_lists = (lexicon.reasons.failing, lexicon.reasons.vague, lexicon.labels.device, lexicon.labels.serial)
            scores[code] += len({normalized[start:end] for phrases in phrase_lists for start, end in phrases.spans(normalized)}) / 2
    ranked = sorted((code for code, score in scores.items() if score), key=lambda code: (-scores[code], code != "en"))
    if not ranked:
        return (), False
    best, second = scores[ranked[0]], scores[ranked[1]] if len(ranked) > 1 else 0
    is_certain = best >= _MIN_CERTAIN_SCORE or (best >= 1 and second <= _MAX_SECOND_SHARE * best)
    return tuple(code for code in ranked[:_MAX_LANGUAGES] if scores[code] >= _POSSIBLE_SHARE * best), is_certain


_HAN = re.compile("[\u4e00-\u9fff]")
_MIN_CHINESE = 8
"""This many ideographs without any kana mean Chinese; a Japanese subject may have fewer without kana."""


def _score(letters: set[str], normalized: str, lexicon: LanguageWords, words: WordLists) -> float:
    """Return the number of different common words, and of accented letters, of a language in a text.

    A word that several languages share counts as a fraction.
    """
    return fsum(
        1 / words.shared.get(word, 1)
        for word in lexicon.common.matched_phrases(normalized).union(letters.intersection(lexicon.letters))
    )


def _script(text: str) -> str | None:
    """Return the code for Korean, Japanese, Chinese, or Russian if its letters outweigh the Latin ones."""
    if text.isascii():
        return None
    hangul = sum("가" <= char <= "힣" for char in text)
    kana = sum("぀" <= char <= "ヿ" for char in text)
    han = sum("一" <= char <= "鿿" for char in text)
    latin = sum(char.isalpha() and char < "ɐ" for char in text)
    cyrillic = sum("\u0430" <= char <= "\u045f" for char in text.casefold())
    if 2 * cyrillic > latin:
        return "ru"
    if _IDEOGRAPH_WEIGHT * (hangul + kana + han) <= latin:
        return None
    if hangul > kana + han:
        return "ko"
    return "ja" if kana * 8 > han else "zh"
