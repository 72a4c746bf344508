"""Which sentences phrases settle: they consist of phrases that cannot rule out a request, so that no classifier is asked."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.entities.tables import title_kind
from mailbot.intake.statements import exclusions, reasons
from mailbot.intake.statements.phrases import Phrases, union
from mailbot.intake.text.normalize import normalize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailbot.intake.statements.word_lists import LanguageWords

_TAG = re.compile(r"<[a-z]+>")
_WORD = re.compile(r"[^\W\d_]{2,}|[⺀-\U0003ffff]")
_FIELD = re.compile(r"(?:[-*•]\s)?(?P<title>[^:=?\s][^:=?]{1,58})[:=](?P<value>.*)", re.DOTALL)
_FIELD_CLASSES = {"purchase_order": "order po", "order": "order po"}


class PhraseResult(NamedTuple):
    """What phrases or the place of a sentence say: a name of ``model.statement.LABELS``, and which of the two it was."""

    label: str
    by: str


@lru_cache(maxsize=8192)
def settled(masked: str, lexicons: Sequence[LanguageWords]) -> PhraseResult | None:
    """Return what phrases say about a masked sentence; None if it has words that they do not explain."""
    stated = exclusions.stated_exclusions(masked, "", lexicons)
    if exclusions.is_answered_field(masked, lexicons):
        return PhraseResult(f"damage {exclusions.ordered(stated)[0]}" if stated else "denied", "rule")
    if stated:
        return None
    field = _FIELD.fullmatch(masked.strip())
    text = masked
    if field and (kind := title_kind(field["title"], lexicons)):
        if kind != "reason" and field["value"] and not _WORD.search(_TAG.sub("", normalize(field["value"]))):
            return PhraseResult(_FIELD_CLASSES.get(kind, "courtesy"), "rule")
        text = field["value"] if kind == "reason" else text
    elif any(_titles(lexicon).is_all(normalize(masked).strip(" :")) for lexicon in lexicons):
        return PhraseResult("courtesy", "rule")
    normalized = _TAG.sub(" ", normalize(text))
    return PhraseResult(_label(normalized, lexicons), "phrase") if _is_covered(normalized, lexicons) else None


@cache
def _titles(lexicon: LanguageWords) -> Phrases:
    """Return the names of form fields and of columns, which say nothing without a value."""
    labels = lexicon.labels
    return union(labels.serial, labels.device, labels.reason, labels.model, labels.order, labels.purchase_order, labels.other)


_CLAUSE = re.compile(r"(?:[,;]|\s[-–—]+)\s+|[、，；。]\s*")  # noqa: RUF001


@lru_cache(maxsize=8192)
def open_part(masked: str, lexicons: Sequence[LanguageWords]) -> str:
    """Return what phrases leave open of a masked sentence, without the clauses that they settle; empty if they settle all.

    What is added to a failure in a few words is not hidden by it: "does not start, dropped yesterday".
    """
    if settled(masked, lexicons):
        return ""
    clauses = [clause for clause in _CLAUSE.split(masked) if clause.strip()]
    rest = [clause for clause in clauses if not _is_covered(_TAG.sub(" ", normalize(clause)), lexicons)]
    return masked if len(rest) in (0, len(clauses)) else ", ".join(rest)


def _is_covered(text: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether normalized text has nothing but phrases about failures, requests, and common words."""
    for lexicon in lexicons:
        for phrases in (_symptoms(lexicon), _failing(lexicon)):  # "not boot" before "does not"
            text = _exact(phrases).without(_without_short(phrases, text))
    if any(lexicon.reasons.negations.search(text) or lexicon.exclusions.denied_before.search(text) for lexicon in lexicons):
        return False
    for lexicon in lexicons:
        text = _requests(lexicon).without(text)
    for lexicon in lexicons:
        text = _common(lexicon).without(text)
    return not _WORD.search(text)


def _label(text: str, lexicons: Sequence[LanguageWords]) -> str:
    if reasons.weight(text, lexicons):
        return "failure"
    return "want" if any(lexicon.intents["rma"].search(text) for lexicon in lexicons) else "courtesy"


_MAX_WORDS = 4
"""The maximum number of words of a phrase with a gap that explains the words in the gap: "does not even boot"."""


def _without_short(phrases: Phrases, text: str) -> str:
    """Return a text without the phrases that have few words."""
    for start, end in reversed(phrases.spans(text)):
        if len(text[start:end].split()) <= _MAX_WORDS:
            text = f"{text[:start]} {text[end:]}"
    return text


@cache
def _symptoms(lexicon: LanguageWords) -> Phrases:
    return union(*lexicon.symptoms.lists.values())


@cache
def _failing(lexicon: LanguageWords) -> Phrases:
    return union(lexicon.reasons.failing, lexicon.reasons.vague)


@cache
def _requests(lexicon: LanguageWords) -> Phrases:
    words, intents = lexicon.reasons, lexicon.intents
    lists = (words.parts, words.asking, words.telling, words.trouble, intents["rma"], intents["thanks"], intents["wants"])
    return _exact(union(*lists, lexicon.letter.greetings, lexicon.letter.closings))


@cache
def _common(lexicon: LanguageWords) -> Phrases:
    labels = lexicon.labels
    return _exact(union(lexicon.common, labels.serial, labels.device, labels.model, labels.reason, labels.between))


@cache
def _exact(phrases: Phrases) -> Phrases:
    """Return the phrases that cover no words but their own."""
    return Phrases(phrase for phrase in phrases.phrases if "..." not in phrase)
