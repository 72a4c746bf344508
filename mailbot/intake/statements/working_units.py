"""Statements that a unit works, in a few words."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from mailbot.intake.statements import reasons
from mailbot.intake.text.normalize import normalize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailbot.intake.statements.word_lists import LanguageWords

_MAX_WORDS = 8
"""The maximum number of words in a sentence that says nothing but that a unit works."""


@lru_cache(maxsize=4096)
def says_unit_works(text: str, units: int, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether a sentence says that the only unit, or the rest of several, works."""
    normalized = normalize(text)
    is_fine = any(one.serials.fine.search(normalized) or one.serials.good.search(normalized) for one in lexicons)
    if not is_fine or reasons.weight(text, lexicons):
        return False
    if units > 1:
        return any(one.sheets.rest.search(normalized) for one in lexicons)
    names_device = any(one.labels.device.search(normalized) for one in lexicons)
    return (
        names_device
        and len(re.findall(r"\w+", normalized)) <= _MAX_WORDS
        and not any(one.sheets.rest.search(normalized) for one in lexicons)
    )
