"""What the sender says did happen to a unit: dropped, wet, struck by lightning … (AP-8, AP-9, AP-10; ST-9).

Said counts; denied ("was never dropped"), asked about ("is a drop covered?") and supposed ("if it was dropped") do not.
In doubt it counts: a charged repair can be argued about, a wrong warranty repair is lost money.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.statements.reasons import exclusions, failures
from mailbot.intake.text.normalize import plain
from mailbot.model import Exclusion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailbot.intake.statements.word_lists import LanguageWords

NAMES: tuple[Exclusion, ...] = (
    "physical_damage",
    "liquid",
    "lightning_surge",
    "misuse",
    "modified",
    "serial_removed",
    "shipping_damage",
)


class ExclusionMatch(NamedTuple):
    """An exclusion's phrase in plain text."""

    name: Exclusion
    start: int
    end: int


@lru_cache(maxsize=4096)
def stated(sentence: str, following: str, lexicons: Sequence[LanguageWords]) -> frozenset[Exclusion]:
    """The exclusions that a sentence states. ``following`` is the next sentence: it may answer a form's question."""
    found: set[Exclusion] = set()
    for part in re.split(r"\s{3,}|\t", sentence[:2_000]):
        field = _field(part, following, lexicons)
        found |= _said(plain(part), lexicons) if field is None else field
    return frozenset(found)


def one_voice(found: frozenset[Exclusion]) -> tuple[Exclusion, ...]:
    """In the order of the vocabulary; what transport broke is damage in shipment, not a second exclusion."""
    if "shipping_damage" in found:
        found -= {"physical_damage"}
    return tuple(name for name in NAMES if name in found)


def answered(text: str, lexicons: Sequence[LanguageWords]) -> frozenset[Exclusion]:
    """The exclusions that a quoted question names and the line below it answers with yes."""
    found: set[Exclusion] = set()
    question = ""
    for line in text.split("\n")[:2_000]:
        if line.startswith(">"):
            question = plain(line[:500]).lstrip("> ")
        elif line.strip():
            if question.endswith("?") and _answer(plain(line[:200]), lexicons) == "yes":
                found |= {hit.name for hit in _hits(question, lexicons, fields=True)}
            question = ""
    return frozenset(found)


# ------------------------------------------------------------------ forms

_FIELD = re.compile(r"(?P<title>[^:=?]{2,90}?)\s*(?P<sign>\?|[:=]|\.{3,})\s*(?P<value>.*)", re.DOTALL)
_MARKED = re.compile(r"(?:\[\s?[xX✓✔]\s?\]|\(\s?[xX✓]\s?\)|[☒☑✓✔✅])\s*([^\W\d_]+)")
_BOXES = re.compile(r"\[\s?[xX✓✔]?\s?\]|[☐☒☑]")


_ANSWER = 3
"""Words of a line that answers the field above it."""


def _field(part: str, following: str, lexicons: Sequence[LanguageWords]) -> set[Exclusion] | None:
    """What a form field states; None where the text is no form field about an exclusion."""
    match = _FIELD.match(part.strip())
    if not match:
        return None
    title = plain(match["title"])
    names = {hit.name for hit in _hits(title, lexicons, fields=True)}
    whole = any(getattr(lexicon.exclusions, name).field.search(title) for lexicon in lexicons for name in NAMES)
    if not names or not (whole or match["sign"] == "?"):
        return None
    value = match["value"].strip() or (following if len(following.split()) <= _ANSWER or match["sign"] == "?" else "")
    if _BOXES.search(value):
        value = " ".join(_MARKED.findall(value))
    answer = _answer(plain(value), lexicons)
    if answer:
        return names if answer == "yes" else set()
    if match["sign"] == "?":
        return None
    return (
        names | _said(plain(value), lexicons)
        if re.search(r"\w", value) and not _denial(plain(value), lexicons)
        else set()
    )


