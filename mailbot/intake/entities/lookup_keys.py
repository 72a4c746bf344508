"""The strings of a mail that the registry is asked about: serials, parts of words, members of ranges, look-alikes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailbot.intake.entities.ranges import ranges
from mailbot.intake.entities.serials import (
    JOINED,
    LONGEST,
    SHORTEST,
    covered,
    formed,
    lookalikes,
    numbered,
    parts,
    serial_key,
    tokens,
)

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Sequence

    from mailbot.intake.desk import Desk

MOST = 2_000
"""Strings of one mail that are looked up in the registry."""

WORDS = 15_000
"""Words, in lines that hold a digit, that are put together to such strings."""

GUESSED = 400
"""Of these, at most: spellings that the writer may have meant."""

_GUESSED_AT = 200
"""Strings of one mail for which such spellings are sought."""

_LINE = 2_000
"""Characters of a line in which ranges and look-alikes are looked for."""


def codes(texts: Iterable[str], desk: Desk) -> tuple[str, ...]:
    """All keys in these texts that the registry should be asked about, as far as the caps go."""
    found: dict[str, None] = {}
    guessed: dict[str, tuple[str, ...]] = {}
    seen: set[str] = set()
    left = WORDS
    for text in texts:
        if len(found) >= MOST or not left:
            break
        if text in seen or not numbered(text):
            continue
        seen.add(text)
        open_ = covered(text)
        words = tokens(open_)[:left]
        left -= len(words)
        for key in _keys(open_, words, desk, guessed):
            found.setdefault(key)
            if len(found) >= MOST:
                break
        if len(open_) <= _LINE:
            found.update(dict.fromkeys(_members(open_, desk)))
    guesses = tuple(dict.fromkeys(guess for some in guessed.values() for guess in some))[:GUESSED]
    return tuple(dict.fromkeys((*tuple(found)[: MOST - len(guesses)], *guesses)))


def _keys(text: str, words: Sequence[re.Match[str]], desk: Desk, guessed: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """The keys of a text: words, neighbours put together, parts of words; their look-alikes go into ``guessed``."""
    for index, word in enumerate(words):
        if not numbered(text[word.start() : words[min(index + JOINED, len(words)) - 1].end()]):
            yield from parts(word[0])
            continue
        for count in range(1, JOINED + 1):
            group = words[index : index + count]
            written = text[word.start() : group[-1].end()]
            if len(group) < count or len(written) < SHORTEST or not numbered(written):
                continue
            if len(key := serial_key(written)) < SHORTEST:
                continue
            if len(key) > LONGEST:
                break
            yield key
            if count < JOINED and len(guessed) < _GUESSED_AT and len(text) <= _LINE and key not in guessed:
                guessed[key] = lookalikes(written, desk)
        yield from parts(word[0])


def _members(text: str, desk: Desk) -> Iterator[str]:
    """The keys of all members of the ranges of a text."""
    for found in ranges(text, desk.words.everything):
        if formed(found.members[0], desk):
            yield from found.members
