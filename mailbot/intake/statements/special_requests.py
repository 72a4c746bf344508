"""Special requests: rush service, own freight account, advance replacement … (AP-6, AP-12, AP-36 to AP-41)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, get_args

from mailbot.intake.statements.phrases import Phrases, union
from mailbot.intake.text.normalize import normalize
from mailbot.model import SpecialRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailbot.intake.statements.word_lists import LanguageWords

NAMES: tuple[SpecialRequest, ...] = get_args(SpecialRequest)
_MAX_BEFORE = 12
"""The number of characters before a request in which a denial counts: "no need to rush"."""


@cache
def _all_requests(lexicon: LanguageWords) -> Phrases:
    return union(*(getattr(lexicon.wishes, name) for name in NAMES))


def special_requests(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> tuple[SpecialRequest, ...]:
    """Return the special requests in a message, in the order of ``NAMES``."""
    texts = [normalize(sentence) for sentence in sentences[:400] if sentence]
    candidates = [(text, lexicon) for text in texts for lexicon in lexicons if _all_requests(lexicon).search(text)]
    return tuple(name for name in NAMES if any(_is_requested(name, text, lexicon) for text, lexicon in candidates))


def _is_requested(name: SpecialRequest, text: str, lexicon: LanguageWords) -> bool:
    return any(
        name == "insure_instruction" or not lexicon.reasons.negations.search(text[max(0, start - _MAX_BEFORE) : start])
        for start, _ in getattr(lexicon.wishes, name).spans(text)
    )