def _answer(value: str, lexicons: Sequence[LanguageWords]) -> str:
    """``yes`` or ``no``, where a text begins with such a word."""
    for lexicon in lexicons:
        for word in ("no", "yes"):
            found = getattr(lexicon.exclusions, word).search(value)
            if found and not re.search(r"\w", value[: found.start()]):
                return word
    return ""


def _denial(value: str, lexicons: Sequence[LanguageWords]) -> bool:
    return any(lexicon.exclusions.denied_before.search(value) for lexicon in lexicons)


# ------------------------------------------------------------------ prose


@lru_cache(maxsize=4096)
def whole(text: str, lexicons: Sequence[LanguageWords]) -> frozenset[Exclusion]:
    """The exclusions that a short answer names and no more: "Problem: dropped"."""
    said = plain(text).strip(" .!;")
    return frozenset(
        name
        for lexicon in lexicons
        for name in NAMES
        if any(span == (0, len(said)) for span in getattr(lexicon.exclusions, name).field.spans(said))
    )


def _hits(text: str, lexicons: Sequence[LanguageWords], *, fields: bool = False) -> list[ExclusionMatch]:
    if not any(exclusions(lexicon).search(text) for lexicon in lexicons):
        return []
    for lexicon in lexicons:
        text = lexicon.exclusions.innocent.blanked(text)
    hits = [
        ExclusionMatch(name, start, end)
        for lexicon in lexicons
        for name in NAMES
        for phrases in ((getattr(lexicon.exclusions, name).said, getattr(lexicon.exclusions, name).field)[: 1 + fields])
        for start, end in phrases.spans(text)
    ]
    # A label that has fallen off is no fall, nor is lightning that fell; a crushed carton is no crushed unit.
    others = [hit for hit in hits if hit.name != "physical_damage"]
    return [
        hit
        for hit in hits
        if hit.name != "physical_damage" or not any(_touches(hit, other.start, other.end) for other in others)
    ]


def _said(text: str, lexicons: Sequence[LanguageWords]) -> set[Exclusion]:
    hits = _hits(text, lexicons)[:_MOST]
    if not hits:
        return set()
    named = [*hits, *_hits(text, lexicons, fields=True)[: 4 * _MOST]]
    busy = failures(text, lexicons)
    return {
        hit.name for hit in hits if not _open(text, hit, lexicons) and not _denied(text, hit, named, busy, lexicons)
    }


@lru_cache(maxsize=4096)
def hinted(sentence: str, lexicons: Sequence[LanguageWords]) -> str:
    """The clause of a sentence that hints at an exclusion which no phrase states, denies or supposes; else an empty string."""
    text = plain(sentence)
    if not any(lexicon.exclusions.hints.search(text) for lexicon in lexicons):
        return ""
    if any(_field(part, "", lexicons) is not None for part in re.split(r"\s{3,}|\t", sentence[:2_000])):
        return ""  # a form's field is answered or left open
    shown = text
    for lexicon in lexicons:
        shown = lexicon.exclusions.innocent.blanked(shown)
    heard = _hits(text, lexicons)
    busy = failures(text, lexicons)
    hints = [ExclusionMatch("misuse", *span) for lexicon in lexicons for span in lexicon.exclusions.hints.spans(shown)]
    for hint in hints[:_MOST]:
        start, end = _clause(text, hint)
        understood = any(start <= hit.start < end for hit in heard) or any(_touches(hint, *span) for span in busy)
        listed = sorted([*heard, *hints], key=lambda hit: hit.start)
        if not understood and not _open(text, hint, lexicons) and not _denied(text, hint, listed, busy, lexicons):
            return text[start:end].strip()
    return ""


_EDGE = re.compile(r"[,;:()、。]\s*|[.!?]\s|\s-\s")


def _clause(text: str, hit: ExclusionMatch) -> tuple[int, int]:
    """Where the clause around a phrase begins and ends."""
    start = max((edge.end() for edge in _EDGE.finditer(text, 0, hit.start)), default=0)
    behind = _EDGE.search(text, hit.end)
    return start, behind.start() if behind else len(text)


