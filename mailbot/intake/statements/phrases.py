"""Phrases of a word list, searched for in normalized text.

Phrases match at word boundaries if the script has any. Wildcards: ``*`` is the rest of a word (``defe*``), ``...`` up
to seven words of the same sentence, ``(a|b)`` a choice, ``(a )?`` optional, and ``(a |b )*`` up to four repetitions.

There are thousands of phrases, and a message has only a few of them. So each phrase is indexed by words that it
requires; only phrases whose words occur in the text are compiled and searched for. The cost depends on the text, not on
the number of phrases.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache, cached_property, lru_cache
from heapq import heapify, heappop, heapreplace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.text.normalize import normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

WIDE = "⺀"
"""The first character of the scripts that do not separate words: Chinese, Japanese, Korean."""

NO_WORD = ""
"""Stands for the required word of a phrase that requires none."""


class Phrases:
    """One list of phrases. If several match at one position, the longest as written is found."""

    def __init__(self, phrases: Iterable[str] = ()) -> None:
        self.phrases = tuple(phrases)

    def __bool__(self) -> bool:
        return bool(self.phrases)

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match in normalized text, or None."""
        patterns = self._candidate_patterns(text)
        if len(patterns) <= 1:
            return patterns[0].search(text) if patterns else None
        found = [match for pattern in patterns if (match := pattern.search(text))]
        return min(found, key=_match_start) if found else None

    def end_at(self, text: str, start: int) -> int:
        """Return the end of the longest phrase that begins at ``start`` of normalized text; -1 if there is none."""
        return max((match.end() for one in self._candidate_patterns(text) if (match := one.match(text, start))), default=-1)

    def is_all(self, text: str) -> bool:
        """Return whether normalized text is a phrase and nothing else."""
        return bool(text) and self.spans(text) == ((0, len(text)),)

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:
        """Return the spans of all phrases in normalized text, from left to right and without overlaps."""
        patterns = self._candidate_patterns(text)
        return tuple(_merged_spans(patterns, text)) if patterns else ()

    def matched_phrases(self, text: str) -> frozenset[str]:
        """Return the different phrases in normalized text, as written there."""
        single, others = self._single_words_and_others
        if text.isascii() and not others.search(text):  # then a phrase occurs if its only word does
            return single & index_words(text)
        return frozenset(text[start:end] for start, end in self.spans(text))

    def without(self, text: str) -> str:
        """Return normalized text with each phrase replaced by a space."""
        return self._replaced(text, lambda _: " ")

    def blanked(self, text: str) -> str:
        """Return normalized text of the same length with the phrases replaced by spaces."""
        return self._replaced(text, lambda size: " " * size)

    def _replaced(self, text: str, replacement: Callable[[int], str]) -> str:
        spans = self.spans(text)
        if not spans:
            return text
        pieces: list[str] = []
        at = 0
        for start, end in spans:
            pieces += (text[at:start], replacement(end - start))
            at = end
        return "".join((*pieces, text[at:]))

    def _candidate_patterns(self, text: str) -> Sequence[re.Pattern[str]]:
        """Return the patterns of the phrases whose words occur in a text, the longest first."""
        index = self._index
        words = index.words & index_words(text)
        if index.always:
            words |= {NO_WORD}
        if len(words) <= 1:
            return index.patterns(*words) if words else ()
        ranks = sorted({rank for word in words for rank in index.ranks[word]})
        return [_pattern(index.spellings[rank]) for rank in ranks]

    @property
    def required_words(self) -> Iterator[str]:
        """The index words of which a text with one of the phrases has at least one; ``NO_WORD`` if a phrase requires none."""
        yield from self._index.ranks

    @cached_property
    def _single_words_and_others(self) -> tuple[frozenset[str], Phrases]:
        """The phrases that are one word of ASCII letters, and the others."""
        spellings = self._index.spellings
        single = frozenset(phrase for phrase in spellings if phrase.isascii() and phrase.isalpha())
        return single, Phrases(phrase for phrase in spellings if phrase not in single)

    @cached_property
    def _index(self) -> _PhraseIndex:
        return _PhraseIndex(self.phrases)


def union(*lists: Phrases) -> Phrases:
    """Return several lists as one, so that a single search covers all."""
    return Phrases(phrase for phrases in lists for phrase in phrases.phrases)


_match_start = re.Match[str].start


