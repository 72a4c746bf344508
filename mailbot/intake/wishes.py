"""Special wishes: a rush, an account of the customer's carrier, a replacement in advance … (AP-6, AP-12, AP-36 to AP-41)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, get_args

from mailbot.intake.phrases import Phrases, either
from mailbot.intake.plain import plain
from mailbot.model import Wish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailbot.intake.words import Lexicon

NAMES: tuple[Wish, ...] = get_args(Wish)
_DENIED = 12
"""Characters before a wish in which a denial makes it none: "no need to rush"."""


@cache
def _wishes(lexicon: Lexicon) -> Phrases:
    return either(*(getattr(lexicon.wishes, name) for name in NAMES))


def wishes(sentences: Sequence[str], lexicons: Sequence[Lexicon]) -> tuple[Wish, ...]:
    """The wishes that a mail voices."""
    texts = [plain(sentence) for sentence in sentences[:400] if sentence]
    told = [(text, lexicon) for text in texts for lexicon in lexicons if _wishes(lexicon).search(text)]
    return tuple(name for name in NAMES if any(_voiced(name, text, lexicon) for text, lexicon in told))


def _voiced(name: Wish, text: str, lexicon: Lexicon) -> bool:
    return any(
        name == "insure_instruction" or not lexicon.reasons.negations.search(text[max(0, start - _DENIED) : start])
        for start, _ in getattr(lexicon.wishes, name).spans(text)
    )