_MOST = 24
"""Phrases of one sentence that are weighed: nobody admits more."""

_NEAR, _LISTED = 6, 20
"""Words that may stand between a denial and what it denies: alone, and within an enumeration."""


def _denied(
    text: str,
    hit: ExclusionMatch,
    hits: Sequence[ExclusionMatch],
    busy: Sequence[tuple[int, int]],
    lexicons: Sequence[LanguageWords],
) -> bool:
    for lexicon in lexicons:
        words = lexicon.exclusions
        for start, end in words.denied_before.spans(text[: hit.end]):
            inside = hit.start <= start
            if inside or any(a <= start and end <= b and not _touches(hit, a, b) for a, b in busy):
                continue  # "does not power on after it was dropped": that denial belongs to the failure
            if _reaches(text, end, hit, hits, lexicons):
                return True
        for start, _ in words.denied_after.spans(text):
            if start >= hit.end and _only_list(text[hit.end : start], hit.end, hits, lexicons):
                return True
    return False


def _touches(hit: ExclusionMatch, start: int, end: int) -> bool:
    return hit.start < end and start < hit.end


def _reaches(
    text: str, end: int, hit: ExclusionMatch, hits: Sequence[ExclusionMatch], lexicons: Sequence[LanguageWords]
) -> bool:
    """Whether a denial that ends at ``end`` still holds at the hit."""
    between = text[end : hit.start]
    listed = [other for other in hits if end <= other.start < hit.start]
    if any(lexicon.exclusions.breaks.search(between) for lexicon in lexicons):
        return False
    comma = re.search(r"[,;:、]", between)
    if comma and _of_nobody(text[:end], between, lexicons):
        return True
    if comma and not any(other.start < end + comma.start() for other in listed):
        return False
    return _length(between) <= (_LISTED if listed else _NEAR)


def _of_nobody(denial: str, between: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Whether nobody did any of a list of single words: "nobody opened, dropped or soaked it"."""
    if not any(end == len(denial) for one in lexicons for _, end in one.exclusions.nobody.spans(denial)):
        return False
    for one in lexicons:
        between = one.exclusions.joins.without(between)
    return all(_length(word) <= 1 for word in re.split(r"[,;、]", between))


def _length(text: str) -> int:
    """Words, where two ideographs count as one."""
    wide = sum(char >= "⺀" for char in text)
    return len(text.split()) + wide // 2


def _only_list(between: str, at: int, hits: Sequence[ExclusionMatch], lexicons: Sequence[LanguageWords]) -> bool:
    """Whether only further exclusions and joining words stand in between."""
    listed = any(at <= other.start < at + len(between) for other in hits)
    if not listed and re.search(r"[a-z,;、]", between):
        return False
    covered = list(between)
    for hit in hits:
        for index in range(max(hit.start - at, 0), min(hit.end - at, len(covered))):
            covered[index] = " "
    rest = "".join(covered)
    for lexicon in lexicons:
        rest = lexicon.exclusions.joins.without(rest)
    return not re.search(r"\w", rest)


def _open(text: str, hit: ExclusionMatch, lexicons: Sequence[LanguageWords]) -> bool:
    """Whether the phrase is only asked about or supposed."""
    start = max((match.end() for match in re.finditer(r"[,;:。、.!?]\s?", text[: hit.start])), default=0)
    before = text[start : hit.start]
    after = text[hit.end :]
    end = re.search(r"[,;:.!?。、]", after)
    clause = text[start : hit.end + (end.start() if end else len(after))]
    for lexicon in lexicons:
        words = lexicon.exclusions
        if words.supposed.search(before) or words.others.search(clause):
            return True
        told = words.breaks.search(before) or words.breaks.begins(
            after.lstrip()
        )  # "after a fall", "雷击后": it happened
        if end and end[0] == "?" and words.asked.search(clause) and not told:
            return True
    return False
