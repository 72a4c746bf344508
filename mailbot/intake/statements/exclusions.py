"""Warranty exclusions that the sender states (AP-8, AP-9, AP-10; ST-9): the unit was dropped, wet, or struck by lightning.

A denial ("was never dropped"), a question ("is a drop covered?"), and a condition ("if it was dropped") state nothing. If
uncertain, a statement counts: a quote for a billable repair can be disputed, but a wrong warranty repair is lost money.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, get_args

from mailbot.intake.statements.reasons import exclusions, failures
from mailbot.intake.text.normalize import normalize
from mailbot.model import Exclusion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailbot.intake.statements.word_lists import LanguageWords

NAMES: tuple[Exclusion, ...] = get_args(Exclusion)


class ExclusionMatch(NamedTuple):
    """A phrase that names an exclusion, with its position in normalized text."""

    name: Exclusion
    start: int
    end: int


@lru_cache(maxsize=4096)
def stated_exclusions(sentence: str, following: str, lexicons: Sequence[LanguageWords]) -> frozenset[Exclusion]:
    """Return the exclusions that a sentence states; the ``following`` one may answer a question of a form."""
    found: set[Exclusion] = set()
    sentence = _without_given_serials(sentence[:2_000], lexicons)
    for part in re.split(r"\s{3,}|\t", sentence):
        field_exclusions = _field(part, following, lexicons)
        found |= _stated(normalize(part), lexicons) if field_exclusions is None else field_exclusions
    return frozenset(found)


_GIVEN = re.compile(r"[\s:#.№°-]{0,4}(?:<serial>|(?=[a-z0-9-]{0,20}\d)[a-z0-9-]{5,24})", re.IGNORECASE)


def _without_given_serials(sentence: str, lexicons: Sequence[LanguageWords]) -> str:
    """Return a sentence without serial numbers and their labels: where the number is given, the label is not gone."""
    normalized = sentence.casefold()
    if len(normalized) != len(sentence):
        return sentence
    for lexicon in lexicons:
        for start, end in lexicon.labels.serial.spans(normalized):
            if given := _GIVEN.match(normalized, end):
                sentence = f"{sentence[:start]}{' ' * (given.end() - start - 1)},{sentence[given.end() :]}"
    return sentence


def ordered(found: frozenset[Exclusion]) -> tuple[Exclusion, ...]:
    """Return exclusions in the order of ``NAMES``; with shipping damage, physical damage is not listed separately."""
    if "shipping_damage" in found:
        found -= {"physical_damage"}
    return tuple(name for name in NAMES if name in found)


def answered_questions(text: str, lexicons: Sequence[LanguageWords]) -> frozenset[Exclusion]:
    """Return the exclusions in quoted questions that the line below answers with yes."""
    found: set[Exclusion] = set()
    question = ""
    for line in text.split("\n")[:2_000]:
        if line.startswith(">"):
            question = normalize(line[:500]).lstrip("> ")
        elif line.strip():
            if question.endswith("?") and _yes_or_no(normalize(line[:200]), lexicons) == "yes":
                found |= {match.name for match in _matches(question, lexicons, with_fields=True)}
            question = ""
    return frozenset(found)


# ------------------------------------------------------------------ forms

_FIELD = re.compile(r"(?P<title>[^:=?]{2,90}?)\s*(?P<sign>\?|[:=]|\.{3,})\s*(?P<value>.*)", re.DOTALL)
_MARKED = re.compile(r"(?:\[\s?[xX✓✔]\s?\]|\(\s?[xX✓]\s?\)|[☒☑✓✔✅])\s*([^\W\d_]+)")
_BOXES = re.compile(r"\[\s?[xX✓✔]?\s?\]|[☐☒☑]")


_MAX_ANSWER = 3
"""The maximum number of words in a line that answers the field above it."""


def _field(part: str, following: str, lexicons: Sequence[LanguageWords]) -> set[Exclusion] | None:
    """Return the exclusions that a form field states; None if the text is not a form field about an exclusion."""
    form_field = _FIELD.match(part.strip())
    if not form_field:
        return None
    title = normalize(form_field["title"])
    names = {match.name for match in _matches(title, lexicons, with_fields=True)}
    asks_for_exclusion = any(getattr(lexicon.exclusions, name).field.search(title) for lexicon in lexicons for name in NAMES)
    if not names or not (asks_for_exclusion or form_field["sign"] == "?"):
        return None
    value = form_field["value"].strip() or (following if len(following.split()) <= _MAX_ANSWER or form_field["sign"] == "?" else "")
    if _BOXES.search(value):
        value = " ".join(_MARKED.findall(value))
    answer = _yes_or_no(normalize(value), lexicons)
    if answer:
        return names if answer == "yes" else set()
    if form_field["sign"] == "?":
        return None
    is_denied = any(lexicon.exclusions.denied_before.search(normalize(value)) for lexicon in lexicons)
    return names | _stated(normalize(value), lexicons) if re.search(r"\w", value) and not is_denied else set()


def is_answered_field(text: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether a text is a form field about an exclusion, with its answer."""
    return _field(text, "", lexicons) is not None


def _yes_or_no(value: str, lexicons: Sequence[LanguageWords]) -> str:
    """Return ``yes`` or ``no`` if a text begins with such a word, or an empty string."""
    for lexicon in lexicons:
        for word in ("no", "yes"):
            found = getattr(lexicon.exclusions, word).search(value)
            if found and not re.search(r"\w", value[: found.start()]):
                return word
    return ""


# ------------------------------------------------------------------ prose


