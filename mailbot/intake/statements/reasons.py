"""Why a unit is returned: the customer's own words, without the courtesies around them (AP-28)."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple, get_args

from mailbot.intake.entities.tables import title_kind
from mailbot.intake.statements.phrases import Phrases, union
from mailbot.intake.statements.word_sections import Symptom
from mailbot.intake.text.normalize import normalize
from mailbot.model import Exclusion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mailbot.intake.statements.word_lists import LanguageWords

PREFERRED_LENGTH, MAX_REASON = 300, 600
"""The preferred and the maximum number of characters of a reason."""

NAMED, CONCRETE, NEGATED, VAGUE, NOTHING = 4, 3, 2, 1, 0
"""How specifically a sentence describes a failure: a form field, a symptom, a negative statement, "broken", or nothing."""

FAILURES: tuple[Symptom, ...] = ("no_power", "no_boot", "no_video", "overheating", "reboots", "freezes", "noise", "smoke")
"""Symptoms that are failures by themselves."""

PART_SYMPTOMS: tuple[Symptom, ...] = tuple(name for name in get_args(Symptom) if name not in FAILURES)
"""Symptoms named after the part: a failure only if the sentence says that something is wrong."""


class Reason(NamedTuple):
    """A reason in the customer's words, and its weight."""

    text: str = ""
    weight: int = NOTHING

    @property
    def is_vague(self) -> bool:
        """Whether it names no symptom."""
        return self.weight == VAGUE


@cache
def _failure_phrases(lexicon: LanguageWords) -> Phrases:
    return union(*(lexicon.symptoms[name] for name in FAILURES))


@cache
def _part_phrases(lexicon: LanguageWords) -> Phrases:
    return union(lexicon.reasons.parts, *(lexicon.symptoms[name] for name in PART_SYMPTOMS))


@cache
def exclusions(lexicon: LanguageWords) -> Phrases:
    """Return all phrases about exclusions: "it was never dropped" is not a failure."""
    kinds = (getattr(lexicon.exclusions, name) for name in get_args(Exclusion))
    return union(*(phrases for kind in kinds for phrases in (kind.said, kind.field)))


@lru_cache(maxsize=4096)
def symptom(text: str, lexicons: Sequence[LanguageWords]) -> str | None:
    """Return the word lists' name of the first symptom in a reason, or None."""
    normalized = normalize(text)
    found = [(start, name) for lexicon in lexicons for name, start, _ in lexicon.symptoms.spans(normalized)]
    return min(found)[1] if found else None


def failures(text: str, lexicons: Sequence[LanguageWords]) -> list[tuple[int, int]]:
    """Return the spans of normalized text that describe a failure."""
    return [
        span
        for lexicon in lexicons
        for phrases in (lexicon.reasons.vague, lexicon.reasons.failing, *(lexicon.symptoms[name] for name in FAILURES))
        for span in phrases.spans(text)
    ]


@lru_cache(maxsize=4096)
def weight(sentence: str, lexicons: Sequence[LanguageWords]) -> int:
    """Return how specifically a sentence describes a failure; a request itself does not."""
    text = rest = without_requests = _without_paperwork(normalize(sentence), lexicons)
    for lexicon in lexicons:
        rest = lexicon.reasons.vague.without(rest)
    if any(lexicon.reasons.failing.search(rest) or _failure_phrases(lexicon).search(text) for lexicon in lexicons):
        return CONCRETE
    for lexicon in lexicons:
        without_requests = lexicon.reasons.asking.without(without_requests)
    is_vague = any(lexicon.reasons.vague.search(without_requests) for lexicon in lexicons)
    has_trouble = is_vague or any(lexicon.reasons.trouble.search(without_requests) for lexicon in lexicons)
    is_negated = not text.endswith("?") and any(one.reasons.negations.search(_NUMBER.sub(" ", rest)) for one in lexicons)
    is_negated = is_negated and not _is_request(rest, lexicons)
    if (has_trouble or is_negated) and any(_part_phrases(lexicon).search(text) for lexicon in lexicons):
        return CONCRETE
    if is_negated:
        return NEGATED
    return VAGUE if is_vague else NOTHING


