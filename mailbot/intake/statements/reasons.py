"""Why a unit comes back: the customer's own words, without the courtesy around them (AP-28)."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.entities.tables import title_kind
from mailbot.intake.statements.phrases import Phrases, either
from mailbot.intake.text.normalize import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mailbot.intake.statements.word_lists import LanguageWords

PREFERRED, LONGEST = 300, 600
"""Characters of a reason: what is aimed at, and the most."""

NAMED, CONCRETE, NEGATED, VAGUE, NOTHING = 4, 3, 2, 1, 0
"""How much a sentence says of a failure: a form's field for it, a symptom, something that is not so, "broken", nothing."""

FAILURES = ("no_power", "no_boot", "no_video", "overheating", "reboots", "freezes", "noise", "smoke")
"""Symptoms that are a failure by their name."""

PLACES = (
    *(
        "display",
        "usb",
        "network",
        "serial_port",
        "storage",
        "memory",
        "expansion",
        "audio",
        "fan",
        "clock",
        "sleep",
        "touch",
    ),
    *("outlet", "breaker", "measurement", "firmware"),
)
"""Symptoms named after what fails: a failure only where the sentence says that something is wrong."""

SYMPTOMS = (*FAILURES, *PLACES)


class Reason(NamedTuple):
    """A reason as told, and how much it says."""

    text: str = ""
    weight: int = NOTHING

    @property
    def vague(self) -> bool:
        """Whether it names no symptom."""
        return self.weight == VAGUE


@cache
def _failures(lexicon: LanguageWords) -> Phrases:
    return either(*(getattr(lexicon.symptoms, name) for name in FAILURES))


@cache
def _places(lexicon: LanguageWords) -> Phrases:
    return either(lexicon.reasons.parts, *(getattr(lexicon.symptoms, name) for name in PLACES))


@cache
def exclusions(lexicon: LanguageWords) -> Phrases:
    """All that tells of an exclusion: "it was never dropped" is no failure."""
    words = lexicon.exclusions
    kinds = (
        *(words.physical_damage, words.liquid, words.lightning_surge, words.misuse, words.modified),
        *(words.serial_removed, words.shipping_damage),
    )
    return either(*(phrases for kind in kinds for phrases in (kind.said, kind.field)))


@cache
def _symptoms(lexicon: LanguageWords) -> Phrases:
    return either(*(getattr(lexicon.symptoms, name) for name in SYMPTOMS))


@lru_cache(maxsize=4096)
def symptom(text: str, lexicons: Sequence[LanguageWords]) -> str | None:
    """The word list's name of the failure that a reason tells, where it knows one: the one named first."""
    listen = plain(text)
    first = [
        (match.start(), name)
        for lexicon in lexicons
        if _symptoms(lexicon).search(listen)
        for name in SYMPTOMS
        if (match := getattr(lexicon.symptoms, name).search(listen))
    ]
    return min(first)[1] if first else None


def failures(text: str, lexicons: Sequence[LanguageWords]) -> list[tuple[int, int]]:
    """Where plain text speaks of a failure."""
    return [
        span
        for lexicon in lexicons
        for phrases in (
            lexicon.reasons.vague,
            lexicon.reasons.failing,
            *(getattr(lexicon.symptoms, name) for name in FAILURES),
        )
        for span in phrases.spans(text)
    ]


@lru_cache(maxsize=4096)
def weight(sentence: str, lexicons: Sequence[LanguageWords]) -> int:
    """How much a sentence says of a failure. The wish itself says nothing: to issue a number is no issue."""
    text = rest = matter = "".join(_without_paperwork(clause, lexicons) for clause in _CLAUSE.split(plain(sentence)))
    for lexicon in lexicons:
        rest = lexicon.reasons.vague.without(rest)
        matter = lexicon.reasons.asking.without(matter)
    vague = any(lexicon.reasons.vague.search(matter) for lexicon in lexicons)
    trouble = vague or any(lexicon.reasons.trouble.search(matter) for lexicon in lexicons)
    if any(lexicon.reasons.failing.search(rest) or _failures(lexicon).search(text) for lexicon in lexicons):
        return CONCRETE
    place = any(_places(lexicon).search(text) for lexicon in lexicons)
    if trouble and place:
        return CONCRETE
    for lexicon in lexicons:
        if (
            lexicon.reasons.asking.search(rest)
            or lexicon.reasons.telling.search(rest)
            or exclusions(lexicon).search(rest)
        ):
            return VAGUE if vague else NOTHING
    rest = _NUMBER.sub(" ", rest)
    negated = any(lexicon.reasons.negations.search(rest) for lexicon in lexicons) and not text.endswith("?")
    if negated:
        return CONCRETE if place else NEGATED
    return VAGUE if vague else NOTHING