@lru_cache(maxsize=4096)
def short_answer(text: str, lexicons: Sequence[LanguageWords]) -> frozenset[Exclusion]:
    """Return the exclusions that a short answer consists of: "Problem: dropped"."""
    normalized = normalize(text).strip(" .!;")
    return frozenset(name for lexicon in lexicons for name in NAMES if getattr(lexicon.exclusions, name).field.is_all(normalized))


def _matches(text: str, lexicons: Sequence[LanguageWords], *, with_fields: bool = False) -> list[ExclusionMatch]:
    if not any(exclusions(lexicon).search(text) for lexicon in lexicons):
        return []
    for lexicon in lexicons:
        text = lexicon.exclusions.innocent.blanked(text)
    matches = [
        ExclusionMatch(name, start, end)
        for lexicon in lexicons
        for name in NAMES
        for phrases in ((getattr(lexicon.exclusions, name).said, getattr(lexicon.exclusions, name).field)[: 1 + with_fields])
        for start, end in phrases.spans(text)
    ]
    # A label that fell off is not a fall, nor is lightning that "fell"; a crushed carton is not a crushed unit.
    others = [match for match in matches if match.name != "physical_damage"]
    return [
        match
        for match in matches
        if match.name != "physical_damage" or not any(_overlaps(match, other.start, other.end) for other in others)
    ]


def _stated(text: str, lexicons: Sequence[LanguageWords]) -> set[Exclusion]:
    matches = _matches(text, lexicons)[:_MAX_MATCHES]
    if not matches:
        return set()
    all_matches = [*matches, *_matches(text, lexicons, with_fields=True)[: 4 * _MAX_MATCHES]]
    failure_spans = failures(text, lexicons)
    return {
        match.name
        for match in matches
        if not _is_hypothetical(text, match, lexicons) and not _is_denied(text, match, all_matches, failure_spans, lexicons)
    }


_MAX_MATCHES = 24
"""The maximum number of phrases in one sentence that are evaluated: no one admits more."""

_MAX_GAP, _MAX_GAP_IN_LIST = 6, 20
"""The maximum number of words between a denial and what it denies: by itself, and in an enumeration."""


def _is_denied(
    text: str,
    match: ExclusionMatch,
    matches: Sequence[ExclusionMatch],
    failure_spans: Sequence[tuple[int, int]],
    lexicons: Sequence[LanguageWords],
) -> bool:
    for lexicon in lexicons:
        words = lexicon.exclusions
        for start, end in words.denied_before.spans(text[: match.end]):
            if match.start <= start or any(a <= start and end <= b and not _overlaps(match, a, b) for a, b in failure_spans):
                continue  # "does not power on after it was dropped": the denial is part of the failure
            if _denial_applies(text, end, match, matches, lexicons):
                return True
        for start, _ in words.denied_after.spans(text):
            if start >= match.end and _is_only_list(text[match.end : start], match.end, matches, lexicons):
                return True
    return False


def _overlaps(match: ExclusionMatch, start: int, end: int) -> bool:
    return match.start < end and start < match.end


def _denial_applies(
    text: str, end: int, match: ExclusionMatch, matches: Sequence[ExclusionMatch], lexicons: Sequence[LanguageWords]
) -> bool:
    """Return whether a denial that ends at ``end`` applies to the match."""
    between = text[end : match.start]
    listed = [other for other in matches if end <= other.start < match.start]
    if any(lexicon.exclusions.breaks.search(between) for lexicon in lexicons):
        return False
    comma = re.search(r"[,;:、]", between)
    if comma and _nobody_did(text[:end], between, lexicons):
        return True
    if comma and not any(other.start < end + comma.start() for other in listed):
        return False
    return _word_count(between) <= (_MAX_GAP_IN_LIST if listed else _MAX_GAP)


def _nobody_did(denial: str, between: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether a list of single words is denied: "nobody opened, dropped or soaked it"."""
    if not any(end == len(denial) for one in lexicons for _, end in one.exclusions.nobody.spans(denial)):
        return False
    for one in lexicons:
        between = one.exclusions.joins.without(between)
    return all(_word_count(word) <= 1 for word in re.split(r"[,;、]", between))


def _word_count(text: str) -> int:
    """Return the number of words, with two ideographs counted as one word."""
    wide = sum(char >= "⺀" for char in text)
    return len(text.split()) + wide // 2


def _is_only_list(between: str, at: int, matches: Sequence[ExclusionMatch], lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether there are only other exclusions and conjunctions in between."""
    listed = any(at <= other.start < at + len(between) for other in matches)
    if not listed and re.search(r"[a-z,;、]", between):
        return False
    chars = list(between)
    for match in matches:
        for index in range(max(match.start - at, 0), min(match.end - at, len(chars))):
            chars[index] = " "
    rest = "".join(chars)
    for lexicon in lexicons:
        rest = lexicon.exclusions.joins.without(rest)
    return not re.search(r"\w", rest)


def _is_hypothetical(text: str, match: ExclusionMatch, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether the phrase is only asked about or supposed."""
    start = max((edge.end() for edge in re.finditer(r"[,;:。、.!?]\s?", text[: match.start])), default=0)
    before = text[start : match.start]
    after = text[match.end :]
    end = re.search(r"[,;:.!?。、]", after)
    clause = text[start : match.end + (end.start() if end else len(after))]
    for lexicon in lexicons:
        words = lexicon.exclusions
        if words.supposed.search(before) or words.others.search(clause):
            return True
        is_statement = (
            words.breaks.search(before) or words.breaks.end_at(after.lstrip(), 0) >= 0
        )  # "after a fall", "雷击后": a statement
        if end and end[0] == "?" and words.asked.search(clause) and not is_statement:
            return True
    return False
