"""Phrases of a word list, found in plain text.

They are compared as ``plain`` text, at word boundaries where the script has any. The signs: ``*`` stands for the rest of a
word (``defe*``), ``...`` for up to seven words of the same sentence, ``(a|b)`` for a choice, ``(a )?`` for what may be
missing, ``(a |b )*`` for up to four of them.

There are thousands of phrases, and a mail has but a few of them. So each phrase names words without which it cannot be
there; only the phrases whose words a text has are compiled and tried. What a text costs grows with what it says, not with
what could be said.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache, cached_property, lru_cache
from heapq import heapify, heappop, heapreplace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.text.normalize import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

WIDE = "⺀"
"""Where the scripts begin that do not set words apart: Chinese, Japanese, Korean."""


class Phrases:
    """One list of phrases. Of several that begin at one place in a text the longest, as it is written, is found."""

    def __init__(self, phrases: Iterable[str] = ()) -> None:
        self.phrases = tuple(phrases)

    def __bool__(self) -> bool:
        return bool(self.phrases)

    def search(self, text: str) -> re.Match[str] | None:
        """The first phrase in plain text, or None."""
        found = [match for pattern in self._possible(text) if (match := pattern.search(text))]
        return min(found, key=_start) if found else None

    def begins(self, text: str) -> bool:
        """Whether plain text begins with a phrase."""
        return any(pattern.match(text) for pattern in self._possible(text))

    def end_at(self, text: str, start: int) -> int:
        """Where the longest phrase ends that begins at ``start`` of plain text; -1 where none does."""
        return max((match.end() for one in self._possible(text) if (match := one.match(text, start))), default=-1)

    def is_all(self, text: str) -> bool:
        """Whether plain text is a phrase and nothing else."""
        return bool(text) and self.spans(text) == ((0, len(text)),)

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:
        """Where phrases stand in plain text, from left to right, none over another."""
        possible = self._possible(text)
        return tuple(_in_turn(possible, text)) if possible else ()

    def said(self, text: str) -> frozenset[str]:
        """The different phrases that plain text has, as they stand there."""
        single, others = self._by_size
        if text.isascii() and not others.search(text):  # then a phrase is there if its one word is
            return single & words(text)
        return frozenset(text[start:end] for start, end in self.spans(text))

    def without(self, text: str) -> str:
        """Plain text with a blank for each phrase."""
        return self._replaced(text, lambda _: " ")

    def blanked(self, text: str) -> str:
        """Plain text of the same length with blanks for the phrases."""
        return self._replaced(text, lambda size: " " * size)

    def _replaced(self, text: str, by: Callable[[int], str]) -> str:
        spans = self.spans(text)
        if not spans:
            return text
        pieces: list[str] = []
        at = 0
        for start, end in spans:
            pieces += (text[at:start], by(end - start))
            at = end
        return "".join((*pieces, text[at:]))

    def _possible(self, text: str) -> Sequence[re.Pattern[str]]:
        """The patterns of the phrases whose words a text has, the longest first."""
        index = self._index
        found = index.words & words(text)
        if not found and not index.always:
            return ()
        ranks = set(index.always)
        for word in found:
            ranks.update(index.ranks[word])
        return [_pattern(index.spelled[rank]) for rank in sorted(ranks)]

    @cached_property
    def _by_size(self) -> tuple[frozenset[str], Phrases]:
        """The phrases that are one word of ASCII letters, and the others."""
        spelled = self._index.spelled
        single = frozenset(phrase for phrase in spelled if phrase.isascii() and phrase.isalpha())
        return single, Phrases(phrase for phrase in spelled if phrase not in single)

    @cached_property
    def _index(self) -> _PhraseIndex:
        return _PhraseIndex(self.phrases)


def either(*lists: Phrases) -> Phrases:
    """Several lists as one: what is asked of all of them is asked once."""
    return Phrases(phrase for phrases in lists for phrase in phrases.phrases)


_start = re.Match[str].start


def _in_turn(patterns: Sequence[re.Pattern[str]], text: str) -> Iterator[tuple[int, int]]:
    """Where the patterns match, from left to right; the earlier pattern first where two begin at one place."""
    first = ((pattern.search(text), rank) for rank, pattern in enumerate(patterns))
    ahead = [(match.start(), rank, match) for match, rank in first if match]
    end = 0
    if len(ahead) == 1:
        alone: re.Match[str] | None = ahead[0][2]
        while alone:
            yield alone.span()
            alone = alone.re.search(text, max(alone.end(), alone.start() + 1))
        return
    heapify(ahead)
    while ahead:
        start, rank, match = ahead[0]
        if start >= end:
            end = max(match.end(), start + 1)
            yield match.span()
        following = match.re.search(text, end)
        if following:
            heapreplace(ahead, (following.start(), rank, following))
        else:
            heappop(ahead)


class _PhraseIndex:
    """The spellings of a list by the words they need; ``always`` are those that need none that could be named."""

    def __init__(self, phrases: Iterable[str]) -> None:
        spelled = {spelling for phrase in phrases for spelling in _spelled(phrase)}
        self.spelled = sorted(spelled, key=lambda phrase: (-len(phrase), phrase))
        self.ranks: defaultdict[str, list[int]] = defaultdict(list)
        for rank, phrase in enumerate(self.spelled):
            for word in _needed(phrase) or ("",):
                self.ranks[word].append(rank)
        self.always = self.ranks.pop("", [])
        self.words = frozenset(self.ranks)


# ------------------------------------------------------------------ spellings

_CHOICE = re.compile(r"\((?P<choice>[^()]*)\)(?![?*])")


@cache
def _spelled(phrase: str) -> frozenset[str]:
    """The spellings of a phrase as it is written in a list."""
    return frozenset(spelling for begun in _begun(phrase) for spelling in _spellings(begun))


def _begun(phrase: str) -> Iterator[str]:
    """The phrase once for each choice it begins with: "(a|b) c" is "a c" and "b c"."""
    choice = _CHOICE.match(phrase)
    if not choice:
        yield phrase
        return
    for begin in choice["choice"].split("|"):
        yield begin + phrase[choice.end() :]


_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def _spellings(phrase: str) -> tuple[str, ...]:
    """The phrase as it stands, and with umlauts written as two letters."""
    lower = phrase.casefold()
    return tuple({plain(lower), plain(lower.translate(_UMLAUTS))})


# ------------------------------------------------------------------ patterns

_WORDS = r"\b(?:[^\w.!?;]+\w+(?:\.\d+)?){0,7}?[^\w.!?;]+\b"
_CHARACTERS = r"(?:[^.!?,;:、。]|\.(?=\d)){0,14}?"
_SIGN = re.compile(r" ?\.\.\. ?|\)\*|.")
_WRITTEN = {"...": _WORDS, ")*": "){0,4}", "*": r"\w*", " ": r"[ \-]", "(": "(?:", ")": ")", "|": "|", "?": "?"}
_UNBOUNDED = {"...": _CHARACTERS, "*": ""}
"""Where words have no boundaries, the rest of a word is whatever follows."""


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    """The pattern of a phrase in plain spelling, compiled when first needed; every repetition in it is bounded."""
    written = _WRITTEN | (_UNBOUNDED if max(phrase) >= WIDE else {})
    inner = "".join(written.get(sign.strip() or sign, re.escape(sign)) for sign in _SIGN.findall(phrase))
    before, behind = _edges(phrase)
    return re.compile(
        f"{f'(?<!{_letter(before)})' if before else ''}(?:{inner}){f'(?!{_letter(behind)})' if behind else ''}"
    )


def _edges(phrase: str) -> tuple[str, str]:
    """The characters with which words begin and end a phrase; empty where the word may go on there."""
    begins = next(filter(str.isalnum, phrase), WIDE)
    ends = next(filter(str.isalnum, reversed(phrase)), WIDE)
    return (
        begins if phrase[0] != "*" and begins < WIDE else "",
        ends if phrase[-1] != "*" and ends < WIDE else "",
    )


def _letter(edge: str) -> str:
    """What would continue a word: "RMA" is a word of its own in "RMA番号"."""
    # A class that names the scripts would say the same and take a hundred times as long to compile.
    return r"(?a:\w)" if edge.isascii() else r"\w"


# ------------------------------------------------------------------ the words that a phrase needs

_BEGINNINGS = (3, 5)
"""Letters by which the beginning of a word is known."""

_GAP = "\0"
"""Stands for what may be there, or be anything."""

_WORD = re.compile(r"\w+")
_BEFORE = re.compile(r"(?<![^ ])\((?:[^()|]* \|)*[^()|]* \)[?*]")
_BEHIND = re.compile(r"\((?: [^()|]*\|)* [^()|]*\)[?*](?![^ ])")
_GROUP = re.compile(r"\((?P<choice>[^()]*)\)(?P<sign>[?*]?)")
_MAYBE = re.compile(r".\?|\*")


@lru_cache(maxsize=512)  # a text's words are ten times its size: those of the last mails
def words(text: str) -> frozenset[str]:
    """The words of plain text, their beginnings, and of scripts that set none apart the characters and pairs of them."""
    if text.isascii():
        found = set(_WORD.findall(text))
    else:
        found = set(_WORD.findall("".join(char if char < WIDE else " " for char in text)))
    found |= {f"{word[:size]}*" for word in found for size in _BEGINNINGS}
    if not text.isascii():
        found.update(char for char in text if char >= WIDE)
        found.update(one + two for one, two in pairwise(text) if one >= WIDE <= two)
    return frozenset(found)


class _RequiredWord(NamedTuple):
    """Words of which a text with the phrase has one, and how many letters tell them."""

    letters: int
    words: frozenset[str]


_NOTHING = _RequiredWord(0, frozenset())


@cache
def _needed(phrase: str) -> frozenset[str]:
    """Words, or beginnings, of which one stands in every text with this phrase; none where none can be named."""
    before, behind = _edges(phrase)
    gap = _GAP if max(phrase) >= WIDE else " "
    text = f"{'' if before else _GAP}{phrase.replace('...', gap)}{'' if behind else _GAP}"
    return _need(text).words


def _need(text: str) -> _RequiredWord:
    """The longest words, of which one must be there."""
    size = 0
    while "(" in text and size != (
        size := len(text)
    ):  # what may be missing with the blank beside it changes no other word
        text = _BEHIND.sub("", _BEFORE.sub("", text))
    needs = []
    while "(" in text and (group := _GROUP.search(text)):
        before, behind = text[: group.start()], text[group.end() :]
        if before.count("(") == before.count(")") and not group["sign"]:
            left, right = _side(before[-1:]), _side(behind[:1])
            each = [_need(f"{left}{one}{right}") for one in group["choice"].split("|")]
            if all(need.words for need in each):
                needs.append(
                    _RequiredWord(min(need.letters for need in each), frozenset().union(*(need.words for need in each)))
                )
        text = f"{before}{_GAP}{behind}"
    if "|" in text:
        return _NOTHING
    return max((*needs, *_literals(_MAYBE.sub(_GAP, text))), key=lambda need: need.letters, default=_NOTHING)


def _side(char: str) -> str:
    return _GAP if char.isalnum() or char in {_GAP, "*", "?", "(", ")"} else " "


def _literals(text: str) -> Iterator[_RequiredWord]:
    for match in _WORD.finditer(text):
        at = match.start()
        for wide, some in groupby(match[0], lambda char: char >= WIDE):
            word = "".join(some)
            start, at = at, at + len(word)
            if wide:
                yield _RequiredWord(2 * len(word), frozenset((word[:2],)))
            elif text[start - 1 : start] == _GAP:
                continue
            elif text[at : at + 1] != _GAP:
                yield _RequiredWord(len(word) + 1, frozenset((word,)))
            elif size := max((size for size in _BEGINNINGS if size <= len(word)), default=0):
                yield _RequiredWord(size, frozenset((f"{word[:size]}*",)))
