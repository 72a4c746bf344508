"""Ranges of serial numbers: "AH2F104432 to AH2F104440", "C123-C125", "…101 through …105"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.entities.serials import SerialSpan
from mailbot.intake.text.normalize import normalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.statements.word_lists import LanguageWords

MAX_MEMBERS = 50
"""The maximum number of members of a range: a longer one is not a list of units to repair."""

_WORD = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]{0,23}[0-9])[A-Za-z0-9]{1,24}(?![A-Za-z0-9])")
_NUMBER = re.compile(r"(?P<stem>.{0,20}?)(?P<number>\d{2,12})")
_RANGE_SIGN = re.compile(r"[-~…〜]|\.\.")
_PUNCTUATION = re.compile(r"[\s\-~…〜.,'\"()]*")
_MAX_GAP = 24
_INNER_SEPARATORS = ("-", " ")
"""Separators between the two halves of one serial number."""


class Range(NamedTuple):
    """A range in a sentence: its first and last serial number as written, and the keys of all its members."""

    first: SerialSpan
    last: SerialSpan
    members: tuple[str, ...]


def ranges(sentence: str, lexicons: Sequence[LanguageWords]) -> Iterator[Range]:
    """Yield possible ranges in a sentence. Only one whose members are all in the registry is treated as a range."""
    words = [SerialSpan(match[0], match.start(), match.end()) for match in _WORD.finditer(sentence)]
    end = 0
    for index, word in enumerate(words):
        found_range = next(_ranges_at(sentence, words, index, lexicons), None) if word.start >= end else None
        if found_range is not None:
            end = found_range.last.end
            yield found_range


def _ranges_at(sentence: str, words: Sequence[SerialSpan], index: int, lexicons: Sequence[LanguageWords]) -> Iterator[Range]:
    """Yield the ranges that begin with this word."""
    for first, next_index in _serials_at(sentence, words, index):
        for last, _ in _serials_at(sentence, words, next_index) if next_index < len(words) else ():
            members = _members(first.key, last.key)
            if members and _is_range_connector(sentence[first.end : last.start], lexicons):
                yield Range(first, last, members)


def _serials_at(sentence: str, words: Sequence[SerialSpan], index: int) -> Iterator[tuple[SerialSpan, int]]:
    """Yield possible serial numbers from this word on, the longer one first, with the index of the next word."""
    word = words[index]
    if index + 1 < len(words) and sentence[word.end : words[index + 1].start] in _INNER_SEPARATORS:
        end = words[index + 1].end
        yield SerialSpan(sentence[word.start : end], word.start, end), index + 2
    yield word, index + 1


def _is_range_connector(gap: str, lexicons: Sequence[LanguageWords]) -> bool:
    if len(gap) > _MAX_GAP:
        return False
    rest = normalized = normalize(gap)
    for lexicon in lexicons:
        rest = lexicon.serials.through.without(rest)
    return bool(_PUNCTUATION.fullmatch(rest)) and (rest != normalized or bool(_RANGE_SIGN.search(normalized)))


def _members(first: str, last: str) -> tuple[str, ...]:
    """Return the keys from the first to the last; the last may omit what it shares with the first."""
    start = _NUMBER.fullmatch(first)
    if not start:
        return ()
    stem, number = start["stem"], start["number"]
    tail = last.removeprefix(stem) if len(last) == len(first) else last
    if not tail.isdigit() or len(tail) > len(number) or (len(tail) < len(number) and last != tail):
        return ()
    low, high = int(number), int(number[: len(number) - len(tail)] + tail)
    if not low < high < low + MAX_MEMBERS:
        return ()
    return tuple(f"{stem}{value:0{len(number)}}" for value in range(low, high + 1))
