"""What of a mail is not understood and may forbid a number: then a person reads it (the safe fall).

No word list knows every way to say that a unit was dropped, stays where it is or is to be credited. So before a number may be
issued, each clause is looked at once more: one with a word that hints at an exclusion, though no phrase of an exclusion is
heard in it, one that no list hears at all, a unit that is said to work, one of several of which nothing is told, or a wish that
gave way to a failure. Whoever is wrongly sent to a person loses an hour; a wrong number is lost money.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from mailbot.intake import exclusions
from mailbot.intake.phrases import Phrases, either
from mailbot.intake.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.opened import Named, Opened
    from mailbot.intake.words import Lexicon

_CLAUSES = re.compile(r"[,;:()、，。]\s*|\s[-–—]\s")  # noqa: RUF001
_CLAUSE = 200


def doubt(mail: Opened) -> str:
    """The first words of a mail that are not understood and may forbid a number; empty where there are none."""
    return next(_doubts(mail), "")


def _doubts(mail: Opened) -> Iterator[str]:
    texts = [text for text in (*mail.told, mail.title) if text]
    for text in texts:
        if clause := exclusions.hinted(text, mail.lexicons):
            yield clause[:_CLAUSE]