def _merged_spans(patterns: Sequence[re.Pattern[str]], text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of all matches, from left to right; the earlier pattern first if two begin at one position."""
    first = ((pattern.search(text), rank) for rank, pattern in enumerate(patterns))
    heap = [(match.start(), rank, match) for match, rank in first if match]
    end = 0
    if len(heap) == 1:
        match_alone: re.Match[str] | None = heap[0][2]
        while match_alone:
            yield match_alone.span()
            match_alone = match_alone.re.search(text, max(match_alone.end(), match_alone.start() + 1))
        return
    heapify(heap)
    while heap:
        start, rank, match = heap[0]
        if start >= end:
            end = max(match.end(), start + 1)
            yield match.span()
        following = match.re.search(text, end)
        if following:
            heapreplace(heap, (following.start(), rank, following))
        else:
            heappop(heap)


class _PhraseIndex:
    """The spellings of a list, the longest first, and their ranks by required word."""

    def __init__(self, phrases: Iterable[str]) -> None:
        spellings = {spelling for phrase in phrases for spelling in _all_spellings(phrase)}
        self.spellings = sorted(spellings, key=lambda phrase: (-len(phrase), phrase))
        self.ranks: defaultdict[str, list[int]] = defaultdict(list)
        for rank, phrase in enumerate(self.spellings):
            for word in _required_words(phrase) or (NO_WORD,):
                self.ranks[word].append(rank)
        self.always = NO_WORD in self.ranks
        self.words = frozenset(self.ranks)
        self._patterns: dict[str, Sequence[re.Pattern[str]]] = {}

    def patterns(self, word: str) -> Sequence[re.Pattern[str]]:
        """Return the patterns of the phrases that require this word."""
        if word not in self._patterns:
            self._patterns[word] = [_pattern(self.spellings[rank]) for rank in self.ranks[word]]
        return self._patterns[word]


# ------------------------------------------------------------------ spellings

_CHOICE = re.compile(r"\((?P<choice>[^()]*)\)(?![?*])")


@cache
def _all_spellings(phrase: str) -> frozenset[str]:
    """Return the spellings of a phrase as written in a list."""
    return frozenset(spelling for expanded in _expanded_choices(phrase) for spelling in _spellings(expanded))


def _expanded_choices(phrase: str) -> Iterator[str]:
    """Yield the phrase once per choice at its beginning: "(a|b) c" is "a c" and "b c"."""
    choice = _CHOICE.match(phrase)
    if not choice:
        yield phrase
        return
    for begin in choice["choice"].split("|"):
        yield begin + phrase[choice.end() :]


_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def _spellings(phrase: str) -> tuple[str, ...]:
    """Return the phrase as it is, and with umlauts written as two letters."""
    lower = phrase.casefold()
    return tuple({normalize(lower), normalize(lower.translate(_UMLAUTS))})


# ------------------------------------------------------------------ patterns

_WORDS = r"\b(?:[^\w.!?;]+\w+(?:\.\d+)?){0,7}?[^\w.!?;]+\b"
_CHARACTERS = r"(?:[^.!?,;:、。]|\.(?=\d)){0,14}?"
_TOKEN = re.compile(r" ?\.\.\. ?|\)\*|.")
_TOKEN_PATTERNS = {"...": _WORDS, ")*": "){0,4}", "*": r"\w*", " ": r"[ \-]", "(": "(?:", ")": ")", "|": "|", "?": "?"}
_WIDE_TOKEN_PATTERNS = {"...": _CHARACTERS, "*": ""}
"""Replacements for scripts without word boundaries: the rest of a word is whatever follows."""


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    """Return the pattern of a phrase in normalized spelling, compiled on first use; every repetition is bounded."""
    token_patterns = _TOKEN_PATTERNS | (_WIDE_TOKEN_PATTERNS if max(phrase) >= WIDE else {})
    pattern = "".join(token_patterns.get(token.strip() or token, re.escape(token)) for token in _TOKEN.findall(phrase))
    before, after = _boundary_characters(phrase)
    return re.compile(
        f"{f'(?<!{_letter_class(before)})' if before else ''}(?:{pattern}){f'(?!{_letter_class(after)})' if after else ''}"
    )


def _boundary_characters(phrase: str) -> tuple[str, str]:
    """Return the first and last characters of a phrase; empty where the word may continue."""
    begins = next(filter(str.isalnum, phrase), WIDE)
    ends = next(filter(str.isalnum, reversed(phrase)), WIDE)
    return (begins if phrase[0] != "*" and begins < WIDE else "", ends if phrase[-1] != "*" and ends < WIDE else "")


def _letter_class(edge: str) -> str:
    """Return the class of characters that would continue a word: "RMA" is a separate word in "RMA番号"."""
    # A class that names the scripts would be equivalent but take a hundred times as long to compile.
    return r"(?a:\w)" if edge.isascii() else r"\w"


# ------------------------------------------------------------------ required words

_BEGINNING_LENGTHS = (3, 5)
"""The lengths of the word beginnings that are indexed."""

_GAP = "\0"
"""A placeholder for text that is optional or arbitrary."""

_WORD = re.compile(r"\w+")
_PLAIN = re.compile(r"[a-z0-9]+(?: [a-z0-9]+)*")
_OPTIONAL_BEFORE = re.compile(r"(?<![^ ])\((?:[^()|]* \|)*[^()|]* \)[?*]")
_OPTIONAL_AFTER = re.compile(r"\((?: [^()|]*\|)* [^()|]*\)[?*](?![^ ])")
_GROUP = re.compile(r"\((?P<choice>[^()]*)\)(?P<sign>[?*]?)")
_OPTIONAL = re.compile(r".\?|\*")


@lru_cache(maxsize=512)  # the words of a text are ten times its size: only those of recent messages are kept
def index_words(text: str) -> frozenset[str]:
    """Return the words of normalized text and their beginnings, and in wide scripts its characters and their pairs."""
    if text.isascii():
        found = set(_WORD.findall(text))
    else:
        found = set(_WORD.findall("".join(char if char < WIDE else " " for char in text)))
    found |= {f"{word[:size]}*" for size in _BEGINNING_LENGTHS for word in found if len(word) >= size}
    if not text.isascii():
        found.update(char for char in text if char >= WIDE)
        found.update(one + two for one, two in pairwise(text) if one >= WIDE <= two)
    return frozenset(found)


class _RequiredWord(NamedTuple):
    """Words of which one must occur in any text with the phrase, and the number of letters that identify it."""

    letters: int
    words: frozenset[str]


_NOTHING = _RequiredWord(0, frozenset())


@cache
def _required_words(phrase: str) -> frozenset[str]:
    """Return words, or beginnings, of which one occurs in every text with this phrase; empty if no word is required."""
    if _PLAIN.fullmatch(phrase):
        return frozenset((max(phrase.split(), key=len),))
    before, after = _boundary_characters(phrase)
    gap = _GAP if max(phrase) >= WIDE else " "
    text = f"{'' if before else _GAP}{phrase.replace('...', gap)}{'' if after else _GAP}"
    return _required(text).words


def _required(text: str) -> _RequiredWord:
    """Return the longest words of which one must occur."""
    size = 0
    while "(" in text and size != (size := len(text)):  # an optional group with its space does not affect other words
        text = _OPTIONAL_AFTER.sub("", _OPTIONAL_BEFORE.sub("", text))
    requirements = []
    while "(" in text and (group := _GROUP.search(text)):
        before, after = text[: group.start()], text[group.end() :]
        if before.count("(") == before.count(")") and not group["sign"]:
            left, right = _gap_or_space(before[-1:]), _gap_or_space(after[:1])
            choices = [_required(f"{left}{one}{right}") for one in group["choice"].split("|")]
            if all(requirement.words for requirement in choices):
                requirements.append(
                    _RequiredWord(
                        min(requirement.letters for requirement in choices),
                        frozenset().union(*(requirement.words for requirement in choices)),
                    )
                )
        text = f"{before}{_GAP}{after}"
    if "|" in text:
        return _NOTHING
    return max(
        (*requirements, *_literal_words(_OPTIONAL.sub(_GAP, text))), key=lambda requirement: requirement.letters, default=_NOTHING
    )


def _gap_or_space(char: str) -> str:
    return _GAP if char.isalnum() or char in {_GAP, "*", "?", "(", ")"} else " "


def _literal_words(text: str) -> Iterator[_RequiredWord]:
    for match in _WORD.finditer(text):
        at = match.start()
        for wide, chars in groupby(match[0], lambda char: char >= WIDE):
            word = "".join(chars)
            start, at = at, at + len(word)
            if wide:
                yield _RequiredWord(2 * len(word), frozenset((word[:2],)))
            elif text[start - 1 : start] == _GAP:
                continue
            elif text[at : at + 1] != _GAP:
                yield _RequiredWord(len(word) + 1, frozenset((word,)))
            elif size := max((size for size in _BEGINNING_LENGTHS if size <= len(word)), default=0):
                yield _RequiredWord(size, frozenset((f"{word[:size]}*",)))
