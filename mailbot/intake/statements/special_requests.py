"""Special requests: rush service, own freight account, advance replacement … (AP-6, AP-12, AP-36 to AP-41)."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from mailbot.intake.text.normalize import normalize
from mailbot.model import SpecialRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailbot.intake.statements.word_lists import LanguageWords

NAMES: tuple[SpecialRequest, ...] = get_args(SpecialRequest)
_MAX_BEFORE = 12
"""The number of characters before a request in which a denial counts: "no need to rush"."""


def special_requests(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> tuple[SpecialRequest, ...]:
    """Return the special requests in a message, in the order of ``NAMES``."""
    texts = [normalize(sentence) for sentence in sentences[:400] if sentence]
    found = {
        name
        for text in texts
        for lexicon in lexicons
        for name, start, _ in lexicon.wishes.spans(text)
        if name == "insure_instruction" or not lexicon.reasons.negations.search(text[max(0, start - _MAX_BEFORE) : start])
    }
    return tuple(name for name in NAMES if name in found)