def _is_request(text: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether normalized text requests, reports, or excludes something."""
    return any(
        lexicon.reasons.asking.search(text) or lexicon.reasons.telling.search(text) or exclusions(lexicon).search(text)
        for lexicon in lexicons
    )


_CLAUSE = re.compile(r"([,;:])")
_NUMBER = re.compile(r"\bno\.? ?[:#]? ?(?=[a-z]{0,4}-?\d{2})")
""""No." for a number, which is not a denial: "order no. 4711"."""


def _without_paperwork(text: str, lexicons: Sequence[LanguageWords]) -> str:
    if not any(lexicon.reasons.paperwork.search(text) for lexicon in lexicons):
        return text
    clauses = _CLAUSE.split(text)
    for lexicon in lexicons:
        clauses = [lexicon.reasons.paperwork.without(clause) for clause in clauses]
    return "".join(clauses)


def reason(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> Reason:
    """Return the description of a failure: from a form field first, then concrete sentences, then vague ones."""
    field_values = tuple(_field_values(sentences, lexicons))
    if field_values and (text := join_sentences(field_values)):
        return Reason(text, NAMED if weight(text, lexicons) != VAGUE else VAGUE)
    candidates = [text for text in sentences[:400] if text and reason_field(text, lexicons) is None]
    weighted = [(weight(sentence, lexicons), sentence) for sentence in candidates]
    max_weight = max((weight_ for weight_, _ in weighted), default=NOTHING)
    if max_weight == NOTHING:
        return Reason()
    min_weight = min(max_weight, NEGATED)
    text = join_sentences(sentence for weight_, sentence in weighted if weight_ >= min_weight)
    if len(text) > PREFERRED_LENGTH and max_weight == CONCRETE:
        text = join_sentences(sentence for weight_, sentence in weighted if weight_ == CONCRETE)
    return Reason(text, max_weight)


_PARENTHESES = re.compile(r"\([^()]{0,200}\)|\[[^\[\]]{0,200}\]")
_WORDS = re.compile(r"[^\W\d_⺀-\U0003ffff]{3,}|[⺀-\U0003ffff]{2}|\b[a-z]{1,3}-?\d{1,4}\b|\b0x[0-9a-f]{1,8}\b")
_ERROR_CODE = re.compile(r"\b(?:e|err|error|code|f|p)-?\d{1,4}\b|\b0x[0-9a-f]{1,8}\b")
_MIN_WORDS = 2
"""The minimum number of words, or pairs of ideographs, in a meaningful text."""


def from_descriptions(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> Reason:
    """Return a reason of sentences that describe a problem: vague if they name no part or error code, to ask the customer."""
    concrete = any(
        _ERROR_CODE.search(normalize(_PARENTHESES.sub(" ", text)))
        or any(one.reasons.parts.search(normalize(text)) for one in lexicons)
        for text in sentences
    )
    return Reason(join_sentences(sentences), CONCRETE if concrete else VAGUE)


@cache
def _rma_requests(lexicons: Sequence[LanguageWords]) -> Phrases:
    return union(*(lexicon.intents["rma"] for lexicon in lexicons))


@cache
def _other_statements(lexicon: LanguageWords) -> Phrases:
    """Return what people write next to a failure: requests, courtesies, papers, and where a unit is or came from."""
    words, intents = lexicon.reasons, lexicon.intents
    return union(
        *(words.asking, words.telling, words.paperwork, words.neutral),
        *(intents["thanks"], intents["about"], intents["elsewhere"], lexicon.serials.fine),
    )


def describes_problem(sentence: str, serial: str, lexicons: Sequence[LanguageWords], everything: Sequence[LanguageWords]) -> bool:
    """Return whether a sentence says something about a unit that may be a problem.

    Possible problems cannot be listed, but most of what else people write about a unit can: requests, courtesies, and
    where it is or came from. ``serial`` is the unit's serial number if the sentence names it; otherwise the sentence
    must name a part. Requests are searched for in ``everything``, because a line may be too short to show its language.
    """
    normalized = normalize(_PARENTHESES.sub(" ", sentence))
    if _is_other_statement(normalized, lexicons, everything):
        return False
    if not serial and not any(lexicon.reasons.parts.search(normalized) for lexicon in lexicons):
        return False
    return _says_something(normalized.replace(normalize(serial), " "), lexicons)


@lru_cache(maxsize=4096)
def _is_other_statement(normalized: str, lexicons: Sequence[LanguageWords], everything: Sequence[LanguageWords]) -> bool:
    if normalized.endswith(("?", ":")) or _rma_requests(everything).search(normalized):
        return True
    return any(_other_statements(lexicon).search(normalized) for lexicon in lexicons)


@lru_cache(maxsize=4096)
def _says_something(rest: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether a text has more than labels, courtesies, and very common words."""
    for lexicon in lexicons:
        for phrases in (lexicon.labels.serial, lexicon.labels.device, lexicon.labels.model, lexicon.labels.rma):
            rest = phrases.without(rest)
        rest = lexicon.reasons.trouble.without(lexicon.letter.greetings.without(lexicon.labels.between.without(rest)))
        rest = lexicon.common.without(rest)
    return len(_WORDS.findall(rest)) >= _MIN_WORDS


def says_nothing(text: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether a text requests, reports, or excuses something and describes no failure."""
    normalized = normalize(text)
    words = [one.reasons for one in lexicons]
    phrase_lists = (phrases for one in words for phrases in (one.asking, one.telling, one.paperwork))
    return weight(text, lexicons) == NOTHING and any(phrases.search(normalized) for phrases in phrase_lists)


def motive(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> Reason:
    """Return why something is to be credited, exchanged, or reworked: the sentences that say so."""
    weighted = [sentence for sentence in sentences[:400] if sentence and _gives_motive(normalize(sentence), lexicons)]
    has_motive = any(_is_motive(normalize(sentence), one) for sentence in weighted for one in lexicons)
    text = join_sentences(weighted) if has_motive else ""
    return Reason(text, CONCRETE) if text else Reason()


def _gives_motive(text: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether a sentence gives a motive, or requests a credit or exchange and says more."""
    if any(_is_motive(text, one) for one in lexicons):
        return True
    is_request = any(one.intents["credit"].search(text) or one.intents["exchange"].search(text) for one in lexicons)
    return is_request and bool(re.search(r"[,;:、-] ?\w", text))


def _is_motive(text: str, lexicon: LanguageWords) -> bool:
    return bool(lexicon.reasons.motives.search(text) or lexicon.intents["rework"].search(text))


_FIELD = re.compile(r"\s*+(?:[-*•]\s*+)?(?P<title>[^:=]{2,60}?)\s*[:=]\s*(?P<value>.*)", re.DOTALL)
_EMPTY = re.compile(r"[\W_]*(?:n/?a|none|unknown)?[\W_]*", re.IGNORECASE)


def _field_values(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> Iterator[str]:
    """Yield the values of form fields that ask for the failure, with the sentences that continue below."""
    is_continuing = False
    for sentence in sentences:
        match = _FIELD.match(sentence)
        kind = title_kind(match["title"], lexicons) if match else ""
        if match and kind == "reason":
            if not _is_empty_answer(match["value"], lexicons):
                yield match["value"].strip()
            is_continuing = True
        elif not sentence or match:
            is_continuing = is_continuing and not match and not kind
        elif is_continuing:
            if weight(sentence, lexicons) == NOTHING:
                is_continuing = False
            else:
                yield sentence


def _is_empty_answer(value: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether a form field has no reason: empty, "yes", "see attached", "RMA"."""
    normalized = normalize(value)
    is_yes_or_no = any(word.is_all(normalized) for one in lexicons for word in (one.exclusions.yes, one.exclusions.no))
    return bool(_EMPTY.fullmatch(value)) or is_yes_or_no or says_nothing(value, lexicons) or _is_only_request(value, lexicons)


def _is_only_request(text: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether a text only requests an RMA or a repair, which is not a reason for one."""
    rest = normalize(text)
    for lexicon in lexicons:
        for phrases in (lexicon.reasons.asking, lexicon.intents["rma"], lexicon.reasons.trouble, lexicon.labels.between):
            rest = phrases.without(rest)
    return not re.search(r"\w", rest)


@lru_cache(maxsize=4096)
def reason_field(sentence: str, lexicons: Sequence[LanguageWords]) -> str | None:
    """Return the value of a form field for the failure; None if the sentence is not such a field."""
    match = _FIELD.match(sentence)
    return match["value"].strip() if match and title_kind(match["title"], lexicons) == "reason" else None


def join_sentences(sentences: Iterable[str]) -> str:
    """Return sentences as one text of at most ``PREFERRED_LENGTH`` characters, or the first one cut at ``MAX_REASON``."""
    text = ""
    for sentence in dict.fromkeys(" ".join(part.split()) for part in sentences):
        if text and len(text) + len(sentence) + 1 > PREFERRED_LENGTH:
            break
        text = f"{text} {sentence}" if text else sentence
    return text if len(text) <= MAX_REASON else text[:MAX_REASON].rsplit(" ", 1)[0]
