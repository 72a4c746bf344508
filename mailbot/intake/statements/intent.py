"""What a mail asks for."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from mailbot.intake.statements.phrases import Phrases, either
from mailbot.intake.statements.reasons import CONCRETE, NEGATED, NOTHING, VAGUE, weight
from mailbot.intake.text.normalize import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mailbot.intake.statements.word_lists import LanguageWords
    from mailbot.model import Intent

NEEDS_UNITS: tuple[Intent, ...] = ("repair", "credit", "exchange", "doa", "rework")
"""Intents for which each unit's serial and the reason must be known (AP-28)."""


@cache
def _intents(lexicon: LanguageWords) -> Phrases:
    return either(*(getattr(lexicon.intents, field) for field in lexicon.intents.__struct_fields__))


@lru_cache(maxsize=4096)
def _speaks(sentence: str, lexicon: LanguageWords) -> bool:
    """Whether a sentence has any words of intent at all: most have none."""
    return _intents(lexicon).search(plain(sentence)) is not None


def says(kind: str, sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> bool:
    """Whether one of the sentences asks for this."""
    return any(
        getattr(lexicon.intents, kind).search(plain(sentence))
        for sentence in sentences
        if sentence
        for lexicon in lexicons
        if _speaks(sentence, lexicon)
    )


_QUESTION = re.compile(r"\?\W{0,4}$|(?:か|까요|나요|吗)[。.]?$")


def asks_rma(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> bool:
    """Whether a repair or a number for one is wished for; a question about the procedure wishes for none."""
    return any(_asks_rma(plain(sentence), lexicons) for sentence in sentences if sentence)


def _asks_rma(sentence: str, lexicons: Sequence[LanguageWords]) -> bool:
    matter = sentence
    for lexicon in lexicons:
        matter = lexicon.intents.about.without(matter)
    if not any(lexicon.intents.rma.search(matter) for lexicon in lexicons):
        return False
    return not _QUESTION.search(sentence) or any(lexicon.intents.wants.search(matter) for lexicon in lexicons)


_MONEY = ("credit", "exchange")
_CLAUSE = re.compile(r"[,;:.。、](?!\d)")


def _own_wish(kind: str, sentences: Sequence[str], heavy: int, lexicons: Sequence[LanguageWords]) -> bool:
    """Whether the writer wants this now: not denied, and beside a failure only where it is asked for.

    Who leaves it to us ("exchange or repair") wants a repair.
    """
    clauses = [
        clause
        for sentence in sentences
        if sentence and not (heavy and _conditional(plain(sentence), lexicons))
        for clause in _CLAUSE.split(plain(sentence))
    ]
    for clause in clauses:
        for lexicon in lexicons:
            wish = getattr(lexicon.intents, kind).search(clause)
            before = clause[: wish.start()] if wish else ""
            if not wish or any(one.exclusions.denied_before.search(before) for one in lexicons):
                continue
            if kind == "exchange" and any(one.intents.either.search(clause) for one in lexicons):
                continue
            if heavy < CONCRETE or any(one.reasons.asking.search(clause) for one in lexicons):
                return True
    return False


_OPENING = 3
"""Words within which a sentence tells its condition: "Only if it cannot be repaired, …"."""


def _conditional(sentence: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Whether a sentence begins with a condition: beside a failure it wishes for nothing yet."""
    opening = " ".join(sentence.split()[:_OPENING])
    return any(one.exclusions.supposed.search(opening) for one in lexicons)


def wishes(kind: str, sentence: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Whether a sentence wishes for this now, whatever is told beside it."""
    return _own_wish(kind, (sentence,), VAGUE, lexicons)


def withdraws(kind: str, sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> bool | None:
    """Whether a request or a quote is given up for certain: False where it is only spoken of, None where it is not.

    Args:
        kind: the list of words, "cancel" or "decline_quote".
        sentences: the text.
        lexicons: the word lists to listen with.
    """
    heard = [
        _means(plain(sentence), wish, lexicons)
        for sentence in sentences
        if sentence
        for one in lexicons
        if (wish := getattr(one.intents, kind).search(plain(sentence)))
    ]
    return any(heard) if heard else None


def _means(text: str, wish: re.Match[str], lexicons: Sequence[LanguageWords]) -> bool:
    """Whether words that give something up do so here: not asked, supposed or denied (plain text).

    A denial stands before the words in their clause, or right behind them, or ends their clause ("stornieren Sie sie nicht").
    """
    if _QUESTION.search(text) and not any(one.withdrawals.bids.search(text) for one in lexicons):
        return False
    whole, _, _ = text.partition(";") if ";" not in text[: wish.end()] else (text, "", "")
    for one in lexicons:
        bare = one.commands.innocent.without(whole)
        if one.withdrawals.perhaps.search(bare) or one.intents.holds.search(whole):
            return False
    before = _CLAUSE.split(text[: wish.start()])[-1]
    behind = _CLAUSE.split(text[wish.end() :], maxsplit=1)[0].strip(" !?")
    for one in lexicons:
        denied = one.exclusions.denied_before
        if not denied.search(wish[0]) and denied.search(before):
            return False
        if any(start == 0 or end == len(behind) for start, end in denied.spans(behind)):
            return False
    return True


def only_asks(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> bool:
    """Whether a text only asks about something: a question, and nothing that wishes for a repair."""
    asked = [plain(sentence) for sentence in sentences if sentence and _QUESTION.search(plain(sentence))]
    return bool(asked) and not any(one.intents.wants.search(sentence) for one in lexicons for sentence in asked)


def _mere(text: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Whether a text is a question, or tells of no failure."""
    return bool(_QUESTION.search(plain(text))) or weight(text, lexicons) < CONCRETE


def intent(
    sentences: Sequence[str],
    subject: str,
    *,
    answers: bool,
    heavy: int,
    units: bool,
    order: bool,
    claims: bool,
    lexicons: Sequence[LanguageWords],
) -> Intent:
    """The intent of a mail.

    Args:
        sentences: the new text.
        subject: the subject, empty where it is not the writer's own ("Re: …").
        answers: the mail answers one of ours.
        heavy: how much it says of a failure (see ``reasons``).
        units: it names units of ours.
        order: it carries a purchase order number.
        claims: it names an RMA number.
        lexicons: the word lists to listen with.
    """
    told = (*sentences, subject)

    def hears(kind: str) -> bool:
        if kind == "rma":
            return asks_rma(told, lexicons)
        if kind == "other_model":
            return _own_wish(kind, told, NOTHING, lexicons)
        return _own_wish(kind, told, heavy, lexicons) if kind in _MONEY else says(kind, told, lexicons)

    waits = order and says("holds", sentences, lexicons)
    declines = withdraws("decline_quote", sentences, lexicons)
    if declines and answers and heavy < CONCRETE and not waits:
        return "cancel"
    accepts = says("accept_quote", sentences, lexicons)
    wants_rework = any(_asks_rework(plain(sentence), lexicons) for sentence in sentences if sentence) or says(
        "rework", (subject,), lexicons
    )
    if order and heavy < (CONCRETE if waits else NEGATED) and (answers or accepts or hears("quote")):
        return "po"
    if accepts and heavy < CONCRETE:
        return "po" if order else "accept_quote"
    if wants_rework:
        heavy = NOTHING
    asks = not answers and only_asks(sentences, lexicons)
    if asks and not units and all(_mere(text, lexicons) for text in told if text):
        heavy = NOTHING
    cancels = _cancels(sentences, subject, lexicons)
    wavers = heavy < CONCRETE and (cancels is False or (answers and declines is False))
    return _other(
        hears, answers=answers, heavy=heavy, units=units, asks=asks, claims=claims, cancels=cancels, wavers=wavers
    )


def _cancels(sentences: Sequence[str], subject: str, lexicons: Sequence[LanguageWords]) -> bool | None:
    """Whether a request is taken back; what the text says of it outweighs the subject."""
    found = withdraws("cancel", sentences, lexicons)
    return withdraws("cancel", (subject,), lexicons) if found is None else found


def _asks_rework(sentence: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Whether rework is what is asked for: "after the BIOS update" is how a failure is told."""
    for one in lexicons:
        wish = one.intents.rework.search(sentence)
        before = one.reasons.asking.without(sentence[: wish.start()]) if wish else ""
        told = any(other.exclusions.breaks.search(before) for other in lexicons)
        if wish and not told and one.reasons.asking.search(sentence):
            return True
    return False


def _other(
    hears: Callable[[str], bool],
    *,
    answers: bool,
    heavy: int,
    units: bool,
    asks: bool,
    claims: bool,
    cancels: bool | None,
    wavers: bool,
) -> Intent:
    """The first wish that is heard and does not yield to a failure told beside it."""
    sound = heavy < CONCRETE
    wishes: tuple[tuple[Intent, bool], ...] = (
        ("cancel", bool(cancels) and (answers or sound or claims)),
        ("doa", hears("doa")),
        ("credit", hears("credit")),
        ("rework", hears("rework") and sound),
        ("exchange", hears("other_model") or (hears("exchange") and sound)),
        ("status", hears("status") and (sound or (claims and not (units and hears("rma"))))),
        ("status", hears("status") and (sound or claims)),
        ("question", wavers),
        ("question", hears("accounts") and not units and not hears("rma")),
        ("none", hears("elsewhere") and sound and not units),
        ("question", hears("question") and heavy < NEGATED and not units and not hears("rma")),
        ("question", asks and hears("question") and heavy < VAGUE and not hears("rma")),
        ("repair", heavy > NOTHING or hears("rma") or (units and (answers or not hears("thanks")))),
        ("question", hears("question")),
    )
    return next((wish for wish, asked in wishes if asked), "none")
