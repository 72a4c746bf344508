"""What a message asks for."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from mailbot.intake.statements.phrases import Phrases, union
from mailbot.intake.statements.reasons import CONCRETE, NEGATED, NOTHING, VAGUE, weight
from mailbot.intake.text.normalize import normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mailbot.intake.statements.word_lists import LanguageWords
    from mailbot.intake.statements.word_sections import IntentList
    from mailbot.model import Intent

NEEDS_UNITS: tuple[Intent, ...] = ("repair", "credit", "exchange", "doa", "rework")
"""Intents that require the serial number of each unit and the reason (AP-28)."""


@cache
def _intents(lexicon: LanguageWords) -> Phrases:
    return union(*lexicon.intents.lists.values())


@lru_cache(maxsize=32)
def _candidates(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> tuple[str, ...]:
    """Return the sentences with any intent phrase at all, in normalized form: most have none."""
    texts = (normalize(sentence) for sentence in sentences if sentence)
    return tuple(text for text in texts if any(_intents(lexicon).search(text) for lexicon in lexicons))


def expresses(kind: IntentList, sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether one of the sentences expresses this intent."""
    return any(lexicon.intents[kind].search(text) for text in _candidates(sentences, lexicons) for lexicon in lexicons)


_QUESTION = re.compile(r"\?\W{0,4}$|(?:か|까요|나요|吗)[。.]?$")


