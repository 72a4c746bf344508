"""Special wishes: a rush, an account of the customer's carrier, a replacement in advance … (AP-6, AP-12, AP-36 to AP-41)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, get_args

from mailbot.intake.statements.phrases import Phrases, either
from mailbot.intake.text.normalize import plain
from mailbot.model import SpecialRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailbot.intake.statements.word_lists import LanguageWords

NAMES: tuple[SpecialRequest, ...] = get_args(SpecialRequest)
_DENIED = 12
"""Characters before a wish in which a denial makes it none: "no need to rush"."""


@cache
def _wishes(lexicon: LanguageWords) -> Phrases:
    return either(*(getattr(lexicon.wishes, name) for name in NAMES))


def special_requests(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> tuple[SpecialRequest, ...]:
    """The wishes that a mail voices."""
    texts = [plain(sentence) for sentence in sentences[:400] if sentence]
    told = [(text, lexicon) for text in texts for lexicon in lexicons if _wishes(lexicon).search(text)]
    return tuple(name for name in NAMES if any(_voiced(name, text, lexicon) for text, lexicon in told))


def _voiced(name: SpecialRequest, text: str, lexicon: LanguageWords) -> bool:
    return any(
        name == "insure_instruction" or not lexicon.reasons.negations.search(text[max(0, start - _DENIED) : start])
        for start, _ in getattr(lexicon.wishes, name).spans(text)
    )
