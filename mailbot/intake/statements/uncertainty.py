"""Text that is not understood and may rule out an RMA. A person then reviews the message.

No word list has every way to say that a unit was dropped, stays where it is, or is to be credited. So before an RMA can
be issued, the message is checked again with lower thresholds: a single word that hints at an exclusion which no phrase
states or denies; a working unit that was not excluded; another request next to an unnamed failure. An unnecessary
review costs an hour; an RMA issued by mistake costs money.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from mailbot.intake.statements import exclusions, intent, reasons
from mailbot.intake.text.normalize import normalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.message_content import MessageContent
    from mailbot.intake.statements.word_lists import LanguageWords
    from mailbot.intake.statements.word_sections import IntentList
    from mailbot.model import RequestedUnit

_MAX_LENGTH = 200
"""The maximum number of characters of unclear text that staff get to see."""


def unclear_text(content: MessageContent, requested_units: Sequence[RequestedUnit]) -> str:
    """Return the first text of a request for repair that is not understood and may rule out an RMA, or an empty string."""
    return next((text.strip()[:_MAX_LENGTH] for text in _unclear_texts(content, requested_units) if text), "")


def _unclear_texts(content: MessageContent, requested_units: Sequence[RequestedUnit]) -> Iterator[str]:
    texts = [text for text in (*content.masked_sentences, content.own_subject) if text]
    for text in texts:
        yield exclusions.hinted_clause(text, content.lexicons)
    if {mention.key for mention in content.mentions} <= {unit.key for unit in content.units}:
        yield from (text for text in texts if says_unit_works(text, len(requested_units), content.lexicons))
    if not any(unit.symptom for unit in requested_units):
        for text in texts:
            if any(intent.requests_now(kind, text, content.lexicons) for kind in _OTHER_INTENTS):
                yield text


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


_OTHER_INTENTS: tuple[IntentList, ...] = ("credit", "exchange", "other_model", "cancel", "status")
"""What a sentence may request instead of a repair."""
