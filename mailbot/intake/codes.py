"""The strings of a mail that the registry is asked about: serials, parts of words, members of ranges, look-alikes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailbot.intake.ranges import ranges
from mailbot.intake.serials import JOINED, LONGEST, SHORTEST, covered, fold, formed, lookalikes, parts, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mailbot.intake.desk import Desk

MOST = 2_000
"""Strings of one mail that are looked up in the registry."""

GUESSED = 400
"""Of these, at most: spellings that the writer may have meant (U2)."""

_LINE = 2_000
"""Characters of a line in which ranges and look-alikes are looked for."""


def codes(texts: Iterable[str], desk: Desk) -> tuple[str, ...]:
    """All keys in these texts that the registry should be asked about, as far as the caps go."""
    found: dict[str, None] = {}
    guessed: dict[str, None] = {}
    for text in texts:
        if len(found) >= MOST:
            break
        open_ = covered(text)
        for key in _keys(open_, desk, guessed):
            found.setdefault(key)
            if len(found) >= MOST:
                break
        if len(open_) <= _LINE and any(map(str.isdigit, open_)):
            found.update(dict.fromkeys(_members(open_, desk)))
    return tuple(dict.fromkeys((*tuple(found)[: MOST - min(len(guessed), GUESSED)], *tuple(guessed)[:GUESSED])))


def _keys(text: str, desk: Desk, guessed: dict[str, None]) -> Iterator[str]:
    """The keys of a text: words, neighbours put together, parts of words; their look-alikes go into ``guessed``."""
    words = tokens(text)
    for index, word in enumerate(words):
        for count in range(1, JOINED + 1):
            group = words[index : index + count]
            written = text[word.start() : group[-1].end()]
            key = fold(written)
            if len(group) == count and SHORTEST <= len(key) <= LONGEST and any(map(str.isdigit, key)):
                yield key
                if count < JOINED and len(guessed) < GUESSED and len(text) <= _LINE:
                    guessed.update(dict.fromkeys(lookalikes(written, desk)))
        yield from parts(word[0])


def _members(text: str, desk: Desk) -> Iterator[str]:
    """The keys of all members of the ranges of a text."""
    for found in ranges(text, desk.words.everything):
        if formed(found.members[0], desk):
            yield from found.members
