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
    return any(one.intents.rework.search(sentence) and one.reasons.asking.search(sentence) for one in lexicons)


def _other(hears: Callable[[str], bool], *, answers: bool, heavy: int, units: bool) -> Intent:
    if hears("cancel") and (answers or heavy < CONCRETE):
        return "cancel"
    if hears("doa"):
        return "doa"
    if hears("credit"):
        return "credit"
    if hears("rework") and heavy < CONCRETE:
        return "rework"
    if hears("exchange") and heavy < CONCRETE:
        return "exchange"
    if hears("status") and heavy < CONCRETE:
        return "status"
    if hears("accounts") and not units and not hears("rma"):
        return "question"
    if hears("elsewhere") and heavy < CONCRETE and not units:
        return "none"
    if hears("question") and heavy < NEGATED and not units and not hears("rma"):
        return "question"
    if heavy > NOTHING or hears("rma") or (units and not hears("thanks")) or (answers and units):
        return "repair"
    return "question" if hears("question") else "none"
