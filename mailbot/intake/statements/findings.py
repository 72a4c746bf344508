"""Inspection findings in free text (AP-14, AP-33, AP-46, ST-9, ST-14)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, get_args

from mailbot.intake.text.normalize import normalize
from mailbot.model import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailbot.intake.statements.word_lists import LanguageWords

NAMES: tuple[Finding, ...] = get_args(Finding)
_CLAUSE = re.compile(
    r":(?!\s*(?:none|no|nein|keine?)\s*$)|[,;.!。、\uff0c\uff1b\uff1a](?!\d)|\s-+\s|\b(?:but|however|aber|mais|pero|ma)\b"
)
_MAX_DISTANCE = 40
"""The number of characters around a finding in which a denial counts: "no sign of any abuse"."""


def findings(text: str, lexicons: Sequence[LanguageWords]) -> tuple[Finding, ...]:
    """Return the findings that a text states, in the order of ``NAMES``; denied and uncertain ones are left out."""
    clauses = [normalize(clause) for clause in _CLAUSE.split(text[:4_000]) if clause and clause.strip()]
    return tuple(name for name in NAMES if any(_is_stated(name, clause, lexicons) for clause in clauses))


def _is_stated(name: Finding, clause: str, lexicons: Sequence[LanguageWords]) -> bool:
    for lexicon in lexicons:
        for start, end in lexicon.commands.findings[name].spans(clause):
            before, after = clause[max(0, start - _MAX_DISTANCE) : start], clause[end : end + _MAX_DISTANCE]
            if not any(_is_denied(before, after, other) for other in lexicons):
                return True
    return False


def _is_denied(before: str, after: str, lexicon: LanguageWords) -> bool:
    return bool(
        lexicon.commands["negations"].search(before)
        or lexicon.exclusions.denied_before.search(before)
        or lexicon.exclusions.denied_after.search(after)
        or lexicon.commands["nowhere"].search(after)
        or lexicon.commands["doubts"].search(before)
    )
