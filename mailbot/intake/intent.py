"""What a mail asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailbot.intake.plain import plain
from mailbot.intake.reasons import CONCRETE, NEGATED, NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mailbot.intake.words import Lexicon
    from mailbot.model import Intent

NEEDS_UNITS: tuple[Intent, ...] = ("repair", "credit", "exchange", "doa", "rework")
"""Intents for which each unit's serial and the reason must be known (AP-28)."""


def says(kind: str, sentences: Sequence[str], lexicons: Sequence[Lexicon]) -> bool:
    """Whether one of the sentences asks for this."""
    return any(
        getattr(lexicon.intents, kind).search(plain(sentence))
        for sentence in sentences
        if sentence
        for lexicon in lexicons
    )


def intent(
    sentences: Sequence[str],
    subject: str,
    *,
    answers: bool,
    heavy: int,
    units: bool,
    order: bool,
    lexicons: Sequence[Lexicon],
) -> Intent:
    """The intent of a mail.

    Args:
        sentences: the new text.
        subject: the subject, empty where it is not the writer's own ("Re: …").
        answers: the mail answers one of ours.
        heavy: how much it says of a failure (see ``reasons``).
        units: it names units of ours.
        order: it carries a purchase order number.
        lexicons: the word lists to listen with.
    """
    told = (*sentences, subject)

    def hears(kind: str) -> bool:
        return says(kind, told, lexicons)

    accepts = says("accept_quote", sentences, lexicons)
    wants_rework = any(_asks_rework(plain(sentence), lexicons) for sentence in sentences if sentence) or says(
        "rework", (subject,), lexicons
    )
    if order and heavy < NEGATED and (answers or accepts or hears("quote")):
        return "po"
    if accepts and heavy < CONCRETE:
        return "po" if order else "accept_quote"
    if wants_rework:
        heavy = NOTHING
    return _other(hears, answers=answers, heavy=heavy, units=units)


def _asks_rework(sentence: str, lexicons: Sequence[Lexicon]) -> bool:
    """Whether rework is what is asked for: "after the BIOS update" is how a failure is told."""
    for one in lexicons:
        wish = one.intents.rework.search(sentence)
        told = wish and any(other.exclusions.breaks.search(sentence[: wish.start()]) for other in lexicons)
        if wish and not told and one.reasons.asking.search(sentence):
            return True
    return False


def _other(hears: Callable[[str], bool], *, answers: bool, heavy: int, units: bool) -> Intent:
    """The first wish that is heard and does not yield to a failure told beside it."""
    sound = heavy < CONCRETE
    asks: tuple[tuple[Intent, bool], ...] = (
        ("cancel", hears("cancel") and (answers or sound)),
        ("doa", hears("doa")),
        ("credit", hears("credit")),
        ("rework", hears("rework") and sound),
        ("exchange", hears("exchange") and sound),
        ("status", hears("status") and sound),
        ("question", hears("accounts") and not units and not hears("rma")),
        ("none", hears("elsewhere") and sound and not units),
        ("question", hears("question") and heavy < NEGATED and not units and not hears("rma")),
        ("repair", heavy > NOTHING or hears("rma") or (units and (answers or not hears("thanks")))),
        ("question", hears("question")),
    )
    return next((wish for wish, asked in asks if asked), "none")