def _asks_rma(sentence: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether a repair or an RMA is requested; a question about the procedure does not request one."""
    without_procedure = sentence
    for lexicon in lexicons:
        without_procedure = lexicon.intents["about"].without(without_procedure)
    if not any(lexicon.intents["rma"].search(without_procedure) for lexicon in lexicons):
        return False
    return not _QUESTION.search(sentence) or any(lexicon.intents["wants"].search(without_procedure) for lexicon in lexicons)


def asks_rma(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether one of the sentences requests a repair or an RMA."""
    return any(_asks_rma(text, lexicons) for text in _candidates(sentences, lexicons))


_MONEY = ("credit", "exchange")
_CLAUSE_END = re.compile(r"[,;:.。、](?!\d)")


def _is_requested(kind: IntentList, sentences: Sequence[str], reason_weight: int, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether the writer requests this now.

    A denied request does not count; next to a failure, it counts only if it is explicit. A writer who leaves it to us
    ("exchange or repair") requests a repair.
    """
    clauses = [
        clause
        for text in _candidates(sentences, lexicons)
        if not (reason_weight and _conditional(text, lexicons))
        for clause in _CLAUSE_END.split(text)
    ]
    for clause in clauses:
        for lexicon in lexicons:
            request = lexicon.intents[kind].search(clause)
            before = clause[: request.start()] if request else ""
            if not request or any(one.exclusions.denied_before.search(before) for one in lexicons):
                continue
            if kind == "exchange" and any(one.intents["either"].search(clause) for one in lexicons):
                continue
            if reason_weight < CONCRETE or any(one.reasons.asking.search(clause) for one in lexicons):
                return True
    return False


_OPENING_WORDS = 3
"""The number of words in which a condition must begin: "Only if it cannot be repaired, …"."""


def _conditional(sentence: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether a sentence begins with a condition: next to a failure, it requests nothing yet."""
    opening = " ".join(sentence.split()[:_OPENING_WORDS])
    return any(one.exclusions.supposed.search(opening) for one in lexicons)


def withdraws(kind: Literal["cancel", "decline_quote"], sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> bool | None:
    """Return whether a request or quote is withdrawn; False if a withdrawal is only mentioned, None if it is not mentioned."""
    results = [
        _is_withdrawal(text, request, lexicons)
        for text in _candidates(sentences, lexicons)
        for one in lexicons
        if (request := one.intents[kind].search(text))
    ]
    return any(results) if results else None


def _is_withdrawal(text: str, request: re.Match[str], lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether withdrawal words in normalized text withdraw something: not asked, supposed, or denied.

    A denial is before them in their clause, right after them, or at its end ("stornieren Sie sie nicht").
    """
    if _QUESTION.search(text) and not any(one.withdrawals.bids.search(text) for one in lexicons):
        return False
    first_part, _, _ = text.partition(";") if ";" not in text[: request.end()] else (text, "", "")
    for one in lexicons:
        without_harmless = one.commands["innocent"].without(first_part)
        if one.withdrawals.perhaps.search(without_harmless) or one.intents["holds"].search(first_part):
            return False
    before = _CLAUSE_END.split(text[: request.start()])[-1]
    clause_rest = _CLAUSE_END.split(text[request.end() :], maxsplit=1)[0].strip(" !?")
    for one in lexicons:
        denied = one.exclusions.denied_before
        if not denied.search(request[0]) and denied.search(before):
            return False
        if any(start == 0 or end == len(clause_rest) for start, end in denied.spans(clause_rest)):
            return False
    return True


def only_asks(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether a text only asks a question and does not request a repair."""
    questions = [normalize(sentence) for sentence in sentences if sentence and _QUESTION.search(normalize(sentence))]
    return bool(questions) and not any(one.intents["wants"].search(sentence) for one in lexicons for sentence in questions)


class IntentFacts(NamedTuple):
    """What is known about a message besides its text; ``reason_weight`` is how specifically it describes a failure."""

    is_reply: bool
    reason_weight: int
    has_units: bool
    has_order: bool
    has_rma: bool
    wants_return: bool = False


def intent(sentences: Sequence[str], subject: str, facts: IntentFacts, lexicons: Sequence[LanguageWords]) -> Intent:
    """Return the intent of a message; ``subject`` is empty if it is not the writer's own ("Re: …")."""
    texts = (*sentences, subject)
    reason_weight = facts.reason_weight

    def has_intent(kind: IntentList) -> bool:
        if kind == "rma":
            return facts.wants_return or asks_rma(texts, lexicons)
        if kind == "other_model":
            return _is_requested(kind, texts, NOTHING, lexicons)
        return _is_requested(kind, texts, reason_weight, lexicons) if kind in _MONEY else expresses(kind, texts, lexicons)

    is_on_hold = facts.has_order and expresses("holds", sentences, lexicons)
    declines = withdraws("decline_quote", sentences, lexicons)
    if declines and facts.is_reply and reason_weight < CONCRETE and not is_on_hold:
        return "cancel"
    accepts = expresses("accept_quote", sentences, lexicons)
    asks_rework = any(_asks_rework(text, lexicons) for text in _candidates(sentences, lexicons))
    wants_rework = asks_rework or expresses("rework", (subject,), lexicons)
    if (
        facts.has_order
        and reason_weight < (CONCRETE if is_on_hold else NEGATED)
        and (facts.is_reply or accepts or has_intent("quote"))
    ):
        return "po"
    if accepts and reason_weight < CONCRETE:
        return "po" if facts.has_order else "accept_quote"
    if wants_rework:
        reason_weight = NOTHING
    only_questions = not facts.is_reply and only_asks(sentences, lexicons)
    if only_questions and not facts.has_units:
        told = (text for text in texts if text and not _QUESTION.search(normalize(text)))
        reason_weight = reason_weight if any(weight(text, lexicons) >= CONCRETE for text in told) else NOTHING
    cancels = withdraws("cancel", sentences, lexicons)
    if cancels is None:
        cancels = withdraws("cancel", (subject,), lexicons)
    is_undecided = reason_weight < CONCRETE and (cancels is False or (facts.is_reply and declines is False))
    withdrawal = _Withdrawal(cancels=bool(cancels), is_undecided=is_undecided)
    return _first_intent(has_intent, facts._replace(reason_weight=reason_weight), withdrawal, only_questions=only_questions)


def _asks_rework(sentence: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether rework is requested: "after the BIOS update" describes a failure instead."""
    for one in lexicons:
        request = one.intents["rework"].search(sentence)
        before = one.reasons.asking.without(sentence[: request.start()]) if request else ""
        tells_failure = any(other.exclusions.breaks.search(before) for other in lexicons)
        if request and not tells_failure and one.reasons.asking.search(sentence):
            return True
    return False


class _Withdrawal(NamedTuple):
    """Whether the request is withdrawn, and whether the message leaves that open."""

    cancels: bool
    is_undecided: bool


def _first_intent(
    has_intent: Callable[[IntentList], bool], facts: IntentFacts, withdrawal: _Withdrawal, *, only_questions: bool
) -> Intent:
    """Return the first intent that is expressed and not overridden by a failure in the same message."""
    is_reply, reason_weight, has_units, has_rma = facts.is_reply, facts.reason_weight, facts.has_units, facts.has_rma
    no_failure = reason_weight < CONCRETE
    candidates: tuple[tuple[Intent, bool], ...] = (
        ("cancel", withdrawal.cancels and (is_reply or no_failure or has_rma)),
        ("doa", has_intent("doa")),
        ("credit", has_intent("credit")),
        ("rework", no_failure and has_intent("rework")),
        ("exchange", has_intent("other_model") or (no_failure and has_intent("exchange"))),
        ("status", (no_failure or has_rma) and has_intent("status")),
        ("question", withdrawal.is_undecided),
        ("question", not has_units and has_intent("accounts") and not has_intent("rma")),
        ("none", no_failure and not has_units and has_intent("elsewhere")),
        ("question", reason_weight < NEGATED and not has_units and has_intent("question") and not has_intent("rma")),
        ("question", only_questions and reason_weight < VAGUE and has_intent("question") and not has_intent("rma")),
        ("repair", reason_weight > NOTHING or has_intent("rma") or (has_units and (is_reply or not has_intent("thanks")))),
        ("question", has_intent("question")),
    )
    return next((intent_ for intent_, applies in candidates if applies), "none")