_CLAUSE = re.compile(r"([,;:])")
_NUMBER = re.compile(r"\bno\.? ?[:#]? ?(?=[a-z]{0,4}-?\d{2})")
"""A number, and no denial: "order no. 4711"."""


def _without_paperwork(clause: str, lexicons: Sequence[LanguageWords]) -> str:
    for lexicon in lexicons:
        clause = lexicon.reasons.paperwork.without(clause)
    return clause


def reason(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> Reason:
    """What the sentences tell of a failure: a form's field first, then what is concrete, then what is vague."""
    named = tuple(_named(sentences, lexicons))
    if named and (text := join(named)):
        return Reason(text, NAMED if weight(text, lexicons) != VAGUE else VAGUE)
    free = [text for text in sentences[:400] if text and field(text, lexicons) is None]
    weighed = [(weight(sentence, lexicons), sentence) for sentence in free]
    heaviest = max((heavy for heavy, _ in weighed), default=NOTHING)
    if heaviest == NOTHING:
        return Reason()
    least = min(heaviest, NEGATED)
    text = join(sentence for heavy, sentence in weighed if heavy >= least)
    if len(text) > PREFERRED and heaviest == CONCRETE:
        text = join(sentence for heavy, sentence in weighed if heavy == CONCRETE)
    return Reason(text, heaviest)


_ASIDE = re.compile(r"\([^()]{0,200}\)|\[[^\[\]]{0,200}\]")
_WORDS = re.compile(r"[^\W\d_⺀-\U0003ffff]{3,}|[⺀-\U0003ffff]{2}|\b[a-z]{1,3}-?\d{1,4}\b|\b0x[0-9a-f]{1,8}\b")
_CODE = re.compile(r"\b(?:e|err|error|code|f|p)-?\d{1,4}\b|\b0x[0-9a-f]{1,8}\b")
_SAYING = 2
"""Words, or pairs of ideographs, that say something."""


def plainly(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> Reason:
    """A reason of sentences that ``tells`` found: a symptom where a part is spoken of or a code stands, else to be asked about."""
    concrete = any(
        _CODE.search(plain(_ASIDE.sub(" ", text))) or any(one.reasons.parts.search(plain(text)) for one in lexicons)
        for text in sentences
    )
    return Reason(join(sentences), CONCRETE if concrete else VAGUE)


@cache
def _wishes(lexicons: Sequence[LanguageWords]) -> Phrases:
    return either(*(lexicon.intents.rma for lexicon in lexicons))


@cache
def _besides(lexicon: LanguageWords) -> Phrases:
    """What people write beside a failure: wishes, courtesy, papers, where a unit is or whence it came."""
    words, intents = lexicon.reasons, lexicon.intents
    return either(
        *(words.asking, words.telling, words.paperwork, words.neutral),
        *(intents.thanks, intents.about, intents.elsewhere, lexicon.serials.fine),
    )


def tells(sentence: str, serial: str, lexicons: Sequence[LanguageWords], everything: Sequence[LanguageWords]) -> bool:
    """Whether a sentence says of a unit something that is no wish, no courtesy, and not where it is or whence it came.

    What may be wrong with a unit cannot be listed; what else people write of one nearly can. ``serial`` is the unit's where
    the sentence names it; of one that names none a part must be spoken of. Wishes are heard in ``everything``: a line may be
    too short to show its language.
    """
    said = plain(_ASIDE.sub(" ", sentence))
    if _is_besides(said, lexicons, everything):
        return False
    if not serial and not any(lexicon.reasons.parts.search(said) for lexicon in lexicons):
        return False
    return _says_something(said.replace(plain(serial), " "), lexicons)


@lru_cache(maxsize=4096)
def _is_besides(said: str, lexicons: Sequence[LanguageWords], everything: Sequence[LanguageWords]) -> bool:
    if said.endswith(("?", ":")) or _wishes(everything).search(said):
        return True
    return any(_besides(lexicon).search(said) for lexicon in lexicons)


@lru_cache(maxsize=4096)
def _says_something(rest: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Whether a text holds more than labels, courtesy and the commonest words."""
    for lexicon in lexicons:
        for phrases in (lexicon.labels.serial, lexicon.labels.device, lexicon.labels.model, lexicon.labels.rma):
            rest = phrases.without(rest)
        rest = lexicon.reasons.trouble.without(lexicon.letter.greetings.without(lexicon.labels.between.without(rest)))
        rest = lexicon.common.without(rest)
    return len(_WORDS.findall(rest)) >= _SAYING


def silent(text: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Whether a text asks, tells or excuses and says nothing of a failure."""
    said = plain(text)
    spoken = ((one.reasons.asking, one.reasons.telling, one.reasons.paperwork) for one in lexicons)
    return weight(text, lexicons) == NOTHING and any(phrases.search(said) for three in spoken for phrases in three)


def motive(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> Reason:
    """Why something is to be credited, exchanged or reworked: the sentences that say so, else all that is no courtesy."""
    weighed = [sentence for sentence in sentences[:400] if sentence and _says_why(plain(sentence), lexicons)]
    moved = any(_moves(plain(sentence), one) for sentence in weighed for one in lexicons)
    text = join(weighed) if moved else ""
    return Reason(text, CONCRETE) if text else Reason()


def _says_why(text: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Whether a sentence gives a motive, or wishes for credit or exchange with more beside the wish."""
    if any(_moves(text, one) for one in lexicons):
        return True
    wishes = any(one.intents.credit.search(text) or one.intents.exchange.search(text) for one in lexicons)
    return wishes and bool(re.search(r"[,;:、-] ?\w", text))


def _moves(text: str, lexicon: LanguageWords) -> bool:
    intents = lexicon.intents
    return any(phrases.search(text) for phrases in (lexicon.reasons.motives, intents.rework))


_FIELD = re.compile(r"\s*+(?:[-*•]\s*+)?(?P<title>[^:=]{2,60}?)\s*[:=]\s*(?P<value>.*)", re.DOTALL)
_EMPTY = re.compile(r"[\W_]*(?:n/?a|none|unknown)?[\W_]*", re.IGNORECASE)


def _named(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> Iterator[str]:
    """The values of form fields that ask for the failure, with the sentences that go on below."""
    going = False
    for sentence in sentences:
        match = _FIELD.match(sentence)
        kind = title_kind(match["title"], lexicons) if match else ""
        if match and kind == "reason":
            if not _unsaid(match["value"], lexicons):
                yield match["value"].strip()
            going = True
        elif not sentence or match:
            going = going and not match and not kind
        elif going:
            if weight(sentence, lexicons) == NOTHING:
                going = False
            else:
                yield sentence


def _unsaid(value: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Whether a form's field holds no reason: empty, "yes", "see attached", "RMA"."""
    said = plain(value)
    answered = any(
        span == (0, len(said))
        for one in lexicons
        for word in (one.exclusions.yes, one.exclusions.no)
        for span in word.spans(said)
    )
    return bool(_EMPTY.fullmatch(value)) or answered or silent(value, lexicons) or _only_wish(value, lexicons)


def _only_wish(text: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Whether a text names the wish for an RMA or a repair and nothing else: that is no reason for one."""
    rest = plain(text)
    for lexicon in lexicons:
        for phrases in (lexicon.reasons.asking, lexicon.intents.rma, lexicon.reasons.trouble, lexicon.labels.between):
            rest = phrases.without(rest)
    return not re.search(r"\w", rest)


@lru_cache(maxsize=4096)
def field(sentence: str, lexicons: Sequence[LanguageWords]) -> str | None:
    """What a form's field for the failure holds; None where the sentence is no such field."""
    match = _FIELD.match(sentence)
    return match["value"].strip() if match and title_kind(match["title"], lexicons) == "reason" else None


def join(sentences: Iterable[str]) -> str:
    """Sentences as one text of at most ``PREFERRED`` characters, or the first one cut at ``LONGEST``."""
    text = ""
    for sentence in dict.fromkeys(" ".join(part.split()) for part in sentences):
        if text and len(text) + len(sentence) + 1 > PREFERRED:
            break
        text = f"{text} {sentence}" if text else sentence
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0]
