"""What of a mail is not understood and may forbid a number: then a person reads it (the safe fall).

No word list knows every way to say that a unit was dropped, stays where it is or is to be credited. So before a number may be
issued a mail is listened to once more, for less: a single word that hints at an exclusion where no phrase states or denies one;
a sound unit of which nothing was set aside; a wish for something else beside a failure that has no name. Whoever is sent to a
person without need waits for an hour; a number issued wrongly is lost money.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailbot.intake.statements import exclusions, intent, reasons
from mailbot.intake.text.normalize import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.message_content import MessageContent
    from mailbot.intake.statements.word_lists import LanguageWords
    from mailbot.model import RequestedUnit

_MOST = 200
"""Characters of a doubt, as staff read it."""


def doubt(mail: MessageContent, items: Sequence[RequestedUnit]) -> str:
    """The first words of a mail that are not understood and may forbid a number; empty where there are none.

    Args:
        mail: the mail, which asks for a repair.
        items: its units, as they are understood.
    """
    return next((text.strip()[:_MOST] for text in _doubts(mail, items) if text), "")


def _doubts(mail: MessageContent, items: Sequence[RequestedUnit]) -> Iterator[str]:
    texts = [text for text in (*mail.heard, mail.title) if text]
    for text in texts:
        yield exclusions.hinted(text, mail.lexicons)
    if {mention.key for mention in mail.in_told} <= {unit.key for unit in mail.units}:
        yield from (text for text in texts if sound(text, len(items), mail.lexicons))
    if not any(item.symptom for item in items):
        yield from (text for text in texts if _wishes_else(text, mail.lexicons))


_SHORT = 8
"""Words of a sentence that says of a unit that it works and no more."""


def sound(text: str, units: int, lexicons: Sequence[LanguageWords]) -> bool:
    """Whether a sentence says that the unit, or the rest of several, is in order; nothing was set aside for it."""
    said = plain(text)
    fine = any(one.serials.fine.search(said) or one.serials.good.search(said) for one in lexicons)
    if not fine or reasons.weight(text, lexicons):
        return False
    if units > 1:
        return any(one.sheets.rest.search(said) for one in lexicons)
    device = any(one.labels.device.search(said) for one in lexicons)
    return (
        device and len(re.findall(r"\w+", said)) <= _SHORT and not any(one.sheets.rest.search(said) for one in lexicons)
    )


_ELSE = ("credit", "exchange", "other_model", "cancel", "status")


def _wishes_else(text: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Whether a sentence wishes for something else than a repair."""
    return any(intent.wishes(kind, text, lexicons) for kind in _ELSE)
