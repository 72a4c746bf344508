"""Ranges of serials: "AH2F104432 to AH2F104440", "C123-C125", "…101 through …105"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.entities.serials import SerialSpan, numbered
from mailbot.intake.text.normalize import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.statements.word_lists import LanguageWords

MOST = 50
"""Members of one range: more is no list of units to repair."""

_WORD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{1,24}(?![A-Za-z0-9])")
_NUMBER = re.compile(r"(?P<stem>.{0,20}?)(?P<number>\d{2,12})")
_SIGN = re.compile(r"[-~…〜]|\.\.")
_MARKS = re.compile(r"[\s\-~…〜.,'\"()]*")
_GAP = 24
_WITHIN = ("-", " ")
"""What may stand between the two halves of one serial."""


class Range(NamedTuple):
    """A range as it stands in a sentence: its two ends as written, and the keys of all its members."""

    first: SerialSpan
    last: SerialSpan
    members: tuple[str, ...]


def ranges(sentence: str, lexicons: Sequence[LanguageWords]) -> Iterator[Range]:
    """The ranges that a sentence may name. Only a registry that knows every member makes one of it."""
    found = (SerialSpan(match[0], match.start(), match.end()) for match in _WORD.finditer(sentence))
    words = [word for word in found if numbered(word.text)]
    at = 0
    while at < len(words):
        one = next(_from(sentence, words, at, lexicons), None)
        at += 1
        if one is not None:
            yield one
            while at < len(words) and words[at].start < one.last.end:
                at += 1


def _from(sentence: str, words: Sequence[SerialSpan], at: int, lexicons: Sequence[LanguageWords]) -> Iterator[Range]:
    """The ranges that begin with this word."""
    for first, after in _serials(sentence, words, at):
        for last, _ in _serials(sentence, words, after) if after < len(words) else ():
            members = _members(first.key, last.key)
            if members and _through(sentence[first.end : last.start], lexicons):
                yield Range(first, last, members)


def _serials(sentence: str, words: Sequence[SerialSpan], at: int) -> Iterator[tuple[SerialSpan, int]]:
    """What may be a serial from this word on, the longer one first, and the index of the word behind it."""
    word = words[at]
    if at + 1 < len(words) and sentence[word.end : words[at + 1].start] in _WITHIN:
        end = words[at + 1].end
        yield SerialSpan(sentence[word.start : end], word.start, end), at + 2
    yield word, at + 1


def _through(gap: str, lexicons: Sequence[LanguageWords]) -> bool:
    if len(gap) > _GAP:
        return False
    rest = said = plain(gap)
    for lexicon in lexicons:
        rest = lexicon.serials.through.without(rest)
    return bool(_MARKS.fullmatch(rest)) and (rest != said or bool(_SIGN.search(said)))


def _members(first: str, last: str) -> tuple[str, ...]:
    """The keys from the first to the last; the last may leave out what it shares with the first."""
    start = _NUMBER.fullmatch(first)
    if not start:
        return ()
    stem, number = start["stem"], start["number"]
    tail = last.removeprefix(stem) if len(last) == len(first) else last
    if not tail.isdigit() or len(tail) > len(number) or (len(tail) < len(number) and last != tail):
        return ()
    low, high = int(number), int(number[: len(number) - len(tail)] + tail)
    if not low < high < low + MOST:
        return ()
    return tuple(f"{stem}{value:0{len(number)}}" for value in range(low, high + 1))
